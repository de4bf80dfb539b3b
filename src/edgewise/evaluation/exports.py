"""Exports: the summary of a run as JSON, and its rows as CSV."""

import csv
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from edgewise.evaluation.outcome import Outcome, Rival
from edgewise.evaluation.rows import Row
from edgewise.files import atomic_path

FORMAT = 1


def summary_values(done: Outcome) -> dict[str, Any]:
    """The summary of a run for JSON; docs/evaluate.md lists its keys."""
    header = {key: value for key, value in asdict(done.header).items() if key != "format"}
    return {
        "format": FORMAT,
        **header,
        **done.overview.to_dict(),
        "failures": [asdict(failure) for failure in done.failures],
        "problems": list(done.problems),
        "rivals": [_rival_values(rival) for rival in done.rivals],
    }


def _rival_values(rival: Rival) -> dict[str, Any]:
    return {
        "name": rival.name,
        "engine": rival.header.engine,
        **rival.overview.to_dict(),
    }


def write_json(path: Path, values: Any) -> None:
    """Write values as JSON; a name that is no UTF-8 by escapes, which Python reads as it was.

    Raises:
        OutputError: the file cannot be written.
    """
    with atomic_path(path) as temporary:
        text = json.dumps(values, indent=2, ensure_ascii=False, allow_nan=False)
        temporary.write_text(text + "\n", encoding="utf-8", errors="backslashreplace")


def write_csv(path: Path, rows: Iterable[Row], measured: Sequence[str]) -> None:
    """Write a line a pair, with every value measured before and after; empty where undefined.

    Raises:
        OutputError: the file cannot be written.
    """
    with (
        atomic_path(path) as temporary,
        temporary.open("w", newline="", encoding="utf-8", errors="backslashreplace") as file,
    ):
        writer = csv.DictWriter(file, _columns(measured))
        writer.writeheader()
        for row in sorted(rows, key=lambda row: row.key):
            writer.writerow(_cells(row, measured))


_PLAIN = ("set", "id", "source", "width", "height", "refined", "seconds")


def _columns(measured: Sequence[str]) -> list[str]:
    return [*_PLAIN, *(f"{when}_{name}" for when in ("before", "after") for name in measured)]


def _cells(row: Row, measured: Sequence[str]) -> dict[str, Any]:
    cells = {name: getattr(row, name) for name in _PLAIN}
    for when, score in (("before", row.before), ("after", row.after)):
        values = score.to_dict() if score else {}
        cells |= {f"{when}_{name}": values.get(name) for name in measured}
    return cells
