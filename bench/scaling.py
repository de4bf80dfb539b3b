"""Cost against boundary length at one area, and against area at one boundary length.

    python bench/scaling.py [--repeat 3] [--threads 1] [--json FILE] [--short]

The photo is noise with bars in another colour; the coarse mask is the bars, shifted. More bars in
one photo are more boundary in the same area; they lie farther apart than a tile, as edges that
share one share its cost. The same bar in larger photos is more area around the same boundary. Two
specks in its corners and `view_gain` have the whole photo looked at. Times are processor seconds
of `Refiner.refine` alone; an exponent is the slope of a straight line through the logarithms.
`looks_s` is the part of them that the looks at the whole view cost, whatever the shape
(`overview_only`); the exponent of the edges is that of the rest.
"""

import argparse
import json
import math
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgewise.network.runtime import Engine, OnnxProposer
from edgewise.refiner import Refiner, Settings


def bars(side: int, count: int, length: int, pitch: int) -> NDArray[np.bool_]:
    """A photo of `side` pixels square with `count` bars, half a pitch wide, about its middle."""
    mask = np.zeros((side, side), np.bool_)
    top, left = (side - length) // 2, (side - count * pitch) // 2
    for bar in range(count):
        first = left + bar * pitch + pitch // 4
        mask[top : top + length, first : first + pitch // 2] = True
    return mask


def specks(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The mask with a small piece in two corners, so that its view is the whole photo."""
    wide = mask.copy()
    wide[4:24, 4:24] = wide[-24:-4, -24:-4] = True
    return wide


def photographed(truth: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """A noisy photo of the shape."""
    noise = np.random.default_rng(0).integers(0, 40, (*truth.shape, 3), np.uint8)
    colours = np.array([[60, 110, 170], [190, 90, 60]], np.uint8)
    return np.asarray(colours[truth.astype(np.intp)] + noise)


def boundary(mask: NDArray[np.bool_]) -> int:
    """Pairs of neighbours of which one is inside."""
    return int((mask[1:] != mask[:-1]).sum() + (mask[:, 1:] != mask[:, :-1]).sum())


class CountingEngine:
    """An engine that counts its pixels."""

    def __init__(self, engine: Engine) -> None:
        self.stride, self.engine = engine.stride, engine
        self.pixels = 0

    def __call__(self, views: Any) -> Any:
        """Run and count."""
        self.pixels += views[:, 0].size
        return self.engine(views)


def measure(truth: NDArray[np.bool_], threads: int, repeat: int) -> dict[str, float]:
    """One shape's area, boundary, processor time and network pixels."""
    refiner = Refiner.open(threads=threads, settings=Settings(view_gain=math.inf))
    refiner.engine = engine = CountingEngine(refiner.engine)
    photo, coarse = photographed(truth), np.roll(truth, (3, -4), (0, 1))
    seconds: dict[bool, float] = {}
    for overview_only in (True, False):
        engine.pixels = 0
        times = []
        for _ in range(repeat):
            refiner.proposer = OnnxProposer(threads=threads)  # which has not seen the photo
            began = time.process_time()
            refiner.refine(photo, coarse, overview_only=overview_only)
            times.append(time.process_time() - began)
        seconds[overview_only] = min(times)
    return {
        "megapixels": round(truth.size / 1e6, 3),
        "boundary": boundary(truth),
        "cpu_s": round(seconds[False], 3),
        "looks_s": round(seconds[True], 3),
        "network_megapixels": round(engine.pixels / repeat / 1e6, 3),
    }


def exponent(rows: list[dict[str, float]], of: str, *, edges: bool = False) -> float:
    """The slope of log time over log `of`, of all of it or of the edges' part."""
    times = [row["cpu_s"] - edges * row["looks_s"] for row in rows]
    x, y = np.log([row[of] for row in rows]), np.log(times)
    return round(float(np.polyfit(x, y, 1)[0]), 3)


def main() -> None:
    """Measure both series."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--short", action="store_true", help="small photos, to try it")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    side, pitch = (1200, 300) if options.short else (6000, 720)
    sides = [1200, 1800] if options.short else [2100, 3000, 4200, 6000, 8400]
    counts = [1, 2] if options.short else [1, 2, 4, 8]
    by_boundary = [
        measure(specks(bars(side, count, side * 5 // 6, pitch)), options.threads, options.repeat)
        for count in counts
    ]
    by_area = [
        measure(specks(bars(one, 1, sides[0] * 5 // 6, pitch)), options.threads, options.repeat)
        for one in sides
    ]
    found = {
        "by_boundary": by_boundary,
        "by_area": by_area,
        "exponent_of_boundary": exponent(by_boundary, "boundary"),
        "exponent_of_boundary_of_edges": exponent(by_boundary, "boundary", edges=True),
        "exponent_of_area": exponent(by_area, "megapixels"),
    }
    print(json.dumps(found, indent=1))
    if options.json:
        options.json.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
