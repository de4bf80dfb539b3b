"""Exact Euclidean distances from some pixels to others."""

from collections.abc import Iterator

import cv2
import numpy as np
import numpy.typing as npt

from edgewise.metrics.pairs import Mask, object_window

Indices = npt.NDArray[np.intp]
Distances = npt.NDArray[np.float64]

_TILES = ((64, 16), (256, 64), (1024, 256))  # side and reach in pixels
_FEW = 1 / 16
_TOLD_APART = 2048  # from here on, one bit of a float32 is more than half a step of its square


def distances_to(objects: Mask, points: Mask) -> Distances:
    """The distance of each of `points` to the nearest of `objects`, in pixels.

    Masks' edges lie close together, so that a transform of the whole picture is mostly wasted.
    Tiles that hold points are transformed with a margin first: a distance that is no greater than
    the margin is exact. What is further away goes on to greater tiles, at last to the picture.

    Args:
        objects: bool HxW.
        points: bool HxW, the same size.

    Returns:
        float64, one for each point in the order of `np.nonzero`; inf where there is no object.
        Exact to the last bit below 2048 pixels, to 2e-7 of the distance above.
    """
    window = object_window(objects | points, 0)
    objects, points = objects[window], points[window]
    if not objects.any():
        return np.full(np.count_nonzero(points), np.inf)
    if np.count_nonzero(points) > _FEW * points.size:
        return _exact(_transform(objects)[points])
    rows, columns = np.nonzero(points)
    distances = np.full(rows.size, np.inf)
    for side, reach in _TILES:
        pending = np.flatnonzero(distances > reach)
        for part in _by_tile(rows, columns, pending, side):
            found = _near(objects, rows[part], columns[part], reach)
            distances[part] = np.where(found <= reach, found, np.inf)
    pending = np.flatnonzero(np.isinf(distances))
    if pending.size:
        distances[pending] = _transform(objects)[rows[pending], columns[pending]]
    return _exact(distances)


def _by_tile(rows: Indices, columns: Indices, chosen: Indices, side: int) -> Iterator[Indices]:
    """The chosen points, parted by the square tiles in which they are."""
    if not chosen.size:
        return
    tiles = (rows[chosen] // side) * (columns.max() // side + 1) + columns[chosen] // side
    order = np.argsort(tiles, kind="stable")
    starts = np.flatnonzero(np.diff(tiles[order])) + 1
    yield from np.split(chosen[order], starts)


def _near(objects: Mask, rows: Indices, columns: Indices, reach: int) -> Distances:
    """Distances that are exact up to `reach`, and above it where they are greater."""
    top, left = max(0, int(rows.min()) - reach), max(0, int(columns.min()) - reach)
    window = objects[top : rows.max() + reach + 1, left : columns.max() + reach + 1]
    if not window.any():
        return np.full(rows.size, np.inf)
    return _transform(window)[rows - top, columns - left].astype(np.float64)


def _exact(distances: npt.NDArray[np.floating]) -> Distances:
    # OpenCV's roots are off in their last bit, by memory address. Their squares are integers,
    # which single precision tells apart up to a distance: above it rounding would only add error.
    exact = np.sqrt(np.rint(np.square(distances, dtype=np.float64)))
    return np.where(distances < _TOLD_APART, exact, distances)


def _transform(objects: Mask) -> npt.NDArray[np.float32]:
    background = (~objects).view(np.uint8)
    # Where OpenCV works on one thread it takes Intel's IPP instead, which is less exact.
    taken = cv2.ipp.useIPP()
    cv2.ipp.setUseIPP(False)
    try:
        distance = cv2.distanceTransform(background, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    finally:
        cv2.ipp.setUseIPP(taken)
    return np.asarray(distance, np.float32)
