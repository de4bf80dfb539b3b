"""Statistics add up."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgewise.metrics import Mean, Share

VALUES = st.lists(st.floats(0, 1e4) | st.just(math.nan), max_size=12)


@given(VALUES, VALUES)
def test_means_of_parts_make_the_mean_of_the_whole(some, others):
    parts = [sum(map(Mean.of, values), Mean()) for values in (some, others)]
    merged, whole = parts[0] + parts[1], sum(map(Mean.of, some + others), Mean())
    defined = [value for value in some + others if not math.isnan(value)]
    expected = math.fsum(defined) / len(defined) if defined else math.nan
    assert merged.score == pytest.approx(expected, rel=1e-12, nan_ok=True)
    assert merged.score == pytest.approx(whole.score, rel=1e-12, nan_ok=True)
    assert merged.undefined == whole.undefined == len(some + others) - len(defined)


def test_a_share_pools_pixels_not_values():
    assert (Share(1, 2) + Share(0, 6)).score == 1 / 8
    assert math.isnan(Share().score)
