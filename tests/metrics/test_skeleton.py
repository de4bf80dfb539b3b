"""Skeletons against scikit-image's, and their properties."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from mask_pairs import drawn_object, pairs
from reference_pairs import REFERENCE

from edgewise.metrics.skeleton import skeleton


@pytest.mark.parametrize("pair", REFERENCE, ids=str)
def test_equals_that_of_scikit_image(pair):
    np.testing.assert_array_equal(skeleton(pair.truth), pair.skeleton)


@given(pairs())
def test_lies_in_the_mask_and_is_its_own_skeleton(pair):
    for mask in pair:
        thin = skeleton(mask)
        assert not (thin & ~mask).any()
        np.testing.assert_array_equal(skeleton(thin), thin)


@pytest.mark.parametrize("seed", range(8))
def test_keeps_parts_and_holes(seed):
    mask = drawn_object(np.random.default_rng(seed), 120, 150)
    for inside in (mask, skeleton(mask)):
        parts = cv2.connectedComponents(inside.view(np.uint8), connectivity=8)[0]
        holes = cv2.connectedComponents((~np.pad(inside, 1)).view(np.uint8), connectivity=4)[0]
        if inside is mask:
            expected = parts, holes
    assert (parts, holes) == expected


def test_of_nothing_is_nothing():
    assert not skeleton(np.zeros((5, 6), bool)).any()
    assert skeleton(np.zeros((0, 0), bool)).shape == (0, 0)
