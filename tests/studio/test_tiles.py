"""Tiles put together are the picture at each level; the cache keeps within its bytes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgewise.studio import tiles
from edgewise.studio.limits import RefusedError
from edgewise.studio.tiles import TileCache, jpeg, level_count, png, tile
from tests.studio.serving import decoded


@pytest.fixture
def small_tiles(monkeypatch):
    monkeypatch.setattr(tiles, "SIDE", 16)


def joined(image, level):
    span = 16 << level
    rows = range(-(-image.shape[0] // span))
    columns = range(-(-image.shape[1] // span))
    return np.vstack([np.hstack([tile(image, level, c, r) for c in columns]) for r in rows])


@pytest.mark.parametrize("shape", [(64, 48), (50, 67), (1, 100), (33, 16)])
@pytest.mark.parametrize("channels", [(), (3,)])
def test_tiles_of_a_level_are_means_over_squares(small_tiles, shape, channels):
    image = np.random.default_rng(0).integers(0, 256, (*shape, *channels), np.uint8)
    for level in range(level_count(shape)):
        factor = 1 << level
        pads = [(0, -side % factor) for side in shape] + [(0, 0)] * len(channels)
        full = np.pad(image, pads, mode="edge").astype(float)
        size = (full.shape[0] // factor, factor, full.shape[1] // factor, factor, *channels)
        means = full.reshape(size).mean(axis=(1, 3))
        found = joined(image, level)
        assert found.shape == means.shape
        assert np.abs(found - means).max() <= 0.5 + 1e-9


def test_the_last_level_is_one_tile_and_the_one_before_is_not():
    for side, levels in ((1, 1), (512, 1), (513, 2), (1024, 2), (1025, 3), (5200, 5)):
        assert level_count((side, 7)) == level_count((7, side)) == levels


@pytest.mark.parametrize("where", [(-1, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1), (40, 0, 0)])
def test_there_is_no_tile_outside_of_the_photo(where):
    with pytest.raises(RefusedError) as caught:
        tile(np.zeros((20, 30), np.uint8), *where)
    assert caught.value.status == 404


def test_masks_are_coded_without_loss_and_photos_nearly():
    image = np.random.default_rng(1).integers(0, 256, (40, 30), np.uint8)
    np.testing.assert_array_equal(decoded(png(image)), image)
    rows, columns = np.mgrid[:40, :30]
    photo = np.stack([rows * 5, columns * 7, 255 - rows * 3], axis=2).astype(np.uint8)
    assert np.abs(decoded(jpeg(photo)).astype(int) - photo).mean() < 2


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(1, 40)), max_size=40))
def test_the_cache_holds_no_more_than_it_may(asked):
    cache = TileCache(100)
    sizes = {}
    for key, asked_size in asked:
        size = sizes.setdefault(key, asked_size)
        assert cache.get(key, lambda size=size: b"x" * size) == b"x" * size
        assert cache.held <= 100


def test_the_cache_makes_a_tile_once_and_lets_the_oldest_go():
    cache, made = TileCache(30), []

    def get(key):
        return cache.get(key, lambda: made.append(key) or b"x" * 10)

    for key in "abcabcadab":
        get(key)
    assert made == ["a", "b", "c", "d", "b"]  # d drove b out, a was used just before
