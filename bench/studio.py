"""The studio's server under load: rate, waiting times, wrong answers, memory.

    python bench/studio.py [--requests 200] [--clients 16] [--soak 1000] [--full] [--fake]
                           [--json FILE]

Starts a server in a process of its own and sends it the demo's pairs at a small size from many
clients at once; each answer is compared with what the library gives in this process. Then goes on
to `--soak` requests in all. The server's memory is read at the start and after 100, 500 and 1,000
requests; what it takes between 100 and 1,000 is what it loses. `--fake` takes an engine that
answers by colour, to try the script out; `--full` takes the package's own settings, where the
networks look at several times as many pixels.
"""

import argparse
import io
import itertools
import json
import multiprocessing
import socket
import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from edgewise.demo import pairs
from edgewise.images import read_photo
from edgewise.masks import read_mask
from edgewise.refiner import Refiner, Settings

SIDE = 192
QUICK = Settings(overview_side=192, proposal_side=256)
"""Settings of server and library alike: the same steps as the package's own, on fewer pixels."""

LOOKS = (100, 500, 1000)
"""Requests after which memory is read, beside the start and the end."""


class ColourEngine:
    """Answers by colour alone: the redder than blue, the surer it is object."""

    stride = 64

    def __call__(self, views: NDArray[np.uint8]) -> NDArray[np.float32]:
        """See `edgewise.network.runtime.Engine`."""
        difference = views[:, 0].astype(np.float32) - views[:, 2]
        return np.asarray(1 / (1 + np.exp(-difference / 8)), np.float32)


@dataclass(frozen=True)
class Case:
    """A request's files, and the library's result."""

    photo: bytes
    mask: bytes
    expected: NDArray[np.bool_]


def refiner_of(fake: bool, settings: Settings) -> Refiner:
    """The package's refiner, or one on the fake engine."""
    if fake:
        return Refiner(ColourEngine(), settings=settings)
    return Refiner.open(settings=settings)


def serve(fake: bool, settings: Settings, listener: socket.socket) -> None:
    """The server's process."""
    import uvicorn

    from edgewise.studio.app import create_app

    app = create_app(refiner_of(fake, settings))
    config = uvicorn.Config(app, log_level="error", ws="none")
    uvicorn.Server(config).run(sockets=[listener])


def png(picture: NDArray[Any]) -> bytes:
    """A picture as a file's bytes."""
    stream = io.BytesIO()
    Image.fromarray(picture).save(stream, "PNG")
    return stream.getvalue()


def cases(fake: bool, settings: Settings) -> list[Case]:
    """The demo's pairs at a small size, each as it is and flipped."""
    refiner = refiner_of(fake, settings)
    found = []
    for pair in pairs():
        photo = Image.fromarray(read_photo(pair.photo))
        scale = SIDE / max(photo.size)
        size = (round(photo.width * scale), round(photo.height * scale))
        coarse = read_mask(pair.coarse, size=(photo.height, photo.width)) > 0.5
        small = np.asarray(photo.resize(size, Image.Resampling.BOX))
        mask = np.asarray(Image.fromarray(coarse).resize(size, Image.Resampling.NEAREST))
        for step in (1, -1):
            one, other = np.ascontiguousarray(small[:, ::step]), mask[:, ::step].copy()
            found.append(Case(png(one), png(other), refiner.refine(one, other).mask))
    return found


def ask(address: str, case: Case) -> tuple[float, int, bool]:
    """Seconds until the answer, times that the queue was full, and whether it was right."""
    files = {"photo": ("photo.png", case.photo), "mask": ("mask.png", case.mask)}
    began, full = time.perf_counter(), 0
    with httpx.Client(timeout=600, trust_env=False) as client:
        while (answer := client.post(f"{address}/refine", files=files)).status_code == 503:
            full += 1
            time.sleep(float(answer.headers["retry-after"]))
    seconds = time.perf_counter() - began
    if answer.status_code != 200:
        return seconds, full, False
    with Image.open(io.BytesIO(answer.content)) as picture:
        return seconds, full, bool((np.asarray(picture) == case.expected).all())


def memory(pid: int) -> float:
    """Resident memory of a process in MB (Linux)."""
    status = Path(f"/proc/{pid}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


def load(address: str, chosen: list[Case], count: int, clients: int) -> dict[str, Any]:
    """Figures of so many requests from so many clients."""
    began = time.perf_counter()
    with ThreadPoolExecutor(clients) as pool:
        work = itertools.islice(itertools.cycle(chosen), count)
        results = list(pool.map(lambda case: ask(address, case), work))
    seconds = [result[0] for result in results]
    return {
        "requests": count,
        "clients": clients,
        "wrong": sum(not right for _, _, right in results),
        "full": sum(full for _, full, _ in results),
        "per_second": round(count / (time.perf_counter() - began), 2),
        "median_s": round(statistics.median(seconds), 3),
        "slowest_s": round(max(seconds), 3),
    }


def wait_for(address: str) -> None:
    """Wait until the server answers."""
    until = time.monotonic() + 120
    while time.monotonic() < until:
        try:
            httpx.get(f"{address}/health", timeout=5, trust_env=False)
            return
        except httpx.TransportError:
            time.sleep(0.1)
    raise SystemExit("the server does not answer")


def soak(
    address: str, chosen: list[Case], pid: int, *, first: int, total: int, clients: int
) -> dict[str, Any]:
    """Figures of the first requests, wrong answers of all, and memory in MB on the way."""
    memories = {"0": round(memory(pid), 1)}
    marks = sorted({*(look for look in LOOKS if look < total), first, total})
    done, wrong = 0, 0
    parts = []
    for mark in marks:
        part = load(address, chosen, mark - done, clients)
        done, wrong = mark, wrong + part["wrong"]
        memories[str(done)] = round(memory(pid), 1)
        print(f"{done} requests, {wrong} wrong, {memories[str(done)]} MB", flush=True)
        if done <= first:
            parts.append(part)
    return {
        "requests": total,
        "clients": clients,
        "pixels": SIDE * SIDE,
        "wrong": wrong,
        "memory_mb": memories,
        "first": _joined(parts),
    }


def _joined(parts: list[dict[str, Any]]) -> dict[str, Any]:
    """Figures of runs one after the other; the median is that of the last."""
    seconds = sum(part["requests"] / part["per_second"] for part in parts)
    count = sum(part["requests"] for part in parts)
    return {
        "requests": count,
        "full": sum(part["full"] for part in parts),
        "per_second": round(count / seconds, 2),
        "median_s": parts[-1]["median_s"],
        "slowest_s": max(part["slowest_s"] for part in parts),
    }


def main() -> None:
    """Serve, load, soak, and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--requests", type=int, default=200)
    parser.add_argument("--clients", type=int, default=16)
    parser.add_argument("--soak", type=int, default=1000, help="requests in all")
    parser.add_argument("--fake", action="store_true")
    parser.add_argument("--full", action="store_true", help="the package's own settings")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    settings = Settings() if options.full else QUICK
    chosen = cases(options.fake, settings)
    listener = socket.create_server(("127.0.0.1", 0))
    address = f"http://127.0.0.1:{listener.getsockname()[1]}"
    process = multiprocessing.get_context("spawn").Process(
        target=serve, args=(options.fake, settings, listener), daemon=True
    )
    process.start()
    pid = process.pid or 0
    try:
        wait_for(address)
        counts = {"first": options.requests, "total": max(options.soak, options.requests)}
        figures = soak(address, chosen, pid, **counts, clients=options.clients)
    finally:
        process.terminate()
        process.join()
    print(json.dumps(figures, indent=1))
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1) + "\n")


if __name__ == "__main__":
    main()
