"""Stores: files by local path or by fsspec URL, read and written by the same functions.

Local paths need nothing but the standard library; URLs take the extra `batch`.
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
import shutil
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from edgewise import files
from edgewise.errors import DependencyError, EdgewiseError, InputError, OutputError, missing_extra
from edgewise.files import check_target, working_name

if TYPE_CHECKING:
    from collections.abc import Iterator

_WHOLE = frozenset({"s3", "s3a", "gs", "gcs", "abfs", "abfss", "az", "adl", "oci", "oss"})
"""Stores in which a file appears when its upload is complete, never before."""

_ALIASES = {"s3a": "s3", "gcs": "gs", "az": "abfs", "abfss": "abfs", "ssh": "sftp"}
"""Schemes of stores that fsspec has by another one as well."""

_TAGS = (
    "ETag",
    "etag",
    "md5Hash",
    "Content-MD5",
    "generation",
    "mtime",
    "LastModified",
    "last_modified",
    "Last-Modified",
    "updated",
)
"""Where stores say which version of a file they hold, the surest first."""

_GONE = frozenset({404, 410})
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
_NO_PLACE = (PermissionError, FileNotFoundError, NotADirectoryError, NotImplementedError)
"""What stores raise where a folder or bucket is missing or takes nothing."""


class StoreError(EdgewiseError):
    """A store did not answer as it should; another try may help."""


def local_path(location: str) -> Path | None:
    """The path of a local file; None where the location is a URL of another store."""
    plain = _plain(location)
    return None if plain == location and _is_url(location) else Path(plain)


def _plain(location: str) -> str:
    """A local file's location without a scheme, of which fsspec has two."""
    return location.removeprefix("file://").removeprefix("local://")


def _is_url(location: str) -> bool:
    return "://" in location  # `::` alone may be part of a file's name


def name_of(location: str) -> str:
    """The file's name, without folders and without a URL's query."""
    return PurePosixPath(_without_query(location)).name


def is_web(location: str) -> bool:
    """Whether a web server is asked for it."""
    return location.startswith(("http://", "https://"))


def is_memory(location: str) -> bool:
    """Whether it lies in a process's own memory, where no other process sees it."""
    return location.startswith("memory://")


def _without_query(location: str) -> str:
    return re.split("[?#]", location, maxsplit=1)[0] if is_web(location) else location


def join(folder: str, name: str) -> str:
    """A location in a folder; `name` as it is where it is absolute or a URL."""
    if _is_url(name) or os.path.isabs(name):
        return name
    if _is_url(folder):
        return f"{folder.rstrip('/')}/{name}"
    return os.path.join(folder, name)


def parent(location: str) -> str:
    """The folder of a location; "" where none is named."""
    if _is_url(location):
        return _without_query(location).rsplit("/", 1)[0]
    return os.path.dirname(location)


def canonical(location: str) -> str:
    """One spelling of a location: links of local folders and files are followed."""
    text = _plain(location)
    if _is_url(text):
        scheme, rest = text.split("://", 1)
        return f"{_ALIASES.get(scheme, scheme)}://{rest}"
    folder, name = os.path.split(text)  # not pathlib, which takes longer than all the rest
    whole = os.path.join(_real_folder(_absolute(folder)), name)
    return os.path.realpath(whole) if os.path.islink(whole) else whole


def _absolute(path: str | Path) -> str:
    """A path that stays true when the working directory changes; `..` may lead out of a link."""
    return os.path.join(os.getcwd(), path)


@lru_cache(maxsize=1024)
def _real_folder(folder: str) -> str:
    return os.path.realpath(folder)


def forget_folders() -> None:
    """Look at folders anew: links may have changed, and folders that were made may be gone."""
    _real_folder.cache_clear()
    _make_folder.cache_clear()


def is_hard_link(first: str, second: str) -> bool:
    """Whether two local files of different names are one."""
    try:
        return os.path.exists(first) and os.path.samefile(first, second)
    except OSError:  # the second does not exist
        return False


def version(location: str, *, checksum: bool = False) -> str:
    """What tells one content of a file from another.

    Args:
        location: the file.
        checksum: the sha256 of what it holds, which takes reading all of it. Otherwise its size
            and time of change, or what else its store says of versions; the sha256 too where it
            says nothing of them.

    Raises:
        InputError: there is no such file.
        StoreError: the store does not answer.
    """
    path = local_path(location)
    if path is not None:
        return _local_version(path, checksum=checksum)
    with _reading(location):
        system, inner = _opened(location)
        said = None if checksum else _said_version(system.info(inner))
        if said is not None:
            return said
        with system.open(inner, "rb") as stream:
            return _digest(stream)


def version_or_none(location: str) -> str | None:
    """The `version` of a file, or None where there is none."""
    try:
        return version(location)
    except InputError:
        return None


def _local_version(path: Path, *, checksum: bool) -> str:
    try:
        status = path.stat()
        if not path.is_file():
            raise InputError(f"{path}: is not a file")
        if checksum:
            with path.open("rb") as stream:
                return _digest(stream)
    except (OSError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{path}: cannot be read: {_reason(error)}") from error
    return f"{status.st_size}:{status.st_mtime_ns}"


def _said_version(info: dict[str, Any]) -> str | None:
    """The version by what a store says of a file; None where that tells none from another."""
    tag = next((info[name] for name in _TAGS if info.get(name) is not None), None)
    return None if tag is None else f"{info.get('size')}:{tag}"


def _digest(stream: Any) -> str:
    digest = hashlib.sha256()
    while block := stream.read(1 << 20):
        digest.update(block)
    return digest.hexdigest()


def listed(folder: str) -> Iterator[str]:
    """The files of a folder (not below it), as the store lists them, links to nowhere too.

    Raises:
        InputError: it is no folder, or cannot be listed.
        StoreError: the store does not answer.
    """
    path = local_path(folder)
    if path is None:
        with _reading(folder):
            system, inner = _opened(folder)
            entries = system.ls(inner, detail=True)
            system.invalidate_cache()  # later questions are about files as they are then
        yield from (
            system.unstrip_protocol(entry["name"])
            for entry in entries
            if entry["type"] != "directory"
        )
        return
    try:
        with os.scandir(path) as entries:
            yield from (entry.path for entry in entries if not entry.is_dir())
    except OSError as error:
        raise InputError(f"{folder}: cannot be listed: {_reason(error)}") from error


@contextmanager
def fetched(location: str) -> Iterator[Path]:
    """A file as a local path: itself, or a copy that is there until the block ends.

    Raises:
        InputError: there is no such file.
        StoreError: the store does not answer.
        OutputError: there is no room for the copy.
    """
    path = local_path(location)
    if path is not None:
        yield path
        return
    with TemporaryDirectory(prefix="edgewise-") as folder:
        copy = Path(folder, name_of(location) or "file")
        with _reading(location):
            system, inner = _opened(location)
            system.get_file(inner, str(copy))
        yield copy


def check_place(location: str) -> None:
    """See that an output can be made or replaced where its folder exists.

    Raises:
        OutputError: it is a folder, a device or write-protected, or no file can be called so.
    """
    path = local_path(location)
    try:
        if path is not None and path.parent.is_dir():
            check_target(Path(os.path.realpath(path)), location)
    except EdgewiseError:
        raise
    except PermissionError:
        return  # `make_folder` tells of the folder
    except OSError as error:
        raise OutputError(f"{location}: cannot be written: {_reason(error)}") from error


def make_folder(location: str) -> None:
    """Make the folder that an output goes to, and see that it takes files.

    Raises:
        OutputError: it cannot be made or written to.
    """
    path = local_path(location)
    if path is not None:
        _make_folder(_absolute(path.parent))


@lru_cache(maxsize=64)
def _make_folder(folder: str) -> None:
    files.make_folder(folder)
    if not os.access(folder, os.W_OK | os.X_OK):
        raise OutputError(f"{folder}: cannot be written to; allow writing or give another folder")


@contextmanager
def stored(location: str) -> Iterator[Path]:
    """A path to write a file at, which appears whole at `location` when the block ends well.

    On local disks the file is written beside its place, is on the disk before it is moved there,
    and what a killed process has left of an earlier try is removed. Object stores show an upload
    when it is complete; elsewhere it goes to a temporary name first.

    Raises:
        OutputError: it cannot be written there.
        StoreError: the store does not answer.
    """
    path = local_path(location)
    if path is None:
        with TemporaryDirectory(prefix="edgewise-") as folder:
            copy = Path(folder, name_of(location))
            yield copy
            _upload(copy, location)
        return
    target = Path(os.path.realpath(path))
    scratch = _scratch(target)
    try:
        shutil.rmtree(scratch, ignore_errors=True)
        scratch.mkdir()
        yield scratch / target.name
        _flush(scratch / target.name)
        (scratch / target.name).replace(target)
        _flush(target.parent)
    except EdgewiseError:
        raise
    except OSError as error:
        raise OutputError(f"{location}: cannot be written: {_reason(error)}") from error
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def stops_all(error: OutputError) -> bool:
    """Whether other outputs would fail likewise: the disk is full, or the folder takes none."""
    cause = error.__cause__
    while isinstance(cause, OutputError):
        cause = cause.__cause__
    if isinstance(cause, OSError) and cause.errno in _FULL | {errno.EROFS}:
        return True
    # libvips says in words alone that the disk is full
    return isinstance(cause, _NO_PLACE) or os.strerror(errno.ENOSPC) in str(error)


def tidy(location: str) -> None:
    """Remove what a killed process may have left beside an output."""
    path = local_path(location)
    if path is not None:
        shutil.rmtree(_scratch(Path(os.path.realpath(path))), ignore_errors=True)


def _scratch(target: Path) -> Path:
    """A folder for a file on its way, the same at every try."""
    key = hashlib.sha256(os.fsencode(target.name)).hexdigest()[:24]
    return target.parent / f".edgewise-{key}"


def _flush(path: Path) -> None:
    """Wait until the disk has a file's content, or a folder's names."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _upload(copy: Path, location: str) -> None:
    system, inner = _opened(location)
    protocols = system.protocol if isinstance(system.protocol, tuple) else (system.protocol,)
    with _sending(location):
        if _WHOLE.intersection(protocols):
            system.put_file(str(copy), inner)
            return
        system.makedirs(parent(inner), exist_ok=True)
        temporary = f"{parent(inner)}/{working_name()}"
        try:
            system.put_file(str(copy), temporary)
            system.mv(temporary, inner)
        except BaseException:
            with suppress(Exception):
                system.rm_file(temporary)
            raise


def _opened(location: str) -> tuple[Any, str]:
    """The file system of a URL, and the path in it."""
    try:
        from fsspec.core import url_to_fs
    except ImportError as error:
        raise missing_extra("fsspec", "batch") from error
    try:
        system, inner = url_to_fs(location)
    except ImportError as error:  # fsspec says what to install
        raise DependencyError(f"{location}: {_reason(error)}") from error
    except ValueError as error:
        raise InputError(f"{location}: {_reason(error)}") from error
    return system, inner


@contextmanager
def _reading(location: str) -> Iterator[None]:
    try:
        yield
    except EdgewiseError:
        raise
    except Exception as error:  # each store's library has exceptions of its own
        if isinstance(error, FileNotFoundError) and not _is_excuse(error):
            raise InputError(f"{location}: there is no such file") from error
        if isinstance(error, OSError) and error.errno in _FULL:
            raise OutputError(f"{location}: no room to fetch it: {_reason(error)}") from error
        raise StoreError(f"{location}: cannot be read: {_reason(error)}") from error


def _is_excuse(error: FileNotFoundError) -> bool:
    """Whether a file only seems missing: fsspec says so of web servers that are busy or gone."""
    cause = error.__cause__
    from_web = type(cause).__module__.startswith("aiohttp")
    return from_web and getattr(cause, "status", None) not in _GONE


@contextmanager
def _sending(location: str) -> Iterator[None]:
    try:
        yield
    except _NO_PLACE as error:
        raise OutputError(f"{location}: cannot be written: {_reason(error)}") from error
    except Exception as error:  # each store's library has exceptions of its own
        raise StoreError(f"{location}: cannot be written: {_reason(error)}") from error


def _reason(error: Exception) -> str:
    """An exception in one line."""
    error = error.__cause__ if isinstance(error.__cause__, Exception) else error
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return " ".join(text.split()) or type(error).__name__
