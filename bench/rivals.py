"""Time of refining one photo against CascadePSP's network, GrabCut and a guided filter.

    python bench/rivals.py [--megapixels 8] [--threads 2] [--repeat 3] [--json FILE]

All get the same photo and coarse mask in memory, in one process, with as many threads. CascadePSP
is its published architecture and pipeline with random weights, which take the same time. Its
global step is timed whole and its local step by one crop; `estimate_s` is the global step and as
many local crops as it would look at. GrabCut works at 1000 px, as it does here by default.
Needs the extra `reference`.
"""

import argparse
import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch

from edgewise.baselines import grabcut, guided
from edgewise.images import read_photo
from edgewise.masks import read_mask
from edgewise.reference.network import STRIDE, CascadeNetwork
from edgewise.reference.pipeline import LEAST, MOST, CascadeRefiner, PipelineSettings, crops
from edgewise.refiner import Refiner
from refine import enlarge  # a script beside this one


def best(function: Callable[[], Any], repeat: int) -> dict[str, float]:
    """The least wall and processor time of some runs, each measured on its own."""
    wall, cpu = [], []
    for _ in range(repeat):
        began, used = time.perf_counter(), time.process_time()
        function()
        wall.append(time.perf_counter() - began)
        cpu.append(time.process_time() - used)
    return {"wall_s": round(min(wall), 3), "cpu_s": round(min(cpu), 3)}


def cascade(photo: Any, mask: Any, repeat: int) -> dict[str, float]:
    """CascadePSP's global step, one local crop, and what all of them come to."""
    torch.manual_seed(0)
    network = CascadeNetwork().eval()
    whole = CascadeRefiner(network=network, settings=PipelineSettings(global_only=True))
    found: dict[str, float] = {}
    for name, value in best(lambda: whole.refine(photo, mask), repeat).items():
        found[f"global_{name}"] = value
    settings = PipelineSettings()
    # Which crops are skipped follows from the global step's answer; here from the coarse mask.
    views = [
        crop
        for crop in crops(photo.shape[0], photo.shape[1], settings)
        if LEAST <= float(mask[crop.whole].mean()) <= MOST
    ]
    side = min(settings.side, *photo.shape[:2]) // STRIDE * STRIDE
    piece = torch.zeros(1, 3, side, side)
    signed = torch.ones(1, 1, side, side)
    with torch.inference_mode():
        for name, value in best(lambda: network(piece, signed, signed), repeat).items():
            found[f"crop_{name}"] = value
    found["crops"] = len(views)
    for kind in ("wall_s", "cpu_s"):
        found[f"estimate_{kind}"] = round(
            found[f"global_{kind}"] + len(views) * found[f"crop_{kind}"], 1
        )
    return found


def main() -> None:
    """Measure all and print their ratios to edgewise."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--megapixels", type=float, default=8)
    parser.add_argument("--photo", default="astronaut", help="a photo of the demo")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    cv2.setNumThreads(options.threads)
    with tempfile.TemporaryDirectory() as folder:
        files = enlarge(options.megapixels, Path(folder), options.photo)
        photo = read_photo(files[0])
        mask = read_mask(files[1], size=(photo.shape[0], photo.shape[1]))
    refiner = Refiner.open(threads=options.threads)
    rows: dict[str, dict[str, float]] = {
        "edgewise": best(lambda: refiner.refine(photo, mask), options.repeat),
        "grabcut": best(lambda: grabcut(photo, mask), options.repeat),
        "guided": best(lambda: guided(photo, mask), options.repeat),
        "cascadepsp": cascade(photo, mask.astype(np.float32), 1),
    }
    own = rows["edgewise"]
    for row in rows.values():
        for kind in ("wall_s", "cpu_s"):
            spent = row.get(f"estimate_{kind}", row.get(kind, 0.0))
            row[f"ratio_{kind}"] = round(spent / own[kind], 2)
    print(json.dumps(rows, indent=1))
    if options.json:
        options.json.write_text(json.dumps({"megapixels": options.megapixels, **rows}, indent=1))


if __name__ == "__main__":
    main()
