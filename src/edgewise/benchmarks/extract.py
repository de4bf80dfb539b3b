"""Archives unpacked safely: nothing outside the folder, no links, no more than was allowed."""

import lzma
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Self

from edgewise.errors import InputError, OutputError

_BLOCK = 2**20
_ENCRYPTED = 1
_DAMAGE = (
    zipfile.BadZipFile,
    tarfile.TarError,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    NotImplementedError,  # of zipfile, for a compression that it does not know
)


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What an archive may hold: the published ones are far below.

    Attributes:
        files: so many files.
        bytes: so many bytes, unpacked.
    """

    files: int = 200_000
    bytes: int = 64 * 2**30

    def __post_init__(self) -> None:
        if self.files < 1 or self.bytes < 1:
            raise InputError(f"limits must be at least 1, not {self.files} and {self.bytes}")


@dataclass(frozen=True, slots=True)
class _Member:
    """A file in an archive."""

    name: str
    stream: IO[bytes]


def is_archive(path: Path) -> bool:
    """Whether a file is an archive that `extract` takes: zip, or tar with gzip, bzip2 or xz."""
    try:
        return zipfile.is_zipfile(path) or tarfile.is_tarfile(path)
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror or error}") from error
    except _DAMAGE as error:
        raise _damaged(path, error) from error


def extract(archive: Path, folder: Path, *, limits: Limits | None = None) -> int:
    """Unpack the files of an archive below `folder` and give their number.

    Modes, owners and times of the archive are left alone; empty folders are not made. What is
    there when it fails is for the caller to throw away, so give a new folder.

    Raises:
        InputError: no archive, damaged, encrypted, or it holds a path that leads out of the
            folder, a link or device, one file twice, or more than the limits allow.
        OutputError: a file cannot be written.
    """
    limits = limits or Limits()
    files, left = 0, limits.bytes
    try:
        for member in _members(archive):
            files += 1
            if files > limits.files:
                raise InputError(f"{archive}: holds more than {limits.files} files; refused")
            left -= _copy(member.stream, _target(archive, folder, member.name), left, archive)
    except OutputError:
        raise
    except (*_DAMAGE, OSError) as error:  # zipfile and gzip raise OSError on damaged data too
        raise _damaged(archive, error) from error
    return files


def no_archive(path: Path) -> InputError:
    """The error to raise for a file that is none."""
    return InputError(
        f"{path}: is no archive, or is cut off; expected zip, or tar with gz, bz2 or xz"
    )


def _damaged(archive: Path, error: Exception) -> InputError:
    return InputError(f"{archive}: is damaged or cut off: {' '.join(str(error).split())}")


def _members(archive: Path) -> Iterator[_Member]:
    if zipfile.is_zipfile(archive):
        yield from _zip_members(archive)
    elif tarfile.is_tarfile(archive):
        yield from _tar_members(archive)
    else:
        raise no_archive(archive)


def _zip_members(archive: Path) -> Iterator[_Member]:
    with zipfile.ZipFile(archive) as opened:
        for info in opened.infolist():
            kind = stat.S_IFMT(info.external_attr >> 16)  # 0 where made on a system without
            if info.is_dir():
                continue
            if kind not in (0, stat.S_IFREG):
                raise _refused(archive, info.filename)
            if info.flag_bits & _ENCRYPTED:
                raise InputError(f"{archive}: {info.filename} is encrypted; unpack it yourself")
            with opened.open(info) as stream:
                yield _Member(info.filename, stream)


class _TarInfo(tarfile.TarInfo):
    """A header of a member; only a block of zeros ends an archive.

    Python's own takes one for whole that ends in a damaged header, in part of one, or in none.
    """

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
        try:
            return super().frombuf(buf, encoding, errors)
        except tarfile.HeaderError as error:
            if len(buf) == tarfile.BLOCKSIZE and not any(buf):
                raise
            raise tarfile.ReadError(str(error)) from error


def _tar_members(archive: Path) -> Iterator[_Member]:
    with tarfile.open(archive, tarinfo=_TarInfo) as opened:
        for info in opened:
            if info.isdir():
                continue
            stream = opened.extractfile(info) if info.isreg() else None
            if stream is None:
                raise _refused(archive, info.name)
            with closing(stream):
                yield _Member(info.name, stream)
        while opened.fileobj and opened.fileobj.read(_BLOCK):
            pass  # the checksum of what was compressed stands at its end


def _refused(archive: Path, name: str) -> InputError:
    return InputError(f"{archive}: holds a link or device, {name!r}; refused")


def _target(archive: Path, folder: Path, name: str) -> Path:
    """Where a member belongs; InputError where its path leads out of the folder."""
    path = PurePosixPath(name.replace("\\", "/"))
    leads_out = path.is_absolute() or ".." in path.parts or ":" in name or "\0" in name
    if leads_out or not path.parts:
        raise InputError(f"{archive}: holds {name!r}, which leads out of the folder; refused")
    return folder.joinpath(*path.parts)


def _copy(stream: IO[bytes], target: Path, left: int, archive: Path) -> int:
    """Write a member, at most `left` bytes, and give their number.

    Bytes are counted as they come: what an archive says about its sizes may be a lie.
    """
    done = 0
    with _created(target, archive) as output:
        while block := stream.read(_BLOCK):
            done += len(block)
            if done > left:
                raise InputError(f"{archive}: holds more bytes than allowed; refused")
            _write(output, block, target)
    return done


def _write(output: IO[bytes], block: bytes, target: Path) -> None:
    left = memoryview(block)
    try:
        while left:
            left = left[output.write(left) :]
    except OSError as error:
        raise OutputError(f"{target}: cannot be written: {error.strerror}") from error


def _created(target: Path, archive: Path) -> IO[bytes]:
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        return target.open("xb", buffering=0)  # so that nothing is left to fail when it is closed
    except FileExistsError as error:
        raise InputError(f"{archive}: holds {target.name} twice in one folder; refused") from error
    except OSError as error:
        raise OutputError(f"{target}: cannot be written: {error.strerror or error}") from error
