"""What this machine remembers of the benchmark: checksums of what was fetched, terms accepted."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from edgewise.errors import InputError, OutputError
from edgewise.files import atomic_path, lock_file, make_folder

FILE = "ledger.json"
LOCK = ".ledger.lock"
"""An empty file: the ledger itself cannot be locked, as each change puts a new one in its place."""


class Ledger:
    """A small JSON file in the benchmark's folder.

    Nobody published checksums of the data, so the first download that ended well sets what later
    ones must be. Each change is read, made and written under a lock: commands may run side by side.
    """

    def __init__(self, root: Path) -> None:
        self._path = root / FILE

    def checksum(self, key: str) -> str | None:
        """The SHA-256 recorded for a link or Drive id; None before the first success."""
        row = self._read("files").get(key)
        return None if row is None else str(row["sha256"])

    def record(self, key: str, sha256: str, size: int) -> None:
        """Remember a file that was fetched and turned out well."""
        self._write("files", key, {"sha256": sha256, "bytes": size})

    def accepted(self, dataset: str) -> str | None:
        """The terms of a dataset as they were accepted; None before that."""
        terms = self._read("terms").get(dataset)
        return None if terms is None else str(terms)

    def accept(self, dataset: str, terms: str) -> None:
        """Remember that the terms of a dataset were accepted."""
        self._write("terms", dataset, terms)

    def _read(self, part: str) -> dict[str, Any]:
        if not self._path.exists():
            return {}
        try:
            values = json.loads(self._path.read_text("utf-8")).get(part, {})
        except (OSError, ValueError, AttributeError) as error:
            raise InputError(f"{self._path}: cannot be read: {error}; mend or remove it") from error
        if not isinstance(values, dict):
            raise InputError(f"{self._path}: {part!r} is no table; mend or remove the file")
        return values

    def _write(self, part: str, key: str, value: Any) -> None:
        make_folder(self._path.parent)
        with self._locked():
            parts = {name: self._read(name) for name in ("files", "terms")}
            parts[part][key] = value
            with atomic_path(self._path) as temporary:
                temporary.write_text(json.dumps(parts, indent=2, sort_keys=True) + "\n", "utf-8")

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Wait until no other command changes the ledger, and keep others from it."""
        path = self._path.with_name(LOCK)
        try:
            stream = path.open("wb")
        except OSError as error:
            raise OutputError(f"{path}: cannot be written: {error.strerror}") from error
        with stream:
            try:
                lock_file(stream, wait=True)
            except OSError as error:
                raise OutputError(f"{path}: cannot be locked: {error.strerror}") from error
            yield
