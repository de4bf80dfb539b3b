"""Manifests: tables of jobs, as CSV, JSON lines or Parquet, read a row at a time."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path, PurePosixPath
from typing import Any

from edgewise.batch.jobs import Job, Options
from edgewise.batch.stores import fetched, join, name_of, parent
from edgewise.errors import InputError, missing_extra

Rows = Iterator[tuple[int, Mapping[str, Any]]]

_FILES = ("photo", "mask", "output")
_OPTIONS = tuple(option.name for option in fields(Options))
_COLUMNS = (*_FILES, *_OPTIONS)
_YES = frozenset({"true", "1", "yes"})
_NO = frozenset({"false", "0", "no"})


@dataclass(frozen=True, slots=True)
class Manifest:
    """The jobs of a table, read anew whenever it is iterated over.

    Columns: `photo`, `mask`, `output` and, where wanted, one for each option (`soft`,
    `overview_only`), which may be left empty. Relative locations are relative to the table. Rows
    are counted as an editor does: the head of a CSV is row 1.

    Attributes:
        location: a .csv, .jsonl (or .ndjson) or .parquet file, a local path or an fsspec URL.
        output: folder of outputs where a row names none: `<stem of the photo>.png` there.
        options: for rows that do not say otherwise.
    """

    location: str
    output: str | None = None
    options: Options = field(default_factory=Options)

    def __iter__(self) -> Iterator[Job]:
        """The jobs in the table's order.

        Raises:
            InputError: the table or a row cannot be used; names row and column.
            DependencyError: a Parquet file without pyarrow.
        """
        read = _reader(self.location)
        with fetched(self.location) as path:
            for number, row in read(path):
                yield self._job(row, f"{self.location}: row {number}")

    def _job(self, row: Mapping[str, Any], source: str) -> Job:
        photo = self._file(row, "photo", source)
        mask = self._file(row, "mask", source)
        if row.get("output") in (None, "") and self.output is not None:
            output = join(self.output, f"{PurePosixPath(name_of(photo)).stem}.png")
        else:
            output = self._file(row, "output", source)
        options = replace(self.options, **_options(row, source))
        try:
            return Job(photo, mask, output, options, source)
        except InputError as error:
            raise InputError(f"{source}, column {error}") from error

    def _file(self, row: Mapping[str, Any], column: str, source: str) -> str:
        value = row.get(column)
        if value in (None, ""):
            raise InputError(f"{source}, column {column}: is empty; give a path or URL")
        if not isinstance(value, str):
            raise InputError(f"{source}, column {column}: is {value!r}; give a path or URL")
        return join(parent(self.location), value)


def _known() -> str:
    return f"there are {', '.join(_COLUMNS)}"


def _options(row: Mapping[str, Any], source: str) -> dict[str, bool]:
    return {
        name: _flag(row[name], f"{source}, column {name}")
        for name in _OPTIONS
        if row.get(name) not in (None, "")
    }


def _flag(value: Any, where: str) -> bool:
    text = str(value).strip().lower()
    if text not in _YES | _NO:
        raise InputError(f"{where}: is {value!r}; give true or false")
    return text in _YES


def _reader(location: str) -> Callable[[Path], Rows]:
    readers = {
        ".csv": _csv_rows,
        ".jsonl": _json_rows,
        ".ndjson": _json_rows,
        ".parquet": _parquet_rows,
    }
    suffix = PurePosixPath(name_of(location)).suffix.lower()
    if suffix not in readers:
        raise InputError(f"{location}: is no manifest; expected one of {', '.join(readers)}")

    def read(path: Path) -> Rows:
        try:
            yield from readers[suffix](path)
        except _RowError as error:
            raise InputError(f"{location}: {error}") from error
        except UnicodeDecodeError as error:
            raise InputError(f"{location}: is no UTF-8 text at byte {error.start}") from error
        except OSError as error:
            reason = error.strerror or _line(error)
            raise InputError(f"{location}: cannot be read: {reason}") from error

    return read


class _RowError(Exception):
    """What is wrong with a table, without its name."""


def _csv_rows(path: Path) -> Rows:
    with path.open(encoding="utf-8-sig", newline="") as stream:
        table = csv.reader(stream, strict=True)
        number = 1
        try:
            head = next(table, [])
            _check_head(head)
            for number, cells in enumerate(table, start=2):
                if cells and len(cells) != len(head):
                    raise _RowError(f"row {number}: has {len(cells)} cells, not {len(head)}")
                if cells:
                    yield number, dict(zip(head, cells, strict=True))
        except csv.Error as error:
            raise _RowError(f"row {number + 1}: is damaged: {error}") from error


def _check_head(head: list[str]) -> None:
    for column in ("photo", "mask"):
        if column not in head:
            raise _RowError(f"row 1: there is no column {column}; {_known()}")
    _check_columns(1, head)
    for column in head:
        if head.count(column) > 1:
            raise _RowError(f"row 1: there are two columns {column}")


def _check_columns(number: int, columns: Iterable[str]) -> None:
    for column in columns:
        if column not in _COLUMNS:
            raise _RowError(f"row {number}, column {column}: not known; {_known()}")


def _json_rows(path: Path) -> Rows:
    with path.open(encoding="utf-8-sig") as stream:
        for number, line in enumerate(stream, start=1):
            if not line.strip():
                continue
            try:
                row = json.loads(line)
            except (ValueError, RecursionError) as error:
                raise _RowError(f"row {number}: is no JSON: {error}") from error
            if not isinstance(row, dict):
                raise _RowError(f'row {number}: is no object; expected {{"photo": ...}}')
            _check_columns(number, row)
            yield number, row


def _parquet_rows(path: Path) -> Rows:
    try:
        from pyarrow import ArrowException
        from pyarrow.parquet import ParquetFile
    except ImportError as error:
        raise missing_extra("pyarrow", "batch") from error
    try:
        with ParquetFile(path) as table:
            _check_head(table.schema_arrow.names)
            number = 0
            for batch in table.iter_batches(batch_size=4096):
                for row in batch.to_pylist():
                    number += 1
                    yield number, row
    except ArrowException as error:
        raise _RowError(f"is no Parquet file: {_line(error)}") from error


def _line(error: Exception) -> str:
    return " ".join(str(error).split())
