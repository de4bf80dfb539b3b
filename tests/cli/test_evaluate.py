"""`edgewise evaluate`: what is written, what goes on, and everything a user can get wrong."""

import csv
import json

import pytest
from typer.testing import CliRunner

from edgewise.cli import app
from edgewise.errors import EdgewiseError
from tests.evaluation.folders import Harm, Orange, disc, write_pair


@pytest.fixture
def folder(tmp_path):
    data = tmp_path / "data"
    for name in ("a", "b"):
        write_pair(data / "one", name, coarse={"net": disc(9), "": disc(10)})
    write_pair(data / "two", "c")
    return data


@pytest.fixture
def engines(monkeypatch):
    """Have the command open another engine than the package's own."""

    def use(engine):
        opened = []
        monkeypatch.setattr(
            "edgewise.evaluation.NetworkEngine", lambda **options: opened.append(options) or engine
        )
        return opened

    use(Orange())
    return use


def run(*arguments):
    """Exit status, standard output and standard error; an EdgewiseError counts as `main` does."""
    result = CliRunner().invoke(app, ["evaluate", *map(str, arguments)])
    if isinstance(result.exception, EdgewiseError):
        return 2, result.output, f"{result.stderr}{result.exception}"
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.stdout, result.stderr


def test_the_table_has_every_set_their_mean_and_all_pairs(folder, engines):
    status, out, _ = run(folder)
    assert status == 0
    lines = out.splitlines()
    assert [line.split("  ")[0] for line in lines if "before" in line] == [
        "one",
        "two",
        "mean over sets",
        "all pairs",
    ]
    assert sum("100.00" in line for line in lines if "after" in line) == 4


def test_json_has_the_documented_keys(folder, engines, tmp_path):
    path = tmp_path / "summary.json"
    assert run(folder, "--json", path)[0] == 0
    values = json.loads(path.read_text())
    assert set(values) == {
        "format",
        "edgewise",
        "engine",
        "fast",
        "libraries",
        "run",
        "sets",
        "mean_over_sets",
        "all_pairs",
        "failures",
        "problems",
    }
    assert set(values["all_pairs"]) == {
        "name",
        "pairs",
        "before",
        "after",
        "undefined",
        "gain",
        "seconds",
        "seconds_median",
        "warnings",
    }
    assert values["all_pairs"]["pairs"] == 5
    assert values["all_pairs"]["after"]["iou"] == 1
    gain = values["all_pairs"]["gain"]
    assert gain["scores"]["iou"]["value"] == pytest.approx(1 - values["all_pairs"]["before"]["iou"])
    assert gain["improved"] == 1


def test_csv_has_a_line_a_pair(folder, engines, tmp_path):
    path = tmp_path / "pairs.csv"
    assert run(folder, "--csv", path)[0] == 0
    with path.open(newline="") as file:
        lines = list(csv.DictReader(file))
    assert [(line["set"], line["id"], line["source"]) for line in lines] == [
        ("one", "a", ""),
        ("one", "a", "net"),
        ("one", "b", ""),
        ("one", "b", "net"),
        ("two", "c", ""),
    ]
    assert float(lines[0]["after_iou"]) == 1
    assert 0 < float(lines[0]["before_mba"]) < 1


def test_an_interrupted_run_goes_on(folder, engines, tmp_path):
    path = tmp_path / "results.jsonl"
    run(folder, "--results", path, "--limit", 2)
    first = path.read_bytes()
    status, out, err = run(folder, "--results", path)
    assert status == 0
    assert "2 pairs are in" in err
    assert path.read_bytes().startswith(first)
    assert len(path.read_text().splitlines()) == 1 + 5
    assert "all pairs           5" in out


def test_a_run_that_is_done_is_summed_up_again_without_refining(folder, engines, tmp_path):
    path = tmp_path / "results.jsonl"
    _, first, _ = run(folder, "--results", path)
    engines(_Same())
    assert run(folder, "--results", path)[1] == first


class _Same:
    """An engine of the same name as `Orange` that cannot be opened."""

    def __call__(self):
        raise AssertionError("was opened")

    def describe(self):
        return Orange().describe()


def test_results_of_another_engine_are_refused(folder, engines, tmp_path):
    path = tmp_path / "results.jsonl"
    run(folder, "--results", path)
    engines(Harm())
    status, _, err = run(folder, "--results", path)
    assert status == 2
    assert "of another run" in err


def test_harm_is_reported(folder, engines):
    engines(Harm())
    _, out, _ = run(folder)
    assert "100.0 %" in out
    assert "-" in next(line for line in out.splitlines() if "gain" in line)


def test_options_reach_the_engine(folder, engines):
    opened = engines(Orange())
    run(folder, "--model", "small", "--threads", 3, "--device", "cuda")
    assert opened == [{"model": "small", "threads": 3, "device": "cuda"}]


def test_only_the_set_asked_for_is_scored(folder, engines):
    _, out, _ = run(folder, "--set", "two")
    assert "one" not in out
    status, _, err = run(folder, "--set", "three")
    assert status == 2
    assert "there is: one, two" in err


def test_fast_leaves_the_slow_metrics_out(folder, engines, tmp_path):
    path = tmp_path / "summary.json"
    run(folder, "--fast", "--json", path)
    after = json.loads(path.read_text())["all_pairs"]["after"]
    assert list(after) == [
        "iou_per_image",
        "iou",
        "accuracy",
        "mba",
        "boundary_iou",
        "boundary_iou_fine",
    ]


def test_given_masks_are_scored_unless_refining_is_asked_for(tmp_path, engines):
    engines(Harm())
    write_pair(tmp_path, "a", refined=disc(12))
    assert "+" in next(line for line in run(tmp_path)[1].splitlines() if "gain" in line)
    assert "100.0 %" in run(tmp_path, "--refine")[1]


def test_one_bad_pair_is_named_and_the_rest_goes_on(folder, engines, tmp_path):
    (folder / "one" / "a_seg.png").write_text("no picture")
    path = tmp_path / "summary.json"
    status, out, err = run(folder, "--json", path)
    assert status == 1
    assert "one/a: " in err
    assert "1 failed" in err
    assert "all pairs           4" in out
    (failure,) = json.loads(path.read_text())["failures"]
    assert failure["id"] == "a"


def test_a_missing_counterpart_is_named_and_the_rest_goes_on(folder, engines):
    (folder / "one" / "a_gt.png").unlink()
    status, out, err = run(folder)
    assert status == 1
    assert "no truth" in err
    assert "all pairs           3" in out


def test_many_problems_are_not_all_printed(folder, engines):
    for at in range(30):
        write_pair(folder / "two", f"lone{at}", coarse=False)
    _, _, err = run(folder)
    assert "and 10 more like it" in err


def test_nothing_that_can_be_scored_is_status_2(tmp_path, engines):
    assert run(tmp_path)[0] == 2
    assert run(tmp_path / "none")[0] == 2
    write_pair(tmp_path, "a")
    (tmp_path / "a_gt.png").write_text("no picture")
    status, _, err = run(tmp_path)
    assert status == 2
    assert "no pair could be scored" in err


@pytest.mark.parametrize("option", ["--json", "--csv", "--report"])
def test_a_folder_that_is_missing_is_said_before_anything_is_scored(
    folder, engines, tmp_path, option
):
    opened = engines(Orange())
    status, _, err = run(folder, option, tmp_path / "none" / "file")
    assert status == 2
    assert "there is no folder" in err
    assert opened == []


def test_the_report_shows_the_run(folder, engines, tmp_path):
    pytest.importorskip("jinja2")
    path = tmp_path / "report.html"
    status, _, _ = run(folder, "--report", path)
    assert status == 0
    text = path.read_text()
    assert text.count('<svg class="crop"') == 5
    assert "Evaluation of 5 pairs" in text


def test_two_workers_score_what_one_does(folder, engines, tmp_path):
    alone, together = tmp_path / "1.csv", tmp_path / "2.csv"
    run(folder, "--csv", alone)
    run(folder, "--csv", together, "--workers", 2)

    def without_seconds(path):
        with path.open(newline="") as file:
            return [{**line, "seconds": ""} for line in csv.DictReader(file)]

    assert without_seconds(alone) == without_seconds(together)
