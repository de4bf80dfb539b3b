"""Boundaries: how much of the mask is right beside the edge of the truth."""

import math
from collections.abc import Sequence

import cv2
import numpy as np

from edgewise.metrics.pairs import Mask, PairError, check_masks
from edgewise.metrics.regions import Overlap

BAND_STEPS = 5


def band_radii(size: tuple[int, ...]) -> list[int]:
    """The five radii of mBA's bands for a picture of this (height, width), in pixels.

    r_i = 1 + int(((w + h) / 300 - 1) / 5 * i) for i = 0..4, in the published order of operations.
    Below w + h = 300 the bracket is negative, but `int` cuts towards zero: all five are 1.
    """
    height, width = size
    step = ((width + height) / 300 - 1) / BAND_STEPS
    return [1 + int(step * i) for i in range(BAND_STEPS)]


def mba(mask: Mask, truth: Mask) -> float:
    """Mean boundary accuracy of one pair (bool HxW), in [0, 1]; nan for an empty or full truth.

    The share of pixels at which mask and truth agree within a band around the truth's edge, mean
    over five bands (CascadePSP, Cheng et al., CVPR 2020, section 4.1 and its published code). A
    band is the morphological gradient of the truth by OpenCV's ellipse of size 2 r + 1.
    """
    check_masks(mask, truth)
    area = np.count_nonzero(truth)
    if area in (0, truth.size):
        return math.nan
    agree = mask == truth
    shares = [_band_accuracy(agree, truth, radius) for radius in band_radii(truth.shape)]
    return sum(shares) / BAND_STEPS


def _band_accuracy(agree: Mask, truth: Mask, radius: int) -> float:
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    gradient = cv2.morphologyEx(truth.view(np.uint8), cv2.MORPH_GRADIENT, kernel)
    band = gradient.astype(bool)
    return float(np.count_nonzero(agree & band) / np.count_nonzero(band))


def boundary_width(size: tuple[int, ...], ratio: float = 0.02) -> int:
    """The depth of boundary IoU's inner band in pixels: max(1, round(ratio * diagonal))."""
    return max(1, round(ratio * math.hypot(*size)))


def boundary_iou(
    mask: Mask, truth: Mask, *, ratio: float = 0.02, pixels: int | None = None
) -> float:
    """IoU of the two masks' inner boundary bands, in [0, 1]; nan where both masks are empty.

    A band is what an erosion by a 3x3 square, d times, takes from the mask; outside the picture
    counts as background (Boundary IoU, Cheng et al., CVPR 2021, and its published code). d is
    `pixels` where given, else max(1, round(ratio * diagonal)); the paper's ratio is 0.02.
    """
    check_masks(mask, truth)
    depth = boundary_width(truth.shape, ratio) if pixels is None else pixels
    return boundary_overlaps(mask, truth, [depth])[0].score


def boundary_overlaps(mask: Mask, truth: Mask, depths: Sequence[int]) -> list[Overlap]:
    """Statistics of boundary IoU for each depth in pixels (>= 1), which pool by adding up."""
    for depth in depths:
        if depth < 1:
            raise PairError(f"a boundary is at least 1 pixel deep, not {depth}")
    inside, inside_truth = _depth_inside(mask), _depth_inside(truth)
    return [
        Overlap.of(mask & (inside <= depth), truth & (inside_truth <= depth)) for depth in depths
    ]


def _depth_inside(mask: Mask) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    # A pixel falls to d erosions by a 3x3 square just when a background pixel is within
    # chessboard distance d, and OpenCV's 3x3 transform of that distance is exact.
    padded = np.pad(mask.view(np.uint8), 1)
    return cv2.distanceTransform(padded, cv2.DIST_C, 3)[1:-1, 1:-1].astype(np.float32, copy=False)
