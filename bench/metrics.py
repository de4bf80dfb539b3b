"""Time and peak memory of each metric on one pair, on one thread, as JSON.

    python bench/metrics.py --size 5000x3600 > metrics.json

Every metric runs in a process of its own, so that its peak is not another's.
"""

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from edgewise import metrics

METRICS = [
    "iou",
    "mba",
    "boundary_iou",
    "boundary_f",
    "hd95",
    "weighted_f",
    "s_measure",
    "mae",
    "score",
    "mba_classes",
    "mean_iou",
    "hce",
]
SOFT = {"weighted_f", "s_measure", "mae", "score"}
LABELS = {"mba_classes", "mean_iou"}


def draw_pair(width: int, height: int) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.bool_]]:
    """A soft mask, 8 bits, and its truth: a bumpy object over two fifths of the picture."""
    rng = np.random.default_rng(0)
    rows, columns = np.ogrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    field = (rows**2 + columns**2).astype(np.float32)
    for cells, weight in ((12, 0.12), (100, 0.02), (400, 0.004)):
        noise = rng.standard_normal((cells, cells)).astype(np.float32)
        field += weight * cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC)
    truth = field < 0.5
    small = cv2.resize(
        truth.astype(np.uint8) * 255, (width // 12, height // 12), interpolation=cv2.INTER_AREA
    )
    soft = cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(soft, np.uint8), truth


def measure(name: str, pair: Path, repeat: int) -> dict[str, float]:
    """Best time of some runs of one metric, and the peak memory of this process."""
    cv2.setNumThreads(1)
    with np.load(pair) as arrays:
        grey, truth = arrays["grey"], arrays["truth"]
    mask = grey > 128
    if name in SOFT:
        mask = grey.astype(np.float32) / 255
    elif name in LABELS:
        mask, truth = mask * np.uint8(3), truth * np.uint8(3)
    del grey
    before = peak_mb()
    seconds, processor = [], []
    for _ in range(repeat):
        start, start_processor = time.perf_counter(), time.process_time()
        getattr(metrics, name)(mask, truth)
        seconds.append(time.perf_counter() - start)
        processor.append(time.process_time() - start_processor)
    return {
        "seconds": round(min(seconds), 3),
        "processor_seconds": round(min(processor), 3),
        "peak_mb": round(peak_mb()),
        "peak_mb_before": round(before),
    }


def peak_mb() -> float:
    """The most memory that this process has held, in MB."""
    scale = 1 if platform.system() == "Darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * scale / 1e6


def apart(*arguments: str) -> str:
    """What this script prints in a process of its own, on one thread.

    The caller has to stay small: a new process counts its parent's memory as its own peak.
    """
    one = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
    command = [sys.executable, __file__, *arguments]
    return subprocess.run(
        command, env=os.environ | one, stdout=subprocess.PIPE, check=True, text=True
    ).stdout


def main() -> None:
    """Draw the pair, measure every metric and print the results."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--size", default="5000x3600", help="width x height")
    parser.add_argument("--repeat", type=int, default=3, help="runs, of which the best counts")
    parser.add_argument("--measure", help=argparse.SUPPRESS)
    parser.add_argument("--pair", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    width, height = map(int, options.size.split("x"))
    if options.measure == "draw":
        grey, truth = draw_pair(width, height)
        np.savez(options.pair, grey=grey, truth=truth)
    elif options.measure:
        print(json.dumps(measure(options.measure, options.pair, options.repeat)))
    else:
        print(json.dumps(compare(width, height, options.repeat), indent=1))


def compare(width: int, height: int, repeat: int) -> dict[str, Any]:
    """The figures of every metric on one pair of this size."""
    with tempfile.TemporaryDirectory() as folder:
        fixed = ["--pair", f"{folder}/pair.npz", "--repeat", f"{repeat}"]
        apart("--measure", "draw", *fixed, "--size", f"{width}x{height}")
        results = {name: json.loads(apart("--measure", name, *fixed)) for name in METRICS}
    versions = {"python": platform.python_version(), "numpy": np.__version__}
    versions["opencv"] = cv2.__version__
    return {
        "size": [width, height],
        "threads": 1,
        "load_average": [round(load, 1) for load in os.getloadavg()],
        "versions": versions,
        "metrics": results,
    }


if __name__ == "__main__":
    main()
