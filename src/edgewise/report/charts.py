"""Charts: where on a page the marks of a chart are; the templates draw them."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from edgewise.evaluation.differences import HARM
from edgewise.evaluation.rows import EDGE_DISTANCES, Row

_BINS = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """A mark on an axis: where, and what it says."""

    at: float
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Dot:
    """A pair in a scatter.

    Attributes:
        row: number of the pair's row in the page.
        x, y: where, in the chart's units.
        kind: "better", "worse" (by more than `HARM`) or "same".
        title: what it says when pointed at.
    """

    row: int
    x: float
    y: float
    kind: str
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Scatter:
    """Values before (across) and after (up), in percent, on a square of `side`.

    Attributes:
        side: of the square.
        ticks: of both axes, measured from the lower left corner.
        dots: the pairs, by their value before.
        missing: pairs that do not define both values.
    """

    side: float
    ticks: list[Tick]
    dots: list[Dot]
    missing: int


def scatter(rows: Sequence[Row], value: str, names: Sequence[str], side: float = 400) -> Scatter:
    """Each pair's value before and after.

    Args:
        rows: in the order of the page.
        value: which of a score's, a share.
        names: of the rows.
        side: of the square.
    """
    values = []
    for number, row in enumerate(rows):
        before = math.nan if row.before is None else 100 * getattr(row.before, value)
        after = 100 * getattr(row.after, value)
        if not math.isnan(before + after):
            values.append((before, after, number))
    lowest = min((min(before, after) for before, after, _ in values), default=0.0)
    floor = min(90.0, 10 * math.floor(lowest / 10))
    scale = side / (100 - floor)
    dots = [
        Dot(
            row=number,
            x=round((before - floor) * scale, 1),
            y=round(side - (after - floor) * scale, 1),
            kind=_kind(after - before),
            title=f"{names[number]}: {before:.2f} to {after:.2f}",
        )
        for before, after, number in sorted(values)
    ]
    step = 10 if floor < 60 else 5 if floor < 80 else 2
    ticks = [
        Tick(at=(mark - floor) * scale, label=str(mark)) for mark in range(int(floor), 101, step)
    ]
    return Scatter(side=side, ticks=ticks, dots=dots, missing=len(rows) - len(values))


def _kind(points: float) -> str:
    if abs(points) <= 100 * HARM:
        return "same"
    return "better" if points > 0 else "worse"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """A bar of a histogram: how many values lie in [low, high), in points."""

    x: float
    y: float
    width: float
    height: float
    low: float
    high: float
    count: int
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Histogram:
    """Counts of gains in bins of equal width; zero is between two bins."""

    width: float
    height: float
    bars: list[Bar]
    ticks: list[Tick]
    most: int
    zero: float


def histogram(points: Sequence[float], *, width: float = 440, height: float = 200) -> Histogram:
    """The histogram of gains in points; the outermost bins hold all that lies beyond them.

    Args:
        points: gains, at least one and none of them nan.
        width: of the chart.
        height: of the chart.
    """
    low, high, step = _range(points)
    count = round((high - low) / step)
    counts = [0] * count
    for point in points:
        counts[min(count - 1, max(0, math.floor((point - low) / step + 1e-9)))] += 1
    most, wide = max(counts), width / count
    bars = [
        Bar(
            x=round(at * wide, 2),
            y=round(height * (1 - number / most), 2),
            width=round(wide, 2),
            height=round(height * number / most, 2),
            low=low + at * step,
            high=low + (at + 1) * step,
            count=number,
            label=_bin_label(at, count, low, step),
        )
        for at, number in enumerate(counts)
        if number
    ]
    return Histogram(
        width=width,
        height=height,
        bars=bars,
        ticks=_bin_ticks(low, high, step, width),
        most=most,
        zero=-low / (high - low) * width,
    )


def _range(points: Sequence[float]) -> tuple[float, float, float]:
    """Low and high end and width of the bins: 98 % of the points lie within at most `_BINS`."""
    ordered = sorted(points)
    cut = len(ordered) // 100
    low, high = min(0.0, ordered[cut]), max(0.0, ordered[-1 - cut])
    wanted = max(high - low, 1e-6) / (_BINS - 2)
    power = 10.0 ** math.floor(math.log10(wanted))
    step = max(0.1, next(power * by for by in (1, 2, 5, 10) if power * by >= wanted * (1 - 1e-9)))
    first = math.floor(low / step + 1e-9)
    last = max(first + 1, math.floor(high / step + 1e-9) + 1)
    return first * step, last * step, step


def _bin_label(at: int, count: int, low: float, step: float) -> str:
    start, end = f"{low + at * step:+.1f}", f"{low + (at + 1) * step:+.1f}"
    if at == 0 and count > 1:
        return f"below {end}"
    return f"{start} and above" if at == count - 1 else f"{start} to {end}"


def _bin_ticks(low: float, high: float, step: float, width: float) -> list[Tick]:
    """Ticks at multiples of five bins that include zero."""
    every = 5 * step
    marks = range(math.ceil(low / every - 1e-9), math.floor(high / every + 1e-9) + 1)
    return [
        Tick(
            at=(mark * every - low) / (high - low) * width,
            label=f"{mark * every:+g}" if mark else "0",
        )
        for mark in marks
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ring:
    """Accuracy in percent at some distance from the truth's edge; nan where undefined."""

    label: str
    x: float
    before: float
    after: float
    y_before: float
    y_after: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Rings:
    """Accuracy by distance from the truth's edge, before and after."""

    width: float
    height: float
    rings: list[Ring]
    ticks: list[Tick]


def rings(rows: Sequence[Row], *, width: float = 440, height: float = 220) -> Rings:
    """Accuracy by distance from the truth's edge, mean over the pairs with such pixels.

    Where some pairs have a mask before, it is over those.

    Args:
        rows: all rows.
        width: of the chart.
        height: of the chart.
    """
    both = [row for row in rows if row.rings.wrong_before is not None] or rows
    means = [(_accuracy(both, at, "before"), _accuracy(both, at, "after")) for at in _RING_NUMBERS]
    lowest = min((value for pair in means for value in pair if not math.isnan(value)), default=50)
    floor = min(90.0, 10 * math.floor(lowest / 10))
    wide = width / len(EDGE_DISTANCES)

    def y(value: float) -> float:
        return math.nan if math.isnan(value) else round((100 - value) / (100 - floor) * height, 1)

    found = [
        Ring(
            label=_ring_label(at),
            x=round((at + 0.5) * wide, 1),
            before=before,
            after=after,
            y_before=y(before),
            y_after=y(after),
        )
        for at, (before, after) in enumerate(means)
    ]
    step = 10 if floor < 80 else 5
    ticks = [Tick(at=y(mark), label=str(mark)) for mark in range(int(floor), 101, step)]
    return Rings(width=width, height=height, rings=found, ticks=ticks)


_RING_NUMBERS = range(len(EDGE_DISTANCES))


def _ring_label(at: int) -> str:
    start = EDGE_DISTANCES[at - 1] if at else 0
    return f"{start:g}–{EDGE_DISTANCES[at]:g}"


def _accuracy(rows: Sequence[Row], at: int, when: str) -> float:
    shares = []
    for row in rows:
        wrong = getattr(row.rings, f"wrong_{when}")
        if wrong is not None and row.rings.pixels[at]:
            shares.append(1 - wrong[at] / row.rings.pixels[at])
    return 100 * fmean(shares) if shares else math.nan
