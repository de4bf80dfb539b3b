"""Interrupts: Ctrl-C is for the process that a user started, which ends its workers itself."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import resource_tracker


@contextmanager
def unheard() -> Iterator[None]:
    """Processes and threads that are started in the block never hear of Ctrl-C.

    A terminal tells all processes of it. One that ignores it only once it runs would end with a
    traceback before. The thread of the block hears of it when that ends.
    """
    resource_tracker.ensure_running()  # the start of a first process does, and lets it through
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
