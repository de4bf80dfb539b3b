"""Merge: refined pieces put back into one label map by the published rule.

After CascadePSP (Cheng et al., CVPR 2020) and its published evaluation of ADE20K. Our own rule,
by which objects compete, is `edgewise.scenes.refine`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from edgewise.passes.view import Box

if TYPE_CHECKING:
    from collections.abc import Iterable, Set

    from numpy.typing import NDArray

    Labels = NDArray[np.integer[Any]]

BACKGROUND = frozenset(
    (
        *(1, 2, 3, 4, 6, 7, 10, 12, 14, 17, 22, 26, 27, 29, 30, 47, 49, 52, 53, 55, 60, 61, 62),
        *(69, 80, 85, 92, 95, 97, 102, 106, 110, 114, 129, 141),
    )
)
"""ADE20K's labels that count as background."""

GROWN = 0.25
"""Room around a piece as a share of its height and width, half of it on each side."""

_START = 0.5
_BACKGROUND_WEIGHT = 0.51


@dataclass(frozen=True)
class Part:
    """A refined piece: its label, its box, and float32 in 0..1 of the box's size (or another)."""

    label: int
    box: Box
    soft: NDArray[np.float32]


def part_box(mask: NDArray[np.bool_]) -> Box:
    """The box in which a piece is refined and put back: its own, grown by `GROWN`.

    Exactly the published one, which counts the last row and column as its end, so that they and
    the picture's last ones are left out. Of an empty mask it is the whole picture.

    Args:
        mask: bool HxW.
    """
    height, width = mask.shape
    if not mask.any():
        return Box(0, 0, height, width)
    left, top, columns, rows = cv2.boundingRect(mask.view(np.uint8))
    first_row, last_row = _grown(top, top + rows - 1, height)
    first_column, last_column = _grown(left, left + columns - 1, width)
    return Box(first_row, first_column, last_row, last_column)


def _grown(first: int, last: int, length: int) -> tuple[int, int]:
    room = GROWN * (last - first) / 2
    start = int(max(0, first - room))
    return start, max(start, int(min(length - 1, last + room)))


def merge(
    coarse: Labels, parts: Iterable[Part], *, background: Set[int] = BACKGROUND
) -> NDArray[np.int64]:
    """The label map of refined pieces over a coarse one.

    Every pixel starts with its coarse label at confidence 0.5; a piece whose probability there is
    higher takes it. That of background counts by 0.51, so that it wins against the coarse label
    where it is nearly sure, and never against another piece that is.

    Where probabilities are equal the earlier piece stays: the published script takes them in the
    order in which the folder lists them, here it is the caller's.

    Args:
        coarse: integers HxW.
        parts: the pieces. A soft mask of another size than its box is resampled to it.
        background: labels whose probability counts less.

    Returns:
        int64 HxW, so that labels of any map have room.
    """
    merged = coarse.astype(np.int64)
    confidence = np.full(coarse.shape, _START, np.float32)
    for part in parts:
        if not part.box.height or not part.box.width:
            continue
        soft = _fitted(part.soft, part.box)
        if part.label in background:
            soft = soft * np.float32(_BACKGROUND_WEIGHT)
        here = part.box.slices
        merged[here][soft > confidence[here]] = part.label
        confidence[here] = np.maximum(confidence[here], soft)
    return merged


def _fitted(soft: NDArray[np.float32], box: Box) -> NDArray[np.float32]:
    """A soft mask at its box's size, by Pillow's bilinear filter as published."""
    from PIL import Image

    if soft.shape == (box.height, box.width):
        return soft
    picture = Image.fromarray(np.asarray(soft, np.float32))
    resized = picture.resize((box.width, box.height), Image.Resampling.BILINEAR)
    return np.asarray(resized, np.float32)
