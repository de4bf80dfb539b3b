"""The summary: means, pooled scores and counts, checked by hand."""

import math

import pytest

from edgewise.evaluation import summarise
from edgewise.evaluation.rows import FAST
from tests.evaluation.rows import row


@pytest.fixture
def overview():
    return summarise(
        [
            row("a", 0.5, 0.7, union=100, mba=0.5, seconds=1.0),
            row("b", 0.6, 0.6, union=300, seconds=3.0),
            row("c", 0.8, 0.7, set_="two", mba=0.9, seconds=9.0),
            row("d", None, 0.5, set_="two", mba=0.7, seconds=None),
        ]
    )


def test_each_set_has_its_scores_before_and_after(overview):
    one, two = overview.sets
    assert (one.name, one.pairs) == ("one", 2)
    assert one.before["iou_per_image"] == pytest.approx(0.55)
    assert one.before["iou"] == pytest.approx((50 + 180) / 400)
    assert one.after["iou"] == pytest.approx((70 + 180) / 400)
    assert two.after["iou_per_image"] == pytest.approx(0.6)


def test_a_gain_is_over_the_pairs_that_have_a_mask_before(overview):
    two = overview.sets[1]
    assert two.gain.pairs == 1
    assert two.gain.scores["iou_per_image"].value == pytest.approx(-0.1)
    assert two.gain.harmed == 1


def test_undefined_values_are_counted(overview):
    assert overview.sets[0].undefined["mba"] == 1
    assert overview.sets[0].after["mba"] == 0.5
    assert overview.all_pairs.undefined["mba"] == 1
    assert overview.all_pairs.undefined["iou"] == 0


def test_the_mean_over_sets_counts_each_set_once(overview):
    mean = overview.mean_over_sets
    assert mean.after["iou_per_image"] == pytest.approx((0.65 + 0.6) / 2)
    assert mean.gain.scores["iou_per_image"].value == pytest.approx((0.1 - 0.1) / 2)
    assert mean.pairs == 4


def test_seconds_are_of_the_pairs_that_were_refined(overview):
    assert overview.all_pairs.seconds == pytest.approx(13 / 3)
    assert overview.all_pairs.seconds_median == 3
    assert overview.sets[1].seconds == 9


def test_a_run_without_masks_before_has_no_gain():
    overview = summarise([row("a", None, 0.7), row("b", None, 0.9)])
    assert overview.sets[0].gain.name == "one"
    assert overview.sets[0].gain.pairs == 0
    assert math.isnan(overview.mean_over_sets.gain.scores["iou"].value)
    assert overview.mean_over_sets.after["iou_per_image"] == pytest.approx(0.8)


def test_fast_scores_are_all_there_is(overview):
    names = list(summarise([row("a", 0.5, 0.7, mba=0.5)], FAST).all_pairs.after)
    assert names == [
        "iou_per_image",
        "iou",
        "accuracy",
        "mba",
        "boundary_iou",
        "boundary_iou_fine",
    ]


def test_json_values_are_null_where_undefined(overview):
    values = overview.to_dict()
    assert values["sets"][0]["after"]["hd95"] is None
    assert values["all_pairs"]["gain"]["scores"]["iou_per_image"]["value"] == pytest.approx(0.1 / 3)
    assert values["mean_over_sets"]["name"] == "mean over sets"
