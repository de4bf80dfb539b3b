"""Bands around the edge of the truth: mean boundary accuracy (mBA)."""

import math
from collections.abc import Iterator

import cv2
import numpy as np
import numpy.typing as npt

from edgewise.metrics.pairs import LabelMap, Mask, Window, check_labels, check_masks

Bits = npt.NDArray[np.uint8]
Indices = npt.NDArray[np.intp]
Distances = npt.NDArray[np.float32]
Squares = npt.NDArray[np.float64]

STEPS = 5
_OUTSIDE = 2
_TILE = 128
_PART = 2**20


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
    right, size = dict.fromkeys(radii, 0), dict.fromkeys(radii, 0)
    margin = radii[-1] + 1
    padded = np.ascontiguousarray(np.pad(truth.view(np.uint8), margin, constant_values=_OUTSIDE))
    for rows, columns, squares in _near_edge(truth.view(np.uint8), margin):
        agree = mask[rows, columns] == truth[rows, columns]
        places = (rows + margin) * padded.shape[1] + columns + margin
        for radius in right:
            band = _in_band(padded, places, squares, radius)
            right[radius] += int(np.count_nonzero(agree & band))
            size[radius] += int(np.count_nonzero(band))
    return sum(right[radius] / size[radius] for radius in radii) / STEPS


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


def _near_edge(truth: Bits, reach: int) -> Iterator[tuple[Indices, Indices, Squares]]:
    """Rows and columns of the pixels within `reach` of the other value; that distance, squared.

    Distances take far less time than morphology by wide discs, and tiles of one value need none.
    They come in parts, as in a frayed truth nearly all pixels are near an edge.
    """
    held, count = [], 0
    for tile, window in _uneven(truth, reach):
        held.append(_near_in_tile(truth, tile, window, reach))
        count += held[-1][0].size
        if count > _PART:
            yield _joined(held)
            held, count = [], 0
    if held:
        yield _joined(held)


def _near_in_tile(
    truth: Bits, tile: Window, window: Window, reach: int
) -> tuple[Indices, Indices, Distances]:
    inner, exact = truth[window], (cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    distance = np.asarray(cv2.distanceTransform(inner, *exact), np.float32)
    distance += np.asarray(cv2.distanceTransform(1 - inner, *exact), np.float32)
    distance = distance[_within(tile, window)]
    rows, columns = np.nonzero(distance <= reach)
    return rows + tile[0].start, columns + tile[1].start, distance[rows, columns]


def _joined(
    parts: list[tuple[Indices, Indices, Distances]],
) -> tuple[Indices, Indices, Squares]:
    rows, columns, distances = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    # OpenCV's roots are off in their last bit; their squares are integers.
    return rows, columns, np.rint(np.square(distances, dtype=np.float64))


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


def _in_band(padded: Bits, places: Indices, squares: Squares, radius: int) -> Mask:
    """Which of the pixels at flat `places` have the other value within the kernel.

    Within the radius they have, by more than half a pixel further they have not. Between, the
    kernel's pixels beside the disc are looked up.
    """
    flat, stride = padded.ravel(), padded.shape[1]
    band = squares <= radius**2
    open_ = np.flatnonzero(~band & (squares < (radius + 0.5) ** 2))
    places = places[open_]
    for row, column in _beyond_disc(radius):
        hit = flat[places + row * stride + column] == 1 - flat[places]
        band[open_[hit]] = True
        open_, places = open_[~hit], places[~hit]
    return np.asarray(band, np.bool_)


def _beyond_disc(radius: int) -> list[tuple[int, int]]:
    """The kernel's offsets (row, column) from its middle that are further than the radius."""
    offsets = np.argwhere(band_kernel(radius)) - radius
    beyond = offsets[(offsets**2).sum(axis=1) > radius**2]
    return [(int(row), int(column)) for row, column in beyond]
