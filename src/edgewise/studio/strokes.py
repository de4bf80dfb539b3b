"""Strokes: the pixels under a round brush that is drawn along a line."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgewise.passes.view import Box

Point = tuple[float, float]

_LEAST = math.sqrt(0.5)  # so that the pixel which a point lies in is always under the brush


@dataclass(frozen=True)
class Patch:
    """Part of a photo's grid: the rectangle `box`, and `pixels` bool hxw within it."""

    box: Box
    pixels: NDArray[np.bool_]


def stroke_patch(points: list[Point], radius: float, shape: tuple[int, int]) -> Patch | None:
    """The pixels whose centre is at most `radius` away from a line, or None where there are none.

    Args:
        points: the line's corners x, y in pixels of the photo; pixel (0, 0) covers [0, 1] x [0, 1].
        radius: of the brush in pixels; less than 0.71 counts as 0.71.
        shape: height and width of the photo; what lies outside is left out.
    """
    reach = max(radius, _LEAST)
    line = np.asarray(points, np.float64).reshape(-1, 2)
    low, high = line.min(axis=0) - reach, line.max(axis=0) + reach
    box = Box(
        max(0, math.floor(low[1])),
        max(0, math.floor(low[0])),
        min(shape[0], math.ceil(high[1]) + 1),
        min(shape[1], math.ceil(high[0]) + 1),
    )
    if box.height <= 0 or box.width <= 0:
        return None
    pixels = _swept(line - (box.left + 0.5, box.top + 0.5), reach, (box.height, box.width))
    return Patch(box, pixels) if pixels.any() else None


def _swept(line: NDArray[np.float64], reach: float, size: tuple[int, int]) -> NDArray[np.bool_]:
    """The pixels under the brush; pixel centres are at whole coordinates.

    A disc drawn along one segment covers one interval of each row, so that each segment costs its
    rows and not its area: interval starts count +1, ends -1, and sums along rows tell the rest.
    """
    height, width = size
    steps = np.zeros((height, width + 1), np.int32)
    starts = line[:-1] if len(line) > 1 else line
    ends = line[1:] if len(line) > 1 else line
    for start, end in zip(starts, ends, strict=True):
        top = max(0, math.ceil(min(start[1], end[1]) - reach))
        bottom = min(height - 1, math.floor(max(start[1], end[1]) + reach))
        rows = np.arange(top, bottom + 1)
        left, right = _intervals(start, end, reach, rows)
        first = np.clip(np.ceil(left), 0, width).astype(np.intp)
        last = np.clip(np.floor(right) + 1, 0, width).astype(np.intp)
        some = first < last
        steps[rows[some], first[some]] += 1
        steps[rows[some], last[some]] -= 1
    return np.cumsum(steps[:, :-1], axis=1) > 0


def _intervals(
    start: NDArray[np.float64], end: NDArray[np.float64], reach: float, rows: NDArray[np.intp]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Ends of the interval of each row within `reach` of a segment; inf and -inf where none.

    The shape is convex, so the interval spans those of its two discs and of the band between.
    """
    left, right = np.full(len(rows), np.inf), np.full(len(rows), -np.inf)
    for centre in (start, end):
        squared = reach**2 - (rows - centre[1]) ** 2
        half = np.sqrt(np.maximum(squared, 0))
        left = np.where(squared >= 0, np.minimum(left, centre[0] - half), left)
        right = np.where(squared >= 0, np.maximum(right, centre[0] + half), right)
    along = end - start
    length = float(np.hypot(*along))
    if length == 0:
        return left, right
    (dx, dy), down = along / length, rows - start[1]
    # |dx down - dy x| <= reach and 0 <= dx x + dy down <= length, for x from the segment's start
    across = _between(-dy, dx * down, -reach, reach)
    onward = _between(dx, dy * down, 0.0, length)
    low, high = np.maximum(across[0], onward[0]), np.minimum(across[1], onward[1])
    some = low <= high
    left = np.where(some, np.minimum(left, low + start[0]), left)
    right = np.where(some, np.maximum(right, high + start[0]), right)
    return left, right


def _between(
    slope: float, offset: NDArray[np.float64], low: float, high: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The interval of x in which low <= slope x + offset <= high; inf and -inf where none."""
    if abs(slope) < 1e-12:
        inside = (offset >= low) & (offset <= high)
        return np.where(inside, -np.inf, np.inf), np.where(inside, np.inf, -np.inf)
    first, second = (low - offset) / slope, (high - offset) / slope
    return np.minimum(first, second), np.maximum(first, second)
