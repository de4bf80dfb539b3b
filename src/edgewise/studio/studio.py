"""The studio's parts, as the routes share them."""

from dataclasses import dataclass, field

from edgewise.passes.view import Box
from edgewise.studio.document import Document
from edgewise.studio.exports import Exports
from edgewise.studio.folder import Queue
from edgewise.studio.forms import BusyAnswer, DocumentAnswer
from edgewise.studio.jobs import Jobs
from edgewise.studio.limits import Limits, RefusedError
from edgewise.studio.store import Store
from edgewise.studio.tiles import SIDE, TileCache, level_count


@dataclass(frozen=True)
class Studio:
    """What a server works with; `queue` is None without a folder."""

    limits: Limits
    jobs: Jobs
    store: Store
    tiles: TileCache
    queue: Queue | None
    exports: Exports = field(default_factory=Exports)

    def folder_queue(self) -> Queue:
        """The queue; RefusedError 404 where the server was started without a folder."""
        if self.queue is None:
            raise RefusedError(404, "there is no queue: the studio was started without a folder")
        return self.queue

    def answer(self, document: Document, changed: Box | None = None) -> DocumentAnswer:
        """A document as clients are told of it, its entry brought up to date."""
        entry_key = self.store.entry_of(document.key)
        with document.reading():
            flags, busy = document.flags, document.busy
            state = DocumentAnswer(
                id=document.key,
                name=document.name,
                width=document.shape[1],
                height=document.shape[0],
                tile=SIDE,
                levels=level_count(document.shape),
                revision=document.revision,
                **vars(flags),
                can_undo=document.can_undo,
                can_redo=document.can_redo,
                status=None,
                seconds=0.0,
                busy=BusyAnswer(**vars(busy)) if busy else None,
                changed=_rectangle(changed),
            )
        if self.queue and entry_key:
            self.queue.note_mask(entry_key, flags.has_mask)
            entry = self.queue.entry(entry_key)
            state.status, state.seconds = entry.status, entry.seconds
        return state

    def close(self) -> None:
        """Let go of everything."""
        self.jobs.close()
        self.store.close()
        if self.queue:
            self.queue.close()


def _rectangle(box: Box | None) -> tuple[int, int, int, int] | None:
    return (box.left, box.top, box.right, box.bottom) if box else None
