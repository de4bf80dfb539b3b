"""Worker processes: one that dies or hangs costs its own photo alone; a full disk ends a run."""

import errno
import math
import os
import resource
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from edgewise.batch import Dask, Processes, Rules, processes, run
from edgewise.errors import EdgewiseError, InputError
from tests.batch.fakes import DEADLY, STUCK, FakeOpener, write_pair, write_pairs

ROOT = Path(__file__).parents[2]


def test_photos_that_kill_or_hang_their_worker_are_given_up_and_the_rest_is_done(tmp_path):
    jobs = write_pairs(tmp_path, 6)
    jobs[1] = write_pair(tmp_path, "p001", 1, DEADLY)
    jobs[3] = write_pair(tmp_path, "p003", 3, STUCK)
    log = tmp_path / "log"
    engine = Processes(workers=2, timeout=3)
    opener = FakeOpener(log=str(log))
    results = {
        Path(result.job.output).stem: result
        for result in run(jobs, engine=engine, opener=opener, rules=Rules(retries=1))
    }
    failed = {name: result for name, result in results.items() if result.status == "failed"}
    assert set(failed) == {"p001", "p003"}
    assert "p001.png: its worker process was ended by signal 9" in failed["p001"].error
    assert "p003.png: not done after 3 seconds" in failed["p003"].error
    assert {result.attempts for result in failed.values()} == {2}
    assert log.read_text().count("\n") == 4 + 2 + 2
    assert {path.stem for path in (tmp_path / "refined").iterdir()} == set(results) - set(failed)


@pytest.mark.parametrize(
    ("fault", "message"), [("death", "signal 9"), ("model", "no such weights")]
)
def test_workers_that_never_open_the_network_end_the_run(tmp_path, fault, message):
    jobs = write_pairs(tmp_path, 2)
    with pytest.raises(EdgewiseError, match=message):
        list(run(jobs, engine=Processes(), opener=FakeOpener(fault=fault)))


@pytest.mark.parametrize("what", ["Pipe", "Process"])
def test_a_system_without_room_for_a_process_is_named(tmp_path, monkeypatch, what):
    def full(*_arguments, **_options):
        raise OSError(errno.EAGAIN, "no room for more")

    name = what if what == "Pipe" else "Process.start"
    monkeypatch.setattr(f"edgewise.batch.processes._spawn.{name}", full)
    with pytest.raises(EdgewiseError, match=r"no worker process can be started: .*no room"):
        list(run(write_pairs(tmp_path, 2), opener=FakeOpener()))


def test_an_interrupt_is_the_parents_alone_from_a_workers_start_on(tmp_path, monkeypatch):
    start = processes._spawn.Process.start

    def interrupted(process):
        start(process)
        os.kill(process.pid, signal.SIGINT)

    monkeypatch.setattr(processes._spawn.Process, "start", interrupted)
    (result,) = run(write_pairs(tmp_path, 1), opener=FakeOpener())
    assert (result.status, result.attempts) == ("done", 1)


def test_a_dead_worker_is_noticed_though_another_process_holds_its_end_of_the_pipe(
    tmp_path, monkeypatch
):
    pipe, copies = processes._spawn.Pipe, []

    def copied(duplex=True):
        ours, theirs = pipe(duplex)
        copies.append(os.dup(theirs.fileno()))
        return ours, theirs

    monkeypatch.setattr(processes._spawn, "Pipe", copied)
    jobs = [write_pair(tmp_path, "p000", 0, DEADLY), write_pair(tmp_path, "p001", 1)]
    results = list(run(jobs, opener=FakeOpener(), rules=Rules(retries=0)))
    for copy in copies:
        os.close(copy)
    assert [result.status for result in results] == ["failed", "done"]
    assert "ended by signal 9" in results[0].error


def test_a_worker_that_dies_between_two_photos_costs_neither(tmp_path):
    jobs = write_pairs(tmp_path, 2)
    (tmp_path / "refined").mkdir()
    pool = Processes().open(FakeOpener())
    verdicts = []
    for job in jobs:
        verdicts.append(pool.submit(job).result().verdict)
        process = pool._workers[0]._process
        os.kill(process.pid, signal.SIGKILL)
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    pool.close()
    assert verdicts == ["done", "done"]


def test_a_worker_whose_run_is_gone_ends_without_a_word(monkeypatch):
    monkeypatch.setattr(processes, "use_one_thread", lambda: None)
    ours, theirs = processes._spawn.Pipe()
    ours.close()
    processes._serve(theirs, FakeOpener())
    theirs.close()


def test_ending_the_iteration_ends_the_workers(tmp_path):
    jobs = write_pairs(tmp_path, 3)
    jobs[1] = write_pair(tmp_path, "p001", 1, STUCK)
    results = run(jobs, engine=Processes(workers=2), opener=FakeOpener())
    next(results)
    results.close()  # would wait for ten minutes if the worker were not ended
    children = Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text().split()
    assert not [
        pid for pid in children if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()
    ]


LIMITED = """
import resource, sys
from pathlib import Path
from edgewise.batch import Folders, Processes, run
from edgewise.errors import OutputError
from tests.batch.fakes import FakeOpener
if __name__ == "__main__":
    folder, limit = Path(sys.argv[1]), int(sys.argv[2])
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
    jobs = Folders(*(str(folder / part) for part in ("photos", "masks", "refined")))
    try:
        for result in run(jobs, engine=Processes(), opener=FakeOpener(), ledger=folder / "l.jsonl"):
            assert result.status == "done", result
    except OutputError as error:
        sys.exit(f"told: {error}")
"""


@pytest.mark.parametrize("limit", [60, 900])
def test_a_disk_that_is_full_ends_the_run_and_a_next_one_goes_on(tmp_path, limit):
    """The limit of a file's size stands for the disk's: writing beyond it fails likewise."""
    jobs = write_pairs(tmp_path, 4)
    command = [sys.executable, "-c", LIMITED, str(tmp_path), str(limit)]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ended.returncode == 1
    assert f"told: {tmp_path}/l.jsonl: cannot be written: File too large" in ended.stderr
    ledger = tmp_path / "l.jsonl"
    done = ledger.read_text().count('"done"')
    results = list(run(jobs, engine=Processes(), opener=FakeOpener(), ledger=ledger))
    assert sum(result.status == "current" for result in results) >= done
    assert {result.status for result in results} <= {"done", "current"}
    assert len(list((tmp_path / "refined").iterdir())) == 4


def test_an_output_that_the_disk_does_not_take_fails_and_leaves_no_part(tmp_path):
    jobs = write_pairs(tmp_path, 1)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20, limits[1]))  # the worker inherits it
    try:
        (result,) = run(jobs, engine=Processes(), opener=FakeOpener())
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert "refined/p000.png: cannot be written: File too large" in result.error
    assert list((tmp_path / "refined").iterdir()) == []


@pytest.mark.parametrize("engine", [Processes, Dask])
@pytest.mark.parametrize(
    "options", [{"workers": 0}, {"timeout": 0}, {"timeout": -1}, {"timeout": math.nan}]
)
def test_an_engine_that_cannot_work_is_refused(engine, options):
    with pytest.raises(InputError, match="must be"):
        engine(**options)
