"""Answers read by region are the whole answer's regions."""

import cv2
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from edgewise.passes.answers import Decided, Doubled, Halved, Known, Refined, whole
from edgewise.passes.view import Box

RANDOM = np.random.default_rng(5)
SOFT = RANDOM.random((90, 131), np.float32)


def _box(draw, shape, beyond=0):
    top = draw(st.integers(-beyond, shape[0] - 2))
    left = draw(st.integers(-beyond, shape[1] - 2))
    bottom = draw(st.integers(max(top, 0) + 1, shape[0] + beyond))
    return Box(top, left, bottom, draw(st.integers(max(left, 0) + 1, shape[1] + beyond)))


@given(st.data())
def test_outside_the_rim_repeats(data):
    box = _box(data.draw, SOFT.shape, 9)
    padded = np.pad(SOFT, 9, mode="edge")
    assert np.array_equal(Known(SOFT).read(box), padded[box.moved(9, 9).slices])


def test_bytes_are_one_mask_cut_above_127_or_above_128():
    soft = np.linspace(0.48, 0.52, 90 * 131, dtype=np.float32).reshape(90, 131)
    found = whole(Decided(Known(soft)))
    levels = np.rint(found * 255)
    assert np.array_equal(levels > 127, soft > 0.5)
    assert np.array_equal(levels > 128, soft > 0.5)
    assert np.abs(found - soft).max() < 0.006


@given(st.data())
def test_doubling_by_region_is_doubling_the_whole(data):
    doubled = Doubled(Known(SOFT), (180, 261))
    expected = cv2.resize(SOFT, (262, 180), interpolation=cv2.INTER_LINEAR)[:, :261]
    box = _box(data.draw, doubled.shape)
    assert np.allclose(doubled.read(box), expected[box.slices], atol=1e-6)


@given(st.data())
def test_halving_by_region_is_halving_the_whole(data):
    halved = Halved(Known(SOFT[:, :130]))
    expected = SOFT[:, :130].reshape(45, 2, 65, 2).mean((1, 3))
    assert halved.shape == expected.shape
    box = _box(data.draw, halved.shape, 5)
    padded = np.pad(expected, 5, mode="edge")
    assert np.allclose(halved.read(box), padded[box.moved(5, 5).slices], atol=1e-6)


def test_parts_that_overlap_are_weighed():
    refined = Refined(Known(np.zeros((100, 100), np.float32)))
    changed = np.ones((80, 80), np.bool_)
    refined.add(
        Box(0, 0, 80, 80), np.full((80, 80), 0.4, np.float32), changed * np.float32(1), changed
    )
    refined.add(
        Box(40, 0, 120, 80), np.full((80, 80), 0.8, np.float32), changed * np.float32(3), changed
    )
    refined.finish()
    soft = whole(refined)
    assert np.allclose(soft[:40, :80], 0.4)
    assert np.allclose(soft[40:80, :80], 0.7)
    assert np.allclose(soft[80:, :80], 0.8)
    assert (soft[:, 80:] == 0).all()


def test_what_was_not_changed_stays_the_base_s():
    base = Known(SOFT)
    refined = Refined(base)
    changed = np.zeros((64, 64), np.bool_)
    refined.add(
        Box(0, 0, 64, 64), np.ones((64, 64), np.float32), np.ones((64, 64), np.float32), changed
    )
    refined.finish()
    assert np.array_equal(whole(refined), SOFT)


@given(st.data())
def test_a_refined_answer_read_by_region_is_the_whole_s(data):
    refined = Refined(Known(SOFT))
    for top, left in ((-10, 20), (30, 70)):
        part = RANDOM.random((64, 64), np.float32)
        refined.add(Box(top, left, top + 64, left + 64), part, np.ones_like(part), part > 0.01)
    refined.finish()
    box = _box(data.draw, SOFT.shape)
    assert np.array_equal(refined.read(box), whole(refined)[box.slices])
