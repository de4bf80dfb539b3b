"""Folder mode: a queue of photos with coarse masks, and the results to hand on.

The folder's own files are never written to. What is done goes into `.edgewise-studio/` in it: a
journal of every document, and one of what was decided of each entry.
"""

import hashlib
import math
import re
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from edgewise.errors import InputError, OutputError
from edgewise.files import (
    MAX_PIXELS,
    find_images,
    lock_file,
    picture_size,
    shown,
    stored_size,
)
from edgewise.masks import write_mask
from edgewise.studio.document import Document
from edgewise.studio.journal import Journal
from edgewise.studio.levels import INSIDE, soft_of
from edgewise.studio.limits import RefusedError
from edgewise.studio.store import Source, Store

Status = Literal["new", "accepted", "fixed", "skipped", "flagged"]
STATUSES: tuple[Status, ...] = get_args(Status)
DONE = frozenset[Status]({"accepted", "fixed"})

HOME = ".edgewise-studio"
EXPORT = "edgewise-export"

_MASK = re.compile(r"(?P<id>.+?)_(?:seg|mask)(?P<source>(?:[_\d].*)?)")
_PART = re.compile(r".+_(?:im|gt)|.+_(?:seg|mask)(?:[_\d].*)?")


@dataclass
class Entry:
    """A photo of the queue with one coarse mask, or none yet.

    Attributes:
        key: what it is called in addresses; the same whenever the folder is opened.
        id: what the names of its files begin with.
        source: which network made the coarse mask, where its name says so; else "".
        photo: the photo.
        coarse: the coarse mask, or None.
        width: of the photo in pixels.
        height: likewise.
        status: what was decided.
        seconds: time spent on it.
        has_mask: whether it has a mask, by its file or by hand.
    """

    key: str
    id: str
    source: str
    photo: Path
    coarse: Path | None
    width: int
    height: int
    status: Status = "new"
    seconds: float = 0.0
    has_mask: bool = False

    @property
    def name(self) -> str:
        """Its photo's file name to be shown, with the source where there is one."""
        return shown(self.photo.name + (f" ({self.source})" if self.source else ""))

    @property
    def is_done(self) -> bool:
        """Whether its mask is to be handed on."""
        return self.status in DONE and self.has_mask


@dataclass
class Found:
    """What a folder holds, and a line on each file that cannot be used."""

    entries: list[Entry] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def scan(folder: Path) -> Found:
    """The photos of a folder with their coarse masks, by name.

    - `<id>_im.*` goes with `<id>_seg.*` or `<id>_seg_<source>.*`; each of several masks is an
      entry.
    - Another photo goes with the mask of its stem in `masks/`, with `<stem>_mask.*` or
      `<stem>_seg*.*` beside it, or with `<stem>.png` beside it, where the photo itself is no PNG.
    - Photos may be in the folder or in `photos/` or `images/` in it. Those without a mask are
      entries as well.

    Raises:
        InputError: the folder cannot be listed or holds no photo.
    """
    found = Found()
    for home in (folder, folder / "photos", folder / "images"):
        if home == folder or home.is_dir():
            _scan_into(found, folder, find_images(home))
    if not found.entries:
        shown = "".join(f"; {problem}" for problem in found.problems[:3])
        raise InputError(f"{folder}: no photos in this folder{shown}")
    found.entries.sort(key=lambda entry: (entry.id, entry.source, str(entry.photo)))
    return found


def _scan_into(found: Found, folder: Path, paths: list[Path]) -> None:
    masks = _masks_of(paths)
    subfolder = folder / "masks"
    apart = {path.stem: path for path in find_images(subfolder)} if subfolder.is_dir() else {}
    twins = Counter(path.stem for path in paths)
    for path in paths:
        is_twin = path.suffix.lower() == ".png" and twins[path.stem] > 1
        if is_twin or (_PART.fullmatch(path.stem) and not path.stem.endswith("_im")):
            continue
        id_ = path.stem.removesuffix("_im")
        beside = masks.get(id_) or {}
        other = apart.get(path.stem) or apart.get(id_)
        if not beside and other:
            beside = {"": other}
        twin = path.with_suffix(".png")
        if not beside and twins[path.stem] > 1 and twin in paths:
            beside = {"": twin}
        _add(found, folder, path, id_, beside)


def _masks_of(paths: list[Path]) -> dict[str, dict[str, Path]]:
    """Masks by id and source; `_seg` goes before `_mask`, which comes first in no order."""
    masks: dict[str, dict[str, Path]] = {}
    for path in sorted(paths, key=lambda path: "_seg" in path.stem):
        match = _MASK.fullmatch(path.stem)
        if match:
            source = match["source"].removeprefix("_")
            masks.setdefault(match["id"], {})[source] = path
    return masks


def _add(found: Found, folder: Path, photo: Path, id_: str, masks: dict[str, Path]) -> None:
    try:
        if math.prod(stored_size(photo)) > MAX_PIXELS:
            raise InputError(f"{photo}: has more than {MAX_PIXELS:,} pixels, the limit")
        width, height = picture_size(photo)
    except InputError as error:
        found.problems.append(str(error))
        return
    for source, coarse in masks.items() or [("", None)]:
        found.entries.append(
            Entry(
                key=_key(folder, photo, source),
                id=id_,
                source=source,
                photo=photo,
                coarse=coarse,
                width=width,
                height=height,
                has_mask=coarse is not None,
            )
        )


def _key(folder: Path, photo: Path, source: str) -> str:
    text = f"{photo.relative_to(folder).as_posix()}\0{source}"
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:16]


class Queue:
    """The queue of a folder; one studio at a time has it.

    Args:
        folder: holds the photos.

    Raises:
        InputError: the folder holds no photos, its journal is damaged, or another studio has it.
        OutputError: nothing can be written there.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        found = scan(folder)
        self.entries = {entry.key: entry for entry in found.entries}
        self.problems = found.problems
        self._home = folder / HOME
        self._held = _hold(self._home)
        self._journal = Journal(self._home / "queue.jsonl", {"edgewise-studio-queue": 1})
        for _, event in self._journal.events:
            self._take(event)
        self._journal.events = []

    def close(self) -> None:
        """Let other studios have the folder."""
        self._held.close()

    @property
    def name(self) -> str:
        """The folder's name to be shown, without those above it."""
        return shown(self.folder.resolve().name)

    def counts(self) -> dict[Status, int]:
        """Entries by status."""
        counts = Counter(entry.status for entry in self.entries.values())
        return {status: counts[status] for status in STATUSES}

    def entry(self, key: str) -> Entry:
        """The entry of a key; RefusedError 404 where there is none."""
        if key not in self.entries:
            raise RefusedError(404, f"there is no photo {key[:40]!r} in the queue")
        return self.entries[key]

    def source(self, key: str) -> Source:
        """The files of an entry's document."""
        entry = self.entry(key)
        return Source(
            name=shown(entry.photo.name),
            photo=entry.photo,
            coarse=entry.coarse,
            journal=self._home / f"{key}.jsonl",
            entry=key,
        )

    def decide(self, key: str, status: Status | None, seconds: float) -> Entry:
        """Note what was decided of an entry, None for nothing new, and the time spent in all.

        Raises:
            RefusedError: 409 where a photo without a mask is to be accepted.
        """
        entry = self.entry(key)
        status = status or entry.status
        if status in DONE and not entry.has_mask:
            raise RefusedError(409, f"{entry.name} has no mask to be {status}; make one first")
        self._note({"key": key, "status": status, "seconds": round(seconds, 1)})
        return entry

    def note_mask(self, key: str, has_mask: bool) -> None:
        """Note whether an entry has a mask, where that has changed; without, none is done."""
        entry = self.entry(key)
        if entry.has_mask == has_mask:
            return
        event: dict[str, Any] = {"key": key, "mask": has_mask}
        if not has_mask and entry.status in DONE:
            event |= {"status": "new", "seconds": entry.seconds}
        self._note(event)

    def _note(self, event: dict[str, Any]) -> None:
        self._journal.append(event)
        self._take(event)

    def _take(self, event: dict[str, Any]) -> None:
        """What an event says; those of photos that have gone are passed over."""
        entry = self.entries.get(str(event.get("key")))
        if entry is None:
            return
        if "mask" in event:
            entry.has_mask = bool(event["mask"])
        if event.get("status") in STATUSES:
            entry.status = event["status"]
            entry.seconds = float(event["seconds"])

    def export(
        self, store: Store, report: Callable[[int, int], None] | None = None
    ) -> tuple[Path, int]:
        """Write the accepted and fixed entries as `_im`, `_gt` and `_seg` into a new folder.

        The folder appears whole or not at all. Entries without a mask are left out.

        Args:
            store: holds the documents.
            report: called before each entry, and at the end, with how many are done and how many
                there are; what it raises ends the export.

        Returns:
            The folder, and how many entries are in it.

        Raises:
            RefusedError: 409 where nothing is accepted.
            OutputError: the folder cannot be written.
        """
        chosen = [entry for entry in self.entries.values() if entry.is_done]
        if not chosen:
            raise RefusedError(
                409, "nothing is accepted or fixed yet, so there is nothing to export"
            )
        uses = Counter(entry.id for entry in chosen)
        with _new_folder(self.folder) as (partial, target):
            for done, entry in enumerate(chosen):
                if report:
                    report(done, len(chosen))
                unique = entry.id if uses[entry.id] == 1 else f"{entry.id}-{entry.key[:4]}"
                with store.using(store.open(self.source(entry.key))) as document:
                    _write_sample(partial, unique, entry, document)
            if report:
                report(len(chosen), len(chosen))
        return target, len(chosen)


def _write_sample(folder: Path, id_: str, entry: Entry, document: Document) -> None:
    with document.reading() as layers:
        truth = layers["current"] > INSIDE
        coarse = soft_of(layers["coarse"])
        has_coarse = document.flags.has_coarse
    shutil.copyfile(entry.photo, folder / f"{id_}_im{entry.photo.suffix.lower()}")
    write_mask(folder / f"{id_}_gt.png", truth)
    if has_coarse:
        source = f"_{entry.source}" if entry.source else ""
        write_mask(folder / f"{id_}_seg{source}.png", coarse, soft=_has_greys(coarse))


def _has_greys(soft: NDArray[np.float32]) -> bool:
    return bool(((soft > 0) & (soft < 1)).any())


@contextmanager
def _new_folder(home: Path) -> Iterator[tuple[Path, Path]]:
    """A hidden folder to write to, and its name once the block has ended well."""
    number = 1
    while (home / f"{EXPORT}-{number}").exists():
        number += 1
    target = home / f"{EXPORT}-{number}"
    partial = home / HOME / f"{EXPORT}-{number}.partial"
    try:
        shutil.rmtree(partial, ignore_errors=True)  # of a server that was killed
        partial.mkdir(parents=True)
        yield partial, target
        partial.rename(target)
    except OSError as error:
        if isinstance(error, OutputError):
            raise
        raise OutputError(f"{target}: cannot be written: {error.strerror}") from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _hold(home: Path) -> IO[bytes]:
    """Claim a folder for this process, until the file that is given is closed or it dies."""
    try:
        home.mkdir(exist_ok=True)
        stream = (home / "lock").open("wb")
    except OSError as error:
        raise OutputError(f"{home}: cannot be written: {error.strerror}") from error
    try:
        lock_file(stream)
    except OSError as error:
        stream.close()
        raise InputError(
            f"{home.parent}: is open in another studio; close that one first"
        ) from error
    return stream
