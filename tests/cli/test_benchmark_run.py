"""`edgewise benchmark run` says what it does, what is missing and what failed."""

import json

import numpy as np
import pytest
from typer.testing import CliRunner

from edgewise.cli.benchmark import app
from edgewise.errors import EdgewiseError, InputError, OutputError
from tests.benchmarks import engines, miniature

HERE = "measured here"


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Run the command in a folder of its own: exit status, standard output and error."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("edgewise.engines.NetworkEngine", lambda **_: run.engine)

    def run(*words):
        result = CliRunner().invoke(app, ["run", *map(str, words), "--root", "store"])
        if isinstance(result.exception, EdgewiseError):
            raise result.exception
        assert result.exception is None or isinstance(result.exception, SystemExit)
        return result.exit_code, result.stdout, result.stderr

    run.engine = engines.Moves()
    return run


@pytest.fixture
def store(tmp_path):
    root = tmp_path / "store"
    miniature.big(root / "big")
    miniature.pascal(root / "pascal")
    miniature.masks(root / "big-pspnet", miniature.BIG_NAMES["test"])
    miniature.masks(root / "pascal-fcn8s", miniature.PASCAL_NAMES)
    return root


def test_all_that_is_here_is_run_unless_named(run, store):
    _, out, _ = run()
    assert out.count("## ") == 2
    assert out.index("## BIG") < out.index("## Relabeled PASCAL VOC 2012")
    assert "## BIG" not in run("pascal")[1]


def test_a_dataset_named_twice_is_run_once(run, store):
    code, out, _ = run("big", "big", "--no-baselines")
    assert (code, out.count("## ")) == (0, 1)


def test_nothing_here_says_what_brings_it(run, tmp_path):
    miniature.big(tmp_path / "store" / "big")
    with pytest.raises(
        InputError, match="no input set for big or pascal or ade20k is on this machine"
    ):
        run()
    with pytest.raises(InputError, match="fetch big-pspnet"):
        run("big", "--inputs", "pspnet")


def test_every_network_asked_for_must_be_somewhere(run, store):
    _, out, _ = run("--inputs", "pspnet,fcn8s", "--limit", "1")
    assert out.count("## ") == 2
    with pytest.raises(InputError, match="no input set of refinenet or x is on this machine"):
        run("--inputs", "pspnet,refinenet,x")


def test_a_folder_of_others_masks_is_scored_beside(run, store, tmp_path):
    miniature.masks(tmp_path / "crm" / "big-pspnet", ["002_person"], "_mask.png")
    code, out, _ = run("--masks", "CRM=crm")
    assert code == 0
    assert "PSPNet: 1 of 100 objects (CRM)" in out
    assert (tmp_path / "edgewise-benchmark" / "big-pspnet" / "CRM.jsonl").is_file()


@pytest.mark.parametrize(
    ("given", "words"),
    [("crm", "expected NAME=DIR"), ("=crm", "expected NAME=DIR"), ("A=none", "no folder of masks")],
)
def test_masks_given_otherwise_are_told(run, store, given, words):
    with pytest.raises(InputError, match=words):
        run("--masks", given)


def test_without_refining_no_engine_is_opened(run, store, tmp_path):
    run.engine = engines.Never()
    miniature.masks(store / "big-pspnet-refined", miniature.BIG_NAMES["test"], "_mask.png")
    code, out, _ = run("big", "--no-refine")
    assert code == 0
    assert "| CascadePSP    | measured here" in out
    assert "| edgewise" not in out
    with pytest.raises(InputError, match="nothing to score"):
        run("pascal", "--no-refine")


def test_json_has_figures_sources_and_what_ran(run, store):
    run("big", "--json", "all.json", "--limit", "1", "--no-baselines")
    with open("all.json") as file:
        values = json.load(file)
    assert values["engine"]["engine"] == "moves"
    assert values["sources"].keys() == {"segrefiner"}
    own = values["figures"][-1]
    assert (own["method"], own["pairs"], own["source"]) == ("edgewise", 1, None)


def test_failed_objects_are_named_and_the_status_says_whether_any_was_scored(run, store, tmp_path):
    run.engine = engines.Fails()
    code, _, err = run("big", "--no-baselines")
    assert code == 2
    assert "edgewise: big-pspnet, edgewise: 002_person: too dark" in err
    assert "no object could be scored" in err
    (store / "big-pspnet" / "003_tv_seg.png").write_text("no picture")
    run.engine = engines.Moves()
    code, out, err = run("big", "-o", "other", "--no-baselines")
    assert code == 1
    assert "1 failed" in err
    assert "1 of 100 objects (coarse, edgewise)" in out


def test_outputs_that_cannot_be_written_are_told_before_the_run(run, store):
    run.engine = engines.Never()
    with pytest.raises(OutputError, match="no folder nowhere"):
        run("--csv", "nowhere/all.csv")


def test_no_input_is_written_over(run, store):
    run.engine = engines.Never()
    truth = store / "big" / "test" / f"{miniature.BIG_NAMES['test'][0]}_gt.png"
    with pytest.raises(InputError, match="is an input"):
        run("--csv", truth)


def test_others_masks_are_not_written_over(run, store, tmp_path):
    run.engine = engines.Never()
    others = miniature.masks(tmp_path / "crm" / "big-pspnet", ["002_person"], "_mask.png")
    before = (others / "002_person_mask.png").read_bytes()
    with pytest.raises(InputError, match=r"big-pspnet: holds masks, and no edgewise\.jsonl"):
        run("big", "--masks", "CRM=crm", "-o", "crm")
    assert (others / "002_person_mask.png").read_bytes() == before


@pytest.mark.parametrize("folder", ["crm", "store"])
def test_others_label_maps_are_not_taken_for_refined_here(run, store, tmp_path, folder):
    """Not even the coarse ones, which have the same names."""
    run.engine = engines.Never()
    miniature.ade20k(store / "ade20k")
    for root in (store, tmp_path / "crm"):
        for name in miniature.ADE_NAMES:
            miniature.save(
                np.full(miniature.SIZE, 3, np.uint8), root / "ade20k-encnet" / f"{name}.png"
            )
    with pytest.raises(InputError, match="ade20k-encnet: holds masks, and no edgewise"):
        run("ade20k", "-o", folder)


def test_the_report_shows_the_tables_and_the_objects(run, store):
    pytest.importorskip("jinja2")
    run("--report", "all.html")
    with open("all.html") as file:
        page = file.read()
    assert "Wang et al., SegRefiner" in page
    assert "measured here" in page
    assert "pascal-fcn8s/2007_000042_19" in page
    assert page.count("data:image") >= 4
    run.engine = engines.Never()
    miniature.masks(store / "big-pspnet-refined", miniature.BIG_NAMES["test"], "_mask.png")
    with pytest.raises(InputError, match="shows objects of BIG and PASCAL as they are refined"):
        run("big", "--no-refine", "--report", "none.html")


def test_the_table_says_what_measured(run, store):
    assert "network none (sha256 000000000000)" in run("big")[1]


def test_several_engines_are_several_lines_and_go_on_apart(run, store, tmp_path):
    words = ("big", "--engine", "edgewise", "--engine", "guided", "--no-baselines")
    words = (*words, "--json", "all.json")
    code, out, err = run(*words)
    assert (code, err) == (0, "")
    lines = [line.split("|")[1].strip() for line in out.splitlines() if HERE in line]
    assert lines == ["coarse", "edgewise", "guided"]
    folder = tmp_path / "edgewise-benchmark"
    assert (folder / "big-pspnet" / "002_person_mask.png").is_file()
    assert (folder / "guided" / "big-pspnet" / "002_person_mask.png").is_file()
    with open("all.json") as file:
        values = json.load(file)
    assert values["engines"].keys() == {"edgewise", "guided"}
    assert "guided: (sha256" in out
    run.engine = engines.Never()
    assert run(*words)[1] == out


def test_masks_of_others_must_not_go_by_an_engine_s_name(run, store, tmp_path):
    miniature.masks(tmp_path / "mine" / "big-pspnet", ["002_person"], "_mask.png")
    with pytest.raises(InputError, match="'guided' names two results of big-pspnet"):
        run("big", "--engine", "guided", "--masks", "guided=mine")


def lines_of(out):
    return [line.split("|")[1].strip() for line in out.splitlines() if HERE in line]


def test_the_baselines_are_lines_of_each_table_unless_left_out(run, store):
    assert lines_of(run("big")[1]) == ["coarse", "edgewise", "grabcut", "guided"]
    _, out, _ = run("big", "--engine", "guided")
    assert lines_of(out) == ["coarse", "guided", "grabcut"]
    assert lines_of(run("big", "--no-baselines")[1]) == ["coarse", "edgewise"]


def test_the_report_lets_a_reader_choose_among_all_engines(run, store):
    pytest.importorskip("jinja2")
    run("big", "--engine", "edgewise", "--engine", "guided", "--report", "all.html")
    with open("all.html") as file:
        page = file.read()
    crops = page.count('<svg class="crop"')
    assert crops == 2
    for number, name in enumerate(("edgewise", "guided", "grabcut")):
        assert f'id="by-{number}"' in page
        assert f"> {name}</label>" in page
        assert page.count(f'<span class="by-{number}">') == crops
    assert page.count('outline-after by-1"') == crops


def test_label_maps_are_refined_by_any_engine(run, tmp_path):
    size = (80, 120)
    maps = np.where(miniature.disc(size, radius=0.3), 13, 3).astype(np.uint8)
    dataset = tmp_path / "store" / "ade20k"
    for name in miniature.ADE_NAMES:
        photo = miniature.photo(size=size)
        miniature.save(photo, dataset / f"images/validation/{name}.jpg")
        miniature.save(maps, dataset / f"annotations/validation/{name}.png")
        miniature.save(maps, tmp_path / "store" / "ade20k-encnet" / f"{name}.png")
    code, out, err = run("ade20k", "--engine", "guided", "--engine", "grabcut")
    assert (code, err) == (0, "")
    assert lines_of(out) == ["coarse", "guided", "grabcut"]
    assert (tmp_path / "edgewise-benchmark/guided/ade20k-encnet/ADE_val_00000001.png").is_file()
    with pytest.raises(InputError, match="shows objects of BIG and PASCAL"):
        run("ade20k", "--engine", "guided", "--report", "all.html")
