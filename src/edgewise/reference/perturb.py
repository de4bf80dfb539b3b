"""Coarse masks as the reference was trained on: contours thinned out, then local errors.

After Cheng et al. 2020, section 3.3, and the published program. Arrays are uint8 HxW of 0 and 255;
a random generator decides everything.
"""

import math

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from edgewise.passes.proposal import overlap

Mask = NDArray[np.uint8]

CUT_SHARE = 0.1
"""Share of a contour that is cut off in one run, where its ends lie near each other."""

KEPT_SHARE = 0.1
"""Share of the rest's points that is kept."""

SHORTEST = 10
"""Contours of fewer points are dropped."""

ROUNDS, EDITS = 250, 4
"""At most so many rounds of so many local edits."""

LOWEST, HIGHEST = 0.8, 1.0
"""Between these the target IoU is drawn."""

SPECK_SHARE = 0.25
KERNEL_SIZES = (3, 10)


def perturb(truth: Mask, random: Generator) -> Mask:
    """A coarse mask of a truth, or of a crop of one."""
    return edited(thinned(truth, random), float(random.uniform(LOWEST, HIGHEST)), random)


def thinned(truth: Mask, random: Generator) -> Mask:
    """The truth redrawn from few points of its contours; as it is where none is long enough."""
    contours, _ = cv2.findContours(truth, cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
    rough = [_fewer(np.asarray(one, np.int32), random) for one in contours if len(one) >= SHORTEST]
    drawn = [contour for contour in rough if len(contour)]
    if not drawn:
        return truth.copy()
    return np.asarray(cv2.drawContours(np.zeros_like(truth), drawn, -1, 255, cv2.FILLED), np.uint8)


def _fewer(contour: NDArray[np.int32], random: Generator) -> NDArray[np.int32]:
    """A contour (N, 1, 2) without one of the runs that cut off most, and of the rest a tenth."""
    cut = int(len(contour) * CUT_SHARE)
    starts = len(contour) - cut
    gaps = np.square(contour[:starts] - contour[cut:]).sum((1, 2))
    nearest = np.argsort(gaps, kind="stable")[: math.ceil(0.1 * starts)]
    start = int(random.choice(nearest))
    rest = np.delete(contour, slice(start, start + cut), axis=0)
    kept = random.choice(len(rest), int(len(rest) * KEPT_SHARE), replace=False)
    return rest[np.sort(kept)]


def edited(mask: Mask, target: float, random: Generator) -> Mask:
    """Dilate and erode inside random boxes until the IoU with the mask falls below a target.

    Now and then a pixel is set first, which the edit makes a speck or a hole.
    """
    if min(mask.shape) <= 2:
        return mask
    coarse = mask.copy()
    for _ in range(ROUNDS):
        for _ in range(EDITS):
            _edit(coarse, random)
        if overlap(coarse, mask) < target:
            break
    return coarse


def _edit(mask: Mask, random: Generator) -> None:
    height, width = mask.shape
    left, top = int(random.integers(width)), int(random.integers(height))
    right, bottom = (
        int(random.integers(left + 1, width + 1)),
        int(random.integers(top + 1, height + 1)),
    )
    if random.random() < SPECK_SHARE:
        mask[(top + bottom) // 2, (left + right) // 2] = 255 * int(random.integers(2))
    box = mask[top:bottom, left:right]
    change = cv2.dilate if random.random() < 0.5 else cv2.erode
    box[...] = change(box, _kernel(random))


def _kernel(random: Generator) -> Mask:
    size = int(random.integers(*KERNEL_SIZES))
    shapes = (
        (cv2.MORPH_RECT, (size, size)),
        (cv2.MORPH_ELLIPSE, (size, size)),
        (cv2.MORPH_ELLIPSE, (size, size // 2)),
        (cv2.MORPH_ELLIPSE, (size // 2, size)),
    )
    kind, sides = shapes[int(random.integers(len(shapes)))]
    return np.asarray(cv2.getStructuringElement(kind, sides), np.uint8)
