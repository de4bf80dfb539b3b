"""Page: the report of an evaluation as one HTML file."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgewise.errors import missing_extra
from edgewise.evaluation.differences import DRAWS, FEWEST_PHOTOS, HARM, SEED, Estimate
from edgewise.evaluation.outcome import Outcome, side_by_side
from edgewise.evaluation.pairs import Key
from edgewise.evaluation.rows import Row
from edgewise.evaluation.summary import gain
from edgewise.files import atomic_path
from edgewise.report.charts import histogram, rings, scatter
from edgewise.report.crops import OUTLINE_SCALE, OUTLINE_SHIFT, Crop
from edgewise.report.extremes import extremes

if TYPE_CHECKING:
    from jinja2 import Environment

SCORES = {
    "iou_per_image": "IoU per image",
    "iou": "IoU pooled",
    "mba": "mBA",
    "boundary_iou": "Boundary IoU at 2\N{NO-BREAK SPACE}%",
    "boundary_iou_fine": "Boundary IoU at 0.5\N{NO-BREAK SPACE}%",
}
"""The scores of the page's tables, in percent."""

_FURTHER = {
    "accuracy": ("Pixel accuracy", 100, "%"),
    "boundary_f": ("Boundary F", 100, "%"),
    "weighted_f": ("Weighted F", 100, "%"),
    "s_measure": ("S-measure", 100, "%"),
    "mae": ("MAE", 100, "%"),
    "hausdorff": ("Hausdorff distance", 1, "px"),
    "hd95": ("HD95", 1, "px"),
    "assd": ("ASSD", 1, "px"),
    "hce": ("HCE", 1, "clicks"),
}
"""Other scores: what they are called, and the factor and the unit in which they are shown."""

_LONG = 300
"""Tables of more rows than this are left out in print."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table to show beside a run's own.

    Attributes:
        title: above it.
        lines: cells as text, the head first.
        notes: below it.
    """

    title: str
    lines: Sequence[Sequence[str]]
    notes: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Line:
    """A row of the page's table of pairs."""

    number: int
    row: Row
    name: str
    gain: float
    mba_gain: float


def write_report(
    path: Path, done: Outcome, crops: Mapping[Key, Crop], *, tables: Sequence[Table] = ()
) -> None:
    """Write the report; see `render`.

    Raises:
        OutputError: the file cannot be written.
        DependencyError: jinja2 is not installed.
    """
    page = render(done, crops, tables=tables)
    with atomic_path(path) as temporary:
        temporary.write_text(page, encoding="utf-8", errors="backslashreplace")


def render(done: Outcome, crops: Mapping[Key, Crop], *, tables: Sequence[Table] = ()) -> str:
    """The report as HTML, which asks for no other file.

    Args:
        done: the run.
        crops: of the extremes among its rows (`extremes`), by key; a pair without one is shown by
            its scores alone.
        tables: further ones, shown first.

    Raises:
        DependencyError: jinja2 is not installed.
    """
    rows = sorted(done.rows, key=lambda row: row.key)
    lines = [
        _Line(
            number=number,
            row=row,
            name=_name(row),
            gain=100 * gain(row),
            mba_gain=100 * gain(row, "mba"),
        )
        for number, row in enumerate(rows)
    ]
    context = {
        "done": done,
        "made": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "scores": SCORES,
        "further": [
            (key, *of) for key, of in _FURTHER.items() if key in done.overview.all_pairs.after
        ],
        "lines": lines,
        "numbers": {line.row.key: line.number for line in lines},
        "long": len(lines) > _LONG,
        "rings": rings(rows),
        "extremes": extremes(rows),
        "crops": crops,
        "outline": f"translate({OUTLINE_SHIFT} {OUTLINE_SHIFT}) scale({OUTLINE_SCALE})",
        "harm": 100 * HARM,
        "draws": DRAWS,
        "fewest": FEWEST_PHOTOS,
        "seed": SEED,
        "tables": tables,
        "groups": side_by_side(done),
        "rivals": {one.name: {row.key: row for row in one.rows} for one in done.rivals},
        **_gain_charts(lines),
    }
    return _environment().get_template("page.html").render(context)


def _gain_charts(lines: Sequence[_Line]) -> dict[str, Any]:
    """The charts of gains; none of them where no pair has a mask before."""
    gains = [line.gain for line in lines if not math.isnan(line.gain)]
    if not gains:
        return {"scatters": [], "histogram": None}
    rows, names = [line.row for line in lines], [line.name for line in lines]
    scatters = [("IoU", scatter(rows, "iou", names)), ("mBA", scatter(rows, "mba", names))]
    return {"scatters": scatters, "histogram": histogram(gains)}


def _name(row: Row) -> str:
    return f"{row.set}/{row.id}" + (f" ({row.source})" if row.source else "")


def _environment() -> "Environment":
    try:
        from jinja2 import Environment, PackageLoader, StrictUndefined
    except ImportError as error:
        raise missing_extra("jinja2", "report") from error
    environment = Environment(
        loader=PackageLoader("edgewise.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "number": number,
        "signed": signed,
        "interval": interval,
        "known": lambda value: not math.isnan(value),
    }
    return environment


def number(value: float, digits: int = 2, factor: float = 1) -> str:
    """A number with fixed digits; a dash where undefined."""
    return "–" if math.isnan(value) else f"{factor * value:.{digits}f}"


def signed(value: float, digits: int = 2, factor: float = 1) -> str:
    """A number with its sign, a true minus, and fixed digits; a dash where undefined."""
    return "–" if math.isnan(value) else f"{factor * value:+.{digits}f}".replace("-", "−")


def interval(estimate: Estimate, digits: int = 2, factor: float = 1) -> str:
    """The ends of an interval; nothing where there is none."""
    if math.isnan(estimate.low):
        return ""
    low, high = (signed(end, digits, factor) for end in (estimate.low, estimate.high))
    return f"{low} to {high}"
