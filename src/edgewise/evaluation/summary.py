"""Summary: the scores of sets of pairs before and after, and what was gained."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean, median
from typing import Any

from edgewise.evaluation.rows import FULL, Row
from edgewise.metrics import PairScore, Summary

HARM = 0.002
"""A pair is harmed where its IoU falls, and improved where it rises, by more than this."""

_COUNTS = ("pixels", "correct", "intersection", "union")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """The scores of some pairs; shares in [0, 1], distances in pixels, nan where undefined.

    Scores are named as in `edgewise.metrics.Summary.scores`: `iou` is pooled over pixels,
    `iou_per_image` the mean over pairs.

    Attributes:
        name: of the set.
        pairs: how many.
        compared: how many have a mask before.
        before: scores of the coarse masks.
        after: scores of the refined masks, of all pairs.
        gain: after less before, over the pairs compared; of means, over those that define both.
        undefined: of how many refined masks each score is undefined.
        harmed: share of the pairs compared that were harmed, see `HARM`.
        improved: share that were improved.
        seconds: mean time of refining.
        seconds_median: and its median.
        warnings: of how many pairs the refiner warned.
    """

    name: str
    pairs: int
    compared: int
    before: dict[str, float]
    after: dict[str, float]
    gain: dict[str, float]
    undefined: dict[str, int]
    harmed: float
    improved: float
    seconds: float
    seconds_median: float
    warnings: int

    def to_dict(self) -> dict[str, Any]:
        """The tally for JSON, None where undefined."""
        values = {name: getattr(self, name) for name in self.__slots__}
        return {name: _plain(value) for name, value in values.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """Tallies of every set, their mean (each set once; counts are sums), and of all pairs."""

    sets: list[Tally]
    mean_over_sets: Tally
    all_pairs: Tally

    def to_dict(self) -> dict[str, Any]:
        """The overview for JSON."""
        return {
            "sets": [tally.to_dict() for tally in self.sets],
            "mean_over_sets": self.mean_over_sets.to_dict(),
            "all_pairs": self.all_pairs.to_dict(),
        }


def gain(row: Row, name: str) -> float:
    """What a pair gained of one value of its score; nan where undefined or without a before."""
    if row.before is None:
        return math.nan
    return float(getattr(row.after, name) - getattr(row.before, name))


def summarise(rows: Iterable[Row], measured: tuple[str, ...] = FULL) -> Overview:
    """The overview of rows, in the order of the sets' names.

    Args:
        rows: at least one.
        measured: which values of a score the rows hold, `rows.FULL` or `rows.FAST`.
    """
    ordered = sorted(rows, key=lambda row: row.key)
    by_set: dict[str, list[Row]] = {}
    for row in ordered:
        by_set.setdefault(row.set, []).append(row)
    sets = [tally(name, part, measured) for name, part in by_set.items()]
    return Overview(
        sets=sets,
        mean_over_sets=_mean_over(sets),
        all_pairs=tally("all pairs", ordered, measured),
    )


def tally(name: str, rows: Sequence[Row], measured: tuple[str, ...] = FULL) -> Tally:
    """The scores of some rows together; see `Tally`."""
    compared = [row for row in rows if row.before is not None]
    gains = [value for row in compared if not math.isnan(value := gain(row, "iou"))]
    seconds = [row.seconds for row in rows if row.seconds is not None]
    after, undefined = _scores((row.after for row in rows), measured)
    before, _ = _scores((row.before for row in compared if row.before), measured)
    return Tally(
        name=name,
        pairs=len(rows),
        compared=len(compared),
        before=before,
        after=after,
        gain=_gains(compared, measured),
        undefined=undefined,
        harmed=_share(value < -HARM for value in gains),
        improved=_share(value > HARM for value in gains),
        seconds=_mean(seconds),
        seconds_median=median(seconds) if seconds else math.nan,
        warnings=sum(bool(row.warnings) for row in rows),
    )


def _scores(
    scores: Iterable[PairScore], measured: tuple[str, ...]
) -> tuple[dict[str, float], dict[str, int]]:
    """Scores by name, and of how many pairs each is undefined."""
    summary = Summary.of(scores)
    names = score_names(measured)
    found, undefined = summary.scores, summary.undefined
    return (
        {name: found.get(name, math.nan) for name in names},
        {name: undefined.get(name, 0) for name in names},
    )


def score_names(measured: tuple[str, ...]) -> list[str]:
    """The names of a summary's scores, in the order of tables."""
    means = [name for name in measured if name not in (*_COUNTS, "iou")]
    return ["iou_per_image", "iou", "accuracy", *means]


def _gains(rows: Sequence[Row], measured: tuple[str, ...]) -> dict[str, float]:
    before, _ = _scores((row.before for row in rows if row.before), measured)
    after, _ = _scores((row.after for row in rows), measured)
    pooled = {name: after[name] - before[name] for name in ("iou", "accuracy")}
    paired = {
        name: _mean(gain(row, "iou" if name == "iou_per_image" else name) for row in rows)
        for name in score_names(measured)
        if name not in pooled
    }
    return {name: (pooled | paired)[name] for name in score_names(measured)}


def _mean_over(sets: Sequence[Tally]) -> Tally:
    """The mean of the sets' tallies, each set once; a set that lacks a value is left out of it."""

    def means(part: str) -> dict[str, float]:
        return {name: _mean(getattr(one, part)[name] for one in sets) for name in sets[0].after}

    def mean(part: str) -> float:
        return _mean(getattr(one, part) for one in sets)

    return Tally(
        name="mean over sets",
        pairs=sum(one.pairs for one in sets),
        compared=sum(one.compared for one in sets),
        before=means("before"),
        after=means("after"),
        gain=means("gain"),
        undefined={name: sum(one.undefined[name] for one in sets) for name in sets[0].undefined},
        harmed=mean("harmed"),
        improved=mean("improved"),
        seconds=mean("seconds"),
        seconds_median=mean("seconds_median"),
        warnings=sum(one.warnings for one in sets),
    )


def _mean(values: Iterable[float]) -> float:
    """The mean of the values that are defined; nan where none is."""
    defined = [value for value in values if not math.isnan(value)]
    return fmean(defined) if defined else math.nan


def _share(flags: Iterable[bool]) -> float:
    found = list(flags)
    return sum(found) / len(found) if found else math.nan


def _plain(value: Any) -> Any:
    """A value for JSON: None for nan, in dicts too."""
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    return None if isinstance(value, float) and math.isnan(value) else value
