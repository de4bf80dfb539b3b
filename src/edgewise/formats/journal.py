"""Journals: finished photos of a long run, beside its output, so that it can go on after a stop.

A line of JSON a photo, after a first line that says what the run was about. A line is written
whole and flushed; of a run that was killed the last line may be cut off, and is left out.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgewise.errors import InputError, OutputError
from edgewise.formats.annotation import Rle
from edgewise.lines import LineFile

_HEAD = '{"edgewise": '


@dataclass(frozen=True)
class Entry:
    """What came of one photo: masks by the key of their annotation, and lines on what went wrong.

    Args:
        scene: the photo's position in the document.
        masks: refined masks.
        problems: lines for the user.
    """

    scene: int
    masks: dict[int, Rle]
    problems: list[str]


class Journal:
    """The journal of a run that writes `output`, at `<output>.journal`.

    Args:
        output: the run's output file.
        about: what decides the results: the input's checksum, the options. A journal of another
            run at this place is not used but begun anew.
        resume: use what an earlier run has left.

    Raises:
        OutputError: the journal cannot be written, or a file that is none has its name.
    """

    def __init__(self, output: Path, about: dict[str, Any], *, resume: bool) -> None:
        self.path = journal_path(output)
        self._about = {"edgewise": 2, **about}
        found = self._lines()
        if found and not _is_journals(found[0]):
            raise OutputError(f"{self.path}: is no journal; move it away or give another output")
        lines = found if resume else []
        same = bool(lines) and _loaded(lines[0]) == self._about
        self.stale = bool(lines) and not same
        """Whether a journal of another run lay there."""
        entries = [_entry(line) for line in lines[1:]] if same else []
        self.done = {entry.scene: entry for entry in entries if entry}
        """The entries of photos that an earlier run finished."""
        self._goes_on = same

    def __enter__(self) -> Journal:
        """Open the journal: behind the earlier run's whole lines, or begun anew.

        Raises:
            InputError: another run that writes this output is going on.
        """
        self._file = LineFile(self.path)
        self._file.lock()
        if not (self._goes_on and list(self._file.lines())):
            self._file.clear()
            self._file.add(self._about)
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Close the journal, and remove it where the run came to its end."""
        if kind is None:
            self.path.unlink(missing_ok=True)
        self._file.close()

    def add(self, entry: Entry) -> None:
        """Note that a photo is finished; OutputError where the disk is full."""
        masks = {
            str(key): {"height": mask.height, "width": mask.width, "counts": mask.counts.decode()}
            for key, mask in entry.masks.items()
        }
        self._file.add({"scene": entry.scene, "masks": masks, "problems": entry.problems})

    def _lines(self) -> list[str]:
        try:
            return self.path.read_text(encoding="utf-8", errors="replace").splitlines()
        except FileNotFoundError:
            return []
        except OSError as error:
            raise OutputError(f"{self.path}: cannot be read: {error.strerror}") from error


def journal_path(output: Path) -> Path:
    """Where the journal of a run that writes `output` lies."""
    return output.with_name(output.name + ".journal")


def _is_journals(line: str) -> bool:
    """Whether a file's first line, which may be cut off, is a journal's."""
    return bool(line) and (line.startswith(_HEAD) or _HEAD.startswith(line))


def _loaded(line: str) -> Any:
    """The value of a line; None where it was cut off."""
    try:
        return json.loads(line)
    except ValueError:
        return None


def _entry(line: str) -> Entry | None:
    """The entry of a line, or None where the line was cut off."""
    try:
        data = json.loads(line)
        masks = {
            int(key): Rle.from_counts(mask["counts"], (mask["height"], mask["width"]))
            for key, mask in data["masks"].items()
        }
        return Entry(int(data["scene"]), masks, [str(text) for text in data["problems"]])
    except (ValueError, KeyError, TypeError, AttributeError, InputError):
        return None
