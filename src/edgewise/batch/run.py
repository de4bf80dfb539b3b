"""Run: hand jobs out, keep the ledger, and yield what comes of them."""

from __future__ import annotations

import hashlib
import json
import os
from collections import deque
from collections.abc import Generator, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import closing
from dataclasses import dataclass
from typing import Literal

from edgewise.batch.claims import Claims
from edgewise.batch.engines import Engine, Pool
from edgewise.batch.jobs import Job
from edgewise.batch.ledger import Ledger
from edgewise.batch.plan import Plan, Planner, planned
from edgewise.batch.processes import Processes
from edgewise.batch.stores import (
    StoreError,
    check_place,
    forget_folders,
    make_folder,
    tidy,
    version_or_none,
)
from edgewise.batch.worker import Limited, Opener, Report
from edgewise.engines import NetworkEngine
from edgewise.errors import EdgewiseError, InputError, OutputError


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What is done again, and how often.

    Attributes:
        retries: tries of a job after the first, where another may help.
        checksum: know inputs by what they hold, instead of by size and time of change.
        again: make outputs that are up to date as well.
        retry_failed: try jobs again that an earlier run gave up on the same inputs.
    """

    retries: int = 2
    checksum: bool = False
    again: bool = False
    retry_failed: bool = False

    def __post_init__(self) -> None:
        """Refuse what cannot work."""
        if self.retries < 0:
            raise InputError(f"retries {self.retries}: there cannot be fewer than 0")


@dataclass(frozen=True, slots=True)
class Result:
    """What came of a job.

    Attributes:
        job: the job.
        status: `done`; `current`, as the output was there, made of the same inputs; or `failed`.
        error: why it failed.
        seconds: the try that did it took, in its worker.
        attempts: tries in this run.
        warnings: what the refiner said, such as that a mask is empty.
    """

    job: Job
    status: Literal["done", "current", "failed"]
    error: str | None = None
    seconds: float = 0.0
    attempts: int = 0
    warnings: tuple[str, ...] = ()


def run(
    jobs: Iterable[Job],
    *,
    engine: Engine | None = None,
    opener: Opener | None = None,
    ledger: str | os.PathLike[str] | None = None,
    rules: Rules | None = None,
) -> Generator[Result]:
    """Do jobs; each result comes as soon as it is known, in any order.

    Jobs are read as workers become free. Ending the iteration ends the workers. With a ledger,
    the same call goes on where it was ended, killed or cut off. Keep a script's work behind
    `if __name__ == "__main__":`, as for any use of worker processes.

    Args:
        jobs: what to do, such as `Folders` or a `Manifest`; read once.
        engine: where; `Processes()` unless given.
        opener: what refines, opened once a worker; edgewise's own network unless given.
        ledger: file that remembers what is done; None remembers nothing.
        rules: what is done again.

    Yields:
        One result for each job. A job in another's way (see `Claims.add`) fails.

    Raises:
        InputError: the ledger cannot be used, or a job cannot be read.
        OutputError: the disk is full or a folder cannot be written to; what is done by then is
            in the ledger.
        EdgewiseError: the workers cannot be started or open no network.
    """
    opener = opener or NetworkEngine(threads=1)
    rules = rules or Rules()
    planner = Planner(_digest(opener.describe()), checksum=rules.checksum, retries=rules.retries)
    return _run(jobs, engine or Processes(), opener, ledger, rules, planner)


def _limits(part: Opener | Engine) -> dict[str, str]:
    return part.limits() if isinstance(part, Limited) else {}


def _digest(values: dict[str, str]) -> str:
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()


def _run(
    jobs: Iterable[Job],
    engine: Engine,
    opener: Opener,
    path: str | os.PathLike[str] | None,
    rules: Rules,
    planner: Planner,
) -> Generator[Result]:
    forget_folders()
    limits = _limits(opener) | _limits(engine)
    with Ledger(path) as ledger:
        pool = engine.open(opener)
        dispatcher = _Dispatcher(pool, ledger, rules, limits)
        try:
            # Closed here: an error keeps an open generator alive, and its threads asking.
            with closing(planned(jobs, planner)) as plans:
                yield from dispatcher.results(plans)
        finally:
            pool.close()
            dispatcher.close()


@dataclass(frozen=True, slots=True)
class _Try:
    plan: Plan
    number: int


class _Dispatcher:
    """Keeps the pool's slots full, and settles what comes back."""

    def __init__(self, pool: Pool, ledger: Ledger, rules: Rules, limits: dict[str, str]) -> None:
        self._pool, self._ledger, self._rules, self._limits = pool, ledger, rules, limits
        self._claims = Claims()
        self._pending: dict[Future[Report], _Try] = {}
        self._again: deque[_Try] = deque()
        self._halt: EdgewiseError | None = None

    def close(self) -> None:
        self._claims.close()

    def results(self, plans: Iterator[Plan]) -> Iterator[Result]:
        """The results; once something is wrong for all jobs, only of those that are out."""
        while True:
            yield from self._fill(plans)
            if not self._pending:
                break
            yield from self._settle_some()
        if self._halt is not None:
            raise self._halt

    def _fill(self, plans: Iterator[Plan]) -> Iterator[Result]:
        """Hand jobs out while there is room; the results of those that need no worker."""
        while self._halt is None and len(self._pending) < self._pool.slots:
            if self._again:
                self._submit(self._again.popleft())
                continue
            try:
                plan = next(plans, None)
                if plan is None:
                    return
                result = self._decide(plan)
            except EdgewiseError as error:  # those that are out are still to be waited for
                self._halt = error
                return
            if result is not None:
                yield result

    def _decide(self, plan: Plan) -> Result | None:
        """The result of a job that needs no work, or None: it is handed out."""
        job = plan.job
        try:
            self._claims.add(job)
            check_place(job.output)
        except (InputError, OutputError) as error:  # not in the ledger: the output is another's
            return Result(job, "failed", str(error))
        if plan.error is not None:
            return self._give_up(_Try(plan, 0), plan.error)
        known = None if self._rules.again else self._known(plan)
        if known is None:
            make_folder(job.output)
            self._submit(_Try(plan, 1))
        return known

    def _known(self, plan: Plan) -> Result | None:
        """What the ledger says of a job whose inputs are as they were."""
        entry = self._ledger.find(plan.key)
        if entry is not None and entry.status == "failed":
            same = entry.inputs == self._tried(plan) and not self._rules.retry_failed
            return Result(plan.job, "failed", entry.note) if same else None
        if entry is None or entry.inputs != plan.inputs:
            return None
        if entry.status == "done":
            return Result(plan.job, "current") if plan.before is not None else None
        if plan.before in (None, entry.note):
            return None
        # It was handed out and the run was killed, but the output is another than before: it was
        # moved there whole, and only the line about it is missing.
        tidy(plan.job.output)
        self._ledger.finish(plan.key, plan.inputs, seconds=0, attempts=1, warnings=())
        return Result(plan.job, "current")

    def _tried(self, plan: Plan) -> str:
        """Digest of what a failure depends on: the inputs and, where there are any, the limits."""
        return _digest({"inputs": plan.inputs, **self._limits}) if self._limits else plan.inputs

    def _submit(self, attempt: _Try) -> None:
        plan = attempt.plan
        if attempt.number == 1:
            self._ledger.begin(plan.key, plan.inputs, plan.before)
        self._pending[self._pool.submit(plan.job)] = attempt

    def _settle_some(self) -> Iterator[Result]:
        done, _ = wait(self._pending, return_when=FIRST_COMPLETED)
        settled = [self._settle(self._pending.pop(future), future.result()) for future in done]
        self._ledger.sync()
        yield from (result for result in settled if result is not None)

    def _settle(self, attempt: _Try, report: Report) -> Result | None:
        """The result of a try; None where the job is to be tried again or all is to end."""
        if report.verdict == "halt":
            self._halt = self._halt or report.error
            return None
        if report.verdict == "done" or self._arrived(attempt.plan):
            return self._finish(attempt, report)
        if report.verdict == "again" and attempt.number <= self._rules.retries:
            self._again.append(_Try(attempt.plan, attempt.number + 1))
            return None
        return self._give_up(attempt, str(report.error))

    def _arrived(self, plan: Plan) -> bool:
        """Whether a worker that failed had its output in place by then."""
        try:
            return version_or_none(plan.job.output) not in (None, plan.before)
        except StoreError:
            return False

    def _finish(self, attempt: _Try, report: Report) -> Result:
        plan, tries = attempt.plan, attempt.number
        self._ledger.finish(
            plan.key,
            plan.inputs,
            seconds=report.seconds,
            attempts=tries,
            warnings=report.warnings,
        )
        return Result(plan.job, "done", None, report.seconds, tries, report.warnings)

    def _give_up(self, attempt: _Try, error: str) -> Result:
        plan, tries = attempt.plan, attempt.number
        tidy(plan.job.output)
        self._ledger.fail(plan.key, self._tried(plan), error=error, attempts=tries)
        return Result(plan.job, "failed", error, 0.0, tries)
