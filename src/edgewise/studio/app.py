"""The application: routes, page and guard put together."""

import mimetypes
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, JSONResponse
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.responses import Response

from edgewise import __version__
from edgewise.errors import EdgewiseError, InputError, OutputError
from edgewise.refiner import Refiner
from edgewise.studio import document_routes, public_routes, queue_routes, work_routes
from edgewise.studio.folder import Queue
from edgewise.studio.forms import InfoAnswer
from edgewise.studio.guard import Access, Guard
from edgewise.studio.jobs import Jobs, StoppedJob
from edgewise.studio.limits import Limits, RefusedError
from edgewise.studio.public_routes import limits_answer
from edgewise.studio.routes import refusals
from edgewise.studio.store import Store
from edgewise.studio.studio import Studio
from edgewise.studio.tiles import SIDE, TileCache

PAGE = Path(__file__).parent / "page"

CLIENT_GONE = 499  # nobody reads this answer; the status is nginx's

# A system's own table may call scripts text/plain, which a browser told not to guess won't run.
mimetypes.add_type("text/javascript", ".js")
mimetypes.add_type("text/css", ".css")


def create_app(
    refiner: Refiner,
    *,
    limits: Limits | None = None,
    folder: Path | None = None,
    access: Access | None = None,
    root_path: str = "",
) -> FastAPI:
    """The studio as an ASGI application.

    Args:
        refiner: whose networks and settings all requests share.
        limits: how much a client may ask.
        folder: of photos to work through; None for photos that are opened one by one.
        access: who may use it; by default whoever is on this machine.
        root_path: the path under which a reverse proxy shows it, such as "/studio".

    Raises:
        InputError: the folder cannot be used.
        OutputError: nothing can be written to the folder.
    """
    limits, access = limits or Limits(), access or Access()
    queue = Queue(folder) if folder else None
    studio = Studio(
        limits,
        Jobs(refiner, limits),
        Store(limits),
        TileCache(limits.tiles),
        queue,
    )

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        studio.close()

    app = FastAPI(
        title="edgewise studio",
        version=__version__,
        description="Refine coarse masks of objects in photos.",
        docs_url=None,  # their pages load scripts from elsewhere
        redoc_url=None,
        lifespan=lifespan,
        middleware=[Middleware(Guard, access=access, limit=limits.bytes, root=root_path)],
        responses=refusals(400, 401, 403, 413, 422),
        redirect_slashes=False,
    )
    app.state.studio = studio
    for part in (public_routes, document_routes, work_routes, queue_routes):
        app.include_router(part.routes)
    _add_page(app, studio)
    _add_errors(app)
    return app


def _add_page(app: FastAPI, studio: Studio) -> None:
    @app.get("/api/info", tags=["documents"])
    def info() -> InfoAnswer:
        """What the page has to know of the server."""
        name = studio.queue.name if studio.queue else None
        return InfoAnswer(version=__version__, folder=name, limits=limits_answer(studio), tile=SIDE)

    @app.get("/", include_in_schema=False)
    def page() -> Response:
        return FileResponse(PAGE / "index.html", headers={"Cache-Control": "no-cache"})

    app.mount("/page", StaticFiles(directory=PAGE), name="page")


def _add_errors(app: FastAPI) -> None:
    @app.exception_handler(EdgewiseError)
    def refused(_: Request, error: Exception) -> Response:
        return _refusal(_status(error), str(error), getattr(error, "retry_after", None))

    @app.exception_handler(HTTPException)
    def failed(_: Request, error: Exception) -> Response:
        status = getattr(error, "status_code", 500)
        headers = getattr(error, "headers", None)
        return _refusal(status, str(getattr(error, "detail", error)), None, headers)

    @app.exception_handler(RequestValidationError)
    def invalid(_: Request, error: Exception) -> Response:
        return _refusal(422, _first_problem(error))

    @app.exception_handler(StoppedJob)
    def gone(_: Request, __: Exception) -> Response:
        return Response(status_code=CLIENT_GONE)

    @app.exception_handler(Exception)
    def broken(_: Request, __: Exception) -> Response:
        return _refusal(500, "the server failed; its log says why")


def _status(error: Exception) -> int:
    if isinstance(error, RefusedError):
        return error.status
    if isinstance(error, InputError):
        return 422
    return 507 if isinstance(error, OutputError) else 500


def _first_problem(error: Exception) -> str:
    """The first thing that is wrong with a request, in one line."""
    problems = error.errors() if isinstance(error, RequestValidationError) else []
    if not problems:
        return "the request is not as documented"
    where = ".".join(str(part) for part in problems[0]["loc"][1:]) or str(problems[0]["loc"][0])
    text = problems[0]["msg"].removeprefix("Value error, ")
    return f"{where[:80]}: {text}"


def _refusal(
    status: int, message: str, retry: int | None = None, headers: dict[str, str] | None = None
) -> Response:
    found = dict(headers or {})
    if retry is not None:
        found["Retry-After"] = str(retry)
    line = " ".join(message.encode("utf-8", "replace").decode().split())
    return JSONResponse({"error": line}, status, found)
