"""Workers: what they give is not held on to, and Ctrl-C is not theirs."""

import gc
import os
import signal
import weakref
from concurrent.futures import Future
from multiprocessing.context import SpawnProcess
from pathlib import Path

from edgewise.evaluation import workers
from edgewise.evaluation.pairs import Pair


class Answer:
    """Something that a weak reference can watch."""


def finished(count):
    futures = [Future() for _ in range(count)]
    for future in futures:
        future.set_result(Answer())
    return futures


def test_a_result_that_was_taken_is_let_go():
    results = workers._results(finished(3))
    first = weakref.ref(next(results))
    next(results)
    gc.collect()
    assert first() is None


def name(pair, refine):
    return pair.id


def test_an_interrupt_is_the_parents_alone_from_a_workers_start_on(monkeypatch):
    start = SpawnProcess.start

    def interrupted(process):
        start(process)
        os.kill(process.pid, signal.SIGINT)

    monkeypatch.setattr(SpawnProcess, "start", interrupted)
    pairs = [Pair(set="", id=part, source="", truth=Path(part)) for part in "ab"]
    assert sorted(workers.each(name, pairs, None, workers=2)) == ["a", "b"]
