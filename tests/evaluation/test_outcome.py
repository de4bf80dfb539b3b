"""Engines are set side by side over what they scored, and nothing is where there is one."""

import math

import pytest

from edgewise.evaluation import Header, Outcome, Rival, summarise
from edgewise.evaluation.outcome import side_by_side
from tests.evaluation.rows import row


def finished(first, others, name="own"):
    rivals = [
        Rival(name=rival, header=Header(), overview=summarise(rows), rows=rows)
        for rival, rows in others.items()
    ]
    overview = summarise(first)
    return Outcome(name=name, header=Header(), overview=overview, rows=first, rivals=rivals)


def test_one_engine_alone_is_beside_nothing():
    assert side_by_side(finished([row("a", 0.5, 0.7)], {})) == {}


def test_coarse_masks_come_first_then_engines_in_order():
    first = [row("a", 0.5, 0.7), row("b", 0.6, 0.8)]
    groups = side_by_side(finished(first, {"z": [row("a", 0.5, 0.4)], "b": first}))
    assert list(groups) == ["all pairs"]
    coarse, own, worse, same = groups["all pairs"]
    assert [one.name for one in (coarse, own, worse, same)] == ["coarse", "own", "z", "b"]
    assert [one.pairs for one in (coarse, own, worse, same)] == [2, 2, 1, 2]
    assert coarse.scores["iou_per_image"] == pytest.approx(0.55)
    assert math.isnan(coarse.gain)
    assert (own.gain, worse.gain) == (pytest.approx(0.2), pytest.approx(-0.1))
    assert (own.harmed, worse.harmed) == (0, 1)


def test_several_sets_have_their_mean_too():
    first = [row("a", 0.5, 0.7, set_="x"), row("b", 0.5, 0.7, set_="x"), row("c", 0.5, 1, set_="y")]
    groups = side_by_side(finished(first, {"other": first}))
    assert list(groups) == ["mean over sets", "all pairs"]
    assert groups["mean over sets"][1].scores["iou_per_image"] == pytest.approx(0.85)
    assert groups["all pairs"][1].scores["iou_per_image"] == pytest.approx(0.8)


def test_without_coarse_masks_there_is_no_line_of_them():
    lines = side_by_side(finished([row("a", None, 0.7)], {"other": [row("a", 0.5, 0.7)]}))
    assert [one.name for one in lines["all pairs"]] == ["own", "other"]
