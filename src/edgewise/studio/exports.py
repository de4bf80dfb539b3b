"""Exports of the queue's accepted photos: one at a time, how far it is, and breaking it off."""

import threading
from pathlib import Path

from edgewise.studio.folder import Queue
from edgewise.studio.jobs import StoppedJob
from edgewise.studio.limits import RefusedError
from edgewise.studio.store import Store


class Exports:
    """A server's exports.

    Attributes:
        done: photos that the export under way has written.
        photos: how many there will be; 0 where none is under way.
    """

    def __init__(self) -> None:
        self.done = self.photos = 0
        self._running = threading.Lock()

    def run(self, queue: Queue, store: Store, stopped: threading.Event) -> tuple[Path, int]:
        """Export; see `Queue.export`. Setting `stopped` ends it before its next photo.

        Raises:
            RefusedError: 409 where an export is under way, or nothing is accepted.
            StoppedJob: it was stopped; no folder is left then.
            OutputError: the folder cannot be written.
        """
        if not self._running.acquire(blocking=False):
            raise RefusedError(409, "an export is under way; wait until it is done")

        def report(done: int, photos: int) -> None:
            if stopped.is_set():
                raise StoppedJob
            self.done, self.photos = done, photos

        try:
            return queue.export(store, report)
        finally:
            self.done = self.photos = 0
            self._running.release()
