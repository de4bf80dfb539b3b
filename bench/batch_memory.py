"""Peak memory of a batch of many small jobs, of the process that hands them out, as JSON lines.

    python bench/batch_memory.py [--jobs 1000000] [--workers 2]

One picture of 16 pixels a side is photo and mask of every job, and its mask comes back as it is,
so that nothing but the handing out, the ledger and the index of files is left. A million jobs
write 4 GB of small files into the folder for temporary files.
"""

import argparse
import json
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from edgewise.batch import Job, Processes, run
from edgewise.refiner import Refinement
from metrics import peak_mb

FOLDER_OF = 1000  # outputs in one folder


class Same:
    """A refiner that gives the coarse mask back."""

    def refine(
        self, photo: NDArray[np.uint8], mask: NDArray[np.float32], *, overview_only: bool = False
    ) -> Refinement:
        """Give the mask, float32 HxW."""
        del photo, overview_only
        return Refinement(mask > 0.5, mask)


@dataclass(frozen=True)
class Opened:
    """What opens it."""

    def open(self) -> Same:
        """Open it."""
        return Same()

    def describe(self) -> dict[str, str]:
        """Name it for the ledger."""
        return {"engine": "same"}


def jobs(root: Path, count: int) -> Iterator[Job]:
    """So many jobs on one picture, a thousand outputs a folder."""
    picture = root / "picture.png"
    levels = np.zeros((16, 16), np.uint8)
    levels[4:12, 4:12] = 255
    Image.fromarray(levels).save(picture)
    for number in range(count):
        output = root / "out" / str(number // FOLDER_OF) / f"{number}.png"
        yield Job(str(picture), str(picture), str(output), source=f"job {number}")


def main() -> None:
    """Run, and print the peak at every power of ten."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--jobs", type=int, default=1_000_000)
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as top:
        began, shown = time.perf_counter(), 100
        results = run(
            jobs(Path(top), options.jobs),
            engine=Processes(workers=options.workers),
            opener=Opened(),
            ledger=Path(top, "ledger.jsonl"),
        )
        for number, result in enumerate(results, 1):
            if result.status != "done":
                raise SystemExit(f"{result.job.output}: {result.error}")
            if number in (shown, options.jobs):
                seconds = round(time.perf_counter() - began, 1)
                fact = {"jobs": number, "seconds": seconds, "peak_mb": round(peak_mb(), 1)}
                print(json.dumps(fact), flush=True)
                shown *= 10


if __name__ == "__main__":
    main()
