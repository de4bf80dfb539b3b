"""Routes for programs: refine a photo in one request, health, limits."""

import tempfile
import warnings
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from fastapi import APIRouter, File, Query, Request, Response, UploadFile
from fastapi.responses import JSONResponse
from numpy.typing import NDArray

from edgewise import __version__
from edgewise.errors import EdgewiseWarning
from edgewise.refiner import Refinement
from edgewise.studio import downloads
from edgewise.studio.forms import HealthAnswer, LimitsAnswer, RleAnswer
from edgewise.studio.jobs import Job
from edgewise.studio.limits import RefusedError
from edgewise.studio.routes import Here, Responses, refusals
from edgewise.studio.store import copied
from edgewise.studio.studio import Studio
from edgewise.studio.uploads import checked_name, mask_in, photo_in

Form = Literal["mask", "soft", "cutout", "rle"]

_ANSWERS: Responses = {
    200: {
        "description": "PNG of the photo's size, or JSON for as=rle",
        "model": RleAnswer,
        "content": {"image/png": {"schema": {"type": "string", "format": "binary"}}},
    }
}


routes = APIRouter(tags=["public"])


@routes.post(
    "/refine",
    response_class=Response,
    responses=_ANSWERS | refusals(400, 413, 415, 503, 507),
)
async def refine(
    request: Request,
    here: Here,
    photo: Annotated[UploadFile, File(description="JPEG, PNG, WebP, TIFF, BMP or GIF")],
    mask: Annotated[UploadFile, File(description="the coarse mask of one object in it")],
    form: Annotated[
        Form, Query(alias="as", description="1-bit PNG, grey PNG, PNG with alpha, or JSON")
    ] = "mask",
) -> Response:
    """Refine the coarse mask of one object in a photo."""
    await _refuse_unknown(request)
    for upload in (photo, mask):
        checked_name(upload.filename)

    def work(job: Job) -> Response:
        picture, coarse = _read(photo, mask, here.limits.pixels)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", EdgewiseWarning)  # empty masks come back empty
            refined = job.refiner.refine(picture, coarse)
        job.check()
        return _answer(form, picture, refined)

    return await here.jobs.run(work, gone=request.is_disconnected)


@routes.get("/health")
async def health(here: Here) -> HealthAnswer:
    """Whether the server answers."""
    return HealthAnswer(status="ok", version=__version__, jobs=here.jobs.count)


@routes.get("/limits")
async def limits(here: Here) -> LimitsAnswer:
    """How much the server takes on."""
    return limits_answer(here)


def limits_answer(studio: Studio) -> LimitsAnswer:
    """The limits that concern clients."""
    limits = studio.limits
    return LimitsAnswer(
        bytes=limits.bytes, pixels=limits.pixels, waiting=limits.waiting, seconds=limits.seconds
    )


async def _refuse_unknown(request: Request) -> None:
    """Refuse what would be passed over: an option misspelt or in the form, a second photo."""
    form = [name for name, _ in (await request.form()).multi_items()]
    unknown = [name for name in form if name not in ("photo", "mask") or form.count(name) > 1]
    unknown += [name for name in request.query_params if name != "as"]
    if unknown:
        raise RefusedError(
            422,
            f"{unknown[0][:40]}: expected a form of a photo and a mask, and ?as= in the address",
        )


def _read(
    photo: UploadFile, mask: UploadFile, pixels: int
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    with tempfile.TemporaryDirectory(prefix="edgewise-") as folder:
        picture = photo_in(copied(photo.file, Path(folder, "photo")), pixels=pixels)
        size = (picture.shape[0], picture.shape[1])
        return picture, mask_in(copied(mask.file, Path(folder, "mask")), size=size, pixels=pixels)


def _answer(form: Form, photo: NDArray[np.uint8], refined: Refinement) -> Response:
    if form == "rle":
        return JSONResponse(downloads.rle_json(refined.mask))
    if form == "mask":
        data = downloads.mask_png(refined.mask)
    elif form == "soft":
        data = downloads.soft_png(refined.soft)
    else:
        data = downloads.cutout_png(photo, refined.soft)
    return Response(data, media_type="image/png")
