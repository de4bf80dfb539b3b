"""Simulated coarse masks are like real ones: near the truth, seldom equal, of every kind."""

import numpy as np
import pytest

pytest.importorskip("torch", reason="training needs the extra edgewise[train]")

from edgewise.training import coarsen
from tests.fakes import disc, red_on_blue

TRUTH = disc((120, 140), (60, 70), 35) & ~disc((120, 140), (60, 60), 9)
PHOTO = red_on_blue(TRUTH)


def _made(seed):
    return coarsen.coarsen(TRUTH, PHOTO, np.random.default_rng(seed))


def test_the_seed_decides_the_mask():
    assert np.array_equal(_made(3), _made(3))


def test_masks_vary_and_stay_near_the_truth():
    overlaps = [coarsen.overlap(_made(seed), TRUTH) for seed in range(60)]
    assert min(overlaps) > 0.4
    assert np.mean(overlaps) < 0.95
    assert max(overlaps) == 1  # some are perfect: do no harm is learned too


@pytest.mark.parametrize("step", [step for _, step in coarsen.STEPS])
def test_each_step_gives_a_mask_of_the_truth_s_size(step):
    mask = step(TRUTH, np.random.default_rng(1))
    assert mask.shape == TRUTH.shape
    assert mask.dtype == bool


def test_filling_holes_fills_them():
    assert coarsen.fill_holes(TRUTH, np.random.default_rng(0))[60, 60]


def test_the_signed_distance_is_positive_inside():
    field = coarsen.signed_distance(TRUTH)
    assert np.array_equal(field > 0, TRUTH)


@pytest.mark.parametrize("value", [False, True])
def test_a_mask_without_edge_is_far_from_it_everywhere(value):
    field = coarsen.signed_distance(np.full((10, 12), value))
    assert (np.abs(field) == 22).all()


def test_a_soft_prior_follows_the_mask():
    soft = coarsen.soften(TRUTH, np.random.default_rng(0))
    assert soft.min() >= 0
    assert soft.max() <= 1
    assert coarsen.overlap(soft > 0.5, TRUTH) > 0.7
