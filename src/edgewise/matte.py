"""Alpha: how much of each pixel the object covers, from how sure the network is of the pixel.

A refined soft mask is a probability. Its edge is where the object's is, but it says little about
how hard that edge is: beside fur or where the lens blurs, the photo mixes colours over many more
pixels than the network is in doubt of. So alpha is read from the photo's colours there, where they
tell the object from its background, and from the mask elsewhere.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    Floats = NDArray[np.float32]
    Tile = tuple[slice, slice]

LEVELS = (0.25, 0.95)
"""Probabilities up to the first are background, from the second object, between them a ramp.

A probability has a haze far from the edge, an alpha has not. The upper level is nearer to 1 than
the lower to 0, because a pixel that is called opaque shows what background it has.
"""

REACH = 6
"""Pixels to each side of the mask's edge whose colours count as mixed; a half more fades out."""

NOISE = 0.2
"""Distance of two colours, in RGB of 0..1, at which what they tell counts half."""

TEXTURE = 2.0
"""How much the variance of the colours on both sides takes from that."""

TILE = 256


def alpha_of(photo: NDArray[np.uint8], soft: Floats | NDArray[np.bool_]) -> Floats:
    """The alpha of an object whose soft mask a refiner found.

    Within `REACH` of the mask's edge F is the mean colour of the object's pixels nearby that are
    farther than that from the edge, B that of the background's. A photo's colour I then has

        alpha = (I - B) . (F - B) / |F - B|²    (I's place on the line from B to F, in 0..1)

    and the mask's own ramp is moved to it by the share c = |F - B|² / (|F - B|² + N² + T V) with
    N = `NOISE`, T = `TEXTURE` and V the variance of the colours in F and B. Parts too thin for an
    inside of their own keep the ramp.

    Args:
        photo: uint8 HxWx3 RGB.
        soft: float32 HxW in [0, 1], or bool HxW.

    Returns:
        float32 HxW in [0, 1].
    """
    low, high = LEVELS
    ramp = ((soft.astype(np.float32) - np.float32(low)) / np.float32(high - low)).clip(0, 1)
    alpha = ramp.copy()
    for tile, around, own in _tiles(ramp):
        alpha[tile] = _told_by_colours(photo[around], ramp[around])[own]
    return alpha


def _tiles(ramp: Floats) -> Iterator[tuple[Tile, Tile, Tile]]:
    """Tiles that hold pixels near the edge, each with the room around it that it depends on.

    The third is the place of the tile in that room.
    """
    inside = (ramp > 0.5).astype(np.uint8)
    contour = cv2.morphologyEx(inside, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8))
    near = cv2.dilate(contour, np.ones((4 * REACH + 1, 4 * REACH + 1), np.uint8))
    room = 4 * REACH  # two box filters of one reach, and distances of one and a half
    height, width = ramp.shape
    for top in range(0, height, TILE):
        for left in range(0, width, TILE):
            tile = slice(top, top + TILE), slice(left, left + TILE)
            if near[tile].any():
                up, back = max(0, top - room), max(0, left - room)
                around = slice(up, top + TILE + room), slice(back, left + TILE + room)
                own = slice(top - up, top - up + TILE), slice(left - back, left - back + TILE)
                yield tile, around, own


def _told_by_colours(photo: NDArray[np.uint8], ramp: Floats) -> Floats:
    """The alpha of one tile and its surroundings; see `alpha_of`."""
    colours = np.asarray(photo / np.float32(255), np.float32)
    depth = _depth(ramp)
    fore, fore_variance = _nearby(colours, depth > REACH)
    back, back_variance = _nearby(colours, depth < -REACH)
    line = fore - back
    length = np.square(line).sum(axis=2)
    place = ((colours - back) * line).sum(axis=2) / np.maximum(length, np.float32(1e-6))
    trust = length / (length + NOISE**2 + TEXTURE * (fore_variance + back_variance))
    trust *= np.clip(3 - 2 * np.abs(depth) / REACH, 0, 1)
    alpha: Floats = ramp + trust * (place.clip(0, 1) - ramp)
    return alpha


def _depth(ramp: Floats) -> Floats:
    """Distance in pixels from the edge: above 0 inside the object, below 0 outside."""
    inside = (ramp > 0.5).astype(np.uint8)
    to_outside, to_inside = (
        cv2.distanceTransform(side, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
        for side in (inside, 1 - inside)
    )
    return np.asarray(to_outside - to_inside, np.float32)


def _nearby(colours: Floats, where: NDArray[np.bool_]) -> tuple[Floats, Floats]:
    """Mean colour HxWx3 and variance HxW of the pixels `where`, near each pixel.

    The variance is infinite where there are none. Two box filters make a smooth window.
    """
    squares = np.square(colours).sum(axis=2)
    sums = np.dstack([np.ones_like(squares), colours, squares]) * where[..., None]
    size = (2 * REACH + 1, 2 * REACH + 1)
    sums = np.asarray(cv2.blur(cv2.blur(sums, size), size), np.float32)
    share = sums[..., 0]
    means = sums[..., 1:] / np.maximum(share, np.float32(1e-4))[..., None]
    mean = means[..., :3]
    variance = np.maximum(means[..., 3] - np.square(mean).sum(axis=2), 0)
    return mean, np.where(share > 0.01, variance, np.float32(np.inf))
