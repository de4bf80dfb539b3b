"""Levels lose nothing that decides."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from edgewise.studio.levels import INSIDE, levels_of, soft_of


def test_levels_come_back_as_they_were():
    levels = np.arange(256, dtype=np.uint8)[None]
    np.testing.assert_array_equal(levels_of(soft_of(levels)), levels)


@given(st.floats(0, 1, width=32))
def test_what_is_inside_stays_inside_and_what_is_outside_outside(value):
    soft = np.array([[value]], np.float32)
    assert (levels_of(soft) > INSIDE) == (soft > 0.5)
    assert abs(int(levels_of(soft)[0, 0]) - value * 255) <= 0.5001


def test_a_half_is_outside_and_what_follows_it_inside():
    half = np.array([[0.5, np.nextafter(np.float32(0.5), np.float32(1))]], np.float32)
    assert (levels_of(half) > INSIDE).tolist() == [[False, True]]
