"""Perturbed masks are near the truth, differ from it, and are decided by the generator."""

import numpy as np
import pytest

from edgewise.reference import perturb
from tests.fakes import disc

TRUTH = disc((120, 140), (60, 70), 40).astype(np.uint8) * 255


def generator(seed=0):
    return np.random.default_rng(seed)


def test_the_generator_decides_the_mask():
    one, other = (perturb.perturb(TRUTH, generator(4)) for _ in range(2))
    assert np.array_equal(one, other)
    assert not np.array_equal(one, perturb.perturb(TRUTH, generator(5)))


def test_masks_are_two_levels_and_near_the_truth():
    masks = [perturb.perturb(TRUTH, generator(seed)) for seed in range(20)]
    assert all(set(np.unique(mask)) <= {0, 255} for mask in masks)
    overlaps = [perturb.overlap(mask, TRUTH) for mask in masks]
    assert min(overlaps) > 0.5
    assert 0.7 < np.mean(overlaps) < 0.97


def test_edits_stop_just_below_the_target():
    mask = perturb.edited(TRUTH, 0.85, generator())
    assert perturb.overlap(mask, TRUTH) < 0.85
    assert perturb.overlap(perturb.edited(TRUTH, 0.999, generator()), TRUTH) > 0.85


def test_a_thinned_contour_keeps_a_tenth_of_its_points_in_their_order():
    turns = np.linspace(0, 2 * np.pi, 200, endpoint=False)
    circle = np.stack([np.cos(turns), np.sin(turns)], 1) * 1000
    contour = circle.round().astype(np.int32)[:, None]
    kept = perturb._fewer(contour, generator())
    assert kept.shape == (18, 1, 2)  # a tenth of what is left of 200 without a tenth
    places = [int(np.flatnonzero((contour == point).all((1, 2)))[0]) for point in kept]
    assert places == sorted(places)


@pytest.mark.parametrize("level", [0, 255])
def test_a_crop_without_contour_is_taken(level):
    mask = perturb.perturb(np.full((40, 40), level, np.uint8), generator())
    assert mask.shape == (40, 40)


def test_small_objects_stay_as_they_are_before_the_edits():
    dot = np.zeros((30, 30), np.uint8)
    dot[10:12, 10:12] = 255
    assert np.array_equal(perturb.thinned(dot, generator()), dot)


def test_a_strip_too_thin_to_edit_comes_back():
    strip = np.full((2, 30), 255, np.uint8)
    assert np.array_equal(perturb.edited(strip, 0.5, generator()), strip)


def test_two_empty_masks_agree():
    empty = np.zeros((5, 5), np.uint8)
    assert perturb.overlap(empty, empty) == 1
