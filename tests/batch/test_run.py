"""Runs: everything once, nothing anew that is up to date, and bad photos in nobody's way."""

import errno
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from edgewise.batch import Dask, Folders, Job, Options, Processes, Rules, run, stores
from edgewise.errors import InputError, ModelError, OutputError
from edgewise.masks import read_mask
from tests.batch.fakes import ODD, FakeOpener, Here, contents, photo_of, write_pair, write_pairs


@pytest.fixture
def jobs(tmp_path):
    return write_pairs(tmp_path, 4)


def outcomes(jobs, tmp_path, *, opener=None, **rules):
    results = run(
        jobs,
        engine=Here(),
        opener=opener or FakeOpener(),
        ledger=tmp_path / "ledger.jsonl",
        rules=Rules(**rules),
    )
    return {Path(result.job.output).name: result for result in results}


def statuses(*arguments, **options):
    return {name: result.status for name, result in outcomes(*arguments, **options).items()}


def everything(status):
    return {f"p{number:03}.png": status for number in range(4)}


def test_every_job_gives_its_result_and_its_mask_alone(jobs, tmp_path):
    results = outcomes(jobs, tmp_path)
    assert {name: result.status for name, result in results.items()} == everything("done")
    assert all(result.attempts == 1 for result in results.values())
    assert set(contents(tmp_path / "refined")) == set(results)


def test_options_of_a_job_are_heeded(jobs, tmp_path):
    soft = replace(jobs[0], options=Options(soft=True, overview_only=True))
    outcomes([soft, jobs[1]], tmp_path)
    levels = read_mask(soft.output, soft=True)
    assert 0 < levels.max() <= 0.5
    assert len(np.unique(levels)) > 2
    assert set(np.unique(read_mask(jobs[1].output))) == {0, 1}


def test_what_is_up_to_date_is_left_alone(jobs, tmp_path):
    outcomes(jobs, tmp_path)
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "refined").iterdir()}
    assert statuses(jobs, tmp_path) == everything("current")
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "refined").iterdir()} == before


def remove(job):
    Path(job.output).unlink()
    return job


def change_photo(job):
    photo_of(77).save(job.photo)
    os.utime(job.photo, ns=(1, 1))  # even where the clock did not move on
    return job


def change_mask(job):
    os.utime(job.mask, ns=(1, 1))
    return job


def change_options(job):
    return replace(job, options=Options(soft=True))


@pytest.mark.parametrize("change", [remove, change_photo, change_mask, change_options])
def test_what_changed_is_made_anew_and_the_rest_is_not(jobs, tmp_path, change):
    outcomes(jobs, tmp_path)
    changed = [change(jobs[0]), *jobs[1:]]
    assert statuses(changed, tmp_path) == everything("current") | {"p000.png": "done"}


def test_other_weights_make_all_anew(jobs, tmp_path):
    outcomes(jobs, tmp_path)
    assert statuses(jobs, tmp_path, opener=FakeOpener(weights="2")) == everything("done")


def test_by_checksum_a_touched_file_is_the_same(jobs, tmp_path):
    outcomes(jobs, tmp_path, checksum=True)
    change_mask(jobs[0])
    change_photo(jobs[1])
    seen = statuses(jobs, tmp_path, checksum=True)
    assert seen == everything("current") | {"p001.png": "done"}


def test_again_makes_all_anew(jobs, tmp_path):
    outcomes(jobs, tmp_path)
    assert statuses(jobs, tmp_path, again=True) == everything("done")


@pytest.mark.parametrize("engine", [Processes, Dask])
def test_what_was_given_up_is_tried_again_under_another_time_limit(tmp_path, engine):
    odd = write_pair(tmp_path, "odd", 1, ODD)

    class Timed(Here):
        timeout = 3.0

        def limits(self):
            return engine(timeout=self.timeout).limits()

    def attempts():
        (result,) = run(
            [odd], engine=Timed(), opener=FakeOpener(), ledger=tmp_path / "ledger.jsonl"
        )
        return result.attempts

    assert [attempts(), attempts()] == [3, 0]
    for seconds in (300.0, None):
        Timed.timeout = seconds
        assert [attempts(), attempts()] == [3, 0]


def test_another_working_directory_is_the_same_run(jobs, tmp_path, monkeypatch):
    outcomes(jobs, tmp_path)
    monkeypatch.chdir(tmp_path)
    parts = [[os.path.relpath(file) for file in (j.photo, j.mask, j.output)] for j in jobs]
    assert statuses([Job(*files) for files in parts], tmp_path) == everything("current")


def test_an_output_moved_there_before_a_kill_is_not_made_twice(jobs, tmp_path):
    outcomes(jobs, tmp_path)
    ledger = tmp_path / "ledger.jsonl"
    lines = ledger.read_text().splitlines(keepends=True)
    ledger.write_text("".join(line for line in lines if '"done"' not in line))
    assert statuses(jobs, tmp_path) == everything("current")
    assert ledger.read_text().count('"done"') == 4


def test_an_older_output_of_a_killed_run_is_made_anew(jobs, tmp_path):
    outcomes(jobs, tmp_path)
    ledger = tmp_path / "ledger.jsonl"
    with pytest.raises(ModelError):  # handed out, never done
        outcomes(jobs, tmp_path, opener=FakeOpener(weights="2", fault="model"))
    assert "begun" in ledger.read_text().splitlines()[-1]
    assert statuses(jobs, tmp_path, opener=FakeOpener(weights="2")) == everything("done")


@pytest.mark.parametrize("part", ["photo", "mask"])
@pytest.mark.parametrize("damage", ["missing", "damaged"])
def test_a_bad_file_is_named_and_the_rest_goes_on(jobs, tmp_path, part, damage):
    path = Path(getattr(jobs[1], part))
    path.unlink() if damage == "missing" else path.write_text("no picture")
    results = outcomes(jobs, tmp_path)
    assert [name for name, result in results.items() if result.status != "done"] == ["p001.png"]
    assert str(path) in results["p001.png"].error
    assert results["p001.png"].attempts == (0 if damage == "missing" else 1)  # retries help nothing
    assert not Path(jobs[1].output).exists()


def test_an_odd_photo_is_tried_again_then_recorded_and_not_tried_by_the_next_run(jobs, tmp_path):
    jobs[2] = write_pair(tmp_path, "p002", 2, ODD)
    log = tmp_path / "log"
    opener = FakeOpener(log=str(log))
    bad = outcomes(jobs, tmp_path, opener=opener, retries=3)["p002.png"]
    assert (bad.status, bad.attempts) == ("failed", 4)
    assert "RuntimeError: what an odd photo" in bad.error
    assert log.read_text().count(str(ODD)) == 4
    seen = outcomes(jobs, tmp_path, opener=opener)
    assert seen["p002.png"].error == bad.error
    assert log.read_text().count(str(ODD)) == 4
    write_pair(tmp_path, "p002", 2)
    assert statuses(jobs, tmp_path, opener=opener)["p002.png"] == "done"


def test_what_was_given_up_is_tried_again_on_demand(jobs, tmp_path):
    jobs = [write_pair(tmp_path, "p000", 0, ODD)]
    log = tmp_path / "log"
    opener = FakeOpener(log=str(log))
    for _ in range(2):
        outcomes(jobs, tmp_path, opener=opener, retries=0, retry_failed=True)
    assert log.read_text().count(str(ODD)) == 2


def test_a_job_in_anothers_way_fails_and_writes_nothing(jobs, tmp_path):
    clash = Job(jobs[1].photo, jobs[1].mask, jobs[0].photo)
    before = Path(jobs[0].photo).read_bytes()
    results = list(run([jobs[0], clash], engine=Here(), opener=FakeOpener()))
    assert {result.status for result in results} == {"done", "failed"}
    assert Path(jobs[0].photo).read_bytes() == before


def test_an_output_that_is_a_folder_fails_alone(jobs, tmp_path):
    Path(jobs[0].output).mkdir(parents=True)
    assert statuses(jobs, tmp_path) == everything("done") | {"p000.png": "failed"}


@pytest.mark.parametrize("folder", ["refined", "made", "x" * 260])
def test_an_output_that_no_file_can_be_called_fails_alone(jobs, tmp_path, folder):
    (tmp_path / "refined").mkdir()
    jobs[1] = replace(jobs[1], output=str(tmp_path / folder / f"{'y' * 260}.png"))
    results = outcomes(jobs, tmp_path)
    failed = results.pop(Path(jobs[1].output).name)
    assert "cannot be written: File name too long" in failed.error
    assert {result.status for result in results.values()} == {"done"}


def test_an_output_too_wide_for_its_format_fails_alone(jobs, tmp_path):
    wide = np.zeros((1, 16384, 3), np.uint8)
    wide[0, 9:] = 255
    Image.fromarray(wide).save(jobs[1].photo)
    Image.fromarray(wide[..., 0]).save(jobs[1].mask)
    jobs[1] = replace(jobs[1], output=jobs[1].output.replace(".png", ".webp"))
    results = outcomes(jobs, tmp_path)
    assert {name for name, result in results.items() if result.status != "done"} == {"p001.webp"}
    assert f"{jobs[1].output}: cannot be written: " in results["p001.webp"].error


def failing(name, code):
    """What flushes a file, and fails of those with that name."""

    def flush(path):
        if path.name == name:
            raise OSError(code, os.strerror(code))

    return flush


@pytest.mark.parametrize("code", [errno.EIO, errno.EFBIG])
def test_what_goes_wrong_with_one_output_fails_alone(jobs, tmp_path, monkeypatch, code):
    monkeypatch.setattr(stores, "_flush", failing("p001.png", code))
    assert statuses(jobs, tmp_path) == everything("done") | {"p001.png": "failed"}
    assert not Path(jobs[1].output).exists()


@pytest.mark.parametrize(
    "code", [errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM, errno.ENOENT]
)
def test_what_goes_wrong_with_all_outputs_ends_the_run(jobs, tmp_path, monkeypatch, code):
    monkeypatch.setattr(stores, "_flush", failing("p001.png", code))
    with pytest.raises(OutputError, match=r"p001.png: cannot be written"):
        outcomes(jobs, tmp_path)
    assert list((tmp_path / "refined").glob("p001*")) == []
    monkeypatch.undo()
    assert statuses(jobs, tmp_path)["p001.png"] == "done"


def test_a_run_that_ends_in_an_error_leaves_no_thread(jobs, tmp_path):
    with pytest.raises(ModelError) as held:
        outcomes(jobs, tmp_path, opener=FakeOpener(fault="model"))
    left = [thread for thread in threading.enumerate() if thread.name.startswith("edgewise")]
    for thread in left:
        thread.join(60)  # nobody waits for those that ask stores, but they end
    assert not [thread for thread in left if thread.is_alive()], held


def test_a_full_disk_of_which_a_library_tells_in_words_ends_the_run(tmp_path):
    pyvips = pytest.importorskip("pyvips", reason="libvips comes with the extra large")
    with pytest.raises(pyvips.Error) as caught:
        pyvips.Image.black(300, 300).pngsave("/dev/full")
    assert stores.stops_all(OutputError(f"o.png: cannot be written: {caught.value}"))


@pytest.mark.parametrize("name", ["a::b", "zip::b", os.fsdecode(b"\xff")])
def test_any_name_of_a_local_file_is_one(tmp_path, name):
    write_pair(tmp_path, name, 1)
    jobs = Folders(*(str(tmp_path / part) for part in ("photos", "masks", "refined")))
    assert statuses(jobs, tmp_path) == {f"{name}.png": "done"}
    assert statuses(jobs, tmp_path) == {f"{name}.png": "current"}


def test_a_folder_that_was_removed_is_made_again_by_the_next_run(jobs, tmp_path):
    for _ in range(2):
        assert statuses(jobs, tmp_path) == everything("done")
        shutil.rmtree(tmp_path / "refined")


def test_jobs_are_read_as_they_are_needed(jobs, tmp_path):
    read = 0

    def endless():
        nonlocal read
        while True:
            read += 1
            yield replace(jobs[0], output=str(tmp_path / "refined" / f"{read}.png"))

    results = run(endless(), engine=Here(), opener=FakeOpener())
    for done in range(1, 40):
        next(results)
        assert read - done < 32
    results.close()


def test_a_network_that_does_not_open_ends_the_run(jobs, tmp_path):
    with pytest.raises(ModelError, match="no such weights"):
        outcomes(jobs, tmp_path, opener=FakeOpener(fault="model"))


def test_a_table_that_goes_wrong_ends_the_run_after_what_is_out(jobs, tmp_path):
    def table():
        yield from jobs
        raise InputError("row 5 is bad")

    results = run(table(), engine=Here(), opener=FakeOpener(), ledger=tmp_path / "ledger.jsonl")
    with pytest.raises(InputError, match="row 5"):
        list(results)
    begun = (tmp_path / "ledger.jsonl").read_text().count("begun")
    assert (tmp_path / "ledger.jsonl").read_text().count("done") == begun


def test_a_folder_that_cannot_be_made_ends_the_run_and_what_is_done_is_kept(jobs, tmp_path):
    (tmp_path / "file").write_text("")
    bad = replace(jobs[3], output=str(tmp_path / "file" / "out.png"))
    with pytest.raises(OutputError, match="file: cannot be made"):
        outcomes([*jobs[:3], bad], tmp_path)
    assert statuses(jobs, tmp_path) == everything("current") | {"p003.png": "done"}


FOLDER_OF_OTHERS = """
import os, sys
from edgewise.batch.stores import check_place, make_folder
from edgewise.errors import OutputError
if os.geteuid() == 0:
    os.setuid(65534)
try:
    check_place(sys.argv[1] + "/out.png")
    make_folder(sys.argv[1] + "/out.png")
except OutputError as error:
    print(error)
"""


@pytest.mark.parametrize("mode", [0o555, 0o666])
def test_a_folder_that_may_not_be_written_to_is_named(mode):
    with (
        tempfile.TemporaryDirectory() as top
    ):  # not below pytest's, which none but its owner enters
        Path(top).chmod(0o755)
        folder = Path(top, "closed")
        folder.mkdir()
        folder.chmod(mode)
        command = [sys.executable, "-c", FOLDER_OF_OTHERS, str(folder)]
        said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert said == f"{folder}: cannot be written to; allow writing or give another folder\n"


def test_rules_that_cannot_work_are_refused():
    with pytest.raises(InputError, match="retries -1"):
        Rules(retries=-1)
