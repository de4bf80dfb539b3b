"""Boundaries of both masks: boundary IoU, and DAVIS's F of the contours."""

import math
from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt

from edgewise.errors import InputError
from edgewise.metrics.distances import distances_to
from edgewise.metrics.pairs import Mask, check_masks, object_window
from edgewise.metrics.statistics import Share


def boundary_depth(size: tuple[int, ...], ratio: float = 0.02) -> int:
    """Depth of boundary IoU's band in pixels: max(1, round(ratio * diagonal)) of (height, width).

    Raises:
        InputError: the ratio is not in (0, 1].
    """
    if not 0 < ratio <= 1:
        raise InputError(f"the ratio of the boundary's depth must be in (0, 1], not {ratio:g}")
    height, width = size
    return max(1, round(ratio * math.sqrt(height**2 + width**2)))


def boundary_iou(
    mask: Mask, truth: Mask, *, ratio: float = 0.02, pixels: int | None = None
) -> float:
    """IoU of the inner boundary bands of both masks, in [0, 1]; nan where both are empty.

    A band is what d erosions by a 3x3 square take from a mask, where outside the picture counts
    as background (Boundary IoU, Cheng et al., CVPR 2021, and its published code).

    Args:
        mask: bool HxW.
        truth: bool HxW, the same size.
        ratio: d as a share of the picture's diagonal, 0.02 in the paper; see `boundary_depth`.
        pixels: d itself, at least 1; takes the place of the ratio.

    Raises:
        InputError: a mask is not bool HxW, the sizes differ, or d is out of range.
    """
    check_masks(mask, truth)
    depth = boundary_depth(truth.shape, ratio) if pixels is None else pixels
    return boundary_overlaps(mask, truth, [depth])[0].score


def boundary_overlaps(mask: Mask, truth: Mask, depths: Sequence[int]) -> list[Share]:
    """Intersection and union of the inner boundary bands (see `boundary_iou`), for each depth."""
    check_masks(mask, truth)
    for depth in depths:
        if depth < 1:
            raise InputError(f"a boundary must be at least 1 pixel deep, not {depth}")
    window = object_window(mask | truth, 0)
    inside, inside_truth = _depth_inside(mask[window]), _depth_inside(truth[window])
    return [_shared(_band(inside, depth), _band(inside_truth, depth)) for depth in depths]


def _depth_inside(mask: Mask) -> npt.NDArray[np.float32]:
    # d erosions by a 3x3 square take a pixel just when the background is within chessboard
    # distance d. OpenCV's 3x3 transform of that distance is exact.
    padded = np.pad(mask.view(np.uint8), 1)
    distance = np.asarray(cv2.distanceTransform(padded, cv2.DIST_C, 3), np.float32)
    return distance[1:-1, 1:-1]


def _band(inside: npt.NDArray[np.float32], depth: int) -> Mask:
    return (inside > 0) & (inside <= depth)


def _shared(band: Mask, other: Mask) -> Share:
    shared = int(np.count_nonzero(band & other))
    return Share(shared, int(np.count_nonzero(band)) + int(np.count_nonzero(other)) - shared)


def boundary_f(mask: Mask, truth: Mask, *, tolerance: float = 0.008) -> float:
    """F of the contours' precision and recall, in [0, 1]; 1 where neither mask has a contour.

    A contour pixel is right where the other mask's contour is within a disc of
    ceil(tolerance * diagonal) pixels (DAVIS, Perazzi et al., CVPR 2016, and its published code).

    Args:
        mask: bool HxW.
        truth: bool HxW, the same size.
        tolerance: as a share of the diagonal, in (0, 1); 0.008 in DAVIS.

    Raises:
        InputError: a mask is not bool HxW, the sizes differ, or the tolerance is out of range.
    """
    check_masks(mask, truth)
    if not 0 < tolerance < 1:
        raise InputError(f"the tolerance must be in (0, 1), not {tolerance:g}")
    radius = math.ceil(tolerance * float(np.linalg.norm(truth.shape)))
    contour, true_contour = _contour(mask), _contour(truth)
    if not contour.any() or not true_contour.any():
        return 0.0 if contour.any() or true_contour.any() else 1.0
    precision = _share_within(contour, true_contour, radius)
    recall = _share_within(true_contour, contour, radius)
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def _contour(mask: Mask) -> Mask:
    """The 1-px contour that DAVIS draws: where a pixel differs from the next right or below.

    The last row looks to the right alone, the last column below alone, the last pixel nowhere.
    """
    contour = np.zeros_like(mask)
    here, right = mask[:-1, :-1], mask[:-1, 1:]
    below, diagonal = mask[1:, :-1], mask[1:, 1:]
    contour[:-1, :-1] = (here ^ right) | (here ^ below) | (here ^ diagonal)
    contour[-1, :-1] = mask[-1, :-1] ^ mask[-1, 1:]
    contour[:-1, -1] = mask[:-1, -1] ^ mask[1:, -1]
    return contour


def _share_within(contour: Mask, other: Mask, radius: int) -> float:
    """The share of a contour's pixels within `radius` of the other; neither may be empty."""
    near = np.count_nonzero(distances_to(other, contour) <= radius)
    return float(near / np.count_nonzero(contour))
