"""Processes: an engine of worker processes on this machine.

Not `concurrent.futures.ProcessPoolExecutor`: when one of its workers dies, all its jobs fail and
none is known to be the cause, and a worker that hangs cannot be ended alone.
"""

from __future__ import annotations

import math
import queue
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection

from edgewise.batch.engines import check_limits, time_limit
from edgewise.batch.jobs import Job
from edgewise.batch.worker import Opener, Report, opened, use_one_thread, work
from edgewise.errors import EdgewiseError
from edgewise.processes import die_with_parent, no_interrupts

_spawn = get_context("spawn")
_STARTS = 3
"""Processes that may die one after the other while they open the network."""
_LOOK = 1.0
"""Seconds between two looks at whether a process that does not answer still lives."""


@dataclass(frozen=True, kw_only=True)
class Processes:
    """Worker processes, each of which holds one photo at a time.

    Attributes:
        workers: how many.
        timeout: seconds after which a job counts as hung and its process is ended; None waits.
    """

    workers: int = 1
    timeout: float | None = None

    def __post_init__(self) -> None:
        """Refuse what cannot work."""
        check_limits(self.workers, self.timeout)

    def open(self, opener: Opener) -> ProcessPool:
        """See `engines.Engine`."""
        return ProcessPool(self, opener)

    def limits(self) -> dict[str, str]:
        """See `worker.Limited`."""
        return time_limit(self.timeout)


class ProcessPool:
    """A thread for each process: it hands over a job, waits, and starts another when one dies."""

    def __init__(self, engine: Processes, opener: Opener) -> None:
        self.slots = engine.workers
        self._workers = [_Worker(opener, engine.timeout) for _ in range(engine.workers)]
        self._idle: queue.SimpleQueue[_Worker] = queue.SimpleQueue()
        for worker in self._workers:
            self._idle.put(worker)
        self._threads = ThreadPoolExecutor(engine.workers, thread_name_prefix="edgewise-batch")

    def submit(self, job: Job) -> Future[Report]:
        """See `engines.Pool`."""
        return self._threads.submit(self._call, job)

    def close(self) -> None:
        """See `engines.Pool`."""
        for worker in self._workers:
            worker.close()
        self._threads.shutdown(cancel_futures=True)
        for worker in self._workers:
            worker.end()

    def _call(self, job: Job) -> Report:
        worker = self._idle.get()
        try:
            return worker.call(job)
        finally:
            self._idle.put(worker)


class _Worker:
    """One process at a time, seen from this one."""

    def __init__(self, opener: Opener, timeout: float | None) -> None:
        self._opener, self._timeout = opener, timeout
        self._lock = threading.Lock()
        self._closed = False
        self._connection: Connection | None = None

    def call(self, job: Job) -> Report:
        """The report of the process, or of its end."""
        first = self._ready()
        if first.verdict != "done":
            return first
        try:
            self._send(job)
            return self._answer(self._timeout)
        except TimeoutError:
            self.end()
            return Report(
                "again", EdgewiseError(f"{job.photo}: not done after {self._timeout:g} seconds")
            )
        except (EOFError, OSError):
            return Report("again", EdgewiseError(f"{job.photo}: {self.end()}"))

    def _ready(self) -> Report:
        """Start a process unless there is one; whether it has opened the network."""
        if self._connection is not None and not self._process.is_alive():
            self.end()  # it died after its last photo, of which this one is innocent
        death = ""
        for _ in range(_STARTS):
            if self._connection is not None:
                return Report("done")
            try:
                self._start()
            except OSError as error:
                return Report("halt", EdgewiseError(f"no worker process can be started: {error}"))
            try:
                first = self._answer(None)
            except (EOFError, OSError):
                death = self.end()
                continue
            if first.verdict != "done":
                self.end()
            return first
        return Report("halt", EdgewiseError(f"opening the network: {death}"))

    def close(self) -> None:
        """End the process at once; none is started again."""
        with self._lock:
            self._closed = True
            if self._connection is not None:
                self._process.kill()

    def _start(self) -> None:
        """Start a process, unless the pool is closed; OSError where the system has no room."""
        with self._lock:
            if self._closed:
                return
            ours, theirs = _spawn.Pipe()
            process = _spawn.Process(target=_serve, args=(theirs, self._opener), daemon=True)
            try:
                with no_interrupts():
                    process.start()
            except OSError:
                ours.close()
                raise
            finally:
                theirs.close()  # else the end of the process would not be seen
            self._connection, self._process = ours, process

    def _send(self, job: Job) -> None:
        if self._connection is not None:
            self._connection.send(job)

    def _answer(self, timeout: float | None) -> Report:
        """Raises EOFError where the process has ended, TimeoutError where it takes too long."""
        if self._connection is None:
            raise EOFError
        end = time.monotonic() + (math.inf if timeout is None else timeout)
        # The end of the pipe alone does not tell that a process is dead: whatever this program
        # forked meanwhile holds a copy of the other end.
        while not self._connection.poll(min(_LOOK, max(end - time.monotonic(), 0))):
            if time.monotonic() >= end:
                raise TimeoutError
            if not self._process.is_alive() and not self._connection.poll():
                raise EOFError
        report = self._connection.recv()
        if not isinstance(report, Report):
            raise EOFError
        return report

    def end(self) -> str:
        """See the process out, ending it where it has not; how it died, in words."""
        with self._lock:
            if self._connection is None:
                return "the worker processes were ended"
            self._process.kill()  # of no effect where it is dead already
            self._process.join()
            self._connection.close()
            self._connection = None
            code = self._process.exitcode
        how = f"was ended by signal {-code}" if code and code < 0 else f"ended with status {code}"
        return f"its worker process {how}, perhaps for want of memory"


def _serve(connection: Connection, opener: Opener) -> None:
    """A process's life: open the network, then do job after job until the parent is gone."""
    die_with_parent()
    use_one_thread()
    try:
        opened(opener)
    except EdgewiseError as error:
        connection.send(Report("halt", error))
        return
    with suppress(EOFError, OSError):
        connection.send(Report("done"))
        while True:
            connection.send(work(opener, connection.recv()))
