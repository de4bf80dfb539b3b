"""Throughput of `edgewise.batch` by workers, and on a local Dask cluster.

    python bench/batch.py [--jobs 200] [--repeat 3] [--side 1000] [--json FILE]

The jobs are the demo's photos with their real coarse masks, each scaled to another size around
`--side` pixels, so that no two are alike. Each way does all jobs into an empty folder, with a
ledger, workers of one thread, and the ways by turns; the best of the repeats counts. Starting
processes and opening networks is part of a run, as it is for users; `steady` leaves it out: the
jobs a second from the first result to the last. On a machine that does other work the ratios say
nothing: run it alone.
"""

import argparse
import json
import os
import platform
import tempfile
import time
from pathlib import Path

from PIL import Image

from edgewise.batch import Dask, Engine, Folders, Processes, run
from edgewise.demo import pairs

WAYS: dict[str, Engine] = {
    "processes, 1 worker": Processes(workers=1),
    "processes, 2 workers": Processes(workers=2),
    "local Dask cluster, 2 workers": Dask(workers=2),
}


def write_photos(folder: Path, count: int, side: int) -> None:
    """Photos and masks, `count` of each, their longer sides within 10 % of `side`."""
    (folder / "photos").mkdir()
    (folder / "masks").mkdir()
    sources = list(pairs())
    for number in range(count):
        source = sources[number % len(sources)]
        longer = side * (0.9 + 0.2 * number / count)
        with Image.open(source.photo) as photo, Image.open(source.coarse) as mask:
            scale = longer / max(photo.size)
            size = (round(photo.width * scale), round(photo.height * scale))
            resized = photo.resize(size, Image.Resampling.BICUBIC)
            resized.save(folder / "photos" / f"{number:04}.jpg", quality=92)
            mask.resize(size, Image.Resampling.NEAREST).save(folder / "masks" / f"{number:04}.png")


def measure(folder: Path, engine: Engine) -> dict[str, float]:
    """One run of all jobs into a folder that is gone afterwards."""
    with tempfile.TemporaryDirectory(dir=folder) as output:
        jobs = Folders(str(folder / "photos"), str(folder / "masks"), output)
        began = time.perf_counter()
        times = []
        for result in run(jobs, engine=engine, ledger=Path(output, "ledger.jsonl")):
            if result.status != "done":
                raise SystemExit(f"{result.job.photo}: {result.error}")
            times.append(time.perf_counter() - began)
        seconds = time.perf_counter() - began
    return {
        "seconds": round(seconds, 2),
        "per_second": round(len(times) / seconds, 3),
        "steady": round((len(times) - 1) / max(times[-1] - times[0], 1e-9), 3),
    }


def best_of(folder: Path, repeat: int) -> dict[str, dict[str, float]]:
    """The fastest run of each way."""
    runs: dict[str, list[dict[str, float]]] = {name: [] for name in WAYS}
    for _ in range(repeat):
        for name, engine in WAYS.items():
            runs[name].append(measure(folder, engine))
            print(name, json.dumps(runs[name][-1]), flush=True)
    return {name: min(rows, key=lambda row: row["seconds"]) for name, rows in runs.items()}


def ratios(best: dict[str, dict[str, float]]) -> dict[str, float]:
    """What the ways are held to: at least 1.7, and at most 0.1 off 1."""
    one, two, dask = best.values()
    return {
        "two_workers_over_one": round(two["per_second"] / one["per_second"], 3),
        "two_workers_over_one_steady": round(two["steady"] / one["steady"], 3),
        "dask_over_processes": round(dask["per_second"] / two["per_second"], 3),
        "dask_over_processes_steady": round(dask["steady"] / two["steady"], 3),
    }


def machine() -> dict[str, str | int | None]:
    """Where the figures are from."""
    return {"machine": platform.machine(), "cores": len(os.sched_getaffinity(0))}


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--jobs", type=int, default=200)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--side", type=int, default=1000, help="longer side in pixels")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as top:
        write_photos(Path(top), options.jobs, options.side)
        best = best_of(Path(top), options.repeat)
    facts = {
        "jobs": options.jobs,
        "side": options.side,
        **machine(),
        "best": best,
        "ratios": ratios(best),
    }
    print(json.dumps(facts["ratios"]))
    if options.json:
        options.json.write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
