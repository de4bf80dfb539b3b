"""Ledger: what came of each job, beside the outputs, so that a killed run can go on.

JSON lines: a head, then `begun` before a job is handed out, and `done` or `failed` when it ends.
The last line about an output counts.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Literal

from edgewise import __version__
from edgewise.batch.index import Index, key_of
from edgewise.errors import InputError
from edgewise.files import make_folder
from edgewise.lines import LineFile

FORMAT = 1
_START = f'{{"ledger": {FORMAT}, "edgewise": "'.encode()
Status = Literal["begun", "done", "failed"]
_STATUSES: tuple[Status, ...] = ("begun", "done", "failed")


@dataclass(frozen=True, slots=True)
class Entry:
    """The last line about an output.

    Attributes:
        status: what it says.
        inputs: digest of photo, mask, options, settings and weights at that time.
        note: of `begun`, the version of the output that was there before; of `failed`, the error.
    """

    status: Status
    inputs: str
    note: str | None = None


class Ledger:
    """The ledger of a batch; opening it takes up what earlier runs have left.

    Args:
        path: the file, made if missing; None keeps the ledger of this run alone.

    Raises:
        InputError: the file is another thing, is damaged, or another run has it open.
        OutputError: it cannot be written to.
    """

    def __init__(self, path: str | os.PathLike[str] | None) -> None:
        self._index = Index(
            "CREATE TABLE entries"
            " (key BLOB PRIMARY KEY, status INT, inputs TEXT, note TEXT) WITHOUT ROWID"
        )
        self._file = None if path is None else _opened(Path(path))
        if self._file is not None:
            try:
                self._take_up(self._file)
            except BaseException:
                self.close()
                raise

    def __enter__(self) -> Ledger:
        """The ledger itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the file."""
        self.close()

    def close(self) -> None:
        """Close the file, which lets other runs have it."""
        self._index.close()
        if self._file is not None:
            self._file.close()

    def find(self, output: str) -> Entry | None:
        """The last line about an output, None where there is none."""
        statement = "SELECT status, inputs, note FROM entries WHERE key = ?"
        row = self._index.run(statement, key_of(output))
        return None if row is None else Entry(_STATUSES[row[0]], row[1], row[2])

    def begin(self, output: str, inputs: str, before: str | None) -> None:
        """Note that a job is handed out, and the version of its output that is there now."""
        self._add("begun", output, inputs, before, before=before)

    def finish(
        self, output: str, inputs: str, *, seconds: float, attempts: int, warnings: Sequence[str]
    ) -> None:
        """Note that an output is in its place."""
        facts: dict[str, Any] = {"seconds": round(seconds, 3), "attempts": attempts}
        if warnings:
            facts["warnings"] = list(warnings)
        self._add("done", output, inputs, None, **facts)

    def fail(self, output: str, inputs: str, *, error: str, attempts: int) -> None:
        """Note that a job was given up."""
        self._add("failed", output, inputs, error, error=error, attempts=attempts)

    def sync(self) -> None:
        """Wait until the disk has all of it."""
        if self._file is not None:
            self._file.sync()

    def _add(
        self, status: Status, output: str, inputs: str, note: str | None, **facts: Any
    ) -> None:
        if self._file is not None:
            self._file.add({status: output, "inputs": inputs, **facts})
        self._keep(output, Entry(status, inputs, note))

    def _keep(self, output: str, entry: Entry) -> None:
        values = (key_of(output), _STATUSES.index(entry.status), entry.inputs, entry.note)
        self._index.run("INSERT OR REPLACE INTO entries VALUES (?, ?, ?, ?)", *values)

    def _take_up(self, file: LineFile) -> None:
        lines = file.lines()
        head = next(lines, None)
        if head is None:
            _check_start(file.path)
            file.add({"ledger": FORMAT, "edgewise": __version__})
            return
        _check_head(file.path, head)
        for number, line in enumerate(lines, start=2):
            self._keep(*_entry(file.path, number, line))


def _opened(path: Path) -> LineFile:
    make_folder(path.parent)
    file = LineFile(path)
    try:
        file.lock()
    except InputError:
        file.close()
        raise
    return file


def _check_start(path: Path) -> None:
    """Refuse to write over a file without a line, unless it is empty or a head that was cut off."""
    with path.open("rb") as stream:
        start = stream.read(len(_START))
    if not _START.startswith(start):
        raise _no_ledger(path)


def _no_ledger(path: Path) -> InputError:
    return InputError(f"{path}: is no ledger of `edgewise batch`; give another name")


def _check_head(path: Path, line: bytes) -> None:
    try:
        found = json.loads(line)["ledger"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise _no_ledger(path) from error
    if found != FORMAT:
        raise InputError(f"{path}: is of format {found}; this version reads {FORMAT}")


def _entry(path: Path, number: int, line: bytes) -> tuple[str, Entry]:
    try:
        values = json.loads(line)
        status = next(name for name in _STATUSES if name in values)
        output, inputs = values[status], values["inputs"]
        note = values["error"] if status == "failed" else values.get("before")
        if isinstance(output, str) and isinstance(inputs, str) and isinstance(note, str | None):
            return output, Entry(status, inputs, note)
    except (ValueError, KeyError, TypeError, StopIteration, RecursionError):
        pass
    raise InputError(
        f"{path}: line {number} is damaged; remove that line to have its photo looked at again"
    )
