"""Extremes: the pairs that gained least and most, which the report shows."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

from edgewise.evaluation.pairs import Key
from edgewise.evaluation.rows import Row
from edgewise.evaluation.summary import gain

COUNT = 20


@dataclass(frozen=True, slots=True)
class Extremes:
    """The worst pairs, worst first, and the best, best first; no pair is in both."""

    worst: list[Row]
    best: list[Row]

    @property
    def worst_keys(self) -> frozenset[Key]:
        """Of the pairs that are shown for what they lost."""
        return frozenset(row.key for row in self.worst)

    @property
    def keys(self) -> frozenset[Key]:
        """Of all pairs that are shown."""
        return self.worst_keys | {row.key for row in self.best}


def merit(row: Row) -> float:
    """What pairs are ordered by: the gain in IoU, or the IoU where there is no mask before."""
    return row.after.iou if row.before is None else gain(row)


def extremes(rows: Iterable[Row], count: int = COUNT) -> Extremes:
    """The extremes of rows by `merit`; pairs that do not define it are left out.

    Args:
        rows: all rows.
        count: how many there may be of each.
    """
    defined = [row for row in rows if not math.isnan(merit(row))]
    ordered = sorted(defined, key=lambda row: (merit(row), row.key))
    worst = ordered[: min(count, len(ordered) // 2)]
    best = ordered[len(worst) :][::-1][:count]
    return Extremes(worst, best)
