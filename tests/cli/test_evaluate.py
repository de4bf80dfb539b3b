"""`edgewise evaluate`: what is written, what goes on, and everything a user can get wrong."""

import csv
import json
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from typer.testing import CliRunner

from edgewise.cli import build, main
from edgewise.errors import EdgewiseError
from edgewise.evaluation import read_results
from edgewise.masks import read_mask
from edgewise.metrics import hce
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
            "edgewise.engines.NetworkEngine", lambda **options: opened.append(options) or engine
        )
        return opened

    use(Orange())
    return use


def run(*arguments):
    """Exit status, standard output and standard error; an EdgewiseError counts as `main` does."""
    result = CliRunner().invoke(build(), ["evaluate", *map(str, arguments)])
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
        "hce",
        "libraries",
        "run",
        "sets",
        "mean_over_sets",
        "all_pairs",
        "failures",
        "problems",
        "rivals",
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
    run(folder, "--model", "small", "--threads", 3, "--device", "cuda", "--careful")
    expected = {"model": "small", "threads": 3, "device": "cuda", "careful": True}
    assert opened == [expected | {"overview_only": False}]


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


def test_hce_is_measured_where_it_is_asked_for(folder, engines, tmp_path):
    names = ("results", "json", "csv")
    files = {name: tmp_path / f"run.{name}" for name in names}
    options = [part for name in names for part in (f"--{name}", files[name])]
    engines(Harm())
    effort = hce(disc(0) & ~disc(0), disc(12))  # Harm's masks are empty
    assert effort > 1
    status, out, _ = run(folder, "--hce", *options)
    assert status == 0
    assert "HCE" in out
    values = json.loads(files["json"].read_text())
    assert values["hce"] is True
    assert values["all_pairs"]["after"]["hce"] == effort
    assert values["all_pairs"]["before"]["hce"] == 0  # off by three pixels: forgiven
    assert values["all_pairs"]["gain"]["scores"]["hce"]["value"] == effort
    with files["csv"].open(newline="") as file:
        assert {line["after_hce"] for line in csv.DictReader(file)} == {str(effort)}
    assert run(folder, "--hce", *options)[1] == out
    assert "HCE" not in run(folder)[1]
    status, _, err = run(folder, "--results", files["results"])
    assert status == 2
    assert "hce is True, not False" in err


def test_hce_goes_with_the_fast_metrics_too(folder, engines, tmp_path):
    path = tmp_path / "summary.json"
    run(folder, "--fast", "--hce", "--json", path)
    after = json.loads(path.read_text())["all_pairs"]["after"]
    assert after["hce"] == 0
    assert "hd95" not in after


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


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("--results", "--json"),
        ("--results", "--csv"),
        ("--json", "--csv"),
        ("--results", "--report"),
    ],
)
def test_one_file_for_two_outputs_is_refused(folder, engines, tmp_path, first, second):
    path = tmp_path / "run.jsonl"
    run(folder, "--results", path)
    before = path.read_bytes()
    opened = engines(Orange())
    status, _, err = run(folder, first, path, second, tmp_path / "data" / ".." / path.name)
    assert status == 2
    assert "run.jsonl: would be written twice" in err
    assert opened == []
    assert path.read_bytes() == before


@pytest.mark.parametrize("option", ["--json", "--csv", "--report", "--results"])
def test_no_input_is_written_over(folder, engines, option):
    truth = folder / "one" / "a_gt.png"
    before = truth.read_bytes()
    status, _, err = run(folder, option, truth)
    assert status == 2
    assert "a_gt.png: is an input" in err
    assert truth.read_bytes() == before


def test_another_engines_results_are_no_place_for_the_summary(folder, engines, tmp_path):
    path = tmp_path / "run.jsonl"
    words = (folder, "--baselines", "--results", path)
    status, _, err = run(*words, "--json", tmp_path / "run.guided.jsonl")
    assert status == 2
    assert "run.guided.jsonl: would be written twice" in err
    assert not path.exists()


def test_a_results_file_may_lie_in_the_folder_that_is_scored(folder, engines):
    words = (folder, "--results", folder / "run.jsonl")
    assert [run(*words)[0], run(*words)[0]] == [0, 0]


def test_names_that_are_no_utf8_are_scored_written_and_shown(
    tmp_path, engines, monkeypatch, capsys
):
    pytest.importorskip("jinja2")
    for name in ("a", "b\udcff"):
        write_pair(tmp_path / "set\udcff", name)
    names = {f"--{name}": tmp_path / f"run.{name}" for name in ("results", "json", "csv", "report")}
    words = [str(word) for option in names.items() for word in option]
    monkeypatch.setattr(
        sys, "argv", ["edgewise", "evaluate", str(tmp_path / "set\udcff"), *words, "--no-baselines"]
    )
    with pytest.raises(SystemExit, match="0"):
        main()
    assert r"set\udcff" in capsys.readouterr().out
    assert sorted(rows_of(names["--results"])) == [
        ("set\udcff", "a", ""),
        ("set\udcff", "b\udcff", ""),
    ]
    assert all(path.stat().st_size for path in names.values())


def test_the_report_shows_the_run(folder, engines, tmp_path):
    pytest.importorskip("jinja2")
    path = tmp_path / "report.html"
    status, _, _ = run(folder, "--report", path)
    assert status == 0
    text = path.read_text()
    assert text.count('<svg class="crop"') == 5
    assert "Evaluation of 5 pairs" in text
    assert "HCE" not in text.replace("all but HCE", "")
    run(folder, "--report", path, "--hce")
    assert "HCE before" in path.read_text()


def rows_of(path):
    return {(row.set, row.id, row.source): row for row in read_results(path)[1]}


def test_a_report_sets_the_baselines_beside(folder, engines, tmp_path):
    pytest.importorskip("jinja2")
    report, json_file = tmp_path / "report.html", tmp_path / "summary.json"
    status, out, _ = run(folder, "--report", report, "--json", json_file)
    assert status == 0
    tables = out.split("mean over sets\n")[-1].splitlines()
    names = [line.split()[0] for line in tables if line.startswith("  ")]
    assert names == ["coarse", "edgewise", "grabcut", "guided"] * 2
    page = report.read_text()
    assert "Engines side by side" in page
    assert page.count("outline-after by-0") == page.count('<svg class="crop"') == 5
    assert 'id="by-2"> guided' in page
    rivals = json.loads(json_file.read_text())["rivals"]
    assert [one["name"] for one in rivals] == ["grabcut", "guided"]
    assert rivals[0]["engine"]["engine"] == "edgewise.baselines:grabcut"
    assert rivals[0]["all_pairs"]["pairs"] == 5


def test_baselines_can_be_left_out_and_asked_for(folder, engines, tmp_path):
    pytest.importorskip("jinja2")
    report = tmp_path / "report.html"
    _, out, _ = run(folder, "--report", report, "--no-baselines")
    assert "guided" not in out + report.read_text()
    assert 'name="by"' not in report.read_text()
    assert "guided" not in run(folder)[1]
    assert "guided" in run(folder, "--baselines")[1]


def test_each_engine_goes_on_from_its_own_results(folder, engines, tmp_path):
    path = tmp_path / "run.jsonl"
    words = (folder, "--results", path, "--engine", "edgewise", "--engine", "guided")
    run(*words, "--limit", 2)
    beside = tmp_path / "run.guided.jsonl"
    first = beside.read_bytes()
    engines(_Same())
    status, _, err = run(*words, "--limit", 2)
    assert status == 0
    assert f"2 pairs are in {beside} already" in err
    assert beside.read_bytes() == first
    assert sorted(rows_of(beside)) == sorted(rows_of(path))
    assert (tmp_path / "run.guided.jsonl.masks" / "one" / "a_mask.png").is_file()
    alone = tmp_path / "alone.jsonl"
    run(folder, "--results", alone, "--engine", "guided", "--limit", 2)
    for key, row in rows_of(alone).items():
        assert rows_of(beside)[key].after.iou == row.after.iou


def test_other_engines_are_compared_where_masks_were_given_too(tmp_path, engines):
    write_pair(tmp_path / "set", "a", refined=disc(12))
    write_pair(tmp_path / "set", "b", refined=disc(12), photo=False)
    status, out, _ = run(tmp_path / "set", "--baselines")
    assert status == 0
    lines = {line.split()[0]: line.split() for line in out.splitlines() if line[:3].strip()}
    assert [line for line in out.splitlines() if "given masks" in line]
    counts = [line.split()[1] for line in out.splitlines() if line.startswith("  grabcut")]
    assert counts == ["1"]
    assert "edgewise" not in lines


def test_what_only_another_engine_fails_on_is_named_with_it(folder, engines, tmp_path, monkeypatch):
    (tmp_path / "own.py").write_text("def bad(photo, mask):\n    return 3\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    status, out, err = run(folder, "--engine", "edgewise", "--engine", "own:bad")
    assert status == 1
    assert "one/a: own.bad: engine 'own:bad' gave" in err
    assert "5 failed" in err
    assert "all pairs           5" in out


@dataclass(frozen=True)
class Counting:
    """`Orange`, which counts the masks it made in a file."""

    path: Path

    def __call__(self):
        refine = Orange()()

        def counted(photo, mask):
            with self.path.open("a") as file:
                file.write("x")
            return refine(photo, mask)

        return counted

    def describe(self):
        return Orange().describe()


@pytest.mark.parametrize("workers", [1, 2])
def test_no_pair_is_refined_twice_for_the_report(folder, engines, tmp_path, workers):
    pytest.importorskip("jinja2")
    made = tmp_path / "made"
    engines(Counting(made))
    path, report = tmp_path / "run.jsonl", tmp_path / "report.html"
    run(folder, "--results", path, "--report", report, "--limit", 2)
    run(folder, "--results", path, "--report", report, "--workers", workers)
    assert made.read_text() == "x" * 5
    assert report.read_text().count('<svg class="crop"') == 5
    run(folder, "--report", report)
    assert made.read_text() == "x" * 10


def test_refined_masks_are_kept_beside_the_results(folder, engines, tmp_path):
    path = tmp_path / "run.jsonl"
    run(folder, "--results", path)
    masks = tmp_path / "run.jsonl.masks"
    assert sorted(file.relative_to(masks).as_posix() for file in masks.rglob("*.png")) == [
        "one/a_mask.png",
        "one/a_mask_net.png",
        "one/b_mask.png",
        "one/b_mask_net.png",
        "two/c_mask.png",
    ]
    assert (read_mask(masks / "two" / "c_mask.png") == disc(12)).all()


def test_a_mask_that_is_gone_is_made_again_for_the_report(folder, engines, tmp_path):
    pytest.importorskip("jinja2")
    path, report = tmp_path / "run.jsonl", tmp_path / "report.html"
    run(folder, "--results", path)
    (tmp_path / "run.jsonl.masks" / "two" / "c_mask.png").unlink()
    assert run(folder, "--results", path, "--report", report)[0] == 0
    assert report.read_text().count('<svg class="crop"') == 5


def test_masks_that_cannot_be_kept_end_the_run(folder, engines, tmp_path):
    path = tmp_path / "run.jsonl"
    (tmp_path / "run.jsonl.masks").write_text("in the way")
    status, _, err = run(folder, "--results", path)
    assert status == 2
    assert "run.jsonl.masks" in err
    assert "cannot be made" in err


def test_results_that_cannot_be_written_end_the_run_at_once(folder, engines, tmp_path, monkeypatch):
    ended = []

    def rows(*_, **__):
        try:
            yield
        finally:
            ended.append(True)

    monkeypatch.setattr("edgewise.evaluation.evaluate", rows)
    monkeypatch.setattr("edgewise.evaluation.Results.add", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError) as held:
        run(folder, "--results", tmp_path / "run.jsonl")
    assert ended, held


def test_two_workers_score_what_one_does(folder, engines, tmp_path):
    alone, together = tmp_path / "1.csv", tmp_path / "2.csv"
    run(folder, "--csv", alone)
    run(folder, "--csv", together, "--workers", 2)

    def without_seconds(path):
        with path.open(newline="") as file:
            return [{**line, "seconds": ""} for line in csv.DictReader(file)]

    assert without_seconds(alone) == without_seconds(together)
