"""Alpha: how much of each pixel the object covers, from how sure the network is of the pixel.

A refined soft mask is a probability. Its edge is where the object's is, but it says little about
how hard that edge is: in hair and fur, or where the lens blurs, the photo mixes colours over many
more pixels than the network is in doubt of. So alpha is solved for from the photo's colours where
they may be mixed, and is the mask's elsewhere.

It minimises a' L a + sum c (a - p)², with the mask's own ramp p, the trust c in it, and for L the
matting Laplacian of Levin, Lischinski and Weiss, "A Closed-Form Solution to Natural Image Matting"
(2008): in every small window alpha is a linear function of colour. L times a vector is a vector
less its guided filter (He, Sun and Tang, "Fast Matting Using Large Kernel Matting Laplacian
Matrices", 2010), so that conjugate gradients need box filters alone, and no matrix.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    Floats = NDArray[np.float32]
    Mask = NDArray[np.bool_]
    Photo = NDArray[np.uint8]
    Window = tuple[slice, slice]

LEVELS = (0.25, 0.95)
"""Probabilities up to the first are background, from the second object, between them a ramp.

A probability has a haze far from the edge, an alpha has not. The upper level is nearer to 1 than
the lower to 0, because a pixel that is called opaque shows what background it has.
"""

SOLVED_PIXELS = 1_000_000
"""Alpha is solved for at no more pixels than this; all distances below are in pixels there."""

DOUBT = 0.05
"""Probabilities within this of 0 or 1 are sure."""

REACH = 24
"""How far to each side of the mask's edge colours may be mixed."""

NEAR = 3
"""How far they always may be."""

NOISE = 0.2
"""Distance of two colours, in RGB of 0..1, at which what they tell counts half."""

TEXTURE = 2.0
"""How much the variance of the colours on both sides takes from that."""

RAMP = 0.005
"""Trust in the mask's ramp where colours tell all; where they tell nothing it is `MOST`."""

MOST = 100.0

FAINT = 0.5
"""What touches no part of the object is the object's only with an alpha above this somewhere."""

_LEAST_SEEN = 8 / 255  # alpha from which pixels hang together
_RADIUS = 2  # of the windows in which alpha is linear in colour
_EVEN = 1e-4  # variance of a window's colours below which alpha is constant in it
_SIZES = 3  # each solution begins from that at half the size
_STEPS = 30  # of conjugate gradients at each size
_STRIP = 256  # rows written at once
_FLOOR = 0.004  # variance that any group of colours has
_TELLING = 0.1  # how much the two sides' colours have to differ for a pixel to be strange
_MIXED_SHARE = 0.08  # of a neighbourhood's pixels have to have the other side's colours


def alpha_of(photo: Photo, soft: Floats | Mask) -> Floats:
    """The alpha of an object whose soft mask a refiner found.

    Colours may be mixed within `NEAR` of the edge, and up to `REACH` from it where the network is
    in doubt, or many pixels have the colours of the other side: sky that shows through hair. Those
    are first taken for the other side, the rest as the ramp has it. What both sides' colours are is
    their mean F and B within `REACH`, farther in and farther out than that band. The trust in what
    is first taken is `RAMP` / t, at most `MOST`, with

        t = |F - B|² / (|F - B|² + N² + T V)

    for N = `NOISE`, T = `TEXTURE` and V the variance of the colours in F and B. So where object and
    background are alike, or parts too thin for an inside of their own, the ramp stands.

    Args:
        photo: uint8 HxWx3 RGB.
        soft: float32 HxW in [0, 1], or bool HxW.

    Returns:
        float32 HxW in [0, 1].
    """
    probable = soft.astype(np.float32)
    alpha = _ramp(probable)
    window = _around_edge(alpha)
    if window is not None:
        alpha[window] = _solved_at(photo[window], probable[window])
    return alpha


def _ramp(soft: Floats) -> Floats:
    low, high = LEVELS
    return ((soft - np.float32(low)) / np.float32(high - low)).clip(0, 1)


def _around_edge(ramp: Floats) -> Window | None:
    """The rectangle of the mask's edge, with room; None where it has no edge."""
    inside = (ramp > 0.5).astype(np.uint8)
    unsure = cv2.morphologyEx(inside, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8))
    left, top, width, height = cv2.boundingRect(np.asarray(unsure, np.uint8))
    if not width:
        return None
    scale = max(1.0, math.sqrt(ramp.size / SOLVED_PIXELS))
    room = math.ceil(3 * REACH * scale)
    return (
        slice(max(0, top - room), top + height + room),
        slice(max(0, left - room), left + width + room),
    )


def _solved_at(photo: Photo, soft: Floats) -> Floats:
    """The alpha of a window, solved for at its own size or a smaller one."""
    ramp = _ramp(soft)
    size = _least(photo.shape, math.sqrt(SOLVED_PIXELS / ramp.size))
    small = _scaled(np.asarray(photo, np.float32), size) / np.float32(255)
    mixed, strange, trust = _evidence(small, _scaled(soft, size))
    prior = _scaled(ramp, size)
    inside = prior > 0.5
    prior = np.where(strange & mixed, np.float32(1) - inside, prior)
    alpha = _attached(_matted(small, prior, mixed, trust), inside)
    if size == ramp.shape:
        return np.where(mixed, alpha, ramp)
    return _enlarged(photo, ramp, small, alpha, np.where(mixed, np.minimum(4 * trust, 1), 0))


def _least(shape: tuple[int, ...], scale: float) -> tuple[int, int]:
    factor = min(1.0, scale)
    return max(1, round(shape[0] * factor)), max(1, round(shape[1] * factor))


def _scaled(image: Floats, size: tuple[int, int]) -> Floats:
    """An image at `size` (height, width): by area down, linear up."""
    if image.shape[:2] == size:
        return image
    how = cv2.INTER_AREA if size[0] < image.shape[0] else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(image, size[::-1], interpolation=how), np.float32)


def _evidence(colours: Floats, soft: Floats) -> tuple[Mask, Mask, Floats]:
    """What the colours say, all HxW.

    Returns:
        Where they may be mixed, where they are the other side's, and how much those of the two
        sides differ, in 0..1.
    """
    depth = _depth(_ramp(soft))
    fore, fore_variance = _nearby(colours, depth > 0.6 * REACH)
    back, back_variance = _nearby(colours, depth < -NEAR)
    length = np.square(fore - back).sum(axis=2)
    trust = length / (length + NOISE**2 + TEXTURE * (fore_variance + back_variance))
    to_fore = np.square(colours - fore).sum(axis=2) / (fore_variance + _FLOOR)
    to_back = np.square(colours - back).sum(axis=2) / (back_variance + _FLOOR)
    own, other = np.where(depth > 0, (to_fore, to_back), (to_back, to_fore))
    strange = (np.abs(depth) < REACH) & (other < 2) & (own > 2 * other) & (trust > _TELLING)
    many = _blurred(strange.astype(np.float32), 8) > _MIXED_SHARE
    spread = cv2.dilate(strange.view(np.uint8), np.ones((7, 7), np.uint8)).view(np.bool_)
    doubtful = (soft > DOUBT) & (soft < 1 - DOUBT) & (np.abs(depth) < REACH)
    mixed = (np.abs(depth) <= NEAR) | doubtful | (spread & many)
    return mixed & (trust > 0), strange & many, np.asarray(trust, np.float32)


def _depth(ramp: Floats) -> Floats:
    """Distance in pixels from the edge: above 0 inside the object, below 0 outside."""
    inside = (ramp > 0.5).astype(np.uint8)
    to_outside, to_inside = (
        cv2.distanceTransform(side, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
        for side in (inside, 1 - inside)
    )
    return np.asarray(to_outside - to_inside, np.float32)


def _nearby(colours: Floats, where: Mask) -> tuple[Floats, Floats]:
    """Mean colour HxWx3 and variance HxW of the pixels `where`, within about `REACH` of each.

    The variance is infinite where there are none.
    """
    squares = np.square(colours).sum(axis=2)
    sums = np.dstack([np.ones_like(squares), colours, squares]) * where[..., None]
    sums = _blurred(sums, REACH)
    share = sums[..., 0]
    means = sums[..., 1:] / np.maximum(share, np.float32(1e-4))[..., None]
    mean = np.asarray(means[..., :3], np.float32)
    variance = np.maximum(means[..., 3] - np.square(mean).sum(axis=2), 0)
    scatter = np.where(share > 0.005, variance, np.float32(np.inf))
    return mean, np.asarray(scatter, np.float32)


def _blurred(values: Floats, radius: int) -> Floats:
    """Two box filters, which make a smooth window."""
    size = (2 * radius + 1, 2 * radius + 1)
    return np.asarray(cv2.blur(cv2.blur(values, size), size), np.float32)


def _matted(colours: Floats, ramp: Floats, mixed: Mask, trust: Floats) -> Floats:
    """Alpha HxW by the colours, at ever larger sizes up to that of the arguments."""
    least = np.float32(RAMP) / np.maximum(trust, np.float32(RAMP / MOST))
    known = np.where(mixed, least, np.float32(1))
    alpha = ramp
    for halvings in range(_SIZES - 1, -1, -1):
        size = _least(ramp.shape, 0.5**halvings)
        alpha = _minimum(
            _Windows.of(_scaled(colours, size)),
            _scaled(ramp, size),
            _scaled(known, size),
            _scaled(alpha, size),
        )
    return np.asarray(alpha.clip(0, 1), np.float32)


def _minimum(windows: _Windows, ramp: Floats, known: Floats, start: Floats) -> Floats:
    """The alpha of least cost, by conjugate gradients with the diagonal as preconditioner."""

    def cost(values: Floats) -> Floats:
        return np.asarray(values - windows.filtered(values) + known * values, np.float32)

    alpha = start.copy()
    rest = known * ramp - cost(alpha)
    scale = 1 / (1 + known)
    way = scale * rest
    length = float(np.vdot(rest, way))
    for _ in range(_STEPS):
        if length < 1e-9 * alpha.size:
            break
        image = cost(way)
        step = np.float32(length / float(np.vdot(way, image)))
        alpha += step * way
        rest -= step * image
        lengthened = float(np.vdot(rest, scale * rest))
        way = scale * rest + np.float32(lengthened / length) * way
        length = lengthened
    return alpha


def _attached(alpha: Floats, inside: Mask) -> Floats:
    """Alpha without faint islands: a fold of the ground that has the object's colours by chance."""
    seen = (alpha > _LEAST_SEEN).view(np.uint8)
    number, pieces = cv2.connectedComponents(seen, connectivity=8)
    held = np.zeros(number, np.bool_)
    held[pieces[inside | (alpha > FAINT)]] = True
    held[0] = True  # what is not seen at all
    return np.where(held[pieces], alpha, np.float32(0))


@dataclass(frozen=True)
class _Windows:
    """A photo's windows of `_RADIUS`: mean colour HxWx3, and the inverse covariance HxWx6.

    The six are those of a symmetric matrix: rr, rg, rb, gg, gb, bb.
    """

    photo: Floats
    mean: Floats
    inverse: Floats

    @classmethod
    def of(cls, photo: Floats) -> _Windows:
        mean = _mean(photo)
        pairs = ((0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2))
        rr, rg, rb, gg, gb, bb = (
            _mean(photo[..., i] * photo[..., j])
            - mean[..., i] * mean[..., j]
            + np.float32(_EVEN * (i == j))
            for i, j in pairs
        )
        parts = (
            *(gg * bb - gb * gb, gb * rb - rg * bb, rg * gb - gg * rb),
            *(rr * bb - rb * rb, rb * rg - rr * gb, rr * gg - rg * rg),
        )
        determinant = rr * parts[0] + rg * parts[1] + rb * parts[2]
        return cls(photo, mean, np.dstack(parts) / determinant[..., None])

    def linear(self, values: Floats) -> tuple[Floats, Floats]:
        """The slopes HxWx3 and offsets HxW of values as a function of colour in each window."""
        level = _mean(values)
        joint = _mean(self.photo * values[..., None]) - self.mean * level[..., None]
        red, green, blue = joint[..., 0], joint[..., 1], joint[..., 2]
        rr, rg, rb, gg, gb, bb = np.moveaxis(self.inverse, 2, 0)
        slopes = np.dstack(
            [
                rr * red + rg * green + rb * blue,
                rg * red + gg * green + gb * blue,
                rb * red + gb * green + bb * blue,
            ]
        )
        return slopes, level - np.einsum("hwc,hwc->hw", slopes, self.mean)

    def means(self, values: Floats) -> tuple[Floats, Floats]:
        """Slopes and offsets of each pixel: the means of those of the windows that hold it."""
        slopes, offsets = self.linear(values)
        return _mean(slopes), _mean(offsets)

    def filtered(self, values: Floats) -> Floats:
        """The guided filter of values HxW."""
        slopes, offsets = self.means(values)
        return np.asarray(np.einsum("hwc,hwc->hw", slopes, self.photo) + offsets, np.float32)


def _mean(values: Floats) -> Floats:
    size = (2 * _RADIUS + 1, 2 * _RADIUS + 1)
    return np.asarray(cv2.blur(values, size, borderType=cv2.BORDER_REFLECT), np.float32)


def _enlarged(photo: Photo, ramp: Floats, small: Floats, alpha: Floats, weight: Floats) -> Floats:
    """An alpha at the photo's size: the small one's linear functions, of the photo's own colours.

    Args:
        photo: uint8 HxWx3.
        ramp: HxW, what stands where the weight is 0.
        small: hxwx3 in 0..1, the smaller photo.
        alpha: hxw, its alpha.
        weight: hxw in 0..1.
    """
    slopes, offsets = _Windows.of(small).means(alpha)
    maps = np.dstack([slopes, offsets, weight]).astype(np.float32)
    result = np.empty_like(ramp)
    for rows in _strips(ramp.shape[0]):
        part = _resampled(maps, rows, (ramp.shape[0], ramp.shape[1]))
        colours = photo[rows] / np.float32(255)
        told = np.einsum("hwc,hwc->hw", part[..., :3], colours) + part[..., 3]
        result[rows] = ramp[rows] + part[..., 4] * (told.clip(0, 1) - ramp[rows])
    return result


def _strips(height: int) -> Iterator[slice]:
    for top in range(0, height, _STRIP):
        yield slice(top, min(top + _STRIP, height))


def _resampled(maps: Floats, rows: slice, shape: tuple[int, int]) -> Floats:
    """Some rows of maps hxwxn at another size, linear between pixels' middles."""
    down, right = maps.shape[0] / shape[0], maps.shape[1] / shape[1]
    x = np.tile(
        ((np.arange(shape[1]) + 0.5) * right - 0.5).astype(np.float32), (rows.stop - rows.start, 1)
    )
    y = np.repeat(
        ((np.arange(rows.start, rows.stop) + 0.5) * down - 0.5).astype(np.float32)[:, None],
        shape[1],
        1,
    )
    parts = [
        cv2.remap(maps[..., index], x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        for index in range(maps.shape[2])
    ]
    return np.asarray(np.dstack(parts), np.float32)
