"""Specks go, and nothing else."""

import cv2
import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from edgewise.passes.answers import Known, whole
from edgewise.passes.planes import INSIDE, Held
from edgewise.passes.specks import Cleared, specks
from edgewise.passes.view import Box

masks = arrays(np.bool_, st.tuples(st.integers(1, 30), st.integers(1, 30)))


def _spots(mask, connectivity):
    """Pieces of a mask by another way, and which of them lie within 3x3 pixels."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats(
        mask.view(np.uint8), connectivity=connectivity
    )
    small = (stats[:, cv2.CC_STAT_WIDTH] <= 3) & (stats[:, cv2.CC_STAT_HEIGHT] <= 3)
    small[0] = False
    return small[labels]


@given(masks)
def test_pieces_within_three_pixels_are_specks(mask):
    found = specks(mask)
    # Away from the rim; there a piece may be the end of something that goes on.
    own = np.s_[3:-3, 3:-3]
    assert not (_spots(mask, 8) & ~found)[own].any()
    # A spot with a ring of the other side around it is made of pieces that are small.
    assert not (found & mask & ~_spots(mask, 8))[own].any()
    assert not (found & ~mask & ~_spots(~mask, 8))[own].any()


def _cleared(soft, coarse):
    return Cleared(Known(soft), Held(np.where(coarse, 255, 0).astype(np.uint8)))


def test_a_speck_takes_the_coarse_mask_s_side_and_stays_as_sure():
    coarse = np.zeros((20, 30), np.bool_)
    coarse[:, :15] = True
    soft = np.where(coarse, 0.9, 0.2).astype(np.float32)
    soft[5:7, 5:8] = 0.3  # a hole
    soft[10, 22] = 0.8  # dust
    soft[2:6, 24:28] = 0.8  # too large for dust
    expected = soft.copy()
    expected[5:7, 5:8] = 0.7
    expected[10, 22] = 1 - np.float32(0.8)
    assert np.allclose(whole(_cleared(soft, coarse)), expected)


@given(masks, st.integers(0, 2**32 - 1))
def test_what_the_coarse_mask_has_stays(coarse, seed):
    soft = np.random.default_rng(seed).random(coarse.shape, np.float32)
    answer = whole(_cleared(soft, coarse))
    changed = answer != soft
    assert np.array_equal((answer > 0.5)[changed], coarse[changed])
    assert not (changed & ~specks(soft > 0.5)).any()


@given(masks, st.data())
def test_a_part_is_as_in_the_whole(coarse, data):
    height, width = coarse.shape
    soft = np.random.default_rng(height * width).random(coarse.shape, np.float32)
    answer = _cleared(soft, coarse)
    top, left = data.draw(st.integers(0, height - 1)), data.draw(st.integers(0, width - 1))
    bottom = data.draw(st.integers(top + 1, height))
    box = Box(top, left, bottom, data.draw(st.integers(left + 1, width)))
    assert np.array_equal(answer.read(box), whole(answer)[box.slices])


def test_coarse_levels_count_as_everywhere():
    soft = np.full((9, 9), 0.1, np.float32)
    soft[4, 4] = 0.9
    for level, stays in ((INSIDE, False), (INSIDE + 1, True)):
        coarse = Held(np.full((9, 9), level, np.uint8))
        assert (whole(Cleared(Known(soft), coarse))[4, 4] > 0.5) == stays
