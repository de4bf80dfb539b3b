"""Folders: the jobs of a folder of photos and a folder of masks of the same stems."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from edgewise.batch.index import Index, key_of
from edgewise.batch.jobs import Job, Options
from edgewise.batch.stores import canonical, join, listed, name_of
from edgewise.errors import InputError
from edgewise.files import SUFFIXES


@dataclass(frozen=True, slots=True)
class Folders:
    """The jobs of two folders, listed anew whenever they are iterated over.

    The photos lie in the folder, not below it; hidden files are left out. They come in the order
    in which the store lists them, and the masks' names are kept on disk, so that local folders of
    any size take no memory. A photo without a mask is a job that will fail.

    Attributes:
        photos: folder of photos, a local path or an fsspec URL, as are the others.
        masks: folder of coarse masks.
        output: folder of refined masks, `<stem>.png` each; neither of the others.
        options: for all of them.
    """

    photos: str
    masks: str
    output: str
    options: Options = field(default_factory=Options)

    def __iter__(self) -> Iterator[Job]:
        """The jobs.

        Raises:
            InputError: a folder cannot be listed, two masks have one stem, or the output folder is
                that of photos or masks.
        """
        self._check_output()
        masks = _Masks(self.masks)
        try:
            for photo in _pictures(self.photos):
                stem = _stem(photo)
                output = join(self.output, f"{stem}.png")
                yield Job(photo, masks.find(stem), output, self.options, source=photo)
        finally:
            masks.close()

    def _check_output(self) -> None:
        """A next run would take the results for photos, or for masks."""
        for part in ("photos", "masks"):
            if _one_spelling(getattr(self, part)) == _one_spelling(self.output):
                raise InputError(f"output {self.output}: is the folder of {part}; give another")


def _one_spelling(folder: str) -> str:
    return canonical(join(folder, ""))


def _pictures(folder: str) -> Iterator[str]:
    for location in listed(folder):
        name = name_of(location)
        if PurePosixPath(name).suffix.lower() in SUFFIXES and not name.startswith("."):
            yield location


def _stem(location: str) -> str:
    return PurePosixPath(name_of(location)).stem


class _Masks:
    """The masks of a folder by their stems, in bounded memory."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._index = Index("CREATE TABLE masks (key BLOB PRIMARY KEY, file TEXT) WITHOUT ROWID")
        try:
            for location in _pictures(folder):
                self._add(location)
        except BaseException:
            self.close()
            raise

    def find(self, stem: str) -> str:
        """The mask of a stem; where there is none, the one that is missing."""
        return self._found(stem) or join(self._folder, f"{stem}.png")

    def close(self) -> None:
        """Forget all."""
        self._index.close()

    def _found(self, stem: str) -> str | None:
        row = self._index.run("SELECT file FROM masks WHERE key = ?", key_of(stem))
        return None if row is None else str(row[0])

    def _add(self, location: str) -> None:
        stem = _stem(location)
        other = self._found(stem)
        if other not in (None, location):
            names = f"{name_of(str(other))}, {name_of(location)}"
            raise InputError(f"{self._folder}: two masks of one stem: {names}; keep one")
        self._index.run("INSERT OR IGNORE INTO masks VALUES (?, ?)", key_of(stem), location)
