"""Human correction effort: cases counted by hand, and PySODMetrics."""

import numpy as np
import pytest
from hypothesis import given
from mask_pairs import pairs
from reference_pairs import REFERENCE

from edgewise.errors import InputError
from edgewise.metrics import hce


def square(size, *, rows, columns):
    mask = np.zeros((size, size), bool)
    mask[rows, columns] = True
    return mask


@pytest.mark.parametrize("pair", REFERENCE, ids=str)
def test_is_within_one_click_of_pysodmetrics(pair):
    """Versions of OpenCV's polygon approximation differ by a point now and then."""
    assert abs(hce(pair.mask, pair.truth) - pair.values["hce"]) <= 1


def test_equals_pysodmetrics_on_nearly_all_pairs():
    equal = [hce(pair.mask, pair.truth) == pair.values["hce"] for pair in REFERENCE]
    assert np.mean(equal) > 0.95


@given(pairs())
def test_a_perfect_mask_takes_no_click(pair):
    for mask in pair:
        assert hce(mask, mask) == 0


def test_a_made_up_region_takes_one_click():
    truth = square(100, rows=slice(10, 40), columns=slice(10, 40))
    mask = truth | square(100, rows=slice(60, 90), columns=slice(60, 90))
    assert hce(mask, truth) == 1


def test_a_thin_error_is_forgiven():
    truth = square(100, rows=slice(20, 80), columns=slice(20, 80))
    for mask in (
        square(100, rows=slice(20, 80), columns=slice(20, 84)),
        square(100, rows=slice(20, 80), columns=slice(20, 76)),
    ):
        assert hce(mask, truth) == 0
        assert hce(mask, truth, relax=0) > 0


def test_a_missing_half_takes_the_two_ends_of_the_cut_at_least():
    truth = square(100, rows=slice(20, 80), columns=slice(20, 80))
    mask = square(100, rows=slice(20, 80), columns=slice(20, 50))
    assert 2 <= hce(mask, truth) <= 8


def test_coarser_polygons_take_no_more_clicks():
    for pair in REFERENCE[:12]:
        clicks = [hce(pair.mask, pair.truth, epsilon=epsilon) for epsilon in (0.5, 2.0, 8.0)]
        assert clicks == sorted(clicks, reverse=True)


@pytest.mark.parametrize("bad", [{"relax": -1}, {"epsilon": -0.5}])
def test_negative_options_are_refused(bad):
    truth = np.ones((9, 9), bool)
    with pytest.raises(InputError, match="at least 0"):
        hce(truth, truth, **bad)
