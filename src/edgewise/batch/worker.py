"""Worker: what a process of any engine does with one job."""

from __future__ import annotations

import threading
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from edgewise.batch.jobs import Job, Options
from edgewise.batch.stores import fetched, stops_all, stored
from edgewise.errors import (
    DependencyError,
    EdgewiseError,
    EdgewiseWarning,
    InputError,
    OutputError,
    told,
)
from edgewise.images import read_photo
from edgewise.masks import read_mask, write_mask
from edgewise.refiner import Refinement

Verdict = Literal["done", "hopeless", "again", "halt"]


class MaskRefiner(Protocol):
    """What refines, such as `edgewise.Refiner`."""

    def refine(
        self, photo: NDArray[np.uint8], mask: NDArray[np.float32], *, overview_only: bool = False
    ) -> Refinement:
        """The refined mask of photo uint8 HxWx3 RGB and coarse mask float32 HxW in [0, 1]."""
        ...


@runtime_checkable
class FileRefiner(Protocol):
    """What can refine from file to file as well, such as photos that do not fit into memory."""

    def takes(self, photo: Path, output: Path) -> bool:
        """Whether it refines this photo from its file; InputError where it should and cannot."""
        ...

    def refine_file(self, photo: Path, mask: Path, output: Path, options: Options) -> None:
        """Refine and write; EdgewiseError where that cannot be done."""
        ...


class Opener(Protocol):
    """What opens a `MaskRefiner`, once in each worker; so it must pickle, and be comparable.

    `edgewise.engines.NetworkEngine` is the one that is used unless another is given.
    """

    def open(self) -> MaskRefiner:
        """Open it; EdgewiseError where that cannot be done."""
        ...

    def describe(self) -> dict[str, str]:
        """What its results depend on: masks made under another description are made anew."""
        ...


@runtime_checkable
class Limited(Protocol):
    """An opener or engine of which jobs fail by limits as well, such as of memory or time."""

    def limits(self) -> dict[str, str]:
        """The limits: what failed under others is tried again. Results do not depend on them."""
        ...


@dataclass(frozen=True, slots=True)
class Report:
    """What came of one try.

    Attributes:
        verdict: `done`; `hopeless`, as another try would fail likewise; `again`, as it might not;
            `halt`, as all other jobs would fail too.
        error: why it is not done.
        seconds: the try took.
        warnings: what the refiner said.
    """

    verdict: Verdict
    error: EdgewiseError | None = None
    seconds: float = 0.0
    warnings: tuple[str, ...] = ()


_lock = threading.Lock()
_open: tuple[Opener, MaskRefiner] | None = None


def opened(opener: Opener) -> MaskRefiner:
    """The refiner of an opener, which stays open in this process.

    Raises:
        EdgewiseError: it cannot be opened.
    """
    global _open  # noqa: PLW0603  # an opened network does not pickle
    with _lock:
        if _open is None or _open[0] != opener:
            _open = opener, opener.open()
        return _open[1]


def use_one_thread() -> None:
    """Keep OpenCV from starting threads: the workers are the threads."""
    import cv2

    cv2.setNumThreads(1)


def work(opener: Opener, job: Job) -> Report:
    """Do one job, whatever comes of it."""
    began = time.perf_counter()
    try:
        refiner = opened(opener)
    except EdgewiseError as error:
        return Report("halt", error)
    try:
        said = refine_job(refiner, job)
    except (InputError, DependencyError) as error:
        return Report("hopeless", error)
    except OutputError as error:
        return Report("halt" if stops_all(error) else "hopeless", error)
    except EdgewiseError as error:
        return Report("again", error)
    except Exception as error:  # a network or a decoder may raise anything
        return Report("again", EdgewiseError(f"{job.photo}: {told(error)}"))
    return Report("done", seconds=time.perf_counter() - began, warnings=said)


def refine_job(refiner: MaskRefiner, job: Job) -> tuple[str, ...]:
    """Read, refine and write; what the refiner warned of.

    Raises:
        InputError: photo or mask cannot be used.
        OutputError: the output cannot be written.
        EdgewiseError: a store does not answer.
    """
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", EdgewiseWarning)
        _refine(refiner, job)
    return tuple(str(warning.message) for warning in caught if warning.category is EdgewiseWarning)


def _refine(refiner: MaskRefiner, job: Job) -> None:
    with _inputs(job) as (photo_path, mask_path):
        if isinstance(refiner, FileRefiner) and refiner.takes(photo_path, Path(job.output)):
            with _output(job) as path:
                refiner.refine_file(photo_path, mask_path, path, job.options)
            return
        photo = read_photo(photo_path)
        mask = read_mask(mask_path, size=(photo.shape[0], photo.shape[1]))
    refined = refiner.refine(photo, mask, overview_only=job.options.overview_only)
    soft = job.options.soft
    with _output(job) as path:
        write_mask(path, refined.soft if soft else refined.mask, soft=soft)


@contextmanager
def _inputs(job: Job) -> Iterator[tuple[Path, Path]]:
    """Paths of photo and mask; messages name the locations of the job, not of copies."""
    with fetched(job.photo) as photo, fetched(job.mask) as mask:
        try:
            yield photo, mask
        except InputError as error:
            text = str(error).replace(str(photo), job.photo)
            raise InputError(text.replace(str(mask), job.mask)) from error


@contextmanager
def _output(job: Job) -> Iterator[Path]:
    """The path to write at; messages name the location of the job."""
    with stored(job.output) as path:
        try:
            yield path
        except OutputError as error:
            raise OutputError(str(error).replace(str(path), job.output)) from error
