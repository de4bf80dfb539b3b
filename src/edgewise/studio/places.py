"""Places: where a look is worth most, because refining changed much or left doubts."""

from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from edgewise.studio.levels import Levels

MOST = 100
"""Places given at most."""

WINDOWS = 32
"""Windows along the longer side of the photo, side by side; they are laid twice as close."""

LEAST = 0.002
"""Share of a window that has to be changed or in doubt."""

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
    doubt = (255 - np.abs(2 * current.astype(np.int16) - 255)).astype(np.uint8)
    return np.asarray(cv2.morphologyEx(doubt, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8)), np.uint8)


def _peaks(weight: NDArray[np.uint8], kind: Kind) -> list[Place]:
    """The windows of most weight, without those that meet one already taken.

    So what reaches a little beyond a window does not become places of its own.
    """
    half = max(4, -(-max(weight.shape) // (2 * WINDOWS)))
    sums = _window_sums(weight, half)
    taken = np.zeros((sums.shape[0] + 4, sums.shape[1] + 4), bool)
    found: list[Place] = []
    for index in np.argsort(-sums, axis=None, kind="stable"):
        row, column = divmod(int(index), sums.shape[1])
        if sums[row, column] <= LEAST * 4 * half * half or len(found) == MOST:
            break
        if not taken[row : row + 5, column : column + 5].any():
            taken[row + 2, column + 2] = True
            found.append(_place(weight, half, (row, column), kind))
    return found


def _window_sums(weight: NDArray[np.uint8], half: int) -> NDArray[np.float64]:
    """Weight in windows of 2 `half` pixels, one every `half` pixels, in pixels of full weight."""
    below, beside = -weight.shape[0] % half + half, -weight.shape[1] % half + half
    padded = cv2.copyMakeBorder(weight, 0, below, 0, beside, cv2.BORDER_CONSTANT, value=0)
    cells = padded.reshape(padded.shape[0] // half, half, padded.shape[1] // half, half)
    sums = cells.sum(axis=(1, 3), dtype=np.int64) / 255
    return np.asarray(sums[:-1, :-1] + sums[1:, :-1] + sums[:-1, 1:] + sums[1:, 1:])


def _place(weight: NDArray[np.uint8], half: int, window: tuple[int, int], kind: Kind) -> Place:
    top, left, side = window[0] * half, window[1] * half, 2 * half
    part = weight[top : top + side, left : left + side].astype(np.float64)
    rows, columns = np.arange(part.shape[0]) + 0.5, np.arange(part.shape[1]) + 0.5
    total = part.sum()
    y = float(top + (part.sum(axis=1) @ rows) / total)
    x = float(left + (part.sum(axis=0) @ columns) / total)
    return Place(round(x, 1), round(y, 1), side, kind, round(float(total) / 255, 1))
