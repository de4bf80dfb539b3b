"""Folders: the jobs of a folder of photos and a folder of masks of the same stems."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from edgewise.batch.jobs import Job, Options
from edgewise.batch.stores import join, listed, local_path, name_of
from edgewise.errors import InputError
from edgewise.files import SUFFIXES

_LOCAL_SUFFIXES = tuple(sorted(SUFFIXES | {suffix.upper() for suffix in SUFFIXES}))


@dataclass(frozen=True, slots=True)
class Folders:
    """The jobs of two folders, listed anew whenever they are iterated over.

    The photos lie in the folder, not below it; hidden files are left out. They come in the order
    in which the store lists them, so that local folders of any size take no memory. A photo
    without a mask is a job that will fail.

    Attributes:
        photos: folder of photos, a local path or an fsspec URL, as are the others.
        masks: folder of coarse masks.
        output: folder of refined masks, `<stem>.png` each.
        options: for all of them.
    """

    photos: str
    masks: str
    output: str
    options: Options = field(default_factory=Options)

    def __iter__(self) -> Iterator[Job]:
        """The jobs.

        Raises:
            InputError: a folder cannot be listed, or a photo has two masks.
        """
        mask_of = _mask_finder(self.masks)
        for photo in _pictures(self.photos):
            stem = _stem(photo)
            output = join(self.output, f"{stem}.png")
            yield Job(photo, mask_of(stem), output, self.options, source=photo)


def _pictures(folder: str) -> Iterator[str]:
    for location in listed(folder):
        name = name_of(location)
        if PurePosixPath(name).suffix.lower() in SUFFIXES and not name.startswith("."):
            yield location


def _stem(location: str) -> str:
    return PurePosixPath(name_of(location)).stem


def _mask_finder(folder: str) -> Callable[[str], str]:
    """What finds the mask of a stem; where there is none, it names the one that is missing."""
    local = local_path(folder)
    if local is not None:
        return lambda stem: _local_mask(local, stem)
    found: dict[str, str] = {}
    for location in _pictures(folder):
        other = found.setdefault(_stem(location), location)
        if other != location:
            raise _ambiguous(folder, other, location)
    return lambda stem: found.get(stem, join(folder, f"{stem}.png"))


def _local_mask(folder: Path, stem: str) -> str:
    """Asks for each suffix, which takes no memory however many masks there are."""
    candidates = (folder / f"{stem}{suffix}" for suffix in _LOCAL_SUFFIXES)
    found = [path for path in candidates if path.is_file()]
    if len(found) > 1:
        raise _ambiguous(str(folder), str(found[0]), str(found[1]))
    return str(found[0] if found else folder / f"{stem}.png")


def _ambiguous(folder: str, first: str, second: str) -> InputError:
    names = f"{name_of(first)}, {name_of(second)}"
    return InputError(f"{folder}: two masks of one stem: {names}; keep one")
