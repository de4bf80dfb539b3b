"""Journals: files that only grow, a line of JSON an event, whole after a crash.

A line counts when its end is there. What a killed process left of its last line is cut off when
the journal is opened again.
"""

import json
import os
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgewise.errors import InputError, OutputError


@dataclass(frozen=True)
class Place:
    """Where a line lies in its journal, in bytes."""

    offset: int
    length: int


class Journal:
    """A journal on the disk; the file is made with the first event.

    Args:
        path: the file.
        about: what the events apply to, the first line. A journal about something else is refused.

    Raises:
        InputError: the file cannot be read, is damaged before its last line, or is about
            something else.
    """

    def __init__(self, path: Path, about: dict[str, Any]) -> None:
        self.path, self.about = path, about
        self._lock = threading.Lock()
        self._end = 0
        self.events = self._read()
        """The events found, each with its place, until the caller lets go of them."""

    def append(self, event: dict[str, Any]) -> Place:
        """Write an event; it is on the disk when this returns.

        Raises:
            OutputError: it cannot be written, or what was written before has gone; the journal is
                then as it was before.
        """
        with self._lock:
            head = b"" if self._end else _line(self.about)
            line = _line(event)
            self._write(head + line)
            place = Place(self._end + len(head), len(line))
            self._end = place.offset + place.length
            return place

    def event(self, place: Place) -> dict[str, Any]:
        """The event at a place.

        Raises:
            InputError: the file has gone or has been changed from outside.
        """
        try:
            with self.path.open("rb") as stream:
                stream.seek(place.offset)
                found = json.loads(stream.read(place.length))
        except (OSError, ValueError) as error:
            raise InputError(f"{self.path}: cannot be read any more: {error}") from error
        return dict(found)

    def _write(self, data: bytes) -> None:
        if self._end > (self.path.stat().st_size if self.path.exists() else 0):
            raise OutputError(
                f"{self.path}: was removed or cut off while it was in use; put it back, or start "
                "the studio again to begin anew"
            )
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.open("ab") as stream:
                try:
                    stream.truncate(self._end)
                    stream.write(data)
                    stream.flush()
                    os.fsync(stream.fileno())
                except OSError:
                    stream.truncate(self._end)
                    raise
        except OSError as error:
            raise OutputError(
                f"{self.path}: cannot be written: {error.strerror}; make room or allow writing"
            ) from error

    def _read(self) -> list[tuple[Place, dict[str, Any]]]:
        try:
            data = self.path.read_bytes()
        except FileNotFoundError:
            return []
        except OSError as error:
            raise InputError(f"{self.path}: cannot be read: {error.strerror}") from error
        lines = data.split(b"\n")[:-1]  # behind the last line's end is nothing, or a cut-off line
        events: list[tuple[Place, dict[str, Any]]] = []
        for number, line in enumerate(lines, start=1):
            event = self._event(line, number)
            if number > 1:
                events.append((Place(self._end, len(line) + 1), event))
            elif event != self.about:
                raise InputError(
                    f"{self.path}: was made for another photo or mask than there is now; put the "
                    "old files back, or move this file away to begin anew"
                )
            self._end += len(line) + 1
        return events

    def _event(self, line: bytes, number: int) -> dict[str, Any]:
        try:
            event = json.loads(line)
        except ValueError as error:
            raise InputError(f"{self.path}: line {number} is damaged: {error}") from error
        if not isinstance(event, dict):
            raise InputError(f"{self.path}: line {number} is no event")
        return event


def _line(event: dict[str, Any]) -> bytes:
    return json.dumps(event, separators=(",", ":")).encode() + b"\n"
