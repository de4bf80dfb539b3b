"""The common form of annotations: photos with instances, whose masks are run lengths.

Every format of this package is read into a `Dataset` and written from one, so that n formats need
2n functions and not n². A mask is held as the run lengths of the COCO format, because a photo of
100 objects has 100 masks of the photo's size.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal

import cv2
import numpy as np
from pycocotools import mask as coco_mask  # type: ignore[import-untyped]

from edgewise.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

Size = tuple[int, int]
"""Height and width in pixels."""

_MOST_PIXELS = 1 << 31


@dataclass(frozen=True)
class Rle:
    """A mask, bool HxW, as the run lengths of its columns (COCO's compressed RLE).

    Args:
        height: rows of the mask.
        width: columns of the mask.
        counts: run lengths in COCO's text form, as bytes. `Rle.of`, `from_counts` and `from_runs`
            make them and check them.
    """

    height: int
    width: int
    counts: bytes

    @classmethod
    def of(cls, mask: NDArray[np.bool_]) -> Rle:
        """The run lengths of a mask, bool HxW."""
        height, width = mask.shape
        columns = np.flatnonzero(mask.any(axis=0))
        left, right = (columns[0], columns[-1] + 1) if len(columns) else (0, 0)
        # Of a large photo most columns lie beside the object: one run before it and one behind.
        down = _transposed(mask[:, left:right]).ravel()
        edges = np.flatnonzero(np.diff(down, prepend=False, append=False)) + left * height
        runs = np.diff(edges, prepend=0, append=height * width).tolist()
        if not runs[-1]:
            runs.pop()
        coded = coco_mask.frPyObjects({"size": [height, width], "counts": runs}, height, width)
        return cls(height, width, coded["counts"])

    @classmethod
    def from_counts(cls, counts: str, size: Size) -> Rle:
        """COCO's compressed run lengths, checked: pycocotools reads beyond those that end early.

        Raises:
            InputError: not such a text, or the runs do not add up to height x width.
        """
        try:
            code = counts.encode("ascii")
        except UnicodeEncodeError as error:
            raise InputError(f"its RLE has the character {counts[error.start]!r}") from error
        _check_runs(_runs_of(code), size)
        return cls(*size, code)

    @classmethod
    def from_runs(cls, runs: Sequence[int], size: Size) -> Rle:
        """Run lengths down the columns, of background first (COCO's uncompressed RLE).

        Raises:
            InputError: not whole numbers from 0 on, or they do not add up to height x width.
        """
        if not all(type(run) is int for run in runs):
            raise InputError("its RLE counts are not all whole numbers")
        lengths = np.array(runs, dtype=object)
        _check_runs(lengths, size)
        return cls.of(_mask_of(lengths.astype(np.int64), size))

    @property
    def size(self) -> Size:
        """Height and width."""
        return self.height, self.width

    @property
    def runs(self) -> list[int]:
        """The run lengths down the columns, of background first."""
        runs: list[int] = _runs_of(self.counts).tolist()
        return runs

    @cached_property
    def area(self) -> int:
        """Pixels of the object."""
        return int(coco_mask.area(self._coded))

    @property
    def box(self) -> tuple[int, int, int, int]:
        """Left, top, width and height of the object in pixels; zeros where it is empty."""
        left, top, width, height = coco_mask.toBbox(self._coded)
        return int(left), int(top), int(width), int(height)

    def overlaps(self, other: Rle) -> bool:
        """Whether two masks of one size have a pixel in common."""
        return bool(coco_mask.iou([self._coded], [other._coded], [0])[0, 0] > 0)

    def mask(self) -> NDArray[np.bool_]:
        """The mask, bool HxW."""
        return _mask_of(_runs_of(self.counts), self.size)

    @property
    def _coded(self) -> dict[str, object]:
        return {"size": [self.height, self.width], "counts": self.counts}


def check_size(size: Size) -> None:
    """Raise InputError where a photo of `size` has more pixels than run lengths can count."""
    if math.prod(size) > _MOST_PIXELS:
        raise InputError(f"is stated as {size[1]}x{size[0]} pixels; expected 2^31 at most")


def _runs_of(code: bytes) -> NDArray[np.int64]:
    """The run lengths in COCO's text form.

    Each character less 48 is six bits: five of a number, lowest first, and a flag that more
    follow; the last five are signed. From the fourth run on it is the difference to the run two
    before that is stored (cocoapi, maskApi.c, rleFrString).
    """
    digits = np.frombuffer(code, dtype=np.uint8).astype(np.int64) - 48
    if not digits.size or digits.min() < 0 or digits.max() > 0x3F or digits[-1] & 0x20:
        raise InputError("its RLE is no text of COCO's run lengths, or is cut off")
    ends = np.flatnonzero((digits & 0x20) == 0)
    starts = np.append(0, ends[:-1] + 1)
    places = np.arange(digits.size) - np.repeat(starts, ends - starts + 1)
    if places.max() > 6:
        raise InputError("its RLE has a run of more than 2^31 pixels")
    stored = np.add.reduceat((digits & 0x1F) << (5 * places), starts)
    bits = 5 * (places[ends] + 1)
    stored = np.where(digits[ends] & 0x10, stored - (np.int64(1) << bits), stored)
    runs = stored.copy()
    runs[1::2] = np.cumsum(stored[1::2])
    if len(runs) > 2:  # the first and the third run are stored as they are
        runs[2::2] = np.cumsum(stored[2::2])
    return runs


def _check_runs(runs: NDArray[np.int64], size: Size) -> None:
    total = sum(runs.tolist())
    if len(runs) and min(runs.tolist()) < 0:
        raise InputError("its RLE has a run of less than 0 pixels")
    if total != math.prod(size):
        raise InputError(
            f"its RLE's runs add up to {total} pixels; {size[1]}x{size[0]} are {math.prod(size)}"
        )


def _mask_of(runs: NDArray[np.int64], size: Size) -> NDArray[np.bool_]:
    """The mask, bool HxW, of run lengths down the columns; only the object's columns are drawn."""
    height, width = size
    left = int(runs[0]) // height
    right = width - (int(runs[-1]) // height if len(runs) % 2 else 0)
    mask = np.zeros(size, dtype=bool)
    if left >= right:
        return mask
    runs = runs.copy()
    runs[0] -= left * height
    runs[-1] -= (width - right) * height
    down = np.repeat(np.arange(len(runs)) % 2 == 1, runs).reshape(right - left, height)
    mask[:, left:right] = _transposed(down)
    return mask


def _transposed(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """A mask, bool HxW, as one of WxH; OpenCV goes by blocks, six times as fast as NumPy."""
    if not mask.size:
        return np.zeros(mask.shape[::-1], dtype=bool)
    return cv2.transpose(np.ascontiguousarray(mask).view(np.uint8)).view(np.bool_)


@dataclass(frozen=True, kw_only=True)
class Form:
    """How masks are to be written.

    Args:
        kind: "rle" or "polygon"; None keeps the form that each annotation has, and stands for
            "rle" where there is none yet and the format can hold it.
        tolerance: px by which a polygon may leave the pixels' outline; 0 follows every pixel.
    """

    kind: Literal["rle", "polygon"] | None = None
    tolerance: float = 0.5

    def __post_init__(self) -> None:
        """Check the values."""
        if not (math.isfinite(self.tolerance) and self.tolerance >= 0):
            raise InputError(f"the tolerance is {self.tolerance}; expected 0 px or more")


@dataclass(frozen=True, kw_only=True)
class Instance:
    """One object of a photo; `crowd` marks a region of many that are not told apart."""

    category: str
    mask: Rle
    crowd: bool = False


@dataclass(frozen=True, kw_only=True)
class Photo:
    """A photo's file name as the annotations state it, its size, and its objects, bottom first."""

    name: str
    height: int
    width: int
    instances: tuple[Instance, ...]


@dataclass(frozen=True, kw_only=True)
class Dataset:
    """Photos, all categories in their order, and a line on each thing that could not be read."""

    photos: tuple[Photo, ...]
    categories: tuple[str, ...]
    problems: tuple[str, ...] = ()


def crowd_losses(dataset: Dataset) -> list[str]:
    """What to say where a format has no crowd regions: a line, or none."""
    crowds = sum(one.crowd for photo in dataset.photos for one in photo.instances)
    return [f"{crowds} crowd regions became ordinary objects"] if crowds else []
