"""Peak memory of a benchmark run as it goes on, as JSON lines: flat where nothing done is kept.

    python bench/benchmark_memory.py objects        # 150 objects of BIG's sizes
    python bench/benchmark_memory.py scenes         # 2000 scenes of ADE20K's size

Both go the whole way of `edgewise benchmark run` (refine, keep the mask, score, results file) on
pictures drawn here. The network is left out: what stands in for it answers its own prior, so that
every view, pass and tile is there and costs next to nothing.
"""

import argparse
import json
import multiprocessing
import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar, cast

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

from edgewise.benchmarks.figures import measured
from edgewise.benchmarks.run import InputSet, own_job, work
from edgewise.benchmarks.scene_run import measured_scenes, own_scenes, work_scenes
from edgewise.benchmarks.store import Store
from edgewise.evaluation import Failure, Header, Refine
from edgewise.refiner import Refiner
from edgewise.scenes.refine import refine_labels
from metrics import draw_pair, peak_mb

Result = TypeVar("Result")

SIZES = [(2048, 1600), (5000, 3600), (3000, 2000), (2592, 3888), (4288, 2848)]
"""Width and height: BIG's smallest and largest among the first."""

SCENE = (683, 512)
_DRAWN = 10  # scenes that differ; the others are links to them
_MARKS = {"objects": (10, 50, 150), "scenes": (100, 500, 2000)}


class Prior:
    """A network that answers its prior mask."""

    stride = 64

    def __call__(self, views: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        """Give views' fourth channel, uint8 (N, 4, height, width), as float32 in 0..1."""
        return views[:, 3].astype(np.float32) / np.float32(255)


@dataclass(frozen=True)
class Opened:
    """What opens the refiner, for objects or for scenes."""

    scenes: bool

    def __call__(self) -> Refine:
        """Open it."""
        refiner = Refiner(Prior())
        if self.scenes:
            return cast("Refine", partial(refine_labels, refiner=refiner))
        return lambda photo, mask: refiner.refine(photo, mask).soft

    def describe(self) -> dict[str, str]:
        """Name it for the header."""
        return {"engine": "prior"}


def draw_objects(root: Path, count: int) -> None:
    """Photos, truths and coarse masks in BIG's layout: one of each size, links for the others."""
    photos, coarse = root / "big" / "test", root / "big-pspnet"
    for folder in (photos, coarse):
        folder.mkdir(parents=True)
    for at in range(count):
        name = f"{at:03}_cat"
        files = [photos / f"{name}_im.jpg", photos / f"{name}_gt.png", coarse / f"{name}_seg.png"]
        if at < len(SIZES):
            soft, truth = draw_pair(*SIZES[at])
            photo = _painted(np.where(truth, 200, 60).astype(np.uint8))
            for file, picture in zip(files, (photo, truth, soft > 128), strict=True):
                Image.fromarray(picture).save(file)
        else:
            first = f"{at % len(SIZES):03}_cat"
            for file in files:
                os.link(file.with_name(file.name.replace(name, first)), file)


def draw_scenes(root: Path, count: int) -> None:
    """Photos, true and coarse label maps in ADE20K's layout: some drawn, links for the others."""
    dataset = root / "ade20k"
    folders = [
        dataset / "images" / "validation",
        dataset / "annotations" / "validation",
        root / "ade20k-encnet",
    ]
    for folder in folders:
        folder.mkdir(parents=True)
    random = np.random.default_rng(0)
    for at in range(count):
        name = f"ADE_val_{at + 1:08}"
        files = [
            folder / f"{name}{end}"
            for folder, end in zip(folders, (".jpg", ".png", ".png"), strict=True)
        ]
        if at < _DRAWN:
            labels = random.integers(1, 151, (4, 5), dtype=np.uint8)
            truth = np.asarray(cv2.resize(labels, SCENE, interpolation=cv2.INTER_NEAREST), np.uint8)
            moved = np.roll(truth, (4, 4), (0, 1))
            for file, picture in zip(files, (_painted(truth), truth, moved), strict=True):
                Image.fromarray(picture).save(file)
        else:
            for file in files:
                os.link(file.with_name(f"ADE_val_{at % _DRAWN + 1:08}{file.suffix}"), file)


def _painted(levels: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """A photo of these levels, with a little noise."""
    noise = np.random.default_rng(0).integers(0, 40, levels.shape, dtype=np.uint8)
    return np.stack([levels, noise, 255 - levels], axis=-1)


def run(kind: str, root: Path, marks: Sequence[int], workers: int) -> None:
    """Run as the command does, and print the memory of this process after so many results."""
    cv2.setNumThreads(1)
    opener = Opened(kind == "scenes")
    header = Header(engine=opener.describe(), fast=True)
    store, folder = Store(root), root / "run"
    if kind == "scenes":
        scenes = own_scenes(InputSet(dataset="ade20k", network="encnet"), store, folder)
        measured_scenes(scenes, told(work_scenes(scenes, opener, header, workers=workers), marks))
    else:
        objects = own_job(InputSet(dataset="big", network="pspnet"), store, folder)
        rows = list(told(work(objects, opener, header, workers=workers), marks))
        measured("big", "pspnet", "edgewise", rows)


def told(results: Iterator[Result | Failure], marks: Sequence[int]) -> Iterator[Result]:
    """The results; the memory so far is printed where so many have come."""
    for count, one in enumerate(results, start=1):
        if isinstance(one, Failure):
            raise SystemExit(f"{one.id}: {one.error}")
        yield one
        if count in marks:
            row = {"done": count, "peak_mb": round(peak_mb()), "now_mb": round(_resident_mb())}
            print(json.dumps(row), flush=True)


def _resident_mb() -> float:
    """What this process holds now (Linux)."""
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def main() -> None:
    """Draw the data in a process of its own, then run and print a line a mark."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("kind", choices=sorted(_MARKS))
    parser.add_argument("--marks", type=int, nargs="*", help="after how many to measure")
    parser.add_argument("--workers", type=int, default=1)
    options = parser.parse_args()
    marks = options.marks or _MARKS[options.kind]
    draw: Callable[[Path, int], None] = draw_scenes if options.kind == "scenes" else draw_objects
    with tempfile.TemporaryDirectory() as folder:
        drawing = multiprocessing.get_context("spawn").Process(
            target=draw, args=(Path(folder), max(marks))
        )
        drawing.start()
        drawing.join()
        if drawing.exitcode:
            raise SystemExit(f"drawing ended with {drawing.exitcode}")
        run(options.kind, Path(folder), marks, options.workers)


if __name__ == "__main__":
    main()
