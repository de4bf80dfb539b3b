"""Routes of documents that take their time, in the network's queue: first mask, refine, save."""

from collections.abc import Callable
from typing import Literal
from urllib.parse import quote

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool

from edgewise.passes.view import Box
from edgewise.studio import downloads, edits
from edgewise.studio.document import Busy, Document
from edgewise.studio.forms import DocumentAnswer, RefineForm, StartForm
from edgewise.studio.jobs import Job
from edgewise.studio.levels import INSIDE, soft_of
from edgewise.studio.limits import RefusedError
from edgewise.studio.routes import MARKED, Here, Key, content, refusals
from edgewise.studio.studio import Studio

Download = Literal["mask.png", "soft.png", "cutout.png", "coco.json"]
Edit = Callable[[Document, Job, Busy], Box | None]

routes = APIRouter(prefix="/api/documents", tags=["documents"])


@routes.post("/{key}/start", dependencies=MARKED, responses=refusals(404, 409, 503, 507))
async def start(request: Request, here: Here, key: Key, form: StartForm) -> DocumentAnswer:
    """Make the first mask from a box or scribbles."""
    hints = form.hints()

    def edit(document: Document, job: Job, busy: Busy) -> Box | None:
        return edits.start(document, job, busy, hints)

    return await _worked(request, here, (key, "start"), edit)


@routes.post("/{key}/refine", dependencies=MARKED, responses=refusals(404, 409, 503, 507))
async def refine(request: Request, here: Here, key: Key, form: RefineForm) -> DocumentAnswer:
    """Refine all, or under a stroke alone; locked pixels never change."""
    points, radius = form.points, form.radius
    if points is None or radius is None:
        return await _worked(request, here, (key, "refine"), edits.refine_all)

    def edit(document: Document, job: Job, busy: Busy) -> Box | None:
        return edits.refine_here(document, job, busy, points=points, radius=radius)

    return await _worked(request, here, (key, "refine"), edit)


@routes.get(
    "/{key}/files/{name}",
    response_class=Response,
    responses=content("image/png", "application/json") | refusals(404, 409, 503),
)
async def download(request: Request, here: Here, key: Key, name: Download) -> Response:
    """The result as a file to save."""

    def make(_: Job) -> tuple[bytes, str]:
        with here.store.using(key) as document:
            return _file(document, name), document.name

    data, photo = await here.jobs.run(make, gone=request.is_disconnected)
    kind = "application/json" if name.endswith(".json") else "image/png"
    stem = photo.rpartition(".")[0] or photo
    return Response(data, media_type=kind, headers=_saved_as(f"{stem}-{name}"))


async def _worked(
    request: Request, here: Studio, work: tuple[str, str], edit: Edit
) -> DocumentAnswer:
    """A document after long work, which is given by the document's key and the work's name."""
    document, busy = await run_in_threadpool(here.store.begin, *work)
    changed = await here.jobs.run(
        lambda job: edit(document, job, busy), gone=request.is_disconnected, after=document.end
    )
    return await run_in_threadpool(here.answer, document, changed)


def _file(document: Document, name: Download) -> bytes:
    with document.reading() as layers:
        levels = layers["current"].copy()
    if not document.flags.has_mask:
        raise RefusedError(409, f"{document.name} has no mask yet, so there is nothing to save")
    if name == "soft.png":
        return downloads.soft_png(soft_of(levels))
    if name == "cutout.png":
        return downloads.cutout_png(document.photo, soft_of(levels))
    if name == "coco.json":
        return downloads.coco_json(document.name, levels > INSIDE)
    return downloads.mask_png(levels > INSIDE)


def _saved_as(name: str) -> dict[str, str]:
    """The header by which a browser saves a file under a name (RFC 6266)."""
    plain = "".join(c if (c.isascii() and c.isalnum()) or c in "-_. " else "_" for c in name)
    coded = quote(name, safe="")
    return {"Content-Disposition": f"attachment; filename=\"{plain}\"; filename*=UTF-8''{coded}"}
