"""Interrupts: what is started unheard never hears of Ctrl-C, and its starter does afterwards."""

import signal
import subprocess
import sys

from edgewise.interrupts import unheard

SHOW = "import signal; print(signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, []))"


def test_a_process_never_hears_of_an_interrupt_and_its_starter_does_afterwards():
    with unheard():
        told = subprocess.run([sys.executable, "-c", SHOW], capture_output=True, check=True)
    assert told.stdout == b"True\n"
    assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, [])


FIRST = """
import signal
from multiprocessing import get_context
from edgewise.interrupts import unheard
if __name__ == "__main__":
    with unheard():
        get_context("spawn").Semaphore()
        print(signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, []))
"""


def test_nor_does_the_first_process_of_a_program():
    """With it comes Python's tracker of resources, whose start ends the block of signals."""
    told = subprocess.run([sys.executable, "-c", FIRST], capture_output=True, check=True)
    assert told.stdout == b"True\n"
