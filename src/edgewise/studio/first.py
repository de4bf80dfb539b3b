"""The first mask of a photo that has none: GrabCut, from a box or scribbles.

Rother, Kolmogorov and Blake, "GrabCut: Interactive Foreground Extraction using Iterated Graph
Cuts" (SIGGRAPH 2004), as OpenCV has it, at a reduced size: the refiner finds the exact edge.
"""

from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from edgewise.passes.overview import resized
from edgewise.studio.limits import RefusedError
from edgewise.studio.strokes import Point, stroke_patch

SIDE = 512
"""Longer side of the photo as GrabCut sees it, in pixels."""

ROUNDS = 5


@dataclass(frozen=True, kw_only=True)
class Scribble:
    """A stroke that is on the object, or on its background."""

    inside: bool
    radius: float
    points: list[Point]


@dataclass(frozen=True, kw_only=True)
class Hints:
    """What a user says of an object: a box around it, or scribbles, or both.

    Attributes:
        box: left, top, right, bottom in pixels of the photo, ends exclusive.
        scribbles: later ones go over earlier ones.
    """

    box: tuple[float, float, float, float] | None = None
    scribbles: list[Scribble] = field(default_factory=list)


def first_mask(photo: NDArray[np.uint8], hints: Hints) -> NDArray[np.bool_]:
    """A rough mask, bool HxW, of the object that hints point out.

    Args:
        photo: uint8 HxWx3 RGB.
        hints: where it is.

    Raises:
        RefusedError: the hints say nothing about this photo, or no object is found.
    """
    height, width = photo.shape[:2]
    scale = min(1.0, SIDE / max(height, width))
    size = (max(1, round(height * scale)), max(1, round(width * scale)))
    known = _known(hints, size, (size[0] / height, size[1] / width))
    mask = _cut(resized(photo, size), known)
    if not mask.any():
        raise RefusedError(422, "no object was found there; draw the box closer, or scribble on it")
    grown = cv2.resize(mask.astype(np.float32), (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(grown > 0.5)


def _known(hints: Hints, size: tuple[int, int], scales: tuple[float, float]) -> NDArray[np.uint8]:
    """GrabCut's labels, uint8 hxw: surely or probably object or background."""
    known = np.full(size, cv2.GC_PR_BGD, np.uint8)
    if hints.box:
        known[:] = cv2.GC_BGD
        left, top, right, bottom = hints.box
        columns = slice(max(0, round(left * scales[1])), max(0, round(right * scales[1])))
        rows = slice(max(0, round(top * scales[0])), max(0, round(bottom * scales[0])))
        known[rows, columns] = cv2.GC_PR_FGD
    for scribble in hints.scribbles:
        points = [(x * scales[1], y * scales[0]) for x, y in scribble.points]
        patch = stroke_patch(points, scribble.radius * scales[1], size)
        if patch:
            known[patch.box.slices][patch.pixels] = cv2.GC_FGD if scribble.inside else cv2.GC_BGD
    if not np.isin(known, (cv2.GC_FGD, cv2.GC_PR_FGD)).any():
        raise RefusedError(
            422, "the box or the scribbles hold no pixel of the photo to be the object"
        )
    if not (known == cv2.GC_BGD).any():
        _take_rim(known)
    return known


def _take_rim(known: NDArray[np.uint8]) -> None:
    """Call the photo's rim background where nobody said what is: GrabCut needs some."""
    rim = np.ones(known.shape, bool)
    rim[1:-1, 1:-1] = False
    known[rim & (known != cv2.GC_FGD)] = cv2.GC_BGD
    if not (known == cv2.GC_BGD).any():
        raise RefusedError(422, "the scribbles leave no pixel for the background; mark less")


def _cut(photo: NDArray[np.uint8], known: NDArray[np.uint8]) -> NDArray[np.bool_]:
    labels = known.copy()
    models = np.zeros((1, 65)), np.zeros((1, 65))
    cv2.setRNGSeed(0)  # GrabCut begins at random: the same hints are to give the same mask
    try:
        cv2.grabCut(photo, labels, (0, 0, 1, 1), *models, ROUNDS, cv2.GC_INIT_WITH_MASK)
    except cv2.error as error:  # fewer pixels than it has colours to tell apart
        raise RefusedError(422, "too few pixels are marked; draw a larger box or more") from error
    return np.isin(labels, (cv2.GC_FGD, cv2.GC_PR_FGD))
