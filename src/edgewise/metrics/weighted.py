"""Weighted F-measure: errors count by where they are, not by how many they are."""

import math

import cv2
import numpy as np
import numpy.typing as npt

from edgewise.metrics.distances import distances_to
from edgewise.metrics.pairs import Mask, SoftMask, check_soft, object_window

_EPSILON = float(np.spacing(1))
_SIGMA = 5
_REACH = 3  # half the side of the 7x7 window in which errors lean on their neighbours
_NEAREST = 4  # rows or columns to the object pixel next to one in that window, at most
_DECAY = math.log(0.5) / 5
_BLOCK = 2**18


def weighted_f(soft: SoftMask, truth: Mask) -> float:
    """Weighted F-measure of one pair, in [0, 1]; nan where the truth is empty.

    Margolin et al., CVPR 2014, with beta = 1: an error on the object counts as the Gaussian mean
    of the errors around it (7x7, sigma 5) where that is less; an error d pixels beside the object
    counts 2 - 0.5 ** (d / 5) times. Computed as PySODMetrics does, which gives 0 for an empty
    truth; of object pixels that are equally near it takes the smallest column, then row.

    Args:
        soft: floating HxW in [0, 1], taken as it is.
        truth: bool HxW, the same size.

    Raises:
        InputError: an array has another form or range, or the sizes differ.
    """
    check_soft(soft, truth)
    area = np.count_nonzero(truth)
    if not area:
        return math.nan
    window = object_window(truth | (soft > 0), _REACH)
    soft, truth = soft[window], truth[window]
    error = np.abs(soft.astype(np.float32, copy=False) - truth)
    missed = _missed(error, truth)
    right = area - missed
    recall = 1 - missed / area
    precision = right / (right + _surplus(error, truth) + _EPSILON)
    return float(2 * recall * precision / (recall + precision + _EPSILON))


def _missed(error: npt.NDArray[np.float32], truth: Mask) -> float:
    """The sum of the errors on the object, each at most the mean of those around it."""
    wrong = truth & (error > 0)
    window = object_window(wrong, _REACH + _NEAREST)
    wrong, truth, error = wrong[window], truth[window], error[window]
    if not wrong.size:
        return 0.0
    spread = _spread(error * truth, truth, wrong)
    offsets = np.arange(-_REACH, _REACH + 1)
    weights = np.exp(-(offsets**2) / (2 * _SIGMA**2))
    weights /= weights.sum()
    around = cv2.sepFilter2D(spread, cv2.CV_32F, weights, weights, borderType=cv2.BORDER_CONSTANT)
    return float(np.minimum(error, around)[wrong].sum(dtype=np.float64))


def _spread(error: npt.NDArray[np.float32], truth: Mask, wrong: Mask) -> npt.NDArray[np.float32]:
    """The object's errors, and beside it those of the nearest object pixel.

    Only where the window of a wrong pixel looks; elsewhere beside the object it is 0.
    """
    side = 2 * _REACH + 1
    seen = cv2.dilate(wrong.view(np.uint8), np.ones((side, side), np.uint8))
    beside = np.pad((np.asarray(seen) > 0) & ~truth, _NEAREST)
    objects = np.pad(truth, _NEAREST).ravel()
    spread = np.ascontiguousarray(np.pad(error, _NEAREST))
    places, flat = np.flatnonzero(beside), spread.reshape(-1)
    for row, column in _nearest_first():
        near = places + (row * beside.shape[1] + column)
        hit = objects[near]
        flat[places[hit]] = flat[near[hit]]
        places = places[~hit]
    return spread[_NEAREST:-_NEAREST, _NEAREST:-_NEAREST]


def _nearest_first() -> list[tuple[int, int]]:
    """Offsets (row, column) out to the window's corner: near first, then by column, then row."""
    steps = range(-_NEAREST, _NEAREST + 1)
    offsets = [(row, column) for row in steps for column in steps]
    return sorted(offsets, key=lambda offset: (offset[0] ** 2 + offset[1] ** 2, *offset[::-1]))


def _surplus(error: npt.NDArray[np.float32], truth: Mask) -> float:
    """The sum of the errors beside the object, each weighted by its distance from it."""
    wrong = (error > 0) & ~truth
    errors, distances = error[wrong], distances_to(truth, wrong)
    total = 0.0
    for start in range(0, errors.size, _BLOCK):
        part = slice(start, start + _BLOCK)
        weight = 2 - np.exp(_DECAY * distances[part])
        total += float((errors[part] * weight).sum())
    return total
