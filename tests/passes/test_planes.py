"""Planes give the same pixels by region as whole."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgewise.passes.planes import (
    Held,
    Level,
    Pyramid,
    Twice,
    Window,
    any_inside,
    halved,
    reduced,
    strips,
)
from edgewise.passes.view import Box

PHOTO = np.random.default_rng(3).integers(0, 256, (83, 117, 3), dtype=np.uint8)


@given(st.integers(0, 4), st.data())
def test_a_level_read_by_region_is_the_whole_level(power, data):
    level = Level(Held(PHOTO), power)
    whole = reduced(PHOTO, 1 << power)
    assert whole.shape[:2] == level.shape == halved(PHOTO.shape[:2], power)
    top = data.draw(st.integers(0, level.shape[0] - 1))
    left = data.draw(st.integers(0, level.shape[1] - 1))
    box = Box(top, left, data.draw(st.integers(top + 1, level.shape[0])), level.shape[1])
    assert np.array_equal(level.read(box), whole[box.slices])


@given(st.data())
def test_a_photo_doubled_by_region_is_the_whole_doubled(data):
    twice = Twice(Held(PHOTO))
    expected = cv2.resize(PHOTO, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC)
    assert twice.shape == expected.shape[:2]
    top = data.draw(st.integers(0, twice.shape[0] - 1))
    left = data.draw(st.integers(0, twice.shape[1] - 1))
    box = Box(top, left, data.draw(st.integers(top + 1, twice.shape[0])), twice.shape[1])
    assert np.abs(twice.read(box).astype(int) - expected[box.slices]).max() <= 1


def test_a_mask_doubled_stays_black_and_white():
    mask = np.zeros((9, 8), np.uint8)
    mask[2:6, 3:7] = 255
    level = Pyramid(Held(mask)).level(-1)
    doubled = level.read(Box(0, 0, *level.shape))
    assert np.array_equal(doubled, np.repeat(np.repeat(mask, 2, 0), 2, 1))


def test_reading_outside_repeats_the_rim():
    padded = np.pad(PHOTO, ((3, 5), (2, 4), (0, 0)), mode="edge")
    box = Box(-3, -2, PHOTO.shape[0] + 5, PHOTO.shape[1] + 4)
    assert np.array_equal(Level(Held(PHOTO)).read(box), padded)


def test_a_window_is_a_part():
    window = Window(Held(PHOTO), Box(10, 20, 50, 80))
    assert window.shape == (40, 60)
    assert np.array_equal(window.read(Box(1, 2, 5, 9)), PHOTO[11:15, 22:29])


def test_squares_are_averaged():
    grey = np.array([[0, 100, 7], [100, 200, 7]], np.uint8)
    assert reduced(grey, 2).tolist() == [[100, 7]]
    assert reduced(grey, 1) is grey


@pytest.mark.parametrize("power", range(5))
def test_held_levels_have_the_sizes_of_levels(power):
    pyramid = Pyramid(Held(PHOTO))
    assert pyramid.whole(power).shape[:2] == pyramid.level(power).shape
    assert abs(float(pyramid.whole(power).mean()) - float(PHOTO.mean())) < 3


@given(st.integers(0, 82), st.integers(0, 116), st.integers(0, 4))
def test_one_pixel_of_the_object_is_seen_at_any_size(row, column, power):
    mask = np.zeros((83, 117), np.uint8)
    mask[row, column] = 128
    found = any_inside(Held(mask), power)
    assert np.argwhere(found).tolist() == [[row >> power, column >> power]]


def test_strips_cover_every_row_once():
    ends = [(box.top, box.bottom) for box in strips((300, 10), 1500)]
    assert ends == [(0, 128), (128, 256), (256, 300)]
