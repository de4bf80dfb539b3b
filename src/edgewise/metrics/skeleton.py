"""Skeletons: a mask thinned to lines one pixel wide."""

import cv2
import numpy as np
import numpy.typing as npt

from edgewise.metrics.pairs import Mask

Indices = npt.NDArray[np.intp]

# The eight neighbours clockwise from the one above, as (row, column).
_CLOCKWISE = ((-1, 0), (-1, 1), (0, 1), (1, 1), (1, 0), (1, -1), (0, -1), (-1, -1))

# Where ImageJ's table of removable pixels, which scikit-image uses, departs from the paper: bits
# of the neighbours (clockwise, 1 is above) to the bits of the passes. Corners of stairs go; ends
# two pixels wide lose one side, not both.
_DEPARTURES = {
    **dict.fromkeys((3, 6, 7, 67, 97, 99, 129, 133, 193, 208), 1),
    **dict.fromkeys((12, 13, 28, 48, 52, 54, 88, 96, 112), 2),
    **dict.fromkeys((5, 20, 65, 80), 3),
    **dict.fromkeys((24, 192), 0),
}


def skeleton(mask: Mask) -> Mask:
    """The skeleton of a mask (bool HxW) by Zhang and Suen, Comm. ACM 27(3), 1984.

    The same pixels as scikit-image's `skeletonize` gives, whose table of removable pixels is
    ImageJ's. Each pass looks only where the last two changed something, so that time follows the
    area, not area times thickness.
    """
    padded = np.ascontiguousarray(np.pad(mask.view(np.uint8), 1))
    flat = padded.reshape(-1)
    around = np.array([row * padded.shape[1] + column for row, column in _CLOCKWISE])
    owner = np.empty(flat.size, np.int32)
    rim = np.flatnonzero(padded - cv2.erode(padded, np.ones((3, 3), np.uint8)))
    changed, turn, tables = [rim, rim], 0, _removable()
    while changed[0].size or changed[1].size:
        candidates = _unique(np.concatenate(changed), owner)
        candidates = candidates[flat[candidates] > 0]
        codes = np.zeros(candidates.size, np.uint8)
        for bit, offset in enumerate(around):
            codes |= flat[candidates + offset] << np.uint8(bit)
        removed = candidates[tables[turn][codes]]
        flat[removed] = 0
        changed[turn] = (removed[:, None] + around).ravel()
        turn = 1 - turn
    return padded[1:-1, 1:-1].astype(np.bool_)


def _unique(indices: Indices, owner: npt.NDArray[np.int32]) -> Indices:
    """Each index once, without sorting: the last to claim a place keeps it."""
    claims = np.arange(indices.size, dtype=np.int32)
    owner[indices] = claims
    return np.asarray(indices[owner[indices] == claims], np.intp)


def _removable() -> npt.NDArray[np.bool_]:
    """Whether a pixel may go, by pass (2) and the bits of its neighbours (256)."""
    codes = np.arange(256)[:, None]
    near = (codes >> np.arange(8)) & 1
    count = near.sum(axis=1)
    rises = ((near == 0) & (np.roll(near, -1, axis=1) == 1)).sum(axis=1)
    above, right, below, left = near[:, 0], near[:, 2], near[:, 4], near[:, 6]
    edge = (count >= 2) & (count <= 6) & (rises == 1)
    first = edge & (above * right * below == 0) & (right * below * left == 0)
    second = edge & (above * right * left == 0) & (above * below * left == 0)
    table = np.stack([first, second])
    for code, passes in _DEPARTURES.items():
        table[:, code] = passes & 1, passes >> 1
    return table
