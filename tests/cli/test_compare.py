"""`edgewise compare`: the table, the JSON and what is refused."""

import json
import sys

import pytest
from typer.testing import CliRunner

from edgewise.cli import build, main
from edgewise.errors import EdgewiseError
from edgewise.evaluation import Header, Results
from tests.evaluation.rows import row


@pytest.fixture
def results(tmp_path):
    """Write a results file of rows."""

    def written(name, rows, **header):
        path = tmp_path / name
        with Results(path, Header(**header), []) as file:
            for one in rows:
                file.add(one)
        return path

    return written


def run(*arguments):
    result = CliRunner().invoke(build(), ["compare", *map(str, arguments)])
    if isinstance(result.exception, EdgewiseError):
        return 2, result.stdout, str(result.exception)
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.stdout, result.stderr


def rows(after, *, truth="t", count=6):
    return [row(str(at), 0.5, after + at / 100, truth=truth, mba=0.6) for at in range(count)]


def test_every_other_file_is_held_against_the_first(results):
    paths = [results(f"{after}.jsonl", rows(after)) for after in (0.6, 0.7, 0.5)]
    status, out, _ = run(*paths)
    assert status == 0
    first, second = (line for line in out.splitlines() if line.startswith("all pairs"))
    assert "+10.00" in first
    assert "-10.00" in second
    assert "+10.0..+10.0" in out


def test_hce_is_compared_where_both_measured_it(results):
    first, second, without = (
        results(
            f"{name}.jsonl", [row(str(at), 0.5, 0.6, hce=name) for at in range(6)], hce=name > 0
        )
        for name in (7, 4, 0)
    )
    out = run(first, second)[1]
    assert "HCE in clicks" in out
    assert "-3.00" in next(line for line in out.splitlines() if line.startswith("all pairs"))
    assert "HCE" not in run(first, without)[1]


def test_json_holds_the_differences(results, tmp_path):
    path = tmp_path / "out.json"
    first, second = results("a.jsonl", rows(0.6)), results("b.jsonl", rows(0.7))
    assert run(first, second, "--json", path)[0] == 0
    values = json.loads(path.read_text())
    (found,) = values["comparisons"]
    assert (found["first"], found["second"]) == (str(first), str(second))
    score = found["all_pairs"]["scores"]["iou_per_image"]
    assert score["value"] == pytest.approx(0.1)
    assert score["low"] <= score["value"] + 1e-9
    assert found["all_pairs"]["scores"]["hd95"]["value"] is None
    assert found["all_pairs"]["improved"] == 1


def test_other_truths_are_refused(results):
    first, second = results("a.jsonl", rows(0.6)), results("b.jsonl", rows(0.6, truth="u"))
    status, _, err = run(first, second)
    assert status == 2
    assert "different truths" in err


def test_other_pairs_are_refused_or_left_out(results):
    first, second = results("a.jsonl", rows(0.6)), results("b.jsonl", rows(0.6, count=4))
    status, _, err = run(first, second)
    assert status == 2
    assert "--common" in err
    status, out, _ = run(first, second, "--common")
    assert status == 0
    assert "in 2 pairs one of the runs has no score" in out


def test_one_file_is_too_few(results):
    status, _, err = run(results("a.jsonl", rows(0.6)))
    assert status == 2
    assert "two results files" in err


def test_what_is_no_results_file_is_refused(results, tmp_path):
    path = tmp_path / "b.jsonl"
    path.write_text("{}\n")
    status, _, err = run(results("a.jsonl", rows(0.6)), path)
    assert status == 2
    assert "no results file" in err


def test_the_json_may_not_be_one_of_the_runs(results, tmp_path):
    first, second = results("a.jsonl", rows(0.6)), results("b.jsonl", rows(0.7))
    before = first.read_bytes()
    (tmp_path / "link").symlink_to(first)
    for path in (first, tmp_path / "link"):
        status, _, err = run(first, second, "--json", path)
        assert status == 2
        assert f"{path}: is an input, which is never changed" in err
    assert first.read_bytes() == before


def test_names_that_are_no_utf8_are_written_and_shown(results, tmp_path, monkeypatch, capsys):
    named = [row("x", 0.5, 0.6, set_="set\udcff")]
    first, second = results("a\udcff.jsonl", named), results("b.jsonl", named)
    path = tmp_path / "out.json"
    words = ["edgewise", "compare", str(first), str(second), "--json", str(path)]
    monkeypatch.setattr(sys, "argv", words)
    with pytest.raises(SystemExit, match="0"):
        main()
    assert r"set\udcff" in capsys.readouterr().out
    assert json.loads(path.read_text("utf-8"))["comparisons"][0]["first"] == str(first)
