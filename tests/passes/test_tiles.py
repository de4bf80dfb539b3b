"""Tiles cover the image, symmetrically, and their blend has no seams."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from edgewise.passes.tiles import Blend, batches, cut, ramp, tile_grid, with_work
from edgewise.passes.view import Box

sides = st.integers(1, 300)


@given(sides, sides)
def test_the_tiles_own_parts_cover_the_image(height, width):
    covered = np.zeros((height, width), bool)
    for box in tile_grid((height, width), 64, 16):
        covered[max(0, box.top) : box.bottom, max(0, box.left) : box.right] = True
    assert covered.all()


@given(sides, sides)
def test_a_flipped_image_is_tiled_alike_to_a_pixel(height, width):
    boxes = tile_grid((height, width), 64, 16)
    own = sorted({box.left for box in boxes})
    flipped = sorted({width - box.right for box in boxes})
    assert all(abs(a - b) <= 1 for a, b in zip(own, flipped, strict=True))


@given(st.integers(0, 199), st.integers(0, 149))
def test_a_tile_is_kept_wherever_the_band_is(row, column):
    band = np.zeros((200, 150), bool)
    band[row, column] = True
    kept = with_work(tile_grid(band.shape, 64, 16), band, 16)
    assert kept
    assert all(b.top <= row < b.bottom and b.left <= column < b.right for b in kept)


def test_a_tile_outside_repeats_the_rim():
    image = np.arange(6, dtype=np.uint8).reshape(2, 3)
    assert cut(image, Box(-1, -1, 3, 2)).tolist() == [[0, 0, 1], [0, 0, 1], [3, 3, 4], [3, 3, 4]]


def test_a_tile_inside_is_the_image():
    image = np.arange(60, dtype=np.uint8).reshape(4, 5, 3)
    assert np.array_equal(cut(image, Box(1, 2, 3, 5)), image[1:3, 2:5])


@given(sides, sides, st.floats(0, 1))
def test_blending_tiles_of_one_value_gives_it_everywhere(height, width, value):
    blend = Blend((height, width), 64, 16)
    for box in tile_grid((height, width), 64, 16):
        blend.add(box, np.full((64, 64), value, np.float32))
    assert np.allclose(blend.over(np.full((height, width), -1, np.float32)), value, atol=1e-5)


def test_where_no_tile_was_added_the_base_stays():
    blend = Blend((10, 100), 8, 2)
    blend.add(Box(0, 0, 8, 8), np.ones((8, 8), np.float32))
    result = blend.over(np.full((10, 100), 0.25, np.float32))
    assert result[0, 0] == 1
    assert (result[:, 8:] == 0.25).all()


def test_the_ramp_is_symmetric_and_never_zero():
    weight = ramp(64, 16)
    assert np.array_equal(weight, weight[::-1])
    assert np.array_equal(weight, weight.T)
    assert weight.min() > 0
    assert weight.max() == 1


def test_batches_keep_order_and_size():
    assert list(batches([1, 2, 3, 4, 5], 2)) == [[1, 2], [3, 4], [5]]
