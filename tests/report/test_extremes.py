"""Which pairs a report shows."""

import math

from edgewise.report import extremes
from tests.evaluation.rows import row


def ids(rows):
    return [one.id for one in rows]


def test_the_worst_come_worst_first_and_the_best_best_first():
    rows = [row(str(at), 0.5, 0.5 + at / 100) for at in range(10)]
    ends = extremes(rows, count=3)
    assert ids(ends.worst) == ["0", "1", "2"]
    assert ids(ends.best) == ["9", "8", "7"]


def test_no_pair_is_shown_twice():
    rows = [row(str(at), 0.5, 0.5 + at / 100) for at in range(5)]
    ends = extremes(rows, count=20)
    assert sorted(ids(ends.worst) + ids(ends.best)) == ["0", "1", "2", "3", "4"]


def test_pairs_without_a_mask_before_go_by_their_iou():
    ends = extremes([row("low", None, 0.2), row("high", None, 0.9)])
    assert (ids(ends.worst), ids(ends.best)) == (["low"], ["high"])


def test_undefined_gains_are_left_out():
    ends = extremes([row("x", math.nan, 0.2), row("y", 0.1, 0.2)])
    assert ids(ends.worst) + ids(ends.best) == ["y"]


def test_the_keys_are_those_of_both_ends():
    ends = extremes([row(str(at), 0.5, 0.5 + at / 100) for at in range(5)], count=1)
    assert ends.worst_keys == {("one", "0", "")}
    assert ends.keys == {("one", "0", ""), ("one", "4", "")}
