"""The store: which documents there are, and which of them are in memory.

A document is its files: photo, coarse mask and journal. In memory is what was used last; the
rest is read again when asked for.
"""

import hashlib
import secrets
import shutil
import threading
import time
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from edgewise.errors import InputError, OutputError
from edgewise.studio.document import Busy, Document
from edgewise.studio.home import Home
from edgewise.studio.journal import Journal
from edgewise.studio.levels import levels_of
from edgewise.studio.limits import Limits, RefusedError
from edgewise.studio.uploads import mask_in, photo_in

FORMAT = 1
"""Of the journals; another one is not read."""


@dataclass(frozen=True, kw_only=True)
class Source:
    """The files of a document.

    Attributes:
        name: the photo's file name, to be shown.
        photo: the photo.
        coarse: the coarse mask, or None.
        journal: where its history is kept.
        entry: the key of the queue's entry that it belongs to, or None for an upload.
    """

    name: str
    photo: Path
    coarse: Path | None
    journal: Path
    entry: str | None = None


class Store:
    """The documents of a server.

    Args:
        limits: how many are held, and what pictures may be.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._home = Home()
        self._sources: OrderedDict[str, Source] = OrderedDict()
        self._loaded: OrderedDict[str, Document] = OrderedDict()
        self._abouts: dict[str, dict[str, Any]] = {}  # what each was made of when first read
        self._users: dict[str, int] = {}
        self._lock = threading.RLock()

    def close(self) -> None:
        """Remove the uploads."""
        self._home.close()

    def upload(self, name: str, photo: BinaryIO, mask: BinaryIO | None) -> str:
        """Take a photo and its mask in; gives the document's key.

        Raises:
            RefusedError: they are no pictures, too large, damaged or do not fit one another.
        """
        key = secrets.token_hex(8)
        home = self._home.path / key
        home.mkdir()
        try:
            copied(photo, home / "photo")
            if mask:
                copied(mask, home / "mask")
            source = Source(
                name=name,
                photo=home / "photo",
                coarse=home / "mask" if mask else None,
                journal=home / "journal",
            )
            with self._lock:
                self._hold(key, _load(key, source, self._limits))
                self._sources[key] = source
                self._forget_oldest()
        except BaseException:
            shutil.rmtree(home, ignore_errors=True)
            raise
        return key

    def open(self, source: Source) -> str:
        """The key of an entry's document, which is loaded where it is not yet.

        Where its files are others than when it was first loaded, it is loaded anew, with another
        key.

        Raises:
            RefusedError: its photo or mask cannot be used.
            InputError: its journal is damaged or belongs to other files.
        """
        with self._lock:
            keys = (key for key, one in self._sources.items() if one.entry == source.entry)
            key = next(keys, None) or secrets.token_hex(8)
            if key in self._abouts and not _is_of(self._abouts[key], source):
                self._forget(key)
                key = secrets.token_hex(8)
            self._sources[key] = source
            with self.using(key):
                return key

    def entry_of(self, key: str) -> str | None:
        """The queue's entry that a document belongs to."""
        source = self._sources.get(key)
        return source.entry if source else None

    @contextmanager
    def using(self, key: str) -> Iterator[Document]:
        """A document, which stays in memory while the block runs.

        Raises:
            RefusedError: 404 where there is no such document.
            InputError: its files have been replaced since it was opened.
        """
        document = self._claim(key)
        try:
            yield document
        finally:
            with self._lock:
                self._users[key] -= 1
                if not self._users[key]:
                    del self._users[key]
                self._drop_idle()

    def begin(self, key: str, what: str) -> tuple[Document, Busy]:
        """Claim a document for long work, which keeps it in memory; see `Document.begin`."""
        with self.using(key) as document:
            return document, document.begin(what)

    def _claim(self, key: str) -> Document:
        with self._lock:
            source = self._sources.get(key)
            if source is None:
                raise RefusedError(404, f"there is no document {key[:40]!r}; open its photo again")
            self._sources.move_to_end(key)
            document = self._loaded.get(key)
            if document is None:
                document = _load(key, source, self._limits)
                if self._abouts.get(key, document.about) != document.about:
                    raise InputError(
                        f"{source.name}: was replaced since it was opened; load this page again"
                    )
            self._hold(key, document)
            self._users[key] = self._users.get(key, 0) + 1
            return document

    def _hold(self, key: str, document: Document) -> None:
        document.used = time.monotonic()
        self._loaded[key] = document
        self._abouts[key] = document.about
        self._loaded.move_to_end(key)
        self._drop_idle()

    def _drop_idle(self) -> None:
        """Let go of the documents unused longest, but for those in use and the newest."""
        for key in list(self._loaded)[:-1]:
            if len(self._loaded) <= self._limits.documents:
                return
            if not self._users.get(key) and not self._loaded[key].busy:
                del self._loaded[key]

    def _forget_oldest(self) -> None:
        """Remove uploads over the limit, the one untouched longest first."""
        uploads = [key for key, source in self._sources.items() if source.entry is None]
        for key in uploads[: -self._limits.uploads]:
            held = self._loaded.get(key)
            if self._users.get(key) or (held and held.busy):
                continue
            shutil.rmtree(self._forget(key).photo.parent, ignore_errors=True)

    def _forget(self, key: str) -> Source:
        """Let go of a document for good; gives the files that it had."""
        self._loaded.pop(key, None)
        self._abouts.pop(key, None)
        return self._sources.pop(key)


def copied(stream: BinaryIO, path: Path) -> Path:
    """The path, at which an upload's content now is; OutputError where there is no room."""
    try:
        with path.open("wb") as target:
            shutil.copyfileobj(stream, target)
        return path
    except OSError as error:
        raise OutputError(f"an upload cannot be kept: {error.strerror}") from error


def _load(key: str, source: Source, limits: Limits) -> Document:
    """A document from its files."""
    names = ("the photo", "the mask")
    if source.entry and source.coarse:
        names = (source.photo.name, source.coarse.name)
    photo = photo_in(source.photo, pixels=limits.pixels, called=names[0])
    coarse = None
    if source.coarse:
        size = (photo.shape[0], photo.shape[1])
        soft = mask_in(source.coarse, size=size, pixels=limits.pixels, called=names[1])
        coarse = levels_of(soft)
    about = _about(source, (photo.shape[0], photo.shape[1]))
    return Document(key, source.name, photo, coarse, Journal(source.journal, about))


def _about(source: Source, shape: tuple[int, int]) -> dict[str, Any]:
    """What tells a document's files from others; `shape` is the photo's height and width."""
    return {
        "edgewise-studio": FORMAT,
        "size": [shape[1], shape[0]],
        "photo": _checksum(source.photo),
        "mask": _checksum(source.coarse) if source.coarse else None,
    }


def _is_of(about: dict[str, Any], source: Source) -> bool:
    """Whether what a document was made of is what the files are now."""
    width, height = about["size"]
    try:
        return about == _about(source, (height, width))
    except OSError:
        return False


def _checksum(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
