"""Distances from some pixels to others against every pair of pixels."""

import cv2
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from mask_pairs import drawn_pair, pairs, pairwise, points

from edgewise.metrics.distances import distances_to


def nearest(objects, wanted):
    if not objects.any():
        return np.full(np.count_nonzero(wanted), np.inf)
    return pairwise(points(wanted), points(objects)).min(axis=1)


@given(pairs(largest=40))
def test_equal_the_nearest_of_all(pair):
    objects, wanted = pair
    np.testing.assert_allclose(distances_to(objects, wanted), nearest(*pair), rtol=1e-12)


@settings(max_examples=40)
@example(seed=86988032, size=(2500, 90))  # distances beyond 2048
@given(st.integers(0, 2**32 - 1), st.sampled_from([(2500, 90), (90, 2500), (1300, 1400)]))
def test_equal_the_nearest_of_all_through_every_size_of_tile(seed, size):
    rng = np.random.default_rng(seed)
    objects, wanted = np.zeros(size, bool), np.zeros(size, bool)
    for mask, count in ((objects, rng.integers(1, 40)), (wanted, rng.integers(1, 200))):
        mask[rng.integers(0, size[0], count), rng.integers(0, size[1], count)] = True
    found, expected = distances_to(objects, wanted), nearest(objects, wanted)
    far = expected >= 2047.5
    np.testing.assert_allclose(found[~far], expected[~far], rtol=1e-12)
    np.testing.assert_allclose(found[far], expected[far], rtol=2e-7)


@pytest.mark.parametrize("gap", [15, 16, 17, 63, 64, 65, 255, 256, 257])
def test_equal_the_nearest_at_the_reach_of_a_tile(gap):
    objects, wanted = np.zeros((3, 700), bool), np.zeros((3, 700), bool)
    wanted[1, 64] = objects[1, 64 + gap] = objects[0, 64 + gap + 1] = True
    assert distances_to(objects, wanted).tolist() == [gap]


def test_one_thread_is_as_exact_as_many():
    objects = np.zeros((40, 2040), bool)
    objects[0, 0] = True
    threads = cv2.getNumThreads()
    try:
        cv2.setNumThreads(1)  # as in the processes of a batch and of an evaluation
        found = distances_to(objects, ~objects)
    finally:
        cv2.setNumThreads(threads)
    rows, columns = np.nonzero(~objects)
    assert np.array_equal(found, np.sqrt((rows**2 + columns**2).astype(float)))


def test_far_and_near_points_keep_the_order_of_nonzero():
    objects, wanted = drawn_pair(4, 500, 600)
    wanted &= np.random.default_rng(0).random(wanted.shape) < 0.001
    objects[:, 250:] = False
    objects[::7, 250] = True
    np.testing.assert_allclose(distances_to(objects, wanted), nearest(objects, wanted), rtol=1e-12)


def test_without_objects_all_is_infinitely_far():
    empty, full = np.zeros((3, 4), bool), np.ones((3, 4), bool)
    assert distances_to(empty, full).tolist() == [np.inf] * 12
    assert distances_to(full, empty).size == 0
