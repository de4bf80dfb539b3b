"""Results files: JSON lines, a header and then one row a pair, written as each is done."""

import json
import platform
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from importlib import metadata
from pathlib import Path
from types import UnionType

from edgewise import __version__
from edgewise.errors import InputError
from edgewise.evaluation.pairs import Key, Pair
from edgewise.evaluation.rows import Row, check_types, measured_values
from edgewise.evaluation.run import checksum
from edgewise.lines import LineFile

FORMAT = 1
_LIBRARIES = ("numpy", "onnxruntime", "opencv-python-headless", "pillow")


def _versions() -> dict[str, str]:
    found = {name: metadata.version(name) for name in _LIBRARIES}
    return {"python": platform.python_version(), **found}


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """What the rows of a results file depend on.

    Attributes:
        format: version of the file's form.
        edgewise: version of the package.
        engine: what refined, see `OpenRefine.describe`; None where refined masks were given.
        fast: whether only `rows.FAST` was measured.
        hce: whether `rows.HCE` was measured too.
        libraries: versions of what it stands on; a run may go on with others.
        run: how it was run (workers, threads, machine); likewise.
    """

    format: int = FORMAT
    edgewise: str = __version__
    engine: dict[str, str] | None = None
    fast: bool = False
    hce: bool = False
    libraries: dict[str, str] = field(default_factory=_versions)
    run: dict[str, str | int | None] = field(default_factory=dict)

    @property
    def measured(self) -> tuple[str, ...]:
        """The values of a score that the rows hold."""
        return measured_values(fast=self.fast, hce=self.hce)

    def difference(self, other: "Header") -> str:
        """In words, where rows under `other` could differ from rows under this; or ""."""
        for name in ("format", "edgewise", "fast", "hce"):
            mine, its = getattr(self, name), getattr(other, name)
            if mine != its:
                return f"{name} is {its}, not {mine}"
        mine, its = self.engine or {}, other.engine or {}
        for name in [*mine, *its]:
            if mine.get(name) != its.get(name):
                return f"engine's {name} is {its.get(name)}, not {mine.get(name)}"
        return ""


_TYPES: Mapping[str, type | UnionType] = {
    "edgewise": str,
    "engine": dict | None,
    "fast": bool,
    "hce": bool,
    "libraries": dict,
    "run": dict,
}


def read_results(path: Path) -> tuple[Header, list[Row]]:
    """The header and the rows of a results file; a last line cut off by an end is left out.

    Raises:
        InputError: the file cannot be read or is no results file.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from error
    return _parsed(path, data[: data.rfind(b"\n") + 1].splitlines())


def _parsed(path: Path, lines: Sequence[bytes]) -> tuple[Header, list[Row]]:
    """The header and the rows of whole lines."""
    if not lines:
        raise InputError(f"{path}: is no results file; its first line should be a header")
    header = _header(path, lines[0])
    rows: dict[Key, Row] = {}
    for at, line in enumerate(lines[1:], start=2):
        row = _row(path, at, line)
        if row.key in rows:  # which of the scores is meant cannot be known
            name = " ".join(filter(None, row.key))
            raise InputError(f"{path}: line {at} holds {name} a second time; remove one of them")
        rows[row.key] = row
    return header, list(rows.values())


def _header(path: Path, line: bytes) -> Header:
    try:
        values = json.loads(line)["header"]
        header = Header(**values)
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(
            f"{path}: is no results file of `edgewise evaluate`; its first line should be a header"
        ) from error
    if header.format != FORMAT:
        raise InputError(f"{path}: is of format {header.format}; this version reads {FORMAT}")
    try:
        check_types(asdict(header), _TYPES)
        check_types(header.engine or {}, dict.fromkeys(header.engine or {}, str))
    except InputError as error:
        raise InputError(f"{path}: its header is damaged: {error}") from error
    return header


def _row(path: Path, at: int, line: bytes) -> Row:
    try:
        values = json.loads(line)
        if isinstance(values, dict) and "header" in values:
            raise InputError("it is another header; of files put together, keep the first's alone")
        return Row.from_dict(values)
    except ValueError as error:  # InputError is one
        raise InputError(f"{path}: line {at} is damaged: {error}") from error


class Results:
    """A results file being written; opening it takes up what is there already.

    Args:
        path: the file, made if missing; None keeps the rows in memory alone.
        header: what the rows depend on.
        pairs: all pairs of the folders scored, also those that are not to be scored now.

    Raises:
        InputError: the file is another thing, is being written by another process, or its rows are
            of other settings or other files.
        OutputError: it cannot be written to.
    """

    def __init__(self, path: Path | None, header: Header, pairs: Iterable[Pair]) -> None:
        self.path, self.header = path, header
        self.rows: dict[Key, Row] = {}
        """The rows in the file, by the key of their pair."""
        self._file: LineFile | None = None
        if path is not None:
            self._file = self._opened(path, pairs)

    def _opened(self, path: Path, pairs: Iterable[Pair]) -> LineFile:
        """The file, its rows taken up; no other process may have it open."""
        file = LineFile(path)
        try:
            file.lock()
            lines = list(file.lines())
            if lines or path.stat().st_size:
                found, rows = _parsed(path, lines)
                _check_same(path, found, self.header, rows, {pair.key: pair for pair in pairs})
                self.rows = {row.key: row for row in rows}
            else:
                file.add({"header": asdict(self.header)})
        except BaseException:
            file.close()
            raise
        return file

    def add(self, row: Row) -> None:
        """Keep one row, on disk whatever happens next.

        Raises:
            OutputError: it cannot be written.
        """
        self.rows[row.key] = row
        if self._file is not None:
            self._file.add(row.to_dict(self.header.measured))

    def __enter__(self) -> "Results":
        """The file itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()


def _check_same(
    path: Path, found: Header, header: Header, rows: list[Row], pairs: dict[Key, Pair]
) -> None:
    """Raise InputError unless rows of the file are rows that this run would write."""
    difference = header.difference(found)
    if difference:
        raise InputError(f"{path}: is of another run: its {difference}; give a new file")
    sums: dict[Path, str] = {}
    for row in rows:
        pair = pairs.get(row.key)
        name = " ".join(filter(None, row.key))
        if pair is None:
            raise InputError(f"{path}: is of another run: it holds {name}; give a new file")
        if pair.files.keys() != row.sha256.keys():
            raise InputError(f"{path}: is of another run: {name} is of other files now")
        for part, file in pair.files.items():
            if file not in sums:  # sources of one photo share files
                sums[file] = checksum(file)
            if row.sha256[part] != sums[file]:
                raise InputError(
                    f"{path}: is of another run: {file} has changed since; give a new file"
                )
