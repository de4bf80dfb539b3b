"""Human correction effort (HCE): clicks that it takes to put a mask right."""

from collections.abc import Iterator, Sequence

import cv2
import numpy as np
import numpy.typing as npt

from edgewise.errors import InputError
from edgewise.metrics.pairs import Mask, check_masks, object_window
from edgewise.metrics.skeleton import skeleton

Points = npt.NDArray[np.int32]

_CROSS = np.array([[0, 1, 0], [1, 1, 1], [0, 1, 0]], np.uint8)


def hce(mask: Mask, truth: Mask, *, relax: int = 5, epsilon: float = 2.0) -> int:
    """Human correction effort of one pair: a number of clicks, 0 where nothing needs correction.

    Points of the polygons along wrong boundaries plus wrong regions to fill or remove, after
    errors thinner than about 2 * relax pixels are forgiven, those on the truth's skeleton aside
    (Qin et al., "Highly accurate dichotomous image segmentation", ECCV 2022, algorithm 1, and its
    published code, quirks included). The polygons are OpenCV's `approxPolyDP`, of which versions
    4 and 5 differ by a point now and then.

    Args:
        mask: bool HxW.
        truth: bool HxW, the same size.
        relax: forgiven depth in pixels, 5 in the paper.
        epsilon: how far the polygons may stray from a boundary in pixels, 2 in the paper.

    Raises:
        InputError: a mask is not bool HxW, the sizes differ, or an option is negative.
    """
    check_masks(mask, truth)
    if relax < 0 or epsilon < 0:
        raise InputError(f"relax and epsilon must be at least 0, not {relax} and {epsilon:g}")
    window = object_window(mask | truth, relax + 2)
    mask, truth = mask[window], truth[window]
    kept = np.asarray(
        cv2.erode((mask | truth).view(np.uint8), _CROSS, iterations=relax), np.uint8
    ).view(np.bool_)
    surplus = _unforgiven(mask & ~truth, kept, ~truth, relax)
    missing = _unforgiven(truth & ~mask, kept, ~mask, relax) | (skeleton(truth) & ~mask)
    settled = (mask & truth) | missing
    return _clicks(surplus, settled, epsilon) + _clicks(missing, ~(settled | surplus), epsilon)


def _unforgiven(errors: Mask, kept: Mask, free: Mask, relax: int) -> Mask:
    """The errors within `relax` steps, over `free` pixels, of an error inside the kept core."""
    grown = errors & kept
    for _ in range(relax):
        grown = np.asarray(cv2.dilate(grown.view(np.uint8), _CROSS)).view(np.bool_) & free
    return grown & errors


def _clicks(errors: Mask, beside: Mask, epsilon: float) -> int:
    """Polygon points along the errors' border to `beside`, plus the regions without such a border.

    A region without it is wrong as a whole: one click.
    """
    contours, _ = cv2.findContours(errors.view(np.uint8), cv2.RETR_TREE, cv2.CHAIN_APPROX_NONE)
    regions, labels = cv2.connectedComponents(errors.view(np.uint8), connectivity=8)
    touching = np.asarray(cv2.dilate(beside.view(np.uint8), _CROSS)).view(np.bool_)
    points = np.concatenate([np.empty((0, 2), np.int32), *(c[:, 0] for c in contours)])
    wanted = _first_visits(points, errors.shape[1]) & touching[points[:, 1], points[:, 0]]
    chosen = points[wanted]
    bordering = np.unique(labels[chosen[:, 1], chosen[:, 0]]).size
    lines = _lines(points, wanted, [len(contour) for contour in contours])
    corners = sum(len(cv2.approxPolyDP(line, epsilon, closed=False)) for line in lines)
    return corners + (regions - 1) - bordering


def _first_visits(points: Points, width: int) -> Mask:
    """Which points (x, y) have not come before: contours pass twice along thin lines."""
    first = np.zeros(len(points), np.bool_)
    _, places = np.unique(points[:, 1].astype(np.int64) * width + points[:, 0], return_index=True)
    first[places] = True
    return first


def _lines(points: Points, wanted: Mask, lengths: Sequence[int]) -> Iterator[Points]:
    """The runs of wanted points in each contour."""
    start = 0
    for length in lengths:
        part = slice(start, start + length)
        yield from _joined(_runs(points[part], wanted[part]))
        start += length


def _runs(points: Points, wanted: Mask) -> list[Points]:
    changes = np.flatnonzero(np.diff(wanted, prepend=False, append=False))
    return [points[first:last] for first, last in changes.reshape(-1, 2)]


def _joined(runs: list[Points]) -> list[Points]:
    """The runs, the first put behind the last where those two meet."""
    if len(runs) < 2:
        return runs
    gap = np.abs(runs[0][0] - runs[-1][-1])
    if gap.max() != 1:
        return runs
    # The published code turns the first run round before it joins it.
    return [*runs[1:-1], np.concatenate([runs[-1], runs[0][::-1]])]
