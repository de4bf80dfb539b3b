"""Outcome: all that came of a run, for what writes it down."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from edgewise.evaluation.results import Header
from edgewise.evaluation.rows import Failure, Row
from edgewise.evaluation.summary import Overview, Tally

COARSE = "coarse"
"""The name of the masks that engines were given."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rival:
    """What another engine made of the pairs of a run, to be shown beside it.

    Attributes:
        name: of the engine.
        header: its settings and versions.
        overview: summary of the rows.
        rows: the scored pairs, at least one; perhaps not all of the run's.
    """

    name: str
    header: Header
    overview: Overview
    rows: Sequence[Row]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """A finished run.

    Attributes:
        name: of what refined.
        header: settings and versions.
        overview: summary of the rows.
        rows: the scored pairs, at least one.
        failures: the pairs that could not be scored; of rivals, their errors begin with the name.
        problems: what kept files from being pairs, a line each.
        rivals: what other engines made of the same pairs.
    """

    name: str = "refined"
    header: Header
    overview: Overview
    rows: Sequence[Row]
    failures: Sequence[Failure] = ()
    problems: Sequence[str] = ()
    rivals: Sequence[Rival] = ()

    @property
    def failed(self) -> int:
        """How much went wrong."""
        return len(self.failures) + len(self.problems)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """An engine's scores, in a table of several.

    Attributes:
        name: of the engine, or `COARSE`.
        pairs: how many it has scored.
        scores: as `Tally.after`.
        gain: what it gained in IoU, a share; nan of the coarse masks.
        harmed: as `Difference.harmed`; nan of the coarse masks.
        seconds: mean time of refining; nan where nothing was refined.
    """

    name: str
    pairs: int
    scores: Mapping[str, float]
    gain: float = math.nan
    harmed: float = math.nan
    seconds: float = math.nan


def side_by_side(done: Outcome) -> dict[str, list[Line]]:
    """The lines of coarse masks, of the run and of its rivals; of nothing without rivals.

    Returns:
        Lines by what they are means over: the sets, where there are several, and all pairs.
    """
    if not done.rivals:
        return {}
    overviews = {done.name: done.overview} | {one.name: one.overview for one in done.rivals}
    of_all = {name: overview.all_pairs for name, overview in overviews.items()}
    groups = {"all pairs": list(_lines(of_all))}
    if len(done.overview.sets) > 1:
        of_sets = {name: overview.mean_over_sets for name, overview in overviews.items()}
        groups = {"mean over sets": list(_lines(of_sets)), **groups}
    return groups


def _lines(tallies: Mapping[str, Tally]) -> Iterator[Line]:
    first = next(iter(tallies.values()))
    if first.gain.pairs:
        yield Line(name=COARSE, pairs=first.gain.pairs, scores=first.before)
    for name, tally in tallies.items():
        yield Line(
            name=name,
            pairs=tally.pairs,
            scores=tally.after,
            gain=tally.gain.scores["iou_per_image"].value if tally.gain.pairs else math.nan,
            harmed=tally.gain.harmed,
            seconds=tally.seconds,
        )
