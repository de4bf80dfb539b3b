"""Processes: what worker processes and the one that starts them owe each other."""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import parent_process
from multiprocessing.resource_tracker import ensure_running


@contextmanager
def no_interrupts() -> Iterator[None]:
    """Let processes that are started in the block have no Ctrl-C, from their first instruction on.

    It is for this one, which ends them; one that comes meanwhile is handled when the block ends.
    """
    ensure_running()  # its first start, which is with the first process, lets SIGINT through again
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def die_with_parent() -> None:
    """Have this process end at once when its parent is killed: a next run may do its work then."""
    threading.Thread(target=_wait_for_parent, daemon=True).start()


def _wait_for_parent() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
