"""Routes of the folder's queue."""

import asyncio
import threading

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool

from edgewise.files import shown
from edgewise.studio.folder import Entry
from edgewise.studio.forms import (
    DocumentAnswer,
    EntryAnswer,
    ExportAnswer,
    ExportStateAnswer,
    QueueAnswer,
    StatusForm,
)
from edgewise.studio.routes import MARKED, Here, Key, refusals

_LOOK = 0.1  # seconds between looks whether the client is still there

routes = APIRouter(prefix="/api/queue", tags=["queue"])


@routes.get("", responses=refusals(404))
def queue(here: Here) -> QueueAnswer:
    """The folder's photos, and what was decided of them."""
    found = here.folder_queue()
    return QueueAnswer(
        name=found.name,
        counts=found.counts(),
        entries=[_answer(entry) for entry in found.entries.values()],
        problems=[shown(line.replace(str(found.folder), found.name)) for line in found.problems],
    )


@routes.post("/{key}/open", dependencies=MARKED, responses=refusals(404, 409, 413, 415, 507))
def open_entry(here: Here, key: Key) -> DocumentAnswer:
    """Open an entry as a document, with everything that was done to it before."""
    source = here.folder_queue().source(key)
    with here.store.using(here.store.open(source)) as document:
        return here.answer(document)


@routes.post("/{key}/status", dependencies=MARKED, responses=refusals(404, 409, 507))
def decide(here: Here, key: Key, form: StatusForm) -> EntryAnswer:
    """Accept, fix, skip or flag an entry, or note the time alone."""
    return _answer(here.folder_queue().decide(key, form.status, form.seconds))


@routes.post("/export", dependencies=MARKED, responses=refusals(404, 409, 413, 415, 507))
async def export(request: Request, here: Here) -> ExportAnswer:
    """Write the accepted and fixed entries as `_im`, `_gt`, `_seg` into a new folder.

    The folder appears whole or not at all. Closing the connection stops it.
    """
    queue, stopped = here.folder_queue(), threading.Event()
    work = asyncio.ensure_future(run_in_threadpool(here.exports.run, queue, here.store, stopped))
    try:
        while not (await asyncio.wait({work}, timeout=_LOOK))[0]:
            if await request.is_disconnected():
                stopped.set()
    finally:
        stopped.set()
    folder, count = work.result()
    return ExportAnswer(folder=folder.name, photos=count)


@routes.get("/export", responses=refusals(404))
def export_state(here: Here) -> ExportStateAnswer:
    """How far the export under way is."""
    here.folder_queue()
    return ExportStateAnswer(done=here.exports.done, photos=here.exports.photos)


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
