"""Routes of the folder's queue."""

from fastapi import APIRouter

from edgewise.studio.folder import Entry
from edgewise.studio.forms import (
    DocumentAnswer,
    EntryAnswer,
    ExportAnswer,
    QueueAnswer,
    StatusForm,
)
from edgewise.studio.routes import MARKED, Here, Key, refusals

routes = APIRouter(prefix="/api/queue", tags=["queue"])


@routes.get("", responses=refusals(404))
def queue(here: Here) -> QueueAnswer:
    """The folder's photos, and what was decided of them."""
    found = here.folder_queue()
    return QueueAnswer(
        name=found.name,
        counts=found.counts(),
        entries=[_answer(entry) for entry in found.entries.values()],
        problems=[line.replace(str(found.folder), found.name) for line in found.problems],
    )


@routes.post("/{key}/open", dependencies=MARKED, responses=refusals(404, 409, 413, 415, 507))
def open_entry(here: Here, key: Key) -> DocumentAnswer:
    """Open an entry as a document, with everything that was done to it before."""
    source = here.folder_queue().source(key)
    with here.store.using(here.store.open(source)) as document:
        return here.answer(document)


@routes.post("/{key}/status", dependencies=MARKED, responses=refusals(404, 409, 507))
def decide(here: Here, key: Key, form: StatusForm) -> EntryAnswer:
    """Accept, fix, skip or flag an entry."""
    return _answer(here.folder_queue().decide(key, form.status, form.seconds))


@routes.post("/export", dependencies=MARKED, responses=refusals(404, 409, 413, 415, 507))
def export(here: Here) -> ExportAnswer:
    """Write the accepted and fixed entries as `_im`, `_gt`, `_seg` into a new folder."""
    folder, count = here.folder_queue().export(here.store)
    return ExportAnswer(folder=folder.name, photos=count)


def _answer(entry: Entry) -> EntryAnswer:
    return EntryAnswer(
        key=entry.key,
        name=entry.name,
        width=entry.width,
        height=entry.height,
        status=entry.status,
        seconds=entry.seconds,
        has_mask=entry.has_mask,
    )
