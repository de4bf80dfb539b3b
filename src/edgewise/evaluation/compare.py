"""Compare: runs over the same truths, pair by pair."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from edgewise.errors import InputError
from edgewise.evaluation.differences import Differences, Match, differences
from edgewise.evaluation.pairs import Key
from edgewise.evaluation.results import Header, read_results
from edgewise.evaluation.rows import Row, measured_values


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A results file, read.

    Attributes:
        path: the file.
        header: what its rows depend on.
        rows: them, by key.
    """

    path: Path
    header: Header
    rows: dict[Key, Row]

    @classmethod
    def read(cls, path: Path) -> "Run":
        """Read a results file.

        Raises:
            InputError: it cannot be read, is no results file, or holds no pair.
        """
        header, rows = read_results(path)
        if not rows:
            raise InputError(f"{path}: holds no scored pair")
        return cls(path=path, header=header, rows={row.key: row for row in rows})


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What a second run scores after refining, less what the first does.

    Attributes:
        first, second: the runs' files.
        differences: second less first.
        other_coarse: of how many pairs the coarse masks differ.
        left_out: how many pairs are in one run only, where that is allowed.
    """

    first: Path
    second: Path
    differences: Differences
    other_coarse: int
    left_out: int


def compare(first: Run, second: Run, *, common: bool = False) -> Comparison:
    """Compare what two runs score after refining; only values that both measured.

    Args:
        first: what to hold the second against.
        second: the run asked for.
        common: compare the pairs that both have, rather than refuse runs of other pairs.

    Raises:
        InputError: the runs are over different truths.
    """
    shared = sorted(first.rows.keys() & second.rows.keys())
    _check_truths(first, second, shared)
    left_out = len(first.rows.keys() ^ second.rows.keys())
    if left_out and not common:
        raise InputError(_other_pairs(first, second))
    rows = [(first.rows[key], second.rows[key]) for key in shared]
    measured = measured_values(
        fast=first.header.fast or second.header.fast, hce=first.header.hce and second.header.hce
    )
    return Comparison(
        first=first.path,
        second=second.path,
        differences=differences(
            (Match(row.set, row.id, row.after, other.after) for row, other in rows),
            measured,
        ),
        other_coarse=sum(
            row.sha256.get("coarse") != other.sha256.get("coarse") for row, other in rows
        ),
        left_out=left_out,
    )


def _check_truths(first: Run, second: Run, shared: Sequence[Key]) -> None:
    """Raise InputError unless pairs of one name have one truth, and there are some."""
    if not shared:
        raise InputError(f"{first.path} and {second.path} have no pair in common")
    for key in shared:
        if first.rows[key].sha256["truth"] != second.rows[key].sha256["truth"]:
            raise InputError(
                f"{first.path} and {second.path} are over different truths: that of"
                f" {_named(key)} has another checksum"
            )


def _other_pairs(first: Run, second: Run) -> str:
    """In words, which pairs only one of the runs has."""
    lacks = []
    for run, other in ((first, second), (second, first)):
        missing = sorted(other.rows.keys() - run.rows.keys())
        if missing:
            lacks.append(f"{run.path} lacks {len(missing)} ({_named(missing[0])})")
    return f"the runs are over different pairs: {', '.join(lacks)}; --common compares the others"


def _named(key: Key) -> str:
    return "/".join(filter(None, key))
