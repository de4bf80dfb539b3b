"""Tiles show all the work, well inside, and are few."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from edgewise.passes.tiles import AROUND, GRAIN, cover, ramp, tiles_over

work_maps = arrays(np.bool_, st.tuples(st.integers(1, 25), st.integers(1, 25)))


@given(work_maps, st.integers(1, 6), st.integers(1, 6))
def test_windows_hold_all_work_and_are_no_larger_than_asked(work, height, width):
    held = np.zeros_like(work)
    for box in cover(work, height, width):
        assert box.height <= height
        assert box.width <= width
        held[box.slices] = True
    assert not (work & ~held).any()


def test_a_line_takes_no_more_windows_than_it_needs():
    work = np.zeros((20, 20), np.bool_)
    work[3, :] = True
    assert len(cover(work, 5, 5)) == 4


def test_a_window_reaches_back_for_what_lies_left_below():
    work = np.zeros((6, 6), np.bool_)
    work[0, 4] = work[2, 2] = True
    assert len(cover(work, 3, 3)) == 1


@given(
    work_maps,
    st.integers(0, 15),
    st.integers(0, 15),
    st.sampled_from([(64, 16, 64), (96, 32, 32), (256, 16, 64), (256, 96, 64)]),
)
def test_every_work_pixel_lies_well_inside_a_tile(work, less_high, less_wide, sizes):
    tile, overlap, stride = sizes
    shape = work.shape[0] * GRAIN - less_high, work.shape[1] * GRAIN - less_wide
    tiles = tiles_over(work, shape, tile, overlap, stride)
    seen = np.zeros(shape, np.bool_)
    for box in tiles:
        assert max(box.height, box.width) <= tile
        assert box.height % stride == box.width % stride == 0
        ends = zip((box.top, box.left), (box.bottom, box.right), shape, strict=True)
        inner = [
            slice(
                first + overlap // 2 if first > 0 else 0,
                end - overlap // 2 if end < length else length,
            )
            for first, end, length in ends
        ]
        seen[tuple(inner)] = True
    pixels = np.repeat(np.repeat(work, GRAIN, 0), GRAIN, 1)[: shape[0], : shape[1]]
    assert not (pixels & ~seen).any()


@given(st.integers(64, 300), st.integers(64, 300))
def test_tiles_stay_inside_a_picture_that_is_larger(height, width):
    work = np.ones((-(-height // GRAIN), -(-width // GRAIN)), np.bool_)
    for box in tiles_over(work, (height, width), 64, 16, 64):
        assert box.within((height, width)) == box


def test_a_smaller_picture_lies_in_the_middle_of_its_tile():
    (box,) = tiles_over(np.ones((2, 3), np.bool_), (24, 44), 64, 16, 64)
    assert (box.top, box.left) == (-20, -10)


def test_no_work_needs_no_tiles():
    assert tiles_over(np.zeros((5, 5), np.bool_), (80, 80), 64, 16, 64) == []


def test_little_work_needs_little_of_a_tile_with_room_around_it():
    work = np.zeros((40, 40), np.bool_)
    work[10:22, 20:22] = True  # 192 x 32 pixels
    (box,) = tiles_over(work, (640, 640), 256, 16, 64)
    assert (box.height, box.width) == (256, 64)
    assert (box.top, box.left) == (10 * GRAIN - 32, 20 * GRAIN - AROUND)


@pytest.mark.parametrize(
    ("height", "width", "overlap"), [(64, 64, 16), (256, 128, 32), (64, 96, 0)]
)
def test_the_ramp_is_symmetric_and_never_zero(height, width, overlap):
    weight = ramp(height, width, overlap)
    assert weight.shape == (height, width)
    assert np.array_equal(weight, weight[::-1, ::-1])
    assert np.array_equal(weight, ramp(width, height, overlap).T)
    assert weight.min() > 0
    assert weight.max() == 1
