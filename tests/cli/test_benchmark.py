"""`edgewise benchmark` lists, fetches, imports, verifies and converts, and says what is wrong."""

import json

import numpy as np
import pytest
from typer.testing import CliRunner

from edgewise.benchmarks.catalog import rows
from edgewise.cli.benchmark import app
from edgewise.errors import EdgewiseError, InputError, OutputError
from edgewise.masks import read_mask
from tests.benchmarks import miniature
from tests.benchmarks.host import QUOTA, File, running
from tests.benchmarks.inputs import native


@pytest.fixture
def host():
    with running() as served:
        yield served


@pytest.fixture
def run(tmp_path):
    """Run a command on a store of its own: exit status, standard output and standard error."""

    def run(*words, root=True):
        where = ["--root", str(tmp_path / "store")] if root else []
        result = CliRunner().invoke(app, [*map(str, words), *where])
        if isinstance(result.exception, EdgewiseError):
            raise result.exception
        assert result.exception is None or isinstance(result.exception, SystemExit)
        return result.exit_code, result.stdout, result.stderr

    return run


def test_list_shows_every_row_and_what_is_here(run, tmp_path):
    miniature.big(tmp_path / "store" / "big")
    miniature.ade_split(tmp_path / "store" / "ade20k-encnet-split")
    code, out, err = run("list")
    lines = {line.split()[0]: line for line in out.splitlines()}
    assert code == 0
    assert list(lines) == list(rows())
    assert "1 of 50 val, 2 of 100 test" in lines["big"]
    assert "absent (of 500)" in lines["pascal"]
    assert "4 masks" in lines["ade20k-encnet-split"]
    assert str(tmp_path / "store") in err


def test_list_of_one_row_shows_its_links_terms_and_layout(run):
    _, out, _ = run("list", "big")
    assert "backup: https://drive.google.com/file/d/1yXP-PDyBD1BIvr7wJ6aLSRMO9UQqo8V5" in out
    assert "commercial purposes" in out
    assert "<name>_im.jpg" in out
    assert "made by: https://github.com/hszhao/semseg" in run("list", "ade20k-pspnet")[1]


def test_list_for_programs_is_json(run, tmp_path):
    miniature.pascal(tmp_path / "store" / "pascal")
    (row,) = json.loads(run("list", "pascal", "--json")[1])
    assert row["here"] == {"all": 2}
    assert row["complete"] is False
    assert len(row["links"]) == 2


def test_fetch_takes_the_backup_and_says_so(run, host, tmp_path):
    main, backup = "1cLQvy1giJTSrHV4FGzXgadBgI0zNtIxN", "1yXP-PDyBD1BIvr7wJ6aLSRMO9UQqo8V5"
    host.files[main] = File(page=QUOTA)
    host.files[backup] = File(
        miniature.zipped(miniature.big(tmp_path / "made"), "BIG/"), large=True
    )
    code, out, err = run("fetch", "big", "--accept-terms", "--drive-url", host.url)
    assert code == 0
    assert "quota" in err
    assert "took the backup" in err
    assert "big: 6 files from https://drive.google.com/file/d/1yXP" in out
    assert "1 of 50 val, 2 of 100 test" in out
    assert (tmp_path / "store" / "big" / "test" / "003_tv_im.jpg").is_file()


def test_fetch_without_accepted_terms_fetches_nothing(run, host):
    with pytest.raises(InputError, match="Please do not use for commercial purposes"):
        run("fetch", "big", "--drive-url", host.url)
    assert host.asked == []


def test_terms_are_asked_for_at_a_terminal(run, host, tmp_path, monkeypatch):
    monkeypatch.setattr("edgewise.cli.benchmark._watched", lambda: True)
    asked = []
    monkeypatch.setattr("typer.confirm", lambda text, **_: asked.append(text) or False)
    with pytest.raises(InputError, match="--accept-terms"):
        run("fetch", "big", "--drive-url", host.url)
    assert asked == ["Do you accept these terms?"]


def test_import_verify_and_inputs_go_together(run, tmp_path):
    code, out, _ = run("import", "big", miniature.big(tmp_path / "have"))
    assert code == 0
    assert "big: 6 files; 1 of 50 val, 2 of 100 test" in out

    labels = native.blocks([0, 15, 20])
    native.write_mat(tmp_path / "native" / "002_person.mat", labels.astype(np.uint8))
    code, out, err = run("inputs", "big", "--from", "refinenet", "--path", tmp_path / "native")
    assert code == 1
    assert "1 of 2 made" in out
    assert "003_tv: missing: none of 003_tv.mat" in err
    made = read_mask(tmp_path / "store" / "big-refinenet" / "002_person_seg.png", soft=True)
    expected = native.selected(labels, 15, miniature.SIZE)
    np.testing.assert_array_equal(made > 0.5, expected)

    code, out, _ = run("verify", "big-refinenet")
    assert code == 1
    assert "003_tv_im.jpg: this photo has no mask" in out
    assert "big-refinenet: 1 of 100, 2 problems" in out


def test_a_networks_own_outputs_are_not_written_over(run, tmp_path):
    """PASCAL's labels in <name>_seg.png would become the mask of one of them."""
    miniature.big(tmp_path / "store" / "big")
    outputs = tmp_path / "outputs"
    path = native.write_grey(outputs / "002_person_seg.png", np.full(miniature.SIZE, 15))
    before = path.read_bytes()
    with pytest.raises(InputError, match=r"002_person_seg\.png: is an input"):
        run("inputs", "big", "--from", "pspnet", "--path", outputs, "-o", outputs)
    assert path.read_bytes() == before


def test_what_an_input_set_is_linked_to_is_not_written_over(run, tmp_path):
    miniature.big(tmp_path / "store" / "big")
    mine = miniature.masks(tmp_path / "mine", miniature.BIG_NAMES["test"])
    before = (mine / "002_person_seg.png").read_bytes()
    run("import", "big-pspnet", mine, "--link")
    native.write_grey(tmp_path / "outputs" / "002_person.png", np.full(miniature.SIZE, 15))
    with pytest.raises(InputError, match=r"002_person_seg\.png: is a link"):
        run("inputs", "big", "--from", "pspnet", "--path", tmp_path / "outputs")
    assert (mine / "002_person_seg.png").read_bytes() == before


def test_inputs_of_scenes_say_where_classes_count_from(run, tmp_path):
    miniature.ade20k(tmp_path / "store" / "ade20k")
    for name in miniature.ADE_NAMES:
        native.write_grey(tmp_path / "native" / f"{name}.png", native.blocks([0, 149]))
    output = tmp_path / "made"
    words = ("inputs", "ade20k", "--from", "encnet", "--path", tmp_path / "native")
    code, out, err = run(*words, "-o", output)
    assert code == 0
    assert "classes count from 0" in err
    assert "2 of 2 made" in out
    assert len(list(output.iterdir())) == 2


def test_an_output_that_is_a_file_is_told(run, tmp_path):
    miniature.big(tmp_path / "store" / "big")
    (tmp_path / "file").write_text("in the way")
    native.write_mat(tmp_path / "native" / "002_person.mat", native.blocks([0, 15]))
    words = ("inputs", "big", "--from", "refinenet", "--path", tmp_path / "native")
    with pytest.raises(OutputError, match=r"file: cannot be made: File exists"):
        run(*words, "-o", tmp_path / "file")


def test_verify_of_all_as_published_ends_well(run, tmp_path):
    miniature.ade20k(tmp_path / "store" / "ade20k")
    miniature.ade_split(tmp_path / "store" / "ade20k-encnet-split")
    code, out, _ = run("verify", "ade20k-encnet-split")
    assert code == 0
    assert "ade20k-encnet-split: 4 masks, 0 problems" in out


def test_import_of_big_without_split_folders_takes_the_split(run, tmp_path):
    have = miniature.big(tmp_path / "have") / "val"
    with pytest.raises(InputError, match="--split val"):
        run("import", "big", have.rename(tmp_path / "objects"))
    assert run("import", "big", tmp_path / "objects", "--split", "val", "--link")[0] == 0
    assert (tmp_path / "store" / "big" / "val" / "001_cat_im.jpg").is_symlink()


def test_unknown_names_are_told_before_anything_is_done(run, host):
    with pytest.raises(InputError, match="no 'bog' in the benchmark"):
        run("fetch", "pascal", "bog", "--drive-url", host.url)
    assert host.asked == []
    with pytest.raises(InputError, match="no network 'psp' for big"):
        run("inputs", "big", "--from", "psp", "--path", ".")
