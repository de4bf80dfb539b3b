"""Index: tables on disk for what a run must remember of each job, in bounded memory."""

from __future__ import annotations

import hashlib
import sqlite3
from typing import Any

from edgewise.errors import OutputError


class Index:
    """A temporary SQLite database, which is gone with the process; a few MB of it in memory.

    Args:
        schema: what it holds.
    """

    def __init__(self, schema: str) -> None:
        self._database = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        self._database.execute("PRAGMA journal_mode = OFF")
        self._database.execute("PRAGMA synchronous = OFF")
        self._database.execute(schema)

    def run(self, statement: str, *values: Any) -> tuple[Any, ...] | None:
        """Run a statement; its first row, or None.

        Text may hold what any file's name may. Ask for no key: blobs come back as text.

        Raises:
            OutputError: the folder for temporary files is full.
        """
        given = [_bytes(value) if isinstance(value, str) else value for value in values]
        try:
            row = self._database.execute(statement, given).fetchone()
        except sqlite3.OperationalError as error:
            raise OutputError(f"the index of jobs in the temporary folder: {error}") from error
        return row and tuple(_text(value) if isinstance(value, bytes) else value for value in row)

    def close(self) -> None:
        """Drop it."""
        self._database.close()


def key_of(text: str) -> bytes:
    """A key of fixed size for a location of any length."""
    return hashlib.blake2b(_bytes(text), digest_size=16).digest()


def _bytes(text: str) -> bytes:
    """Text as bytes: names of files may hold surrogates, which SQLite refuses."""
    return text.encode("utf-8", "surrogatepass")


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogatepass")
