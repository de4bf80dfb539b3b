"""What this machine remembers of the benchmark: checksums of what was fetched, terms accepted."""

import json
from pathlib import Path
from typing import Any

from edgewise.errors import InputError
from edgewise.files import atomic_path

FILE = "ledger.json"


class Ledger:
    """A small JSON file in the benchmark's folder.

    Nobody published checksums of the data, so the first download that ended well sets what later
    ones must be. Each change is read, made and written at once: two commands may run side by side.
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
        parts = {name: self._read(name) for name in ("files", "terms")}
        parts[part][key] = value
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with atomic_path(self._path) as temporary:
            temporary.write_text(json.dumps(parts, indent=2, sort_keys=True) + "\n", "utf-8")
