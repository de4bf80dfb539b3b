"""Tiles: where the edge passes look, and how their answers are joined."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from edgewise.passes.view import Box


def _starts(length: int, tile: int, overlap: int) -> list[int]:
    """Starts of equal, centred tiles that cover `length`; the first may be negative.

    The grid is symmetric, so that a flipped photo is tiled in the same way.
    """
    core = tile - overlap
    count = max(1, -(-(length - overlap) // core))
    span = count * core + overlap
    return [index * core - (span - length) // 2 for index in range(count)]


def tile_grid(shape: tuple[int, int], tile: int, overlap: int) -> list[Box]:
    """All tiles of an image of `shape`, in raster order; those at the rim may reach outside."""
    return [
        Box(top, left, top + tile, left + tile)
        for top in _starts(shape[0], tile, overlap)
        for left in _starts(shape[1], tile, overlap)
    ]


def with_work(boxes: list[Box], band: NDArray[np.bool_], overlap: int) -> list[Box]:
    """The tiles whose own part (without half the overlap) holds some of the band."""
    trim = overlap // 2
    height, width = band.shape
    kept = []
    for box in boxes:
        # At the image's rim no neighbour takes over: there a tile's own part goes to the end.
        top = box.top + trim if box.top > 0 else 0
        left = box.left + trim if box.left > 0 else 0
        bottom = box.bottom - trim if box.bottom < height else height
        right = box.right - trim if box.right < width else width
        if band[top:bottom, left:right].any():
            kept.append(box)
    return kept


def cut(image: NDArray[np.uint8], box: Box) -> NDArray[np.uint8]:
    """A tile of an image, reaching outside by repeating the rim."""
    height, width = image.shape[:2]
    if box.top >= 0 and box.left >= 0 and box.bottom <= height and box.right <= width:
        return image[box.slices]
    rows = np.clip(np.arange(box.top, box.bottom), 0, height - 1)
    columns = np.clip(np.arange(box.left, box.right), 0, width - 1)
    return image[rows[:, None], columns]


def ramp(tile: int, overlap: int) -> NDArray[np.float32]:
    """Blending weight of a tile: 1 in the middle, falling linearly over the overlap."""
    distance = np.minimum(np.arange(tile), np.arange(tile)[::-1]) + 0.5
    side = np.clip(distance / max(1, overlap), 0, 1).astype(np.float32)
    return np.minimum(side[:, None], side[None, :])


class Blend:
    """Weighted mean of overlapping tiles over an image of `shape`."""

    def __init__(self, shape: tuple[int, int], tile: int, overlap: int) -> None:
        self._sum = np.zeros(shape, np.float32)
        self._weight = np.zeros(shape, np.float32)
        self._ramp = ramp(tile, overlap)

    def add(self, box: Box, soft: NDArray[np.float32]) -> None:
        """Add a tile's soft mask; what lies outside the image is dropped."""
        height, width = self._sum.shape
        inside = Box(
            max(0, box.top), max(0, box.left), min(height, box.bottom), min(width, box.right)
        )
        own = Box(
            inside.top - box.top,
            inside.left - box.left,
            inside.bottom - box.top,
            inside.right - box.left,
        ).slices
        self._sum[inside.slices] += soft[own] * self._ramp[own]
        self._weight[inside.slices] += self._ramp[own]

    def over(self, base: NDArray[np.float32]) -> NDArray[np.float32]:
        """The mean where any tile was added, `base` elsewhere."""
        return np.where(self._weight > 0, self._sum / np.maximum(self._weight, 1e-6), base)


def batches(boxes: list[Box], size: int) -> Iterator[list[Box]]:
    """The tiles in groups of at most `size`."""
    for start in range(0, len(boxes), size):
        yield boxes[start : start + size]
