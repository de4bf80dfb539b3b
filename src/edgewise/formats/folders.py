"""Folders of annotations: photos found by name, results written to new folders only."""

from __future__ import annotations

import os
import shutil
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from edgewise.errors import InputError, OutputError
from edgewise.files import SUFFIXES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_WORK = ".edgewise-new-"  # begins the names of folders that are being written, and of no others


def find_photo(folder: Path, names: Iterable[str]) -> Path | None:
    """The first file in `folder` of one of the names, or None.

    A name may have folders in it; where there is no such file below `folder`, the names' last
    parts are looked for. Names never lead out of `folder`.
    """
    return next((folder / name for name in places(names) if _is_file(folder / name)), None)


def places(names: Iterable[str]) -> list[str]:
    """Where below a folder `find_photo` looks for a photo of these names."""
    names = list(names)
    found = [inner_name(name) for name in names] + [PurePosixPath(name).name for name in names]
    return [place for place in found if place]


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a name that is too long: there is no such file
        return False


def inner_name(name: str) -> str:
    """A name with folders as it is where it stays inside of its folder, else its last part."""
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or ":" in "".join(path.parts[:1]):
        return path.name
    return str(path)


def stem_of(name: str) -> str:
    """A photo's name without suffix, as files about it are called below a folder."""
    inner = PurePosixPath(inner_name(name.replace("\\", "/") or "unnamed"))
    return str(inner.with_suffix("") if inner.suffix.lower() in SUFFIXES else inner)


def photo_names(stem: str) -> list[str]:
    """The names that a photo of a stem may have: .jpg first, suffixes as .jpg, .JPG and .Jpg."""
    suffixes = sorted(SUFFIXES, key=lambda suffix: (suffix != ".jpg", suffix))
    return [stem + form for one in suffixes for form in (one, one.upper(), one.title())]


def unique_stems(names: Iterable[str]) -> list[str]:
    """The names' stems; InputError where two photos would share one, or no file can have one."""
    stems: dict[str, str] = {}
    for name in names:
        stem = stem_of(name)
        if "\0" in stem or not is_text(stem):
            raise InputError(f"photo {name!r}: no file can have this name; rename it")
        if stem in stems:
            raise InputError(f"two photos, {stems[stem]} and {name}, would share files {stem}.*")
        stems[stem] = name
    return list(stems)


def is_text(name: str) -> bool:
    """Whether UTF-8 has codes for all of a name: it has none for half of a surrogate pair."""
    return not any("\ud800" <= character <= "\udfff" for character in name)


@contextmanager
def new_folder(path: Path) -> Iterator[Path]:
    """A folder to fill, which is moved to `path`, new or empty, when the block ends well.

    Parents are made. When the block raises, all that was made is removed.

    Raises:
        OutputError: the folder has files or cannot be made, or the block raised an OSError.
    """
    missing = [folder for folder in (path, *path.parents) if not os.path.exists(folder)]
    _check_empty(path)
    # An empty folder may be a disk's or lie where nothing else can be made: it is filled inside.
    work = (path.parent if missing else path) / f"{_WORK}{os.urandom(8).hex()}"
    try:
        path.mkdir(parents=True, exist_ok=True)
        work.mkdir()
        yield work
        if missing:
            work.rename(path)
        else:
            for entry in list(work.iterdir()):
                entry.rename(path / entry.name)
            work.rmdir()
    except BaseException as error:
        _remove(work, missing)
        if isinstance(error, OSError):
            name = error.filename or path
            told = isinstance(error, OutputError)
            reason = str(error) if told else f"{name}: cannot be written: {error.strerror}"
            raise OutputError(reason.replace(str(work), str(path))) from error
        raise


def _check_empty(path: Path) -> None:
    """Raise OutputError where `path` is no folder, or one with other files than a killed run's."""
    if os.path.isdir(path):
        try:
            entries = list(path.iterdir())
        except OSError as error:
            raise OutputError(f"{path}: cannot be listed: {error.strerror}") from error
        if any(not entry.name.startswith(_WORK) for entry in entries):
            raise OutputError(f"{path}: is not empty; give the name of a new folder")
        for entry in entries:
            shutil.rmtree(entry, ignore_errors=True)
    elif os.path.exists(path):
        raise OutputError(f"{path}: is a file; give the name of a new folder")


def _remove(work: Path, folders: list[Path]) -> None:
    """Remove a folder, and those that were made for it, the innermost first."""
    shutil.rmtree(work, ignore_errors=True)
    for folder in folders:
        with suppress(OSError):
            folder.rmdir()


def text_of(path: Path) -> str:
    """A text file in UTF-8; InputError where it cannot be read."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: is no UTF-8 text at byte {error.start}") from error
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from error
