"""Forms: what requests carry and what answers hold, as the OpenAPI document states them."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from edgewise.studio.edits import Mode
from edgewise.studio.first import Hints, Scribble
from edgewise.studio.folder import Status
from edgewise.studio.places import Kind

MOST_POINTS = 20_000
FARTHEST = 1e6

Coordinate = Annotated[float, Field(ge=-FARTHEST, le=FARTHEST, allow_inf_nan=False)]
Point = tuple[Coordinate, Coordinate]
Points = Annotated[list[Point], Field(min_length=1, max_length=MOST_POINTS)]
Radius = Annotated[
    float, Field(gt=0, le=10_000, allow_inf_nan=False, description="in pixels of the photo")
]
Rectangle = tuple[int, int, int, int]


class _Strict(BaseModel):
    """A request without fields that nobody reads: a misspelt option is told."""

    model_config = ConfigDict(extra="forbid")


class StrokeForm(_Strict):
    """A stroke of the brush; points are in pixels of the photo."""

    mode: Mode
    radius: Radius
    points: Points
    lock: bool = Field(default=False, description="lock what is added or removed as well")


class RefineForm(_Strict):
    """Nothing, to refine all, or a stroke, to refine under it alone."""

    radius: Radius | None = None
    points: Points | None = None

    @model_validator(mode="after")
    def _both(self) -> "RefineForm":
        if (self.radius is None) != (self.points is None):
            raise ValueError("radius and points go together; give both, or none to refine all")
        return self


class ScribbleForm(_Strict):
    """A scribble on the object (add) or beside it (remove)."""

    mode: Literal["add", "remove"]
    radius: Radius
    points: Points


class StartForm(_Strict):
    """A box around the object, scribbles, or both."""

    box: tuple[Coordinate, Coordinate, Coordinate, Coordinate] | None = Field(
        default=None, description="left, top, right, bottom in pixels of the photo"
    )
    strokes: Annotated[list[ScribbleForm], Field(max_length=1000)] = Field(default_factory=list)

    @model_validator(mode="after")
    def _some(self) -> "StartForm":
        if self.box is None and not self.strokes:
            raise ValueError("a box or strokes are needed to find the object")
        if self.box and not (self.box[0] < self.box[2] and self.box[1] < self.box[3]):
            raise ValueError("the box must be left, top, right, bottom with left < right")
        return self

    def hints(self) -> Hints:
        """The form as the first mask takes it."""
        scribbles = [
            Scribble(inside=one.mode == "add", radius=one.radius, points=one.points)
            for one in self.strokes
        ]
        return Hints(box=self.box, scribbles=scribbles)


class StatusForm(_Strict):
    """What is decided of an entry, or nothing yet, and the seconds spent on it in all."""

    status: Status | None = Field(default=None, description="null leaves it as it is")
    seconds: float = Field(default=0.0, ge=0, le=1e9, allow_inf_nan=False)


class ErrorAnswer(BaseModel):
    """Why a request was refused, in one sentence."""

    error: str


class BusyAnswer(BaseModel):
    """Work under way, and the share that is done: an estimate."""

    what: str
    done: float


class DocumentAnswer(BaseModel):
    """A document; `changed` is the rectangle [x0, y0, x1, y1] that an operation changed."""

    id: str
    name: str
    width: int
    height: int
    tile: int
    levels: int
    revision: int
    has_mask: bool
    has_coarse: bool
    refined: bool
    can_undo: bool
    can_redo: bool
    status: Status | None
    seconds: float
    busy: BusyAnswer | None
    changed: Rectangle | None = None


class PlaceAnswer(BaseModel):
    """A place worth a look: its centre and the side of the square, in pixels of the photo."""

    x: float
    y: float
    size: int
    kind: Kind
    score: float


class LimitsAnswer(BaseModel):
    """What the server takes on."""

    bytes: int = Field(description="of one request's body")
    pixels: int = Field(description="of one picture")
    waiting: int = Field(description="requests that may wait for the network")
    seconds: float = Field(description="until an answer is given up")


class InfoAnswer(BaseModel):
    """What the page has to know of the server."""

    version: str
    folder: str | None
    limits: LimitsAnswer
    tile: int


class EntryAnswer(BaseModel):
    """An entry of the queue."""

    key: str
    name: str
    width: int
    height: int
    status: Status
    seconds: float
    has_mask: bool


class QueueAnswer(BaseModel):
    """The queue; `problems` has a line on each file of the folder that cannot be used."""

    name: str
    counts: dict[Status, int]
    entries: list[EntryAnswer]
    problems: list[str]


class ExportAnswer(BaseModel):
    """The new folder's name inside of the folder, and how many entries are in it."""

    folder: str
    photos: int


class ExportStateAnswer(BaseModel):
    """How far the export under way is; two zeros where there is none."""

    done: int
    photos: int


class HealthAnswer(BaseModel):
    """That the server answers, and how many requests wait for the network or use it."""

    status: Literal["ok"]
    version: str
    jobs: int


class RleAnswer(BaseModel):
    """A mask as COCO's compressed run lengths."""

    size: tuple[int, int] = Field(description="height and width")
    counts: str
    bbox: Rectangle = Field(description="left, top, width and height; zeros where it is empty")
    area: int
