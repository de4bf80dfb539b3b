"""Specks go, and nothing else."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from edgewise.passes.answers import Known, whole
from edgewise.passes.planes import INSIDE, Held
from edgewise.passes.specks import Cleared, specks
from edgewise.passes.view import Box

masks = arrays(np.bool_, st.tuples(st.integers(1, 30), st.integers(1, 30)))


@given(arrays(np.bool_, st.tuples(st.integers(1, 12), st.integers(1, 12))))
def test_specks_are_what_lies_in_a_window_with_a_ring_of_the_other_side(mask):
    height, width = mask.shape
    expected = np.zeros_like(mask)
    for row in range(height):
        for column in range(width):
            own = np.s_[max(0, row - 1) : row + 2, max(0, column - 1) : column + 2]
            wide = np.s_[max(0, row - 2) : row + 3, max(0, column - 2) : column + 3]
            around = mask.copy()
            for side in (True, False):
                around[own] = not side  # what lies inside does not count
                if (around[wide] != side).all():
                    expected[own] |= mask[own] == side
    assert np.array_equal(specks(mask), expected)


def test_a_piece_is_a_speck_up_to_three_pixels_wide_and_high():
    mask = np.zeros((20, 40), np.bool_)
    mask[5:8, 5:8] = mask[5, 15] = mask[12, 30:33] = True
    small = mask.copy()
    mask[5:8, 20:24] = mask[12:16, 10] = True
    assert np.array_equal(specks(mask), small)
    assert np.array_equal(specks(~mask), small)


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
