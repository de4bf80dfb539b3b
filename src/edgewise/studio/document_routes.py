"""Routes of documents that answer at once: open, look, draw, take back."""

from typing import Annotated

from fastapi import APIRouter, File, Path, Query, Response, UploadFile

from edgewise.studio import edits
from edgewise.studio.document import Layer
from edgewise.studio.forms import DocumentAnswer, PlaceAnswer, StrokeForm
from edgewise.studio.places import places
from edgewise.studio.routes import MARKED, Here, Key, content, refusals
from edgewise.studio.tiles import jpeg, png, tile
from edgewise.studio.uploads import checked_name

Level = Annotated[int, Path(ge=0, le=40)]
Index = Annotated[int, Path(ge=0, le=1 << 30)]

FOREVER = {"Cache-Control": "private, max-age=31536000, immutable"}

routes = APIRouter(prefix="/api/documents", tags=["documents"])


@routes.post("", status_code=201, dependencies=MARKED, responses=refusals(400, 413, 415, 507))
def create(
    here: Here,
    photo: Annotated[UploadFile, File(description="JPEG, PNG, WebP, TIFF, BMP or GIF")],
    mask: Annotated[UploadFile | None, File(description="a coarse mask of one object")] = None,
) -> DocumentAnswer:
    """Open a photo, with its coarse mask if there is one."""
    name = checked_name(photo.filename)
    if mask:
        checked_name(mask.filename)
    key = here.store.upload(name, photo.file, mask.file if mask else None)
    with here.store.using(key) as document:
        return here.answer(document)


@routes.get("/{key}", responses=refusals(404))
def state(here: Here, key: Key) -> DocumentAnswer:
    """The state of a document."""
    with here.store.using(key) as document:
        return here.answer(document)


@routes.get(
    "/{key}/photo/{level}/{column}/{row}.jpg",
    response_class=Response,
    responses=content("image/jpeg") | refusals(404),
)
def photo_tile(here: Here, key: Key, level: Level, column: Index, row: Index) -> Response:
    """A tile of the photo, reduced 2^level times."""
    with here.store.using(key) as document:
        data = here.tiles.get(
            (key, level, column, row), lambda: jpeg(tile(document.photo, level, column, row))
        )
    return Response(data, media_type="image/jpeg", headers=FOREVER)


@routes.get(
    "/{key}/mask/{which}/{level}/{column}/{row}.png",
    response_class=Response,
    responses=content("image/png") | refusals(404),
)
def mask_tile(
    here: Here,
    key: Key,
    which: Layer,
    level: Level,
    column: Index,
    row: Index,
    revision: Annotated[int | None, Query(ge=0)] = None,
) -> Response:
    """A tile of a mask, 8-bit grey; above 127 is inside, or locked.

    It is always the mask as it is now; with the revision that is current it may be kept.
    """
    with here.store.using(key) as document, document.reading() as layers:
        now = document.revision
        scale = 255 if which == "lock" else 1  # locks are 0 and 1
        data = here.tiles.get(
            (key, which, now, level, column, row),
            lambda: png(tile(layers[which], level, column, row, scale=scale)),
        )
    headers = FOREVER if revision == now else {}
    return Response(data, media_type="image/png", headers=headers)


@routes.post("/{key}/strokes", dependencies=MARKED, responses=refusals(404, 409, 507))
def stroke(here: Here, key: Key, form: StrokeForm) -> DocumentAnswer:
    """Draw with the brush."""
    with here.store.using(key) as document:
        changed = edits.paint(document, form.mode, form.points, form.radius, lock=form.lock)
        return here.answer(document, changed)


@routes.post("/{key}/undo", dependencies=MARKED, responses=refusals(404, 409, 507))
def undo(here: Here, key: Key) -> DocumentAnswer:
    """Take the last operation back."""
    with here.store.using(key) as document:
        return here.answer(document, document.undo())


@routes.post("/{key}/redo", dependencies=MARKED, responses=refusals(404, 409, 507))
def redo(here: Here, key: Key) -> DocumentAnswer:
    """Make the operation again that was taken back last."""
    with here.store.using(key) as document:
        return here.answer(document, document.redo())


@routes.get("/{key}/places", responses=refusals(404))
def list_places(here: Here, key: Key) -> list[PlaceAnswer]:
    """Where most changed or is least sure, most important first."""
    with here.store.using(key) as document, document.reading() as layers:
        current = layers["current"].copy()
        coarse = layers["coarse"].copy() if document.flags.has_coarse else None
    return [PlaceAnswer(**vars(place)) for place in places(current, coarse)]
