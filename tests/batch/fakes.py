"""Tiny photos, a refiner that answers at once or misbehaves on demand, and a pool of threads."""

import os
import signal
import time
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from edgewise.batch import Job, Opener, Report
from edgewise.batch.worker import work
from edgewise.errors import ModelError
from edgewise.refiner import Refinement

DEADLY = (255, 0, 0)
"""A photo whose first pixel has this colour kills the process that refines it."""

STUCK = (0, 255, 0)
"""A photo that takes forever."""

ODD = (0, 0, 255)
"""A photo at which the refiner raises what nobody expects."""


@dataclass(frozen=True)
class FakeOpener:
    """Opens a refiner whose mask is what is bright in the photo.

    Attributes:
        seconds: each refinement takes.
        log: file that gets a line for each refinement.
        weights: stands for the network's checksum.
        fault: what `open` is to fail of.
    """

    seconds: float = 0.0
    log: str = ""
    weights: str = "1"
    fault: str = ""

    def open(self) -> "FakeRefiner":
        if self.fault == "model":
            raise ModelError("no such weights")
        if self.fault == "death":
            os.kill(os.getpid(), signal.SIGKILL)
        return FakeRefiner(self)

    def describe(self) -> dict[str, str]:
        return {"engine": "fake", "sha256": self.weights}


class FakeRefiner:
    def __init__(self, opener: FakeOpener) -> None:
        self.opener = opener

    def refine(self, photo, mask, *, overview_only=False):
        colour = tuple(photo[0, 0].tolist())
        if self.opener.log:
            with Path(self.opener.log).open("a") as stream:
                stream.write(f"{colour}\n")
        if colour == DEADLY:
            os.kill(os.getpid(), signal.SIGKILL)
        if colour == STUCK:
            time.sleep(600)
        if colour == ODD:
            raise RuntimeError("what an odd photo")
        time.sleep(self.opener.seconds)
        soft = (photo[..., 1].astype(np.float32) / 255 + mask) / 2
        return Refinement(soft > 0.5, soft * (0.5 if overview_only else 1))


class Here:
    """An engine of threads in this process: what runs need, without their cost."""

    def __init__(self, threads: int = 2) -> None:
        self.slots = threads

    def open(self, opener: Opener) -> "Here":
        self._opener = opener
        self._pool = ThreadPoolExecutor(self.slots)
        return self

    def submit(self, job: Job) -> Future[Report]:
        return self._pool.submit(work, self._opener, job)

    def close(self) -> None:
        self._pool.shutdown(cancel_futures=True)


def photo_of(number: int, colour=None) -> Image.Image:
    """A photo of 8x8 pixels, another one for each number."""
    pixels = np.random.default_rng(number).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    pixels[0, 0] = (number % 250, number // 250, 7) if colour is None else colour
    return Image.fromarray(pixels)


def write_pair(folder: Path, name: str, number: int, colour=None) -> Job:
    """A photo and its mask below a folder, and the job of them."""
    for part in ("photos", "masks"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    photo, mask = folder / "photos" / f"{name}.png", folder / "masks" / f"{name}.png"
    photo_of(number, colour).save(photo)
    inside = np.zeros((8, 8), bool)
    inside[2:6, 2:6] = True
    Image.fromarray(inside).save(mask)
    return Job(str(photo), str(mask), str(folder / "refined" / f"{name}.png"))


def write_pairs(folder: Path, count: int) -> list[Job]:
    return [write_pair(folder, f"p{number:03}", number) for number in range(count)]


def contents(folder: Path) -> dict[str, bytes]:
    """What lies in a folder, hidden files too, but for the ledger."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.suffix != ".jsonl"
    }
