"""Coarse masks made from true ones, with the errors that networks and hasty people make.

Every function takes a truth (bool HxW) and a random generator and returns a bool HxW mask. Sizes
of errors are relative to the object (the square root of its area, here its `extent`), as they are
in a network's output, not in pixels.
"""

from collections.abc import Callable

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from edgewise.passes.proposal import overlap

Mask = NDArray[np.bool_]
Field = NDArray[np.float32]


def signed_distance(mask: Mask) -> Field:
    """Distance in pixels to the mask's edge, positive inside; +-(H + W) without any edge."""
    height, width = mask.shape
    if mask.all() or not mask.any():
        return np.full(mask.shape, (1 if mask.any() else -1) * (height + width), np.float32)
    inside = cv2.distanceTransform(mask.astype(np.uint8), cv2.DIST_L2, 3)
    outside = cv2.distanceTransform((~mask).astype(np.uint8), cv2.DIST_L2, 3)
    return np.asarray(inside - outside, np.float32)


def smooth_noise(shape: tuple[int, int], scale: float, random: Generator) -> Field:
    """Smooth noise of about unit variance whose features are `scale` pixels wide."""
    rows, columns = (max(2, round(n / max(scale, 1.0)) + 1) for n in shape)
    grid = random.standard_normal((rows, columns)).astype(np.float32)
    return np.asarray(cv2.resize(grid, (shape[1], shape[0]), interpolation=cv2.INTER_CUBIC))


def extent(mask: Mask) -> float:
    """The object's size in pixels: the square root of its area, at least 8."""
    return max(8.0, float(np.sqrt(np.count_nonzero(mask))))


def wobble(mask: Mask, random: Generator) -> Mask:
    """Move the contour in and out by smooth noise at several scales (level-set noise)."""
    size = extent(mask)
    field = signed_distance(mask)
    for scale in (0.5, 0.2, 0.08):
        amplitude = size * scale * random.uniform(0.02, 0.22)
        field = field + amplitude * smooth_noise(mask.shape, size * scale, random)
    return np.asarray(field + size * random.normal(0, 0.015) > 0)


def low_resolution(mask: Mask, random: Generator) -> Mask:
    """What a network with a coarse output grid gives: small, thresholded, enlarged again."""
    factor = min(extent(mask) / 6, float(2 ** random.uniform(1.5, 5)))
    height, width = mask.shape
    small = (max(2, round(width / factor)), max(2, round(height / factor)))
    shift = random.uniform(-0.5, 0.5, 2) * factor
    matrix = np.array([[1, 0, shift[0]], [0, 1, shift[1]]], np.float32)
    moved = cv2.warpAffine(
        mask.astype(np.float32), matrix, (width, height), borderMode=cv2.BORDER_REPLICATE
    )
    grid = cv2.resize(moved, small, interpolation=cv2.INTER_AREA)
    if random.random() < 0.6:
        grid = (grid > random.uniform(0.3, 0.6)).astype(np.float32)
    how = (cv2.INTER_LINEAR, cv2.INTER_NEAREST, cv2.INTER_CUBIC)[int(random.integers(3))]
    large = cv2.resize(grid, (width, height), interpolation=how)
    return np.asarray(large > random.uniform(0.35, 0.6))


def polygon(mask: Mask, random: Generator) -> Mask:
    """A hasty annotator's polygon: few vertices, each a little off, holes filled or not."""
    mode = cv2.RETR_EXTERNAL if random.random() < 0.5 else cv2.RETR_CCOMP
    contours, _ = cv2.findContours(mask.astype(np.uint8), mode, cv2.CHAIN_APPROX_NONE)
    size = extent(mask)
    tolerance, jitter = size * random.uniform(0.01, 0.06), size * random.uniform(0, 0.02)
    rough = []
    for contour in contours:
        corners = cv2.approxPolyDP(contour, tolerance, closed=True)
        if len(corners) > 2:
            rough.append((corners + random.normal(0, jitter, corners.shape)).astype(np.int32))
    canvas = np.zeros(mask.shape, np.uint8)
    cv2.fillPoly(canvas, rough, 1)
    return canvas.astype(np.bool_)


def grow_or_shrink(mask: Mask, random: Generator) -> Mask:
    """The whole contour moved out or in by one distance."""
    offset = extent(mask) * random.choice((-1, 1)) * random.uniform(0.01, 0.08)
    return np.asarray(signed_distance(mask) + offset > 0)


def lose_thin_parts(mask: Mask, random: Generator) -> Mask:
    """Opening or closing: limbs, handles and hair go, or gaps between them are filled."""
    radius = max(1, round(extent(mask) * random.uniform(0.02, 0.1)))
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    how = cv2.MORPH_OPEN if random.random() < 0.6 else cv2.MORPH_CLOSE
    return np.asarray(cv2.morphologyEx(mask.astype(np.uint8), how, kernel) > 0)


def _blob(mask: Mask, random: Generator, *, on_edge: float) -> Mask:
    """An irregular spot, its centre on the contour with probability `on_edge`."""
    height, width = mask.shape
    field = np.abs(signed_distance(mask))
    rows, columns = np.nonzero(field < 1.5 if random.random() < on_edge else mask)
    if len(rows) == 0:
        return np.zeros(mask.shape, np.bool_)
    pick = int(random.integers(len(rows)))
    size = extent(mask) * random.uniform(0.08, 0.35)
    y, x = np.ogrid[:height, :width]
    angle, stretch = random.uniform(0, np.pi), random.uniform(0.4, 1.0)
    dx, dy = x - columns[pick], y - rows[pick]
    along, across = (
        dx * np.cos(angle) + dy * np.sin(angle),
        (dy * np.cos(angle) - dx * np.sin(angle)) / stretch,
    )
    distance = np.sqrt(along * along + across * across)
    return np.asarray(distance + 0.3 * size * smooth_noise(mask.shape, size, random) < size)


def drop_part(mask: Mask, random: Generator) -> Mask:
    """A piece of the object is missing: a limb, a corner, a hole inside."""
    return np.asarray(mask & ~_blob(mask, random, on_edge=0.8))


def add_part(mask: Mask, random: Generator) -> Mask:
    """A piece of the surroundings has joined: a neighbour, a shadow, a leak."""
    return mask | _blob(mask, random, on_edge=1.0)


def fill_holes(mask: Mask, _: Generator) -> Mask:
    """Enclosed background becomes object, as networks of low resolution do."""
    contours, _hierarchy = cv2.findContours(
        mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE
    )
    canvas = np.zeros(mask.shape, np.uint8)
    cv2.fillPoly(canvas, contours, 1)
    return canvas.astype(np.bool_)


def leak(mask: Mask, photo: NDArray[np.uint8], random: Generator) -> Mask:
    """The mask spills into (or retreats from) a place of similar colour at its edge."""
    spot = _blob(mask, random, on_edge=1.0)
    if not spot.any():
        return mask
    lab = cv2.cvtColor(cv2.blur(photo, (5, 5)), cv2.COLOR_RGB2LAB).astype(np.float32)
    rows, columns = np.nonzero(spot)
    pick = int(random.integers(len(rows)))
    difference = np.abs(lab - lab[rows[pick], columns[pick]]).sum(2)
    alike = spot & (difference < random.uniform(15, 50))
    return np.asarray(mask | alike if random.random() < 0.6 else mask & ~alike)


STEPS: tuple[tuple[float, Callable[[Mask, Generator], Mask]], ...] = (
    (0.25, drop_part),
    (0.25, add_part),
    (0.15, lose_thin_parts),
    (0.10, fill_holes),
    (0.15, grow_or_shrink),
    (0.45, wobble),
    (0.55, low_resolution),
    (0.15, polygon),
)
PERFECT_SHARE = 0.07
LEAK_SHARE = 0.15


def coarsen(truth: Mask, photo: NDArray[np.uint8], random: Generator) -> Mask:
    """A random coarse mask of a truth, at an IoU of 0.45 or more; sometimes the truth itself.

    Args:
        truth: bool HxW.
        photo: uint8 HxWx3 RGB, for leaks along similar colours.
        random: the generator, which alone decides the result.
    """
    if random.random() < PERFECT_SHARE:
        return truth
    for _ in range(3):
        mask = truth
        if random.random() < LEAK_SHARE:
            mask = leak(mask, photo, random)
        for chance, step in STEPS:
            if random.random() < chance:
                mask = step(mask, random)
        if overlap(mask, truth) > 0.45:
            return np.asarray(mask)
    return wobble(truth, random)


def soften(mask: Mask, random: Generator) -> Field:
    """A soft prior as the cascade hands it from one zoom to the next: small errors, blurred."""
    field = signed_distance(mask)
    scale = random.uniform(4, 24)
    field = field + random.uniform(0, 4) * smooth_noise(mask.shape, scale, random)
    field = field + random.normal(0, 0.7)
    slope = random.uniform(0.8, 4)
    return np.asarray(1 / (1 + np.exp(-np.clip(field / slope, -15, 15))), np.float32)
