"""Engines: where jobs run. Each opens a pool that takes jobs and gives futures of reports."""

from __future__ import annotations

from concurrent.futures import Future
from typing import Protocol

from edgewise.batch.jobs import Job
from edgewise.batch.worker import Opener, Report


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
