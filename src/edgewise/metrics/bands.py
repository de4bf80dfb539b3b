"""Bands around the edge of the truth: mean boundary accuracy (mBA)."""

import math
from collections.abc import Iterator

import cv2
import numpy as np
import numpy.typing as npt

from edgewise.metrics.pairs import LabelMap, Mask, Window, check_labels, check_masks

Bits = npt.NDArray[np.uint8]
Indices = npt.NDArray[np.intp]
Squares = npt.NDArray[np.float64]

STEPS = 5
_OUTSIDE = 2
_TILE = 128


def band_radii(size: tuple[int, ...]) -> list[int]:
    """The radii in pixels of mBA's five bands in a picture of this (height, width).

    r_i = 1 + int(((w + h) / 300 - 1) / 5 * i) for i = 0..4, in the published order of operations.
    `int` cuts towards zero, so that all five are 1 below w + h = 675, those pictures of less than
    300 included in which the bracket is negative.
    """
    height, width = size
    step = ((width + height) / 300 - 1) / STEPS
    return [1 + int(step * i) for i in range(STEPS)]


def band_kernel(radius: int) -> Bits:
    """The kernel of a band, (2r+1)x(2r+1) of 0 and 1: OpenCV's ellipse.

    It holds the disc of the radius and, as OpenCV rounds the half-width of each row, some pixels
    beside it that are less than half a pixel further away.
    """
    side = 2 * radius + 1
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side)), np.uint8)


def mba(mask: Mask, truth: Mask) -> float:
    """Mean boundary accuracy of one pair, in [0, 1]; nan where the truth is empty or full.

    The share of pixels at which mask and truth agree in a band around the truth's edge, mean over
    the five bands of `band_radii`. A band is the morphological gradient of the truth by
    `band_kernel` (CascadePSP, Cheng et al., CVPR 2020, section 4, and its published code). Over a
    data set it is the mean of the images' values.

    Args:
        mask: bool HxW.
        truth: bool HxW, the same size.

    Raises:
        InputError: a mask is not bool HxW, or the sizes differ.
    """
    check_masks(mask, truth)
    if np.count_nonzero(truth) in (0, truth.size):
        return math.nan
    radii = band_radii(truth.shape)
    indices, squares = _near_edge(truth.view(np.uint8), radii[-1] + 1)
    agree = (mask == truth).ravel()[indices]
    accuracy = {}
    for radius, band in _bands(truth, set(radii), indices, squares):
        accuracy[radius] = float(np.count_nonzero(agree & band) / np.count_nonzero(band))
    return sum(accuracy[radius] for radius in radii) / STEPS


def mba_classes(labels: LabelMap, truth: LabelMap) -> float:
    """Mean boundary accuracy of a label map, in [0, 1]; nan where a band has no labelled pixel.

    The union of all classes' bands takes the place of the one band; pixels that are void (0) in
    the truth leave numerator and denominator (CascadePSP's published multi-class form).

    Args:
        labels: integer HxW >= 0.
        truth: integer HxW >= 0, the same size; 0 is void.

    Raises:
        InputError: a map is not integer HxW >= 0, or the sizes differ.
    """
    check_labels(labels, truth)
    agree, labelled = labels == truth, truth > 0
    total = 0.0
    for radius in band_radii(truth.shape):
        band = _class_band(truth, radius) & labelled
        size = np.count_nonzero(band)
        if not size:
            return math.nan
        total += float(np.count_nonzero(band & agree) / size)
    return total / STEPS


def _class_band(truth: LabelMap, radius: int) -> Mask:
    # A pixel is in the band of some class just when its window holds more than one label: of two
    # labels one is a class. So one gradient of the map itself gives the union of all bands.
    highest = int(truth.max())
    depth = np.uint8 if highest < 2**8 else np.uint16 if highest < 2**16 else np.float64
    gradient = cv2.morphologyEx(truth.astype(depth), cv2.MORPH_GRADIENT, band_kernel(radius))
    return np.asarray(gradient).astype(np.bool_)


def _near_edge(truth: Bits, reach: int) -> tuple[Indices, Squares]:
    """Flat indices of the pixels within `reach` of the other value, and that distance, squared.

    Distances take far less time than morphology by wide discs, and tiles of one value need none.
    """
    indices, distances = [], []
    for tile, window in _uneven(truth, reach):
        rows, columns = window
        inner = truth[rows, columns]
        exact = cv2.DIST_L2, cv2.DIST_MASK_PRECISE
        distance = np.asarray(cv2.distanceTransform(inner, *exact), np.float32)
        distance += np.asarray(cv2.distanceTransform(1 - inner, *exact), np.float32)
        distance = distance[_within(tile, window)]
        near = np.nonzero(distance <= reach)
        indices.append((near[0] + tile[0].start) * truth.shape[1] + near[1] + tile[1].start)
        distances.append(distance[near])
    # OpenCV's roots are off in their last bit; their squares are integers.
    squares = np.rint(np.square(np.concatenate(distances), dtype=np.float64))
    return np.concatenate(indices), squares


def _uneven(truth: Bits, margin: int) -> Iterator[tuple[Window, Window]]:
    """Tiles, each with its window of `margin` pixels more, where the window holds an edge."""
    height, width = truth.shape
    for top in range(0, height, _TILE):
        for left in range(0, width, _TILE):
            tile = slice(top, min(top + _TILE, height)), slice(left, min(left + _TILE, width))
            window = _grown(tile[0], margin), _grown(tile[1], margin)
            if truth[window].min() != truth[window].max():
                yield tile, window


def _grown(part: slice, margin: int) -> slice:
    return slice(max(0, part.start - margin), part.stop + margin)


def _within(tile: Window, window: Window) -> Window:
    """The tile in the window's coordinates."""
    rows, columns = (
        slice(part.start - around.start, part.stop - around.start)
        for part, around in zip(tile, window, strict=True)
    )
    return rows, columns


def _bands(
    truth: Mask, radii: set[int], indices: Indices, squares: Squares
) -> Iterator[tuple[int, Mask]]:
    """For each radius, which pixels have the other value within the kernel.

    Within the radius they have, by more than half a pixel further they have not. Between, the
    kernel's pixels beside the disc are looked up.
    """
    width, margin = truth.shape[1], max(radii)
    flat = np.pad(truth.view(np.uint8), margin, constant_values=_OUTSIDE).ravel()
    stride = width + 2 * margin
    for radius in radii:
        band = squares <= radius**2
        open_ = np.flatnonzero(~band & (squares < (radius + 0.5) ** 2))
        rows, columns = np.divmod(indices[open_], width)
        places = (rows + margin) * stride + columns + margin
        for row, column in _beyond_disc(radius):
            hit = flat[places + row * stride + column] == 1 - flat[places]
            band[open_[hit]] = True
            open_, places = open_[~hit], places[~hit]
        yield radius, band


def _beyond_disc(radius: int) -> list[tuple[int, int]]:
    """The kernel's offsets (row, column) from its middle that are further than the radius."""
    offsets = np.argwhere(band_kernel(radius)) - radius
    beyond = offsets[(offsets**2).sum(axis=1) > radius**2]
    return [(int(row), int(column)) for row, column in beyond]
