"""Colour tables: the labels that colours of a picture stand for.

ADE20K's is that of its scene parsing benchmark (MIT CSAIL), as mmsegmentation 1.2.2 (Apache-2.0)
and PyTorch-Encoding have it too. Of its 150 classes, road (7) and skyscraper (49) share a colour.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from edgewise.benchmarks import ade20k
from edgewise.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    Colour = tuple[int, int, int]

SHIPPED = Path(__file__).parent.parent / "ade20k_colours.csv"
"""The file of ADE20K's table."""

_FORM = "expected lines label,red,green,blue, such as 3,6,230,230"


@dataclass(frozen=True)
class ColourTable:
    """The labels of colours, RGB of 0..255 each.

    Attributes:
        path: the file that it was read from.
        labels: 0..150 by colour; the lowest where several share it.
        shared: the colours that stand for several labels, with these.
    """

    path: Path
    labels: Mapping[Colour, int]
    shared: Mapping[Colour, tuple[int, ...]]


def read_colours(path: Path) -> ColourTable:
    """The table in a file of lines label,red,green,blue; its first line may be a head.

    Args:
        path: a CSV file. Labels are ADE20K's, 1 to 150, and 0 for void.

    Raises:
        InputError: it cannot be read, or a line is none of a table.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            lines = [line for line in enumerate(csv.reader(file), start=1) if any(line[1])]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path}: cannot be read as a table of colours: {error}") from error
    if lines and not any(cell.strip().isdigit() for cell in lines[0][1]):
        del lines[0]
    if not lines:
        raise InputError(f"{path}: is empty; {_FORM}")
    return _table(path, [_row(path, at, cells) for at, cells in lines])


@cache
def ade20k_colours() -> ColourTable:
    """ADE20K's published table."""
    return read_colours(SHIPPED)


def _row(path: Path, at: int, cells: list[str]) -> tuple[int, Colour]:
    try:
        label, red, green, blue = map(int, cells)
    except ValueError as error:
        raise InputError(f"{path}: line {at} is {','.join(cells)!r}; {_FORM}") from error
    if not 0 <= label <= ade20k.CLASSES or not all(0 <= one <= 255 for one in (red, green, blue)):
        raise InputError(
            f"{path}: line {at} is {','.join(cells)!r}; labels are 0 to {ade20k.CLASSES}, and "
            "colours 0 to 255"
        )
    return label, (red, green, blue)


def _table(path: Path, rows: Iterable[tuple[int, Colour]]) -> ColourTable:
    found: dict[Colour, set[int]] = {}
    for label, colour in rows:
        found.setdefault(colour, set()).add(label)
    return ColourTable(
        path=path,
        labels={colour: min(several) for colour, several in found.items()},
        shared={
            colour: tuple(sorted(several)) for colour, several in found.items() if len(several) > 1
        },
    )
