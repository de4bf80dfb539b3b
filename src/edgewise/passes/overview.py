"""The overview pass: a whole view at one look, for context, holes, missing and surplus parts."""

import cv2
import numpy as np
from numpy.typing import NDArray

from edgewise.network.runtime import Engine


def resized(image: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    """An image HxW or HxWx3 at `size` (height, width): by area down, linear up."""
    height, width = size
    if image.shape[:2] == size:
        return image
    shrinks = height < image.shape[0] or width < image.shape[1]
    how = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(image, (width, height), interpolation=how), np.uint8)


def rescaled(soft: NDArray[np.float32], size: tuple[int, int]) -> NDArray[np.float32]:
    """A soft mask at `size` (height, width): by area down, linear up."""
    if soft.shape == size:
        return soft
    shrinks = size[0] < soft.shape[0] or size[1] < soft.shape[1]
    how = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    other = np.asarray(cv2.resize(soft, size[::-1], interpolation=how), np.float32)
    return np.minimum(other, 1, out=other) if shrinks else other  # means by area are rounded up


def to_bytes(soft: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Soft 0..1 to rounded 0..255."""
    return np.asarray(cv2.convertScaleAbs(soft, alpha=255.0), np.uint8)


def overview_size(shape: tuple[int, int], long_side: int, stride: int) -> tuple[int, int]:
    """Height and width at which a view is looked at: `long_side`, multiples of `stride`."""
    scale = long_side / max(shape)
    height, width = (max(stride, round(side * scale / stride) * stride) for side in shape)
    return height, width


def up_to(length: int, stride: int) -> int:
    """The least multiple of `stride` that is no less than `length`."""
    return -(-length // stride) * stride


def overview_power(shape: tuple[int, int], long_side: int) -> int:
    """How often a view may be halved before the overview, and still have its size."""
    power = 0
    while max(shape) >> (power + 1) >= long_side:
        power += 1
    return power


def stacked(
    photo: NDArray[np.uint8], prior: NDArray[np.uint8], coarse: NDArray[np.uint8]
) -> NDArray[np.uint8]:
    """One view as the engine takes it: (5, H, W) of photo HxWx3 and two masks HxW, all bytes."""
    views = np.empty((5, *prior.shape), np.uint8)
    for channel, pixels in zip(views, (*cv2.split(photo), prior, coarse), strict=True):
        channel[...] = pixels
    return views


def overview(
    engine: Engine,
    photo: NDArray[np.uint8],
    coarse: NDArray[np.uint8],
    *,
    long_side: int,
    rounds: int,
    prior: NDArray[np.float32] | None = None,
) -> NDArray[np.float32]:
    """Soft mask of one view, at the overview's own size.

    Args:
        engine: the network.
        photo: uint8 HxWx3 RGB, the view.
        coarse: uint8 HxW in 0..255, the coarse mask there.
        long_side: longer side of the look, in pixels.
        rounds: looks; each but the first takes the one before as its prior.
        prior: float32 hxw in 0..1, the view at any size: the first look's prior; None takes the
            coarse mask.
    """
    height, width = photo.shape[:2]
    size = overview_size((height, width), long_side, engine.stride)
    small, mask = resized(photo, size), resized(coarse, size)
    first = mask if prior is None else to_bytes(rescaled(prior, size))
    soft: NDArray[np.float32] = engine(stacked(small, first, mask)[None])[0]
    for _ in range(rounds - 1):
        soft = engine(stacked(small, to_bytes(soft), mask)[None])[0]
    return soft
