"""Jobs: the networks for all, behind a queue of bounded length.

The networks take every core, so jobs are served one after the other. A job whose client has gone,
or that takes too long, stops before the next run of a network.
"""

import asyncio
import math
import threading
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from edgewise.network.runtime import Proposer
from edgewise.refiner import Refiner
from edgewise.studio.limits import Limits, RefusedError

_Result = TypeVar("_Result")

_LOOK = 0.1  # seconds between looks whether the client is still there


class StoppedJob(Exception):  # noqa: N818  # no error: it ends what nobody waits for
    """The job is to end: nobody waits for its result."""


class Job:
    """A job under way: an engine that counts runs and stops when the job is to end.

    Args:
        refiner: whose networks and settings are used.
    """

    def __init__(self, refiner: Refiner) -> None:
        self.stride = refiner.engine.stride
        self._shared = refiner
        self._stopped = threading.Event()
        self._runs = 0
        self.report: Callable[[int], None] = lambda _: None
        """Called with the number of the networks' runs so far, before each."""

    def __call__(self, views: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Run the network; see `edgewise.network.runtime.Engine`."""
        self.count()
        return self._shared.engine(views)

    def count(self) -> None:
        """Report a run that is about to begin; raises StoppedJob where nobody waits any more."""
        self.check()
        self.report(self._runs)
        self._runs += 1

    @property
    def refiner(self) -> Refiner:
        """A refiner whose networks are this job's."""
        shared = self._shared
        proposer = _Proposals(shared.proposer, self) if shared.proposer else None
        return Refiner(self, proposer=proposer, judge=shared.judge, settings=shared.settings)

    @property
    def window_refiner(self) -> Refiner:
        """The same for a window of a photo: without proposals, as it may hold half an object."""
        return Refiner(self, settings=self._shared.settings)

    def check(self) -> None:
        """Raise StoppedJob where nobody waits any more."""
        if self._stopped.is_set():
            raise StoppedJob

    def stop(self) -> None:
        """Have the job end at its next check."""
        self._stopped.set()


class _Proposals:
    """A job's proposal network, whose runs count as the job's."""

    def __init__(self, proposer: Proposer, job: Job) -> None:
        self.stride = proposer.stride
        self._proposer, self._job = proposer, job

    def __call__(
        self, photo: NDArray[np.uint8], mask: NDArray[np.float32], places: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        """Run the network; see `edgewise.network.runtime.Proposer`."""
        self._job.count()
        return self._proposer(photo, mask, places)


class Jobs:
    """The queue of jobs.

    Args:
        refiner: whose networks and settings all jobs share.
        limits: how many may wait, and for how long.
    """

    def __init__(self, refiner: Refiner, limits: Limits | None = None) -> None:
        self._refiner = refiner
        self._limits = limits or Limits()
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="edgewise-job")
        self._lock = threading.Lock()
        self._count = 0
        self._mean = 1.0  # seconds a job takes

    @property
    def count(self) -> int:
        """Jobs that wait or run."""
        return self._count

    async def run(
        self,
        work: Callable[[Job], _Result],
        *,
        gone: Callable[[], Awaitable[bool]],
        after: Callable[[], None] = lambda: None,
    ) -> _Result:
        """The result of `work`, done when it is its turn.

        Args:
            work: called in the queue's thread.
            gone: tells whether the client has left; the job is stopped then.
            after: called once whatever happens, when the work has ended or will never begin.

        Raises:
            RefusedError: 503 where the queue is full or the time is over.
            StoppedJob: the client has gone.
        """
        job = Job(self._refiner)
        future = self._submit(job, work, after)
        waiting = asyncio.wrap_future(future)
        deadline = time.monotonic() + self._limits.seconds
        try:
            while not (await asyncio.wait({waiting}, timeout=_LOOK))[0]:
                if time.monotonic() > deadline:
                    raise RefusedError(
                        503,
                        f"not done within {self._limits.seconds:g} s; try later or with a "
                        "smaller photo",
                        retry_after=self._patience(),
                    )
                if await gone():
                    raise StoppedJob
        except BaseException:
            job.stop()
            future.cancel()
            waiting.add_done_callback(_forget)
            raise
        return waiting.result()

    def close(self) -> None:
        """End when the job under way has ended; those waiting are dropped."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _submit(
        self, job: Job, work: Callable[[Job], _Result], after: Callable[[], None]
    ) -> "Future[_Result]":
        with self._lock:
            if self._count > self._limits.waiting:
                after()
                raise RefusedError(
                    503,
                    f"{self._count} requests are being served, which is the limit; try later",
                    retry_after=self._patience(),
                )
            self._count += 1
        future = self._pool.submit(self._timed, job, work)

        future.add_done_callback(lambda _: self._finish(after))
        return future

    def _finish(self, after: Callable[[], None]) -> None:
        with self._lock:
            self._count -= 1
        after()

    def _timed(self, job: Job, work: Callable[[Job], _Result]) -> _Result:
        job.check()
        began = time.monotonic()
        try:
            return work(job)
        finally:
            self._mean += 0.2 * (time.monotonic() - began - self._mean)

    def _patience(self) -> int:
        """Seconds until there should be room: one job's time, at least 1."""
        return max(1, math.ceil(self._mean))


def _forget(waiting: "asyncio.Future[Any]") -> None:
    """Take an abandoned job's result, so that its error is not reported as never seen."""
    if not waiting.cancelled():
        waiting.exception()
