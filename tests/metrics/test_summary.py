"""Summaries of parts add up to that of the whole."""

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mask_pairs import drawn_pair, pairs

from edgewise.errors import InputError
from edgewise.metrics import PairScore, Summary, score

SCORES = st.lists(
    st.builds(lambda pair, effort: score(*pair, effort=effort), pairs(largest=20), st.booleans()),
    max_size=6,
)


def assert_same(found, expected):
    """Counts to the last pixel, means to rounding."""
    assert (found.pairs, found.overlap, found.agreement) == (
        expected.pairs,
        expected.overlap,
        expected.agreement,
    )
    assert found.undefined == expected.undefined
    assert found.scores == pytest.approx(expected.scores, rel=1e-12, nan_ok=True)


@settings(max_examples=40)
@given(SCORES, SCORES, SCORES)
def test_parts_merge_to_the_whole_in_any_order_and_grouping(first, second, third):
    whole = Summary.of([*first, *second, *third])
    a, b, c = map(Summary.of, (first, second, third))
    assert_same((a + b) + c, whole)
    assert_same(c + (b + a), whole)


@settings(max_examples=40)
@given(SCORES)
def test_parts_merge_through_json_lines(scores):
    lines = [json.dumps(pair.to_dict(), allow_nan=False) for pair in scores]
    restored = Summary.of(PairScore.from_dict(json.loads(line)) for line in lines)
    assert_same(restored, Summary.of(scores))
    statistics = json.dumps(Summary.of(scores).to_dict(), allow_nan=False)
    assert Summary.from_dict(json.loads(statistics)) == Summary.of(scores)


def test_iou_is_pooled_as_published_and_the_mean_is_named_apart():
    truth = np.zeros((10, 10), bool)
    truth[:, :8] = True
    small = np.zeros((10, 10), bool)
    small[0, 0] = True
    summary = Summary.of([score(truth, truth), score(~small, small)])
    assert summary.scores["iou"] == 80 / 180
    assert summary.scores["iou_per_image"] == 0.5


def test_undefined_values_leave_the_mean_and_are_counted():
    mask, truth = drawn_pair(1, 60, 80)
    empty = np.zeros_like(truth)
    summary = Summary.of([score(mask, truth), score(empty, empty), score(mask, empty)])
    assert summary.undefined["mba"] == 2
    assert summary.scores["mba"] == score(mask, truth).mba
    assert summary.undefined["hd95"] == summary.undefined["iou"] == 1
    assert summary.undefined["accuracy"] == 0


def test_a_summary_of_nothing_has_no_scores():
    nothing = Summary.of([])
    assert nothing.pairs == 0
    assert math.isnan(nothing.scores["iou"])
    assert nothing.scores.keys() == nothing.undefined.keys()


@pytest.mark.parametrize("bad", [{}, {"pairs": 1}, {"pairs": 1, "overlap": 3}])
def test_other_json_is_refused(bad):
    with pytest.raises(InputError, match="not the statistics"):
        Summary.from_dict(bad)
