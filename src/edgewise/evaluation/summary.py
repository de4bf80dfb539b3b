"""Summary: the scores of sets of pairs before and after, and what was gained."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

from edgewise.evaluation.differences import (
    Difference,
    Differences,
    Match,
    differences,
    mean_of_defined,
    score_names,
)
from edgewise.evaluation.rows import FULL, Row
from edgewise.metrics import PairScore, Summary


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """The scores of some pairs; shares in [0, 1], distances in pixels, nan where undefined.

    Scores are named as `differences.score_names` says.

    Attributes:
        name: of the set.
        pairs: how many.
        before: scores of the coarse masks, of the pairs that have one.
        after: scores of the refined masks, of all pairs.
        undefined: of how many refined masks each score is undefined.
        gain: after less before over the pairs that have both, with intervals.
        seconds: mean time of refining; nan where refined masks were given.
        seconds_median: and its median.
        warnings: of how many pairs the refiner warned.
    """

    name: str
    pairs: int
    before: dict[str, float]
    after: dict[str, float]
    undefined: dict[str, int]
    gain: Difference
    seconds: float
    seconds_median: float
    warnings: int

    def to_dict(self) -> dict[str, Any]:
        """The tally for JSON, None where undefined."""
        values = {name: getattr(self, name) for name in self.__slots__}
        values["gain"] = asdict(self.gain)
        return {name: plain(value) for name, value in values.items()}


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


def gain(row: Row, name: str = "iou") -> float:
    """What a pair gained of one value of its score; nan where undefined or without a before."""
    if row.before is None:
        return math.nan
    return float(getattr(row.after, name) - getattr(row.before, name))


def summarise(rows: Iterable[Row], measured: Sequence[str] = FULL) -> Overview:
    """The overview of rows, in the order of the sets' names.

    Args:
        rows: at least one.
        measured: which values of a score the rows hold, `rows.FULL` or `rows.FAST`.
    """
    ordered = sorted(rows, key=lambda row: row.key)
    gains = differences(
        (Match(row.set, row.id, row.before, row.after) for row in ordered if row.before), measured
    )
    by_set: dict[str, list[Row]] = {}
    for row in ordered:
        by_set.setdefault(row.set, []).append(row)
    gain_of = {one.name: one for one in gains.sets}
    sets = [
        _tally(name, part, gain_of.get(name) or _no_gain(name, measured), measured)
        for name, part in by_set.items()
    ]
    return Overview(
        sets=sets,
        mean_over_sets=_mean_over(sets, gains),
        all_pairs=_tally("all pairs", ordered, gains.all_pairs, measured),
    )


def _no_gain(name: str, measured: Sequence[str]) -> Difference:
    """The gain of a set without masks before."""
    nothing = differences([], measured).all_pairs
    return Difference(**{**{key: getattr(nothing, key) for key in nothing.__slots__}, "name": name})


def _tally(name: str, rows: Sequence[Row], gain: Difference, measured: Sequence[str]) -> Tally:
    seconds = [row.seconds for row in rows if row.seconds is not None]
    after, undefined = _scores((row.after for row in rows), measured)
    before, _ = _scores((row.before for row in rows if row.before), measured)
    return Tally(
        name=name,
        pairs=len(rows),
        before=before,
        after=after,
        undefined=undefined,
        gain=gain,
        seconds=mean_of_defined(seconds),
        seconds_median=median(seconds) if seconds else math.nan,
        warnings=sum(bool(row.warnings) for row in rows),
    )


def _scores(
    scores: Iterable[PairScore], measured: Sequence[str]
) -> tuple[dict[str, float], dict[str, int]]:
    """Scores by name, and of how many pairs each is undefined."""
    summary = Summary.of(scores)
    names = score_names(measured)
    found, undefined = summary.scores, summary.undefined
    return (
        {name: found.get(name, math.nan) for name in names},
        {name: undefined.get(name, 0) for name in names},
    )


def _mean_over(sets: Sequence[Tally], gains: Differences) -> Tally:
    """The mean of the sets' tallies, each set once; a set that lacks a value is left out of it."""

    def means(part: str) -> dict[str, float]:
        names = getattr(sets[0], part)
        return {name: mean_of_defined(getattr(one, part)[name] for one in sets) for name in names}

    return Tally(
        name="mean over sets",
        pairs=sum(one.pairs for one in sets),
        before=means("before"),
        after=means("after"),
        undefined={name: sum(one.undefined[name] for one in sets) for name in sets[0].undefined},
        gain=gains.mean_over_sets,
        seconds=mean_of_defined(one.seconds for one in sets),
        seconds_median=mean_of_defined(one.seconds_median for one in sets),
        warnings=sum(one.warnings for one in sets),
    )


def plain(value: Any) -> Any:
    """A value for JSON: None for nan, in dicts and lists too."""
    if isinstance(value, dict):
        return {key: plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [plain(inner) for inner in value]
    return None if isinstance(value, float) and math.isnan(value) else value
