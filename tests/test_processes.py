"""Worker processes leave Ctrl-C to the one that started them, and end with it."""

import subprocess
import sys

PROGRAM = """
import signal, time
from multiprocessing import get_context
from edgewise.processes import die_with_parent, no_interrupts

def held():
    return signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, ())

def live():
    die_with_parent()
    print(held(), flush=True)
    while True:
        time.sleep(60)

if __name__ == "__main__":
    with no_interrupts():
        get_context("spawn").Process(target=live).start()
    print(held(), flush=True)
    while True:
        time.sleep(60)
"""


def test_a_worker_gets_no_interrupt_and_ends_when_its_parent_is_killed(tmp_path):
    (tmp_path / "program.py").write_text(PROGRAM)
    command = [sys.executable, tmp_path / "program.py"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as program:
        lines = [program.stdout.readline() for _ in range(2)]
        program.kill()
        program.communicate(timeout=60)  # ends once nobody holds the pipe, the worker neither
    assert sorted(lines) == ["False\n", "True\n"]
