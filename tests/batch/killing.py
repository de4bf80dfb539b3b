"""Kill runs and their workers at random points, and see that nothing is lost or done twice.

python -m tests.batch.killing --jobs 200 --kills 20
"""

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path

from edgewise.batch import Folders, Processes, run
from tests.batch.fakes import FakeOpener, contents, write_pairs

ROOT = Path(__file__).parents[2]
LEDGER = "ledger.jsonl"


def do(folder: Path, seconds: float) -> int:
    """A run to its end, in this process."""
    jobs = Folders(*(str(folder / part) for part in ("photos", "masks", "refined")))
    opener = FakeOpener(seconds=seconds, log=str(folder / "refinements"))
    results = run(jobs, engine=Processes(workers=2), opener=opener, ledger=folder / LEDGER)
    return sum(result.status == "failed" for result in results)


def start(folder: Path, seconds: float) -> subprocess.Popen:
    command = [sys.executable, "-m", "tests.batch.killing", "--run", str(folder)]
    return subprocess.Popen([*command, "--seconds", str(seconds)], cwd=ROOT)


def workers_of(process: subprocess.Popen) -> list[int]:
    """The worker processes of a run."""
    found = []
    for task in Path(f"/proc/{process.pid}/task").glob("*/children"):
        with suppress(OSError):
            found += [int(child) for child in task.read_text().split()]
    return [pid for pid in found if b"spawn_main" in _command(pid)]


def _command(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def lines(ledger: Path) -> list[dict]:
    """The whole lines of a ledger."""
    data = ledger.read_bytes() if ledger.exists() else b""
    return [json.loads(line) for line in data[: data.rfind(b"\n") + 1].splitlines()]


def killed(folder: Path, *, jobs: int, kills: int, seconds: float, seed: int = 0) -> dict:
    """Do the jobs of a folder, killing by turns the run and one of its workers."""
    chance = random.Random(seed)
    process, struck = None, Counter()
    while sum(struck.values()) < kills:
        if process is None or process.poll() is not None:
            process = start(folder, seconds)
        goal = jobs * (sum(struck.values()) + chance.random()) / (kills + 1)
        while (
            process.poll() is None and sum("done" in line for line in lines(folder / LEDGER)) < goal
        ):
            time.sleep(0.02)
        time.sleep(chance.random() * 2 * seconds)
        victims = workers_of(process)
        if process.poll() is None and sum(struck.values()) % 2 and victims:
            with suppress(ProcessLookupError):
                os.kill(chance.choice(victims), signal.SIGKILL)
                struck["worker"] += 1
        else:
            process.kill()
            struck["run"] += 1
            process.wait()
    code = process.wait()
    return {"struck": dict(struck), "code": start(folder, seconds).wait() if code else code}


def verdict(folder: Path, calm: Path, jobs: int) -> dict:
    """What is to be so after all: outputs as those of an undisturbed run, each done once."""
    done = Counter(line["done"] for line in lines(folder / LEDGER) if "done" in line)
    refinements = (folder / "refinements").read_text().count("\n")
    return {
        "equal": contents(folder / "refined") == contents(calm / "refined"),
        "outputs": len(contents(folder / "refined")),
        "done_lines": len(done),
        "most_done_lines_of_one": max(done.values()),
        "refinements_beyond_jobs": refinements - jobs,
    }


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--jobs", type=int, default=200)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=0.05)
    parser.add_argument("--run", type=Path)
    options = parser.parse_args()
    if options.run:
        sys.exit(do(options.run, options.seconds))
    with tempfile.TemporaryDirectory() as top:
        calm, folder = Path(top, "calm"), Path(top, "killed")
        for place in (calm, folder):
            write_pairs(place, options.jobs)
        do(calm, 0)
        facts = killed(folder, jobs=options.jobs, kills=options.kills, seconds=options.seconds)
        sys.stdout.write(json.dumps(facts | verdict(folder, calm, options.jobs), indent=1))


if __name__ == "__main__":
    main()
