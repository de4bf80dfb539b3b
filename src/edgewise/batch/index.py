"""Index: tables on disk for what a run must remember of each job, in bounded memory."""

from __future__ import annotations

import hashlib
import os
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

        Raises:
            OutputError: the folder for temporary files is full.
        """
        try:
            row: tuple[Any, ...] | None = self._database.execute(statement, values).fetchone()
        except sqlite3.OperationalError as error:
            raise OutputError(f"the index of jobs in the temporary folder: {error}") from error
        return row

    def close(self) -> None:
        """Drop it."""
        self._database.close()


def key_of(text: str) -> bytes:
    """A key of fixed size for a location of any length."""
    return hashlib.blake2b(os.fsencode(text), digest_size=16).digest()
