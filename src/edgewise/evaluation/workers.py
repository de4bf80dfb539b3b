"""Workers: one task for many pairs, in this process or in several that each open the engine."""

from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from typing import Any, TypeVar

import cv2

from edgewise.engines import OpenRefine, Refine
from edgewise.errors import EdgewiseError
from edgewise.evaluation.pairs import Pair
from edgewise.processes import die_with_parent, no_interrupts

Result = TypeVar("Result")
Task = Callable[[Pair, Refine | None], Result]


def each(
    task: Task[Result], pairs: Sequence[Pair], open_refine: OpenRefine | None, *, workers: int = 1
) -> Generator[Result]:
    """What the task makes of each pair, as soon as it is done; in any order with several workers.

    Args:
        task: takes a pair, and what refines or None where no pair needs it. With several workers,
            it and its results must pickle.
        pairs: what to do.
        open_refine: opened once a worker, only where some pair has no refined mask.
        workers: processes, no more than pairs; 1 works in this one. Each holds one pair at a time.

    Raises:
        EdgewiseError: the engine cannot be opened, or a worker died.
    """
    needed = open_refine if any(pair.refined is None for pair in pairs) else None
    refine = needed() if needed else None  # so that what is wrong with it is said once, and here
    workers = min(workers, len(pairs))
    if workers <= 1:
        yield from (task(pair, refine) for pair in pairs)
        return
    del refine
    pool = ProcessPoolExecutor(
        workers, mp_context=get_context("spawn"), initializer=_open, initargs=(needed,)
    )
    try:
        yield from _results(_submitted(pool, task, pairs))
    except BaseException:
        for process in pool._processes.values():  # nobody waits for what they have in hand
            process.kill()
        raise
    finally:
        pool.shutdown(cancel_futures=True)


def _submitted(
    pool: ProcessPoolExecutor, task: Task[Result], pairs: Iterable[Pair]
) -> list[Future[Result]]:
    with no_interrupts():  # the first one starts the processes
        return [pool.submit(_work, task, pair) for pair in pairs]


def _results(futures: Iterable[Future[Result]]) -> Iterator[Result]:
    done = as_completed(futures)
    del futures  # so that a result goes as soon as it was taken
    try:
        for future in done:
            yield future.result()
    except BrokenProcessPool as error:
        raise EdgewiseError(
            "a worker process died, perhaps for want of memory; go on with fewer workers (what is"
            " in the results file is kept)"
        ) from error


_refine: Refine | None = None


def _open(open_refine: OpenRefine | None) -> None:
    global _refine  # noqa: PLW0603  # an opened network does not pickle
    die_with_parent()
    cv2.setNumThreads(1)  # the workers are the threads
    _refine = open_refine() if open_refine else None


def _work(task: Task[Any], pair: Pair) -> Any:
    return task(pair, _refine)
