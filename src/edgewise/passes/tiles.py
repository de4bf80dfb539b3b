"""Tiles: where the edge passes look."""

from functools import cache

import numpy as np
from numpy.typing import NDArray

from edgewise.passes.overview import up_to
from edgewise.passes.view import Box

GRAIN = 16
"""Side in pixels of the squares of which each is known to need a look or not."""

AROUND = 16
"""Pixels that a tile which is smaller than others shows at least around its work."""


def cover(work: NDArray[np.bool_], height: int, width: int) -> list[Box]:
    """Few windows of `height` x `width` that together hold all that is set; greedy, from the top.

    Each window begins at the topmost row that is left and takes the column from which it holds
    most; then it shrinks to what it holds that no window before held.

    Args:
        work: bool hxw.
        height: of the windows.
        width: of the windows.

    Returns:
        What each window holds, at most `height` x `width`, in units of `work`.
    """
    left = work.copy()
    found = []
    for top in range(left.shape[0]):
        while left[top].any():
            columns = left[top : top + height].sum(0)
            first = int(left[top].argmax())
            start = max(0, first - width + 1)
            sums = np.concatenate([[0], np.cumsum(columns[start : first + width])])
            ends = np.minimum(np.arange(first - start + 1) + width, len(sums) - 1)
            held = sums[ends] - sums[: first - start + 1]
            # Of equal windows the last: nothing is left of `first` in this row.
            at = start + len(held) - 1 - int(held[::-1].argmax())
            box = Box(top, at, top + height, at + width).within((left.shape[0], left.shape[1]))
            found.append(_bounds(left[box.slices]).moved(box.top, box.left))
            left[box.slices] = False
    return found


def _bounds(part: NDArray[np.bool_]) -> Box:
    rows, columns = np.flatnonzero(part.any(1)), np.flatnonzero(part.any(0))
    return Box(int(rows[0]), int(columns[0]), int(rows[-1]) + 1, int(columns[-1]) + 1)


def tiles_over(
    work: NDArray[np.bool_], shape: tuple[int, int], tile: int, overlap: int, stride: int
) -> list[Box]:
    """Tiles that together show all the work, each at least half the overlap away from its rim.

    Tiles with little work are smaller. At the picture's own rim there is nothing more to see: tiles
    end there. A picture that is smaller than a tile gets one that reaches outside on both sides
    alike.

    Args:
        work: bool, one for each `GRAIN` x `GRAIN` pixels.
        shape: height and width of the picture.
        tile: side of the largest tiles in pixels.
        overlap: of neighbouring tiles in pixels.
        stride: of the network, in pixels: `tile` and all sides are multiples of it.
    """
    inner = (tile - 2 * (overlap // 2)) // GRAIN
    most = [inner if side > tile else full for side, full in zip(shape, work.shape, strict=True)]
    around = 2 * max(AROUND, overlap // 2)

    def side(squares: int) -> int:
        return min(tile, up_to(squares * GRAIN + around, stride))

    spans = (
        (
            _span(held.top, held.bottom, shape[0], side(held.height)),
            _span(held.left, held.right, shape[1], side(held.width)),
        )
        for held in cover(work, most[0], most[1])
    )
    return [Box(top, left, bottom, right) for (top, bottom), (left, right) in spans]


def _span(first: int, end: int, length: int, side: int) -> tuple[int, int]:
    """Where a tile begins and ends whose middle is that of the squares first..end."""
    start = (
        -((side - length) // 2)
        if length <= side
        else min(max(0, ((first + end) * GRAIN - side) // 2), length - side)
    )
    return start, start + side


@cache
def ramp(height: int, width: int, overlap: int) -> NDArray[np.float32]:
    """Blending weight of a tile: 1 in the middle, falling linearly over the overlap.

    Tiles of one size share it: nobody writes to it.
    """
    down, across = (
        np.clip((np.minimum(np.arange(side), np.arange(side)[::-1]) + 0.5) / max(1, overlap), 0, 1)
        for side in (height, width)
    )
    return np.minimum(down[:, None], across).astype(np.float32)
