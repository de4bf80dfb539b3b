"""Differences: values checked by hand, intervals by what they should cover."""

import math

import numpy as np
import pytest

from edgewise.evaluation.differences import Match, differences
from tests.evaluation.rows import pair_score


def match(id_, first, second, *, set_="one", union=100, **values):
    mine = pair_score(first, union=union, **values)
    return Match(set_, id_, mine, pair_score(second, union=union, **values))


def many(count, step, *, noise=0.05, seed=1, set_="one"):
    random = np.random.default_rng(seed)
    return [
        match(f"{at}", 0.5, 0.5 + step + noise * random.standard_normal(), set_=set_)
        for at in range(count)
    ]


def test_a_mean_is_over_pairs_and_pooled_is_over_pixels():
    found = differences([match("a", 0.5, 0.6, union=100), match("b", 0.5, 0.9, union=300)])
    scores = found.all_pairs.scores
    assert scores["iou_per_image"].value == pytest.approx(0.25)
    assert scores["iou"].value == pytest.approx((60 + 270) / 400 - 0.5)


def test_a_pair_without_a_value_on_one_side_leaves_the_mean():
    found = differences([match("a", 0.5, 0.6), match("b", math.nan, 0.9)])
    assert found.all_pairs.scores["iou_per_image"].value == pytest.approx(0.1)
    assert math.isnan(found.all_pairs.scores["mba"].value)


def test_the_mean_over_sets_counts_each_set_once():
    found = differences(
        [
            match("a", 0.5, 0.6),
            match("b", 0.5, 0.6),
            match("c", 0.5, 0.6),
            match("d", 0.5, 0.9, set_="two"),
        ]
    )
    assert [one.name for one in found.sets] == ["one", "two"]
    assert found.mean_over_sets.scores["iou_per_image"].value == pytest.approx(0.25)
    assert found.all_pairs.scores["iou_per_image"].value == pytest.approx(0.175)


def test_harm_is_a_fall_by_more_than_a_fifth_of_a_point():
    steps = [-0.0019, -0.0021, 0.0019, 0.0021]
    found = differences([match(str(step), 0.5, 0.5 + step) for step in steps]).all_pairs
    assert (found.harmed, found.improved) == (0.25, 0.25)


def test_pairs_of_which_nothing_is_known_are_no_difference():
    nothing = differences([]).all_pairs
    assert nothing.pairs == 0
    assert math.isnan(nothing.harmed)
    assert all(math.isnan(one.value) for one in nothing.scores.values())


def test_an_interval_agrees_with_the_normal_approximation():
    matches = many(200, 0.1)
    estimate = differences(matches).all_pairs.scores["iou_per_image"]
    steps = [one.second.iou - one.first.iou for one in matches]
    half = 1.96 * np.std(steps) / math.sqrt(len(steps))
    assert estimate.low == pytest.approx(estimate.value - half, abs=half / 5)
    assert estimate.high == pytest.approx(estimate.value + half, abs=half / 5)


def test_masks_of_one_photo_are_not_taken_for_independent():
    apart = many(40, 0.1)
    together = [one for one in apart for _ in range(9)]
    first = differences(apart).all_pairs.scores["iou_per_image"]
    second = differences(together).all_pairs.scores["iou_per_image"]
    assert second.high - second.low == pytest.approx(first.high - first.low, rel=1e-9)


def test_the_mean_over_equal_sets_is_surer_than_each_of_them():
    matches = [*many(50, 0.1, seed=1, set_="one"), *many(50, 0.1, seed=2, set_="two")]
    found = differences(matches)
    widths = [
        one.scores["iou_per_image"].high - one.scores["iou_per_image"].low
        for one in (*found.sets, found.mean_over_sets)
    ]
    assert widths[2] == pytest.approx(math.hypot(widths[0], widths[1]) / 2, rel=0.15)


def test_the_same_input_gives_the_same_interval():
    first, second = (repr(differences(many(30, 0.1))) for _ in range(2))
    assert first == second


@pytest.mark.parametrize(("photos", "known"), [(1, False), (4, False), (5, True)])
def test_few_photos_have_no_interval(photos, known):
    matches = [match(str(at % photos), 0.5, 0.6 + at / 100) for at in range(2 * photos)]
    estimate = differences(matches).all_pairs.scores["iou_per_image"]
    assert not math.isnan(estimate.value)
    assert math.isnan(estimate.low) is not known
    assert math.isnan(estimate.high) is not known


def test_sets_of_two_photos_widen_the_mean_over_sets_as_they_should():
    """The variance of the mean of two photos is half of s squared, with n - 1 in s."""
    random = np.random.default_rng(5)
    steps = 0.05 * random.standard_normal((60, 2))
    matches = [
        match(str(photo), 0.5, 0.5 + step, set_=f"{at:02}")
        for at, pair in enumerate(steps)
        for photo, step in enumerate(pair)
    ]
    estimate = differences(matches).mean_over_sets.scores["iou_per_image"]
    half = 1.96 * math.sqrt((steps.var(axis=1, ddof=1) / 2).sum()) / len(steps)
    assert estimate.high - estimate.low == pytest.approx(2 * half, rel=0.1)


def test_a_set_of_one_photo_leaves_the_mean_over_sets_without_an_interval():
    found = differences([*many(20, 0.1), match("x", 0.5, 0.6, set_="two")])
    assert math.isnan(found.mean_over_sets.scores["iou_per_image"].low)
    assert not math.isnan(found.all_pairs.scores["iou_per_image"].low)


def test_photos_that_do_not_define_a_score_are_no_evidence_for_it():
    """As mBA of empty truths: one photo that has it would have an interval of no width."""
    undefined = [match(str(at), 0.5, 0.6 + at / 50) for at in range(6)]
    first, second = pair_score(0.5, mba=0.5), pair_score(0.7, mba=0.6)
    found = differences([*undefined, Match("one", "last", first, second)]).all_pairs.scores
    assert found["iou_per_image"].low < found["iou_per_image"].high
    assert found["mba"].value == pytest.approx(0.1)
    assert math.isnan(found["mba"].low)


def test_many_photos_are_drawn_in_bounded_memory():
    matches = many(5000, 0.1)
    estimate = differences(matches).all_pairs.scores["iou_per_image"]
    assert estimate.low < 0.1 < estimate.high
    assert estimate.high - estimate.low < 0.005
