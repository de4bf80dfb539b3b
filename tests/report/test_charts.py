"""Charts: marks stand where their values are."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgewise.report.charts import histogram, rings, scatter
from tests.evaluation.rows import row


def test_a_dot_on_the_diagonal_neither_gained_nor_lost():
    chart = scatter([row("x", 0.8, 0.8)], "iou", ["x"], side=400)
    (dot,) = chart.dots
    assert dot.x + dot.y == pytest.approx(400)
    assert dot.kind == "same"


def test_a_dot_above_the_diagonal_gained():
    rows = [row("up", 0.5, 1.0), row("down", 1.0, 0.5)]
    dots = {dot.row: dot for dot in scatter(rows, "iou", ["up", "down"], side=400).dots}
    assert (dots[0].x, dots[0].y, dots[0].kind) == (0, 0, "better")
    assert (dots[1].x, dots[1].y, dots[1].kind) == (400, 400, "worse")
    assert dots[0].title == "up: 50.00 to 100.00"


def test_pairs_that_do_not_define_both_values_are_counted():
    rows = [row("x", None, 0.5), row("y", math.nan, 0.5), row("z", 0.5, 0.5)]
    chart = scatter(rows, "iou", ["x", "y", "z"])
    assert (len(chart.dots), chart.missing) == (1, 2)


GAINS = st.lists(st.floats(-100, 100).map(lambda value: round(value, 3)), min_size=1, max_size=300)


@given(GAINS)
def test_every_gain_is_in_one_bar_on_its_side_of_zero(points):
    chart = histogram(points)
    assert sum(bar.count for bar in chart.bars) == len(points)
    below = sum(bar.count for bar in chart.bars if bar.high <= 1e-9)
    assert below == sum(point < -1e-9 for point in points)
    assert max(bar.height for bar in chart.bars) == pytest.approx(chart.height)
    assert all(-1e-6 <= bar.x <= chart.width - bar.width + 0.1 for bar in chart.bars)
    assert len(chart.bars) <= 45


@given(GAINS)
def test_ticks_of_a_histogram_are_within_it_and_mark_zero(points):
    chart = histogram(points)
    assert all(-1e-6 <= tick.at <= chart.width + 1e-6 for tick in chart.ticks)
    (zero,) = (tick for tick in chart.ticks if tick.label == "0")
    assert zero.at == pytest.approx(chart.zero)


def test_outliers_are_in_the_outermost_bars():
    chart = histogram([*([0.5, 1.5] * 200), 90.0])
    last = chart.bars[-1]
    assert last.count >= 1
    assert last.label.endswith("and above")
    assert last.high < 5


def test_rings_hold_the_mean_accuracy_over_pairs():
    chart = rings([row("x", 0.5, 0.6), row("y", 0.5, 0.6)])
    assert [ring.label for ring in chart.rings][:3] == ["0–1", "1–2", "2–4"]
    assert chart.rings[0].before == pytest.approx(80)
    assert chart.rings[0].after == pytest.approx(90)
    assert chart.rings[0].y_after < chart.rings[0].y_before
