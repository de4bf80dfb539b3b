"""`edgewise batch`: folders and manifests, what is told of them, and the exit status."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from edgewise.cli import batch, build
from edgewise.cli.pace import Pace
from edgewise.errors import InputError
from tests.batch.fakes import FakeOpener, contents, write_pairs


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Three photos with masks, the working directory, and a network that costs nothing."""
    write_pairs(tmp_path, 3)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(batch, "open_network", lambda *_, **__: FakeOpener())
    return tmp_path


FOLDERS = ("--photos", "photos", "--masks", "masks", "-o", "refined")


def edgewise(*arguments):
    return CliRunner().invoke(build(), ["batch", *arguments])


def test_a_folder_is_refined_and_the_same_command_finds_it_up_to_date(folder):
    first = edgewise(*FOLDERS, "--json", "summary.json")
    assert first.exit_code == 0, first.output
    assert "3 refined, 0 up to date, 0 failed: refined/edgewise-batch.jsonl" in first.stderr
    assert len(contents(folder / "refined")) == 3
    summary = json.loads((folder / "summary.json").read_text())
    assert summary["per_second"] > 0
    assert {key: summary[key] for key in ("ended", "jobs", "done", "current", "failed")} == {
        "ended": "whole",
        "jobs": 3,
        "done": 3,
        "current": 0,
        "failed": 0,
    }
    assert summary["engine"] == FakeOpener().describe()
    assert "0 refined, 3 up to date, 0 failed" in edgewise(*FOLDERS).stderr


def test_a_bad_photo_gives_status_1_and_is_listed(folder):
    Path("photos/p001.png").write_text("no picture")
    Path("jobs.csv").write_text(
        "photo,mask,output\n"
        + "".join(f"photos/p00{n}.png,masks/p00{n}.png,o/{n}.png\n" for n in range(3))
    )
    done = edgewise("jobs.csv", "--json", "summary.json")
    assert done.exit_code == 1
    assert "2 refined, 0 up to date, 1 failed: jobs.csv.ledger.jsonl" in done.stderr
    (failure,) = json.loads(Path("summary.json").read_text())["failures"]
    assert failure["photo"] == "photos/p001.png"
    assert "is not a picture" in failure["error"]
    assert failure["error"] in done.stderr
    quiet = edgewise("jobs.csv", "--quiet", "--retry-failed")
    assert quiet.exit_code == 1
    assert quiet.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "give a MANIFEST, or --photos"),
        (("--photos", "photos", "--masks", "masks"), "give a MANIFEST, or --photos"),
        (("jobs.csv", "--photos", "photos"), "give a MANIFEST, or --photos"),
        ((*FOLDERS, "--scheduler", "tcp://x:1"), "is for --engine dask"),
        ((*FOLDERS, "--timeout", "0"), "timeout 0"),
        ((*FOLDERS, "--engine", "dask", "--timeout", "nan"), "timeout nan"),
        ((*FOLDERS, "--json", "none/s.json"), "there is no folder none"),
        (("bad.csv", "--json", "./bad.csv"), "bad.csv: is an input"),
        (("bad.csv", "--ledger", "bad.csv"), "bad.csv: is an input"),
        ((*FOLDERS, "--json", "l.jsonl", "--ledger", "./l.jsonl"), "would be written twice"),
        ((*FOLDERS, "--json", "refined/edgewise-batch.jsonl"), "would be written twice"),
        (("--photos", "photos", "--masks", "masks", "-o", "photos"), "is the folder of photos"),
        (("--photos", "photos", "--masks", "masks", "-o", "masks"), "is the folder of masks"),
        (("--photos", "empty", "--masks", "masks", "-o", "o"), "no photos there"),
        (("--photos", "photos", "--masks", "masks", "-o", "s3://x/o"), "give --ledger FILE"),
        (("bad.csv",), "bad.csv: row 3, column mask: is empty"),
    ],
)
def test_what_cannot_work_is_refused_before_any_photo(folder, arguments, message):
    Path("empty").mkdir()
    Path("bad.csv").write_text(
        "photo,mask,output\nphotos/p000.png,masks/p000.png,o.png\na,,b.png\n"
    )
    before = contents(folder)
    done = edgewise(*arguments)
    assert done.exit_code == 1  # the runner shows the error that main turns into status 2
    assert message in str(done.exception)
    assert contents(folder) == before


def test_a_pace_says_how_fast_new_work_goes_whatever_was_there_already():
    now = 0.0
    pace = Pace(1000, clock=lambda: now)
    for _ in range(500):
        pace.count(failed=False, worked=False)
    assert str(pace) == "500 of 1000"
    for _ in range(100):
        now += 0.5
        pace.count(failed=False, worked=True)
    pace.count(failed=True, worked=True)
    assert str(pace) == "601 of 1000, 1 failed, 2 a second, 3:18 left"
    assert pace.seconds == 50
    for _ in range(200):  # lately it goes slower
        now += 60
        pace.count(failed=False, worked=True)
    assert str(pace).endswith("0.017 a second, 3:19:00 left")


@pytest.mark.parametrize("memory", ["much", "100MB"])
def test_a_bound_of_memory_that_cannot_be_is_refused_before_any_photo(folder, monkeypatch, memory):
    monkeypatch.undo()
    monkeypatch.chdir(folder)
    done = edgewise(*FOLDERS, "--memory", memory)
    assert isinstance(done.exception, InputError)
    assert "memory" in str(done.exception)
    assert not Path("refined").exists()


def test_what_goes_wrong_beside_the_run_ends_it_at_once(folder, monkeypatch):
    ended = []

    def results(*_, **__):
        try:
            yield
        finally:
            ended.append(True)

    monkeypatch.setattr("edgewise.batch.run", results)
    monkeypatch.setattr(batch._Summary, "add", lambda *_: 1 / 0)
    done = edgewise(*FOLDERS)
    assert isinstance(done.exception, ZeroDivisionError)  # which holds on to all that was open
    assert ended
