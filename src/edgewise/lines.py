"""Line files: a JSON object a line, added one by one, so that a killed process loses at most one.

A line counts once its newline is there. What a killed process or a full disk left behind the last
newline is cut off before the next line is added.
"""

from __future__ import annotations

import fcntl
import json
import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgewise.errors import InputError, OutputError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from types import TracebackType


class LineFile:
    """A file of lines, open for reading and adding; made where it is missing.

    Args:
        path: the file. Read its `lines` once before the first `add`.

    Raises:
        OutputError: it cannot be opened for writing, or is a device or pipe, which may never end.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._end = 0
        with self._writing():
            self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        if not stat.S_ISREG(os.fstat(self._descriptor).st_mode):
            self.close()
            raise OutputError(f"{path}: is not a regular file; give the name of a file")

    def lock(self) -> None:
        """Keep other processes that ask for it out, until this one closes the file or ends.

        Raises:
            InputError: another process has it.
        """
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise InputError(
                f"{self.path}: is in use by another run; wait for it or give another name"
            ) from error

    def lines(self) -> Iterator[bytes]:
        """The whole lines from the start, without newlines, one in memory at a time."""
        self._end = 0
        with self._writing(), open(self._descriptor, "rb", closefd=False) as stream:
            stream.seek(0)
            for line in stream:
                if not line.endswith(b"\n"):
                    return
                self._end += len(line)
                yield line[:-1]

    def clear(self) -> None:
        """Drop all lines."""
        self._end = 0

    def add(self, values: Mapping[str, Any]) -> None:
        """Add a line behind the last one read or added; the operating system has it then.

        Raises:
            OutputError: it cannot be written (a full disk); the lines before it stay whole.
        """
        line = json.dumps(values, allow_nan=False).encode() + b"\n"
        with self._writing():
            os.ftruncate(self._descriptor, self._end)
            written = 0
            while written < len(line):
                written += os.pwrite(self._descriptor, line[written:], self._end + written)
        self._end += len(line)

    def sync(self) -> None:
        """Wait until the disk has all lines, whatever happens to the machine next."""
        with self._writing():
            os.fsync(self._descriptor)

    def close(self) -> None:
        """Close the file."""
        os.close(self._descriptor)

    def _writing(self) -> _Writing:
        return _Writing(self.path)


class _Writing:
    """Turns an OSError into an OutputError that names the file."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> None:
        pass

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if isinstance(error, OSError) and not isinstance(error, OutputError):
            raise OutputError(
                f"{self._path}: cannot be written: {error.strerror or error}"
            ) from error
