"""Masks and data sets that the tests of formats share."""

import cv2
import numpy as np
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from edgewise.formats.annotation import Dataset, Instance, Photo, Rle

sides = st.integers(1, 12)
noise = arrays(bool, st.tuples(sides, sides))
"""Masks of every local pattern: single pixels, corners that touch, holes."""


@st.composite
def blobs(draw):
    """Masks as objects have them: smooth, of several parts, with holes, up to 48x48."""
    height, width, seed = draw(st.tuples(sides, sides, st.integers(0, 10**6)))
    levels = np.random.default_rng(seed).random((height + 2, width + 2)).astype(np.float32)
    smooth = cv2.resize(levels, (width * 4, height * 4), interpolation=cv2.INTER_CUBIC)
    return smooth > draw(st.sampled_from([0.35, 0.5, 0.6]))


def ring_shape():
    """A part with two holes, one of them reaching further left, and a part of its own: 20x30."""
    mask = np.zeros((20, 30), dtype=bool)
    mask[2:15, 2:20] = True
    mask[4:7, 5:16] = False
    mask[9:12, 4:8] = False
    mask[14:18, 24:28] = True
    return mask


def square(top, left, side, size=(20, 30)):
    mask = np.zeros(size, dtype=bool)
    mask[top : top + side, left : left + side] = True
    return mask


def dataset(*masks, crowd=False):
    """Two photos, of which one has the masks, as cats and dogs in turn, and one has none."""
    height, width = masks[0].shape
    instances = tuple(
        Instance(category=("cat", "dog")[index % 2], mask=Rle.of(mask), crowd=crowd)
        for index, mask in enumerate(masks)
    )
    photos = (
        Photo(name="a.jpg", height=height, width=width, instances=instances),
        Photo(name="b.jpg", height=5, width=7, instances=()),
    )
    return Dataset(photos=photos, categories=("cat", "dog"))


def masks_of(data, photo=0):
    return [one.mask.mask() for one in data.photos[photo].instances]


def iou(first, second):
    return (first & second).sum() / (first | second).sum()
