"""Pairs of masks to score: drawn objects, and coarse masks with the errors that networks make."""

import cv2
import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays


def drawn_object(rng, height, width):
    """A smooth object with bumps, at times with a hole, a thin line or the border cutting it."""
    rows, columns = np.mgrid[:height, :width] / max(height, width, 2)
    middle = rng.random(2) * (rows[-1, 0], columns[0, -1])
    angle = np.arctan2(rows - middle[0], columns - middle[1])
    reach = rng.uniform(0.1, 0.5) * np.ones_like(angle)
    for waves in range(2, 9):
        reach += rng.uniform(-0.04, 0.04) * np.cos(waves * angle + rng.uniform(0, 6.3))
    away = np.hypot(rows - middle[0], columns - middle[1])
    mask = away < reach
    if rng.random() < 0.4:
        mask &= away > 0.3 * reach
    if rng.random() < 0.4:
        mask |= np.abs(rows - middle[0] + 0.3 * np.sin(5 * columns)) < 1.5 / max(height, width)
    return mask


def coarse(rng, truth):
    """The truth at low resolution, shifted, with a piece lost or made up: soft, 8 bits."""
    height, width = truth.shape
    scale = rng.integers(2, 9)
    small = max(1, width // scale), max(1, height // scale)
    grey = cv2.resize(truth.astype(np.uint8) * 255, small, interpolation=cv2.INTER_AREA)
    grey = cv2.resize(grey, (width, height), interpolation=cv2.INTER_LINEAR)
    grey = np.roll(grey, tuple(rng.integers(-2, 3, 2)), (0, 1))
    top, left = rng.integers(0, height), rng.integers(0, width)
    grey[top : top + height // 6, left : left + width // 6] = rng.choice([0, 90, 180, 255])
    return grey


def drawn_pair(seed, height, width):
    """A coarse mask and a truth, both bool."""
    rng = np.random.default_rng(seed)
    truth = drawn_object(rng, height, width)
    return coarse(rng, truth) > 128, truth


def noise_pair(seed, height, width):
    """Two unrelated masks of noise, now and then nearly or wholly empty or full."""
    rng = np.random.default_rng(seed)
    levels = rng.choice([0.0, 0.01, 0.1, 0.5, 0.9, 1.0], 2)
    return tuple(rng.random((height, width)) < level for level in levels)


REAL = ("astronaut", "flower", "rocket")
"""Photos of the demo, of whose masks pairs are made."""


def real_pair(name):
    """A network's own mask of a photo for a truth, ragged as such are, and a coarser one of it."""
    from edgewise.demo import pairs as demo
    from edgewise.masks import read_mask

    (path,) = [pair.coarse for pair in demo() if pair.name == name]
    truth = read_mask(path) > 0.5
    return coarse(np.random.default_rng(5), truth) > 128, truth


def pairs(largest=60):
    """Any two small masks of one size: from arrays that shrink well, noise, and drawn objects."""
    sizes = st.tuples(st.integers(1, largest), st.integers(1, largest))
    shapes = st.tuples(st.integers(1, 9), st.integers(1, 9))
    small = shapes.flatmap(lambda shape: st.tuples(*[arrays.arrays(bool, shape)] * 2))
    seeds = st.integers(0, 2**32 - 1)
    noise = st.builds(lambda seed, size: noise_pair(seed, *size), seeds, sizes)
    drawn = st.builds(lambda seed, size: drawn_pair(seed, *size), seeds, sizes)
    return st.one_of(small, noise, drawn)


def points(mask):
    """The coordinates of a mask's pixels, n x 2."""
    return np.argwhere(mask).astype(float)


def pairwise(some, others):
    """Euclidean distances from each of some points to each of others."""
    squares = (some**2).sum(axis=1)[:, None] + (others**2).sum(axis=1)
    return np.sqrt(squares - 2 * some @ others.T)
