"""Surface distances against every pair of surface pixels."""

import math

import numpy as np
import pytest
from hypothesis import given
from mask_pairs import drawn_pair, pairs, pairwise, points
from reference_pairs import REFERENCE

from edgewise.errors import InputError
from edgewise.metrics import SurfaceDistances, assd, hausdorff, hd95


def surface(mask):
    """Mask pixels with background, or the outside, over one of their edges."""
    padded = np.pad(mask, 1)
    inner = padded[:-2, 1:-1] & padded[2:, 1:-1] & padded[1:-1, :-2] & padded[1:-1, 2:]
    return points(mask & ~inner)


def published(mask, truth):
    """Hausdorff distance, HD95 and ASSD; the diagonal for a missed object."""
    some, others = surface(mask), surface(truth)
    if not len(some) or not len(others):
        missed = math.hypot(*mask.shape) if len(some) + len(others) else math.nan
        return [missed] * 3
    distances = pairwise(some, others)
    forth, back = distances.min(axis=1), distances.min(axis=0)
    return [
        max(forth.max(), back.max()),
        max(np.percentile(forth, 95), np.percentile(back, 95)),
        (forth.sum() + back.sum()) / (forth.size + back.size),
    ]


@given(pairs(largest=40))
def test_equal_the_distances_between_all_surface_pixels(pair):
    found = [metric(*pair) for metric in (hausdorff, hd95, assd)]
    np.testing.assert_allclose(found, published(*pair), rtol=1e-12)


@pytest.mark.parametrize("seed", range(6))
def test_equal_the_distances_on_larger_pictures(seed):
    pair = drawn_pair(seed, 211, 302)
    found = [metric(*pair) for metric in (hausdorff, hd95, assd)]
    np.testing.assert_allclose(found, published(*pair), rtol=1e-12)


@pytest.mark.parametrize("metric", [hausdorff, hd95, assd])
@pytest.mark.parametrize("pair", [p for p in REFERENCE if p.surfaces["hd95"] is not None], ids=str)
def test_all_equal_monai_s_in_its_single_precision(pair, metric):
    expected = pair.surfaces[metric.__name__]
    assert metric(pair.mask, pair.truth) == pytest.approx(expected, abs=2e-5)


@given(pairs(largest=30))
def test_all_are_symmetric(pair):
    for metric in (hausdorff, hd95, assd):
        np.testing.assert_equal(metric(*pair), metric(*pair[::-1]))


@pytest.mark.parametrize("metric", [hausdorff, hd95, assd])
def test_a_missed_or_made_up_object_counts_as_the_diagonal(metric):
    empty, object_ = np.zeros((30, 40), bool), np.pad(np.ones((2, 2), bool), ((0, 28), (0, 38)))
    assert metric(empty, object_) == metric(object_, empty) == 50


@pytest.mark.parametrize("metric", [hausdorff, hd95, assd])
def test_two_empty_masks_have_no_distance(metric):
    assert math.isnan(metric(np.zeros((3, 4), bool), np.zeros((3, 4), bool)))


def test_one_stray_pixel_moves_the_hausdorff_distance_but_not_hd95():
    truth = np.zeros((100, 200), bool)
    truth[30:70, 30:70] = True
    mask = truth.copy()
    mask[50, 190] = True
    assert hausdorff(mask, truth) == 121
    assert hd95(mask, truth) == 0


@pytest.mark.parametrize("bad", [-1, 101, math.nan])
def test_a_percentile_out_of_range_is_refused(bad):
    with pytest.raises(InputError, match="percentile"):
        SurfaceDistances.of(*drawn_pair(1, 30, 30)).percentile(bad)
