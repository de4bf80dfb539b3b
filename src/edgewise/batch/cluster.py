"""Cluster: an engine that runs jobs on Dask, where Python and edgewise are installed."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from edgewise.batch.engines import check_limits, time_limit
from edgewise.batch.jobs import Job
from edgewise.batch.worker import Opener, Report, opened, use_one_thread, work
from edgewise.errors import EdgewiseError, InputError, missing_extra, told
from edgewise.processes import no_interrupts

_GONE = "the scheduler gave the jobs up, or is gone"


@dataclass(frozen=True, kw_only=True)
class Dask:
    """Workers of a Dask cluster.

    Attributes:
        scheduler: address (`tcp://host:8786`) or scheduler file; None starts a cluster of
            processes on this machine for as long as the run takes.
        workers: how many processes, where one is started here.
        timeout: seconds after which a job counts as hung and its worker is ended, for its nanny
            to start another; None waits. Use workers of one thread then.
    """

    scheduler: str | None = None
    workers: int = 1
    timeout: float | None = None

    def __post_init__(self) -> None:
        """Refuse what cannot work."""
        check_limits(self.workers, self.timeout)

    def open(self, opener: Opener) -> DaskPool:
        """See `engines.Engine`.

        Raises:
            DependencyError: `distributed` is not installed.
            InputError: nothing answers at the scheduler's address.
        """
        return DaskPool(self, opener)

    def limits(self) -> dict[str, str]:
        """See `worker.Limited`."""
        return time_limit(self.timeout)


class DaskPool:
    """A client of the scheduler, used through its `concurrent.futures` executor."""

    def __init__(self, engine: Dask, opener: Opener) -> None:
        self._engine, self._opener = engine, opener
        self._cluster = _local_cluster(engine.workers) if engine.scheduler is None else None
        self._client = _client(engine.scheduler or self._cluster)
        self._executor = self._client.get_executor(pure=False)

    @property
    def slots(self) -> int:
        """See `engines.Pool`: it follows the cluster as that grows.

        One for each thread: when a worker dies, Dask blames all jobs that wait at it as well.
        """
        with self._scheduler():
            return max(1, sum(map(int, self._client.nthreads().values())))

    def submit(self, job: Job) -> Future[Report]:
        """See `engines.Pool`."""
        answer: Future[Report] = Future()
        with self._scheduler():
            remote = self._executor.submit(work_in_time, self._opener, job, self._engine.timeout)
        remote.add_done_callback(lambda done: answer.set_result(_report(done, job)))
        return answer

    def close(self) -> None:
        """See `engines.Pool`."""
        self._executor.shutdown(wait=False)  # which cancels what is out
        self._client.close()
        if self._cluster is not None:
            self._cluster.close()

    @contextmanager
    def _scheduler(self) -> Iterator[None]:
        """Tells that the scheduler is gone, of which Dask raises whatever follows from it."""
        try:
            yield
        except Exception as error:
            if isinstance(error, OSError) or self._client.status != "running":
                raise EdgewiseError(_GONE) from error
            raise


def work_in_time(opener: Opener, job: Job, timeout: float | None) -> Report:
    """As `worker.work`; ends this process where it takes longer than `timeout` seconds."""
    use_one_thread()
    if timeout is None:
        return work(opener, job)
    try:
        opened(opener)  # which is not the photo's time
    except EdgewiseError as error:
        return Report("halt", error)
    # A thread stuck in a decoder heeds nothing less.
    watch = threading.Timer(min(timeout, threading.TIMEOUT_MAX), os._exit, (1,))
    watch.daemon = True
    watch.start()
    try:
        return work(opener, job)
    finally:
        watch.cancel()


def _report(done: Future[Any], job: Job) -> Report:
    """The report of a future of Dask, which fails where a worker or the scheduler did."""
    if done.cancelled():
        return Report("halt", EdgewiseError(_GONE))
    error = done.exception()
    if error is None:
        report: Report = done.result()
        return report
    if type(error).__name__ == "KilledWorker":  # by then it has killed several
        return Report("hopeless", EdgewiseError(f"{job.photo}: hung or killed several workers"))
    if type(error).__name__ in {"FutureCancelledError", "CancelledError"}:
        return Report("halt", EdgewiseError(_GONE))
    return Report("again", EdgewiseError(f"{job.photo}: {told(error)}"))


def _client(scheduler: Any) -> Any:
    make: Any = _imported("Client")
    client = make.__new__(make)
    try:
        client.__init__(scheduler, set_as_default=False)
    except BaseException as error:
        client.close()  # left to the end of Python, it would wait there for ever
        if not isinstance(error, OSError | ValueError):
            raise
        raise InputError(
            f"{scheduler}: no Dask scheduler answers there ({error}); give tcp://HOST:8786"
        ) from error
    return client


def _local_cluster(workers: int) -> Any:
    make = _imported("LocalCluster")
    import dask

    # Dask has its workers give memory back at every turn; photos ask for as much again at once,
    # which cost a seventh of the throughput. And it looks every 10 ms at what they do.
    trimming = "distributed.nanny.pre-spawn-environ.MALLOC_TRIM_THRESHOLD_"
    quick = {trimming: None, "distributed.worker.profile.enabled": False}
    with dask.config.set(quick), no_interrupts():
        return make(
            n_workers=workers,
            threads_per_worker=1,
            processes=True,
            dashboard_address=":0",
            silence_logs=logging.ERROR,
        )


def _imported(name: str) -> Callable[..., Any]:
    try:
        import distributed
    except ImportError as error:
        raise missing_extra("distributed", "batch") from error
    found: Callable[..., Any] = getattr(distributed, name)
    return found
