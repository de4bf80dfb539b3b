"""Places: where a look is worth most, because refining changed much or left doubts."""

from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from edgewise.studio.levels import Levels

MOST = 100
"""Places given at most."""

CELLS = 32
"""Cells along the longer side of the photo; of one cell and its neighbours one place is given."""

LEAST = 0.002
"""Share of a cell that has to be changed or in doubt."""

Kind = Literal["changed", "unsure"]


@dataclass(frozen=True)
class Place:
    """A place in a photo.

    Attributes:
        x: centre, in pixels of the photo.
        y: likewise.
        size: side of the square worth a look, in pixels.
        kind: why.
        score: pixels that changed, or whose doubts add up, in that square.
    """

    x: float
    y: float
    size: int
    kind: Kind
    score: float


def places(current: Levels, coarse: Levels | None) -> list[Place]:
    """Where the current mask differs most from the coarse one, or is least sure; most first.

    Doubt is 1 at level 127.5 and 0 at levels 0 and 255. A mask's edge is in doubt everywhere over
    a pixel or two; that is left out by opening with a square of three pixels.

    Args:
        current: uint8 HxW.
        coarse: uint8 HxW, or None where there is none to compare with.
    """
    found = _peaks(_doubt(current), "unsure")
    if coarse is not None:
        found += _peaks(np.asarray(cv2.absdiff(current, coarse), np.uint8), "changed")
    return sorted(found, key=lambda place: -place.score)[:MOST]


def _doubt(current: Levels) -> NDArray[np.uint8]:
    sure = cv2.absdiff(current, np.full_like(current, 127))
    doubt = 255 - np.minimum(np.uint16(2) * sure, 255).astype(np.uint8)
    return np.asarray(cv2.morphologyEx(doubt, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8)), np.uint8)


def _peaks(weight: NDArray[np.uint8], kind: Kind) -> list[Place]:
    """The cells of most weight, without those beside a cell already taken."""
    side = max(8, -(-max(weight.shape) // CELLS))
    sums = _cell_sums(weight, side)
    order = np.argsort(sums, axis=None, kind="stable")[::-1]
    taken = np.zeros((sums.shape[0] + 2, sums.shape[1] + 2), bool)
    found: list[Place] = []
    for index in order:
        row, column = divmod(int(index), sums.shape[1])
        if sums[row, column] < LEAST * side * side or len(found) == MOST:
            break
        if taken[row : row + 3, column : column + 3].any():
            continue
        taken[row + 1, column + 1] = True
        found.append(_place(weight, side, (row, column), kind, float(sums[row, column])))
    return found


def _cell_sums(weight: NDArray[np.uint8], side: int) -> NDArray[np.float64]:
    """Weight in each cell of `side` pixels, in pixels of full weight."""
    below, beside = -weight.shape[0] % side, -weight.shape[1] % side
    padded = cv2.copyMakeBorder(weight, 0, below, 0, beside, cv2.BORDER_CONSTANT, value=0)
    cells = padded.reshape(padded.shape[0] // side, side, padded.shape[1] // side, side)
    return np.asarray(cells.sum(axis=(1, 3), dtype=np.int64) / 255)


def _place(
    weight: NDArray[np.uint8], side: int, cell: tuple[int, int], kind: Kind, score: float
) -> Place:
    top, left = cell[0] * side, cell[1] * side
    part = weight[top : top + side, left : left + side].astype(np.float64)
    rows, columns = np.arange(part.shape[0]) + 0.5, np.arange(part.shape[1]) + 0.5
    total = part.sum()
    y = float(top + (part.sum(axis=1) @ rows) / total)
    x = float(left + (part.sum(axis=0) @ columns) / total)
    return Place(round(x, 1), round(y, 1), side, kind, round(score, 1))
