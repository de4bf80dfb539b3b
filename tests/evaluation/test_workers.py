"""Workers: what they give is not held on to, and none outlives the run."""

import gc
import os
import signal
import subprocess
import sys
import weakref
from concurrent.futures import Future
from pathlib import Path

import pytest

from edgewise.evaluation import Pair, workers

PROGRAM = """
import signal, time
from pathlib import Path
from edgewise.evaluation import Pair
from edgewise.evaluation.workers import each

def work(pair, refine):
    print(signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, ()), flush=True)
    while True:
        time.sleep(60)

if __name__ == "__main__":
    path = Path("none.png")
    pairs = [Pair(set="s", id=name, source="", truth=path, refined=path) for name in "ab"]
    list(each(work, pairs, None, workers=2))
"""


class Answer:
    """Something that a weak reference can watch."""


def finished(count):
    futures = [Future() for _ in range(count)]
    for future in futures:
        future.set_result(Answer())
    return futures


def test_a_pair_alone_takes_no_process_and_one_opening():
    pair = Pair(set="s", id="a", source="", truth=Path("gt.png"), coarse=Path("seg.png"))
    opened = []

    def open_refine():
        opened.append(os.getpid())

    found = list(
        workers.each(lambda pair, _: (pair.id, os.getpid()), [pair], open_refine, workers=4)
    )
    assert found == [("a", os.getpid())]
    assert opened == [os.getpid()]
    assert list(workers.each(lambda pair, _: pair.id, [], open_refine, workers=4)) == []


def test_a_result_that_was_taken_is_let_go():
    results = workers._results(finished(3))
    first = weakref.ref(next(results))
    next(results)
    gc.collect()
    assert first() is None


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGINT])
def test_workers_get_no_interrupt_and_end_with_the_run(tmp_path, end):
    (tmp_path / "program.py").write_text(PROGRAM)
    command = [sys.executable, tmp_path / "program.py"]
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(command, **streams, text=True) as run:
        lines = [run.stdout.readline() for _ in range(2)]
        run.send_signal(end)
        run.communicate(timeout=60)  # ends once nobody holds the pipe, no worker either
    assert lines == ["True\n"] * 2
