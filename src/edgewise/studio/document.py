"""Documents: a photo that is worked on, its masks, and every operation that made them.

A document's layers are bytes HxW: `current`, the soft mask; `coarse`, what came in; `lock`, 1
where the refiner may change nothing. Operations change layers by patches, which a journal keeps,
so that undo and redo have no limit but the disk, and a killed server loses nothing.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from edgewise.errors import InputError
from edgewise.passes.view import Box
from edgewise.studio.journal import Journal, Place
from edgewise.studio.levels import Levels
from edgewise.studio.limits import RefusedError
from edgewise.studio.patches import Patch, patch_to

Layer = Literal["current", "coarse", "lock"]
LAYERS: tuple[Layer, ...] = ("current", "coarse", "lock")


@dataclass(frozen=True)
class Flags:
    """What a document has, beside its pixels."""

    has_mask: bool = False
    has_coarse: bool = False
    refined: bool = False


@dataclass(frozen=True)
class Change:
    """New pixels of a layer: uint8 hxw that go to `box`."""

    layer: Layer
    box: Box
    pixels: NDArray[np.uint8]


@dataclass(frozen=True)
class _Step:
    place: Place
    flags: Flags


@dataclass
class Busy:
    """Work under way on a document: its name, and the share that is done, an estimate."""

    what: str
    done: float = 0.0


class Document:
    """A photo with its masks and their history.

    Reading and changing are safe from any thread; a change while long work is under way is
    refused.

    Args:
        key: what the document is called in addresses.
        name: the photo's file name, to be shown.
        photo: uint8 HxWx3 RGB.
        coarse: the coarse mask as levels HxW, or None where there is none yet.
        journal: of this photo and mask; its events are made again.

    Raises:
        InputError: the journal is damaged.
    """

    def __init__(
        self,
        key: str,
        name: str,
        photo: NDArray[np.uint8],
        coarse: Levels | None,
        journal: Journal,
    ) -> None:
        self.key, self.name, self.photo = key, name, photo
        self.shape = (photo.shape[0], photo.shape[1])
        self.layers = {layer: np.zeros(self.shape, np.uint8) for layer in LAYERS}
        if coarse is not None:
            self.layers["current"][:] = coarse
            self.layers["coarse"][:] = coarse
        self._first = Flags(has_mask=coarse is not None, has_coarse=coarse is not None)
        self._journal = journal
        self._steps: list[_Step] = []
        self._at = 0
        self.revision = 0
        self.used = time.monotonic()
        self._busy: Busy | None = None
        self._lock = threading.RLock()
        self._replay()

    @property
    def about(self) -> dict[str, Any]:
        """What its journal is about: the photo and the mask."""
        return self._journal.about

    @property
    def flags(self) -> Flags:
        """What the document has now."""
        return self._steps[self._at - 1].flags if self._at else self._first

    @property
    def can_undo(self) -> bool:
        """Whether there is an operation to take back."""
        return self._at > 0

    @property
    def can_redo(self) -> bool:
        """Whether there is an operation to make again."""
        return self._at < len(self._steps)

    @property
    def busy(self) -> Busy | None:
        """The long work under way, or None."""
        return self._busy

    @contextmanager
    def reading(self) -> Iterator[dict[Layer, NDArray[np.uint8]]]:
        """The layers, which do not change while the block runs."""
        with self._lock:
            yield self.layers

    def begin(self, what: str) -> Busy:
        """Claim the document for long work; `end` lets go of it.

        Raises:
            RefusedError: 409 where other work is under way.
        """
        with self._lock:
            self._refuse_busy()
            self._busy = Busy(what)
            return self._busy

    def end(self) -> None:
        """Let go of the document after long work."""
        self._busy = None

    def apply(
        self, what: str, changes: list[Change], flags: Flags, *, by: Busy | None = None
    ) -> Box | None:
        """Make an operation and note it; what was taken back before cannot be made again then.

        Args:
            what: the operation's name, for the journal.
            changes: new pixels.
            flags: what the document has afterwards.
            by: the work that `begin` gave, for the one who holds the document.

        Returns:
            The rectangle in which anything changed. None where nothing did: then nothing is
            noted, and the flags stay too, so that each step back can be seen.

        Raises:
            RefusedError: 409 where somebody else's work is under way.
            OutputError: the journal cannot be written; the document is then unchanged.
        """
        with self._lock:
            if by is None or by is not self._busy:
                self._refuse_busy()
            found = [patch_to(c.layer, self.layers[c.layer], c.pixels, c.box) for c in changes]
            patches = [patch for patch in found if patch]
            if not patches:
                return None
            event = {"do": what, "patches": [patch.as_json() for patch in patches]}
            place = self._journal.append(event | {"flags": vars(flags)})
            self._push(_Step(place, flags))
            return self._lay_on(patches)

    def undo(self) -> Box | None:
        """Take the last operation back; gives the rectangle that changed.

        Raises:
            RefusedError: 409 where there is none, or work is under way.
        """
        with self._lock:
            self._refuse_busy()
            if not self.can_undo:
                raise RefusedError(409, "there is nothing to undo")
            patches = self._patches(self._steps[self._at - 1])
            self._journal.append({"do": "undo"})
            self._move(-1)
            return self._lay_on(patches)

    def redo(self) -> Box | None:
        """Make the operation again that was taken back last; gives the rectangle that changed.

        Raises:
            RefusedError: 409 where there is none, or work is under way.
        """
        with self._lock:
            self._refuse_busy()
            if not self.can_redo:
                raise RefusedError(409, "there is nothing to redo")
            patches = self._patches(self._steps[self._at])
            self._journal.append({"do": "redo"})
            self._move(+1)
            return self._lay_on(patches)

    def _refuse_busy(self) -> None:
        if self._busy:
            raise RefusedError(
                409, f"{self.name} is busy ({self._busy.what}); wait until it is done"
            )

    def _push(self, step: _Step) -> None:
        del self._steps[self._at :]
        self._steps.append(step)
        self._move(+1)

    def _move(self, by: int) -> None:
        self._at += by
        self.revision += 1

    def _patches(self, step: _Step) -> list[Patch]:
        return _patches_of(self._journal.event(step.place), self.layers)

    def _lay_on(self, patches: list[Patch]) -> Box | None:
        changed: Box | None = None
        for patch in patches:
            patch.lay_on(self.layers)
            changed = patch.box if changed is None else changed.joined(patch.box)
        return changed

    def _replay(self) -> None:
        """Bring the document to where its journal ends: patches of steps that stand, once each."""
        for place, event in self._journal.events:
            if event.get("do") == "undo" and self._at:
                self._move(-1)
            elif event.get("do") == "redo" and self.can_redo:
                self._move(+1)
            else:
                self._push(_Step(place, _flags_of(event, self._journal)))
        self._journal.events = []
        for step in self._steps[: self._at]:
            self._lay_on(self._patches(step))


def _flags_of(event: dict[str, Any], journal: Journal) -> Flags:
    try:
        return Flags(**event["flags"])
    except (KeyError, TypeError) as error:
        raise InputError(f"{journal.path}: has an event that makes no sense: {error}") from error


def _patches_of(event: dict[str, Any], layers: dict[Layer, NDArray[np.uint8]]) -> list[Patch]:
    return [Patch.from_json(value, layers) for value in event["patches"]]
