"""Engines: where jobs run. Each opens a pool that takes jobs and gives futures of reports."""

from __future__ import annotations

from concurrent.futures import Future
from typing import Protocol

from edgewise.batch.jobs import Job
from edgewise.batch.worker import Opener, Report
from edgewise.errors import InputError


class Pool(Protocol):
    """Workers that have started or will."""

    @property
    def slots(self) -> int:
        """How many jobs it wants to hold at a time; more wait outside."""
        ...

    def submit(self, job: Job) -> Future[Report]:
        """Hand out a job; its future has a report, never an exception."""
        ...

    def close(self) -> None:
        """End all workers at once, whatever they are doing."""
        ...


class Engine(Protocol):
    """A way to run jobs: `Processes` here, `Dask` on a cluster."""

    def open(self, opener: Opener) -> Pool:
        """Open a pool whose workers refine with what the opener opens.

        Raises:
            EdgewiseError: that cannot be done.
        """
        ...


def time_limit(timeout: float | None) -> dict[str, str]:
    """The limit of a job's seconds, as `worker.Limited` has it."""
    return {} if timeout is None else {"timeout": f"{timeout:g}"}


def check_limits(workers: int, timeout: float | None) -> None:
    """Raise InputError where no engine can have so many workers, or give a job so many seconds."""
    if workers < 1 or not (timeout is None or timeout > 0):  # NaN is not above 0
        raise InputError(
            f"workers {workers}, timeout {timeout}: they must be at least 1 and above 0"
        )
