"""Outcome: all that came of a run, for what writes it down."""

from collections.abc import Sequence
from dataclasses import dataclass

from edgewise.evaluation.results import Header
from edgewise.evaluation.rows import Failure, Row
from edgewise.evaluation.summary import Overview


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """A finished run.

    Attributes:
        header: settings and versions.
        overview: summary of the rows.
        rows: the scored pairs, at least one.
        failures: the pairs that could not be scored.
        problems: what kept files from being pairs, a line each.
    """

    header: Header
    overview: Overview
    rows: Sequence[Row]
    failures: Sequence[Failure] = ()
    problems: Sequence[str] = ()

    @property
    def failed(self) -> int:
        """How much went wrong."""
        return len(self.failures) + len(self.problems)
