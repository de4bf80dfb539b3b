"""Plan: what a job's files are like before it is handed out, asked of several stores at once."""

from __future__ import annotations

import hashlib
import json
import time
from collections import deque
from collections.abc import Generator, Iterable
from concurrent.futures import Future
from dataclasses import asdict, dataclass
from queue import SimpleQueue
from threading import Thread

from edgewise.batch.jobs import Job
from edgewise.batch.stores import StoreError, canonical, version, version_or_none
from edgewise.errors import InputError

_THREADS = 8
_AHEAD = 16

_Asked = tuple[Job, Future["Plan"]]


@dataclass(frozen=True, slots=True)
class Plan:
    """A job, and its files as they are now.

    Attributes:
        job: the job.
        key: the one spelling of its output's location.
        inputs: digest of its photo, mask and options, and of the refiner's settings and weights.
        before: version of its output; None where there is none.
        error: why it cannot be done, as an input is missing.
    """

    job: Job
    key: str
    inputs: str = ""
    before: str | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Planner:
    """Makes plans.

    Attributes:
        settings: digest of what results depend on besides the job.
        checksum: know inputs by what they hold.
        retries: how often to ask a store again that does not answer.
    """

    settings: str
    checksum: bool
    retries: int

    def __call__(self, job: Job) -> Plan:
        """The plan of a job."""
        key = canonical(job.output)
        for left in range(self.retries, -1, -1):
            try:
                return Plan(job, key, self._inputs(job), version_or_none(job.output))
            except InputError as error:
                return Plan(job, key, error=str(error))
            except StoreError as error:
                problem = str(error)
            if left:
                time.sleep(0.5 * 2 ** (self.retries - left))
        return Plan(job, key, error=problem)

    def _inputs(self, job: Job) -> str:
        files = [version(file, checksum=self.checksum) for file in (job.photo, job.mask)]
        names = [canonical(job.photo), canonical(job.mask)]
        values = [self.settings, *names, *files, asdict(job.options)]
        return hashlib.sha256(json.dumps(values).encode()).hexdigest()[:32]


def planned(jobs: Iterable[Job], planner: Planner) -> Generator[Plan]:
    """The plans of jobs in their order; a few jobs are read ahead. To be closed.

    Not by `concurrent.futures.ThreadPoolExecutor`: Python ends after its threads alone, and a
    store may take minutes to answer, or never do.
    """
    asked: SimpleQueue[_Asked | None] = SimpleQueue()
    for _ in range(_THREADS):
        Thread(target=_plan, args=(asked, planner), name="edgewise-plan", daemon=True).start()
    window: deque[Future[Plan]] = deque()
    try:
        for job in jobs:
            window.append(Future())
            asked.put((job, window[-1]))
            if len(window) >= _AHEAD:
                yield window.popleft().result()
        while window:
            yield window.popleft().result()
    finally:
        for future in window:
            future.cancel()
        for _ in range(_THREADS):
            asked.put(None)


def _plan(asked: SimpleQueue[_Asked | None], planner: Planner) -> None:
    """A thread's life: plan job after job, those aside that nobody waits for any more."""
    while (one := asked.get()) is not None:
        job, future = one
        if future.set_running_or_notify_cancel():
            try:
                future.set_result(planner(job))
            except Exception as error:
                future.set_exception(error)
