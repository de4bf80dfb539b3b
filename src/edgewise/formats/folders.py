"""Folders of annotations: photos found by name, results written to new folders only."""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from edgewise.errors import InputError, OutputError
from edgewise.files import SUFFIXES

if TYPE_CHECKING:
    from collections.abc import Iterable


def find_photo(folder: Path, names: Iterable[str]) -> Path | None:
    """The first file in `folder` of one of the names, or None.

    A name may have folders in it; where there is no such file below `folder`, the names' last
    parts are looked for. Names never lead out of `folder`.
    """
    names = list(names)
    candidates = [_inner(name) for name in names] + [PurePosixPath(name).name for name in names]
    return next((folder / name for name in candidates if name and (folder / name).is_file()), None)


def _inner(name: str) -> str:
    """A name with folders as it is where it stays inside of its folder, else its last part."""
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or ":" in "".join(path.parts[:1]):
        return path.name
    return str(path)


def stem_of(name: str) -> str:
    """A photo's name without suffix, as files about it are called below a folder."""
    inner = PurePosixPath(_inner(name.replace("\\", "/") or "unnamed"))
    return str(inner.with_suffix("") if inner.suffix.lower() in SUFFIXES else inner)


def unique_stems(names: Iterable[str]) -> list[str]:
    """The names' stems; InputError where two photos would share one."""
    stems: dict[str, str] = {}
    for name in names:
        stem = stem_of(name)
        if stem in stems:
            raise InputError(f"two photos, {stems[stem]} and {name}, would share files {stem}.*")
        stems[stem] = name
    return list(stems)


def new_folder(path: Path) -> Path:
    """A folder that is new or empty, made with its parents; OutputError where it is not."""
    try:
        path.mkdir(parents=True, exist_ok=True)
        if any(path.iterdir()):
            raise OutputError(f"{path}: is not empty; give the name of a new folder")
    except FileExistsError:
        raise OutputError(f"{path}: is a file; give the name of a new folder") from None
    except OSError as error:
        if isinstance(error, OutputError):
            raise
        raise OutputError(f"{path}: cannot be made: {error.strerror}") from error
    return path


def text_of(path: Path) -> str:
    """A text file in UTF-8; InputError where it cannot be read."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: is no UTF-8 text at byte {error.start}") from error
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from error
