"""Time and peak memory of refining one photo, by size and by step.

`whole` is settling and writing the answer into an array; `network` is the refinement network's time
summed over its threads; `propose` is the proposal network's. `refine` is one more photo in the same
process (the first one mirrored), from array to mask.

    python bench/refine.py [--sizes 0.5 2 8 18] [--threads 2] [--repeat 3] [--json FILE]

Each size runs in a process of its own, so that peak memory is that size's; `total` is the wall
time of a whole `edgewise refine` (start, model, reading, refining, writing). The photo is one of
the demo's, enlarged, with its real coarse mask: a photo enlarged has less detail than one taken
at that size, and the same boundary in relative terms, which is what the cost follows.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from edgewise import refiner as module
from edgewise.demo import pairs
from edgewise.images import read_photo
from edgewise.masks import read_mask, write_mask
from edgewise.network.runtime import Engine


def enlarge(megapixels: float, folder: Path, name: str) -> tuple[Path, Path]:
    """A demo photo and its coarse mask at that many million pixels, as files."""
    pair = next(p for p in pairs() if p.name == name)
    with Image.open(pair.photo) as photo, Image.open(pair.coarse) as mask:
        scale = (megapixels * 1e6 / (photo.width * photo.height)) ** 0.5
        size = (round(photo.width * scale), round(photo.height * scale))
        photo.resize(size, Image.Resampling.BICUBIC).save(folder / "photo.jpg", quality=92)
        mask.resize(size, Image.Resampling.NEAREST).save(folder / "mask.png")
    return folder / "photo.jpg", folder / "mask.png"


def timed(seconds: dict[str, float], name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """The function, its time added up under a name."""

    def call(*arguments: Any, **options: Any) -> Any:
        began = time.perf_counter()
        try:
            return function(*arguments, **options)
        finally:
            seconds[name] += time.perf_counter() - began

    return call


class TimedEngine:
    """An engine that adds up its time and its pixels."""

    def __init__(self, engine: Engine, seconds: dict[str, float]) -> None:
        self.stride, self.threads = engine.stride, getattr(engine, "threads", 1)
        self.engine, self.seconds = engine, seconds
        self.pixels = 0

    def __call__(self, views: Any) -> Any:
        """Run and count."""
        self.pixels += views[:, 0].size
        return timed(self.seconds, "network", self.engine)(views)


def measure(photo: Path, mask: Path, threads: int) -> dict[str, float]:
    """One refinement in this process, by step; peak memory is the process's."""
    seconds: dict[str, float] = defaultdict(float)
    whole = time.perf_counter()
    refiner = timed(seconds, "open", module.Refiner.open)(threads=threads)
    refiner.engine = engine = TimedEngine(refiner.engine, seconds)
    for step in ("choose_views", "propose", "overview", "edge_answer", "whole", "agreement"):
        setattr(module, step, timed(seconds, step, getattr(module, step)))
    picture = timed(seconds, "read", read_photo)(photo)
    coarse = timed(seconds, "read", read_mask)(mask, size=picture.shape[:2])
    refined = refiner.refine(picture, coarse)
    timed(seconds, "write", write_mask)(mask.with_name("out.png"), refined.mask)
    figures = {f"{name}_s": round(value, 3) for name, value in seconds.items()}
    figures["inside_s"] = round(time.perf_counter() - whole, 3)
    figures["network_megapixels"] = round(engine.pixels / 1e6, 2)
    figures["peak_mb"] = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
    mirrored = np.ascontiguousarray(picture[:, ::-1]), np.ascontiguousarray(coarse[:, ::-1])
    again = time.perf_counter()
    refiner.refine(*mirrored)
    figures["refine_s"] = round(time.perf_counter() - again, 3)
    figures["changed_share"] = round(float(np.mean(refined.mask != (coarse > 0.5))), 4)
    return figures


def command_seconds(photo: Path, mask: Path, threads: int) -> float:
    """Wall time of the command line, process start and imports included."""
    command = [sys.executable, "-c", "from edgewise.cli import run; run()", "refine"]
    output = mask.with_name("out.png")
    began = time.perf_counter()
    subprocess.run(
        [*command, str(photo), str(mask), "-o", str(output), "--threads", str(threads)], check=True
    )
    return round(time.perf_counter() - began, 3)


def main() -> None:
    """Measure every size, each in a fresh process, the best of the repeats."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", type=float, nargs="*", default=[0.5, 2, 8, 18])
    parser.add_argument("--photo", default="astronaut", help="a photo of the demo")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--one", nargs=2, type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        photo, mask = options.one
        print(json.dumps(measure(photo, mask, options.threads)))
        return
    rows = []
    for size in options.sizes:
        with tempfile.TemporaryDirectory() as folder:
            files = enlarge(size, Path(folder), options.photo)
            runs = []
            for _ in range(options.repeat):
                command = [sys.executable, __file__, "--threads", str(options.threads)]
                done = subprocess.run(
                    [*command, "--one", *map(str, files)],
                    check=True,
                    capture_output=True,
                    text=True,
                )
                runs.append(json.loads(done.stdout))
            best = min(runs, key=lambda run: float(run["inside_s"]))
            best["refine_s"] = min(float(run["refine_s"]) for run in runs)
            total = min(command_seconds(*files, options.threads) for _ in range(options.repeat))
        rows.append({"megapixels": size, "total_s": total, **best})
        print(json.dumps(rows[-1]), flush=True)
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    main()
