"""Edits: what strokes, the refiner and the first mask do to a document."""

import math
import warnings
from dataclasses import replace
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from edgewise.errors import EdgewiseWarning
from edgewise.passes.edges import zooms
from edgewise.passes.view import Box
from edgewise.refiner import Refiner, Settings
from edgewise.studio.document import Busy, Change, Document, Flags
from edgewise.studio.first import Hints, first_mask
from edgewise.studio.jobs import Job
from edgewise.studio.levels import INSIDE, Levels, levels_of, soft_of
from edgewise.studio.limits import RefusedError
from edgewise.studio.strokes import Patch, Point, stroke_patch

Mode = Literal["add", "remove", "lock", "unlock"]

MARGIN = 0.5
"""Room around a stroke that the refiner sees, as a share of the stroke's longer side."""

LEAST_MARGIN = 128
"""The same in pixels, at least: what is beside a stroke tells what it is."""

FEATHER = 8
"""Pixels, at most, over which "refine here" passes to what was there at the stroke's rim."""


def paint(
    document: Document, mode: Mode, points: list[Point], radius: float, *, lock: bool = False
) -> Box | None:
    """Draw a stroke on a document; gives the rectangle that changed, or None.

    Args:
        document: what is drawn on.
        mode: "add" and "remove" set the mask, also where it is locked: a lock holds the refiner
            back, not the hand. "lock" and "unlock" set the lock.
        points: the line, x and y in pixels of the photo.
        radius: of the brush in pixels.
        lock: an added or removed stroke is locked as well.

    Raises:
        RefusedError: the document is busy, or locks are drawn where there is no mask.
    """
    patch = stroke_patch(points, radius, document.shape)
    if patch is None:
        return None
    with document.reading() as layers:
        changes = []
        if mode in ("add", "remove"):
            level = np.uint8(255 if mode == "add" else 0)
            changes.append(_painted("current", layers["current"], patch, level))
        if lock or mode in ("lock", "unlock"):
            changes.append(_painted("lock", layers["lock"], patch, np.uint8(mode != "unlock")))
        painted = mode in ("add", "remove")
        flags = replace(document.flags, has_mask=document.flags.has_mask or painted)
        return document.apply("stroke", changes, flags)


def _painted(
    layer: Literal["current", "lock"], before: Levels, patch: Patch, level: np.uint8
) -> Change:
    return Change(layer, patch.box, np.where(patch.pixels, level, before[patch.box.slices]))


def refine_all(document: Document, job: Job, busy: Busy) -> Box | None:
    """Refine a document's whole mask; locked pixels stay. Gives the rectangle that changed.

    A mask that was never refined goes in with its grey levels, as the library takes it; later it
    is what is inside that counts.

    Raises:
        RefusedError: there is no mask yet.
    """
    whole = Box(0, 0, *document.shape)
    photo, mask = _before(document, whole)
    fresh = _run(job.refiner, job, busy, photo, mask)
    job.check()
    return _settle(document, "refine", whole, fresh, busy)


def refine_here(
    document: Document, job: Job, busy: Busy, *, points: list[Point], radius: float
) -> Box | None:
    """Refine a document's mask under a stroke alone; gives the rectangle that changed, or None.

    The refiner sees a window around the stroke; of its answer what is under the stroke is taken,
    fading over a few pixels at the stroke's rim, so that no step shows there.

    Raises:
        RefusedError: there is no mask yet.
    """
    patch = stroke_patch(points, radius, document.shape)
    _refuse_empty(document)
    if patch is None:
        return None
    room = max(LEAST_MARGIN, round(MARGIN * max(patch.box.height, patch.box.width)))
    window = patch.box.grown(room, document.shape)
    photo, mask = _before(document, window)
    fresh = _run(job.window_refiner, job, busy, photo, mask)
    job.check()
    inner = fresh[_within(patch.box, window).slices]
    with document.reading() as layers:
        before = soft_of(layers["current"][patch.box.slices])
    share = _share(patch, radius)
    return _settle(document, "here", patch.box, before + share * (inner - before), busy)


def start(document: Document, job: Job, busy: Busy, hints: Hints) -> Box | None:
    """Make a document's first mask from a box or scribbles; gives the rectangle that changed.

    The rough mask becomes the coarse one, the refined one the current. Locked pixels stay.

    Raises:
        RefusedError: nothing is found.
    """
    coarse = first_mask(document.photo, hints)
    job.check()
    whole = Box(0, 0, *document.shape)
    fresh = _run(job.refiner, job, busy, document.photo, coarse.astype(np.float32))
    job.check()
    rough = np.where(coarse, np.uint8(255), np.uint8(0))
    flags = Flags(has_mask=True, has_coarse=True, refined=True)
    with document.reading() as layers:
        kept = np.where(layers["lock"] > 0, layers["current"], levels_of(fresh))
        changes = [Change("coarse", whole, rough), Change("current", whole, kept)]
        return document.apply("start", changes, flags, by=busy)


def _refuse_empty(document: Document) -> None:
    if not document.flags.has_mask:
        raise RefusedError(
            409, f"{document.name} has no mask yet; start with a box, a scribble or a stroke"
        )


def _before(document: Document, window: Box) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """What the refiner gets of a window: photo uint8 hxwx3 and mask float32 hxw."""
    _refuse_empty(document)
    with document.reading() as layers:
        before = layers["current"][window.slices].copy()
    was_refined = document.flags.refined
    mask = (before > INSIDE).astype(np.float32) if was_refined else soft_of(before)
    return document.photo[window.slices], mask


def _run(
    refiner: Refiner, job: Job, busy: Busy, photo: NDArray[np.uint8], mask: NDArray[np.float32]
) -> NDArray[np.float32]:
    """The refiner's answer, float32 hxw; the document's clients see how far it is."""
    expected = expected_runs(mask > 0.5, refiner.settings) + (refiner.proposer is not None)

    def report(runs: int) -> None:
        busy.done = min(0.95, runs / expected)

    job.report = report
    with warnings.catch_warnings():
        # An empty or full mask comes back as it was, which the page shows as no change.
        warnings.simplefilter("ignore", EdgewiseWarning)
        fresh = refiner.refine(photo, mask).soft
    job.check()  # nobody may wait any more, and nothing is to change then
    return fresh


def expected_runs(inside: NDArray[np.bool_], settings: Settings) -> int:
    """About how often the network will run for a mask, bool HxW: the overview and the edge's tiles.

    A contour of n pixels crosses about 1 + 1.5 n / core tiles of that core, and never more than
    lie around its box; a pass at half the size has half of them. The last is at twice the view's
    size where the view is small.
    """
    edges = settings.edges
    square = np.ones((3, 3), np.uint8)
    contour = cv2.morphologyEx(inside.astype(np.uint8), cv2.MORPH_GRADIENT, square)
    _, _, width, height = cv2.boundingRect(contour)
    scale = 1 + (inside.size <= edges.doubled_pixels)
    core = (edges.tile - edges.overlap) / scale
    around = math.ceil(max(1, width) / core) * math.ceil(max(1, height) / core)
    length = np.count_nonzero(contour) / 2  # pixels on both sides were counted
    tiles = min(around, 1 + 1.5 * length / core)
    last = scale * max(1, width, height)
    passes = len(zooms((settings.overview_side, settings.overview_side), (last, last)))
    return 1 + math.ceil((2 - 0.5 ** (passes - 1)) * tiles / edges.batch)


def _settle(
    document: Document, what: str, box: Box, fresh: NDArray[np.float32], busy: Busy
) -> Box | None:
    with document.reading() as layers:
        before, lock = layers["current"][box.slices], layers["lock"][box.slices]
        after = np.where(lock > 0, before, levels_of(fresh))
        flags = replace(document.flags, refined=True)
        return document.apply(what, [Change("current", box, after)], flags, by=busy)


def _within(box: Box, window: Box) -> Box:
    return Box(
        box.top - window.top,
        box.left - window.left,
        box.bottom - window.top,
        box.right - window.left,
    )


def _share(patch: Patch, radius: float) -> NDArray[np.float32]:
    """How much of a new answer is taken: 1 well inside of a stroke, 0 outside."""
    width = max(1.0, min(FEATHER, radius / 3))
    padded = np.pad(patch.pixels.astype(np.uint8), 1)
    away = cv2.distanceTransform(padded, cv2.DIST_L2, cv2.DIST_MASK_5)[1:-1, 1:-1]
    return np.asarray(np.clip(away / width, 0, 1), np.float32)
