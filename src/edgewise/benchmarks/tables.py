"""Tables: figures in the form in which they are published, a method a line, as Markdown."""

import csv
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

from edgewise.benchmarks.catalog import find, networks, row_name
from edgewise.benchmarks.figures import Figure, remarks, sources
from edgewise.benchmarks.run import BINARY
from edgewise.files import atomic_path

HERE = "measured here"
_NOTHING = "–"


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """The table of a dataset.

    Attributes:
        title: of the dataset.
        lines: cells as text, the head first.
        notes: what a reader must know, and where published lines come from.
    """

    title: str
    lines: Sequence[Sequence[str]]
    notes: Sequence[str]


def table(dataset: str, figures: Iterable[Figure], *, about: str = "") -> Table:
    """The table of a dataset: IoU / mBA in percent, a line a method, a column a network.

    Published lines come first, then what was measured, each in the order given.

    Args:
        dataset: a name of the catalog.
        figures: published and measured ones, of any datasets.
        about: a further note, on what measured.
    """
    own = [figure for figure in figures if figure.dataset == dataset]
    columns = [one.name for one in networks().values() if dataset in one.sources]
    numbers = _numbered(own)
    what = "IoU / mBA" if dataset in BINARY else "mIoU / mBA"
    head = [what, "source", *(networks()[name].title for name in columns)]
    body = [
        [method, HERE if source is None else f"[{numbers[source]}]", *_cells(line, columns)]
        for (source, method), line in _lines(own).items()
    ]
    notes = [*_source_notes(numbers), *remarks(dataset), *_gaps(own), *filter(None, [about])]
    return Table(title=find(dataset).title, lines=[head, *body], notes=notes)


def markdown(shown: Table) -> str:
    """A table as Markdown, whose columns line up as text too."""
    listed = "\n".join(f"- {note}" for note in shown.notes)
    return "\n\n".join([f"## {shown.title}", _aligned(shown.lines), listed])


def write_csv(path: Path, figures: Iterable[Figure]) -> None:
    """Write a line a figure, shares in [0, 1]; empty where undefined or not published.

    Raises:
        OutputError: the file cannot be written.
    """
    columns = [field.name for field in fields(Figure)]
    with atomic_path(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        writer.writerows(figure.to_dict() for figure in figures)


def _numbered(figures: Iterable[Figure]) -> dict[str, int]:
    """The sources of figures, numbered from 1 as they appear."""
    found = dict.fromkeys(one.source for one in figures if one.source is not None)
    return {source: number for number, source in enumerate(found, start=1)}


def _lines(figures: Iterable[Figure]) -> dict[tuple[str | None, str], dict[str, Figure]]:
    """Figures by source and method, then by network; published ones first."""
    lines: dict[tuple[str | None, str], dict[str, Figure]] = {}
    for one in sorted(figures, key=lambda figure: figure.source is None):
        lines.setdefault((one.source, one.method), {})[one.network] = one
    return lines


def _cells(line: dict[str, Figure], columns: Iterable[str]) -> Iterator[str]:
    for network in columns:
        one = line.get(network)
        yield f"{_percent(one.iou)} / {_percent(one.mba)}" if one else _NOTHING


def _percent(share: float) -> str:
    return _NOTHING if math.isnan(share) else f"{100 * share:.2f}"


def _source_notes(numbers: dict[str, int]) -> Iterator[str]:
    for source, number in numbers.items():
        row = sources()[source]
        yield f"[{number}] {row.title}" + (f" ({row.doubt})" if row.doubt else "")


def _gaps(figures: Iterable[Figure]) -> Iterator[str]:
    """What measured figures leave out, with the methods that it holds for."""
    methods: dict[str, list[str]] = {}
    for one in figures:
        for gap in _gaps_of(one):
            methods.setdefault(gap, []).append(one.method)
    for gap, names in methods.items():
        yield f"{gap} ({', '.join(names)})"


def _gaps_of(one: Figure) -> Iterator[str]:
    if one.pairs is None:
        return
    title = networks()[one.network].title
    published = find(row_name(one.dataset, one.network, "inputs")).count
    if one.pairs != published:
        what = "objects" if one.dataset in BINARY else "scenes"
        yield f"{title}: {one.pairs} of {published} {what}"
    if one.undefined:
        yield f"{title}: mBA undefined in {one.undefined} of {one.pairs}"


def _aligned(lines: Sequence[Sequence[str]]) -> str:
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    rule = ["-" * width for width in widths[:2]] + ["-" * (width - 1) + ":" for width in widths[2:]]
    return "\n".join(_line(line, widths) for line in (lines[0], rule, *lines[1:]))


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = [
        cell.ljust(width) if at < 2 else cell.rjust(width)
        for at, (cell, width) in enumerate(zip(cells, widths, strict=True))
    ]
    return f"| {' | '.join(padded)} |"
