"""Settle: where the network has no strong evidence, the coarse answer stays.

Two pieces of evidence: how sure the network is (`settle`), and how well the coarse mask's contour
lies on edges of the photo already (`agreement`).
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from edgewise.passes.answers import Answer
from edgewise.passes.planes import INSIDE, Plane, Pyramid, power_within, read_over, reduced, strips
from edgewise.passes.threads import mapped
from edgewise.passes.view import Box

LEAST = 0.01  # of the weight is there even beside the edge: an even answer leaves the mask alone
FAR_PIXELS = 1_000_000  # distances are measured where the view has at most so many
_SQUARE = 64  # side of the pieces in which contours are looked at
_RIM = 2  # pixels at the photo's end whose contour does not count
_AROUND = 5  # pixels around a contour that its gradient depends on: 3 of the blur, 1 of Sobel


@dataclass(frozen=True, kw_only=True)
class Trust:
    """How much the coarse mask has to say.

    Attributes:
        trust: log-odds of the coarse mask far from its edge.
        near: distance, as a share of the square root of the object's area, where that is reached.
        free: distance, likewise, up to which the coarse mask has no say; less than `near`.
    """

    trust: float
    near: float
    free: float


def edge_distance(coarse: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Each pixel's distance in pixels to the nearest of the other side; bool HxW, both in it."""
    near = [
        cv2.distanceTransform(side.view(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5)
        for side in (coarse, ~coarse)
    ]
    return np.asarray(near[0] + near[1], np.float32)


def _leaned(
    soft: NDArray[np.float32],
    coarse: NDArray[np.bool_],
    away: Callable[[NDArray[np.intp], NDArray[np.intp]], NDArray[np.float32]],
    trust: Trust,
) -> NDArray[np.float32]:
    """The network's answer joined with the coarse mask.

    Args:
        soft: float32 HxW in 0..1, the network's answer.
        coarse: bool HxW.
        away: distance from the coarse mask's edge over the object's size, of rows and columns.
        trust: what the coarse mask has to say.
    """
    # Where both agree the prior could only confirm the answer.
    rows, columns = np.nonzero((soft > 0.5) != coarse)
    if not rows.size:
        return soft
    rise = (away(rows, columns) - trust.free) / (trust.near - trust.free)
    prior = trust.trust * np.clip(rise, LEAST, 1) * np.where(coarse[rows, columns], 1, -1)
    odds = np.clip(soft[rows, columns], 1e-6, 1 - 1e-6)
    settled = soft.copy()
    settled[rows, columns] = 1 / (1 + (1 - odds) / odds * np.exp(-prior))
    return settled


def settle(
    soft: NDArray[np.float32],
    coarse: NDArray[np.bool_],
    *,
    trust: float,
    near: float,
    free: float,
) -> NDArray[np.float32]:
    """Join the network's answer with the coarse mask as a prior that grows with distance.

    In log-odds: `logit(soft) + trust * w * (2 coarse - 1)`. The weight w is next to 0 up to `free`
    times the object's size away from the coarse mask's edge and rises to 1 at `near` times. Beside
    the edge the network decides alone, which is what it is for; the further a change reaches from
    the coarse edge, the surer the network has to be. Where both agree the answer stays as it is.

    Args:
        soft: float32 HxW in 0..1, the network's answer.
        coarse: bool HxW.
        trust: see `Trust`.
        near: see `Trust`.
        free: see `Trust`.
    """
    if coarse.all() or not coarse.any():
        return soft
    distance = edge_distance(coarse) / np.float32(np.sqrt(np.count_nonzero(coarse)))
    say = Trust(trust=trust, near=near, free=free)
    return _leaned(soft, coarse, lambda rows, columns: distance[rows, columns], say)


class Settled:
    """An answer joined with the coarse mask as by `settle`, by region.

    Distances are those at a size of at most `FAR_PIXELS`: they matter only at several hundredths
    of the object's size.

    Args:
        answer: the network's answer.
        coarse: the coarse mask, object above `INSIDE`.
        trust: what it has to say.
    """

    def __init__(self, answer: Answer, coarse: Pyramid, trust: Trust) -> None:
        self.shape = answer.shape
        self._answer, self._coarse, self._trust = answer, coarse.plane, trust
        self._power = power_within(self.shape, FAR_PIXELS)
        small = coarse.whole(self._power) > INSIDE
        area = np.count_nonzero(small) << 2 * self._power
        # A pixel beside the edge is 1 away from the other side, whatever its size.
        away = (edge_distance(small) - 0.5) * (1 << self._power) + 0.5
        self._away = away / np.float32(max(1, math.sqrt(area)))
        self._one_sided = area == 0 or bool(small.all())

    def read(self, box: Box) -> NDArray[np.float32]:
        """See `Answer`."""
        return read_over(self._inside, self.shape, box)

    def _inside(self, box: Box) -> NDArray[np.float32]:
        soft = self._answer.read(box)
        if self._one_sided:
            return soft

        def away(rows: NDArray[np.intp], columns: NDArray[np.intp]) -> NDArray[np.float32]:
            down, right = rows + box.top, columns + box.left
            there: NDArray[np.float32] = self._away[down >> self._power, right >> self._power]
            return there

        return _leaned(soft, self._coarse.read(box) > INSIDE, away, self._trust)


@dataclass(frozen=True)
class Agreement:
    """How far a coarse mask is from needing no refining.

    Attributes:
        edges: how strong the photo's edges are along the coarse contour, relative to the refined
            one. A rough mask's contour runs beside them, at about half the strength that the
            refined contour finds; that of an exact mask lies on them, at about the same strength.
            0 where the coarse mask has no contour inside the photo, infinite where only the
            refined has none.
        overlap: IoU of the coarse mask and the refined one. A mask may follow edges all along and
            still lack a part, or hold one too many.
    """

    edges: float
    overlap: float


def agreement(photo: Plane, coarse: Plane, refined: Answer, threads: int = 1) -> Agreement:
    """Compare a coarse mask with what became of it, without asking the network.

    Args:
        photo: uint8 HxWx3 RGB.
        coarse: HxW, object above `INSIDE`.
        refined: HxW, object above 0.5.
        threads: cores that look.
    """

    def look(box: Box) -> NDArray[np.float64]:
        return _sums_and_counts(photo, coarse, refined, box)

    sums, counts, common = np.sum(list(mapped(look, strips(photo.shape), threads)), axis=0)
    overlap = common[0] / common[1] if common[1] else 1.0
    if not counts[0]:
        return Agreement(0.0, overlap)
    if not counts[1]:
        return Agreement(math.inf, overlap)
    means = sums / counts
    return Agreement(float(means[0] / max(means[1], 1e-3)), float(overlap))


def _sums_and_counts(photo: Plane, coarse: Plane, refined: Answer, box: Box) -> NDArray[np.float64]:
    """What a strip adds, 3x2.

    The photo's gradient summed along both contours, the pixels of each, and the pixels that the
    masks have in common and together.
    """
    around = box.grown(1, photo.shape)
    own = box.moved(-around.top, -around.left).slices
    masks = coarse.read(around) > INSIDE, refined.read(around) > 0.5
    contours = [_contour(mask, around, photo.shape)[own] for mask in masks]
    found = np.zeros((3, 2))
    for piece in _pieces(contours[0] | contours[1]):
        on = [contour[piece.slices] for contour in contours]
        strengths = _strengths(photo, piece.moved(box.top, box.left), on)
        found[:2] += np.array([strengths, [np.count_nonzero(pixels) for pixels in on]])
    one, other = (mask[own] for mask in masks)
    found[2] = np.count_nonzero(one & other), np.count_nonzero(one | other)
    return found


def _contour(mask: NDArray[np.bool_], box: Box, shape: tuple[int, int]) -> NDArray[np.bool_]:
    """Pixels on both sides of the mask's edge, but for the rim of the photo that the box is of."""
    square = np.ones((3, 3), np.uint8)
    on = cv2.morphologyEx(mask.view(np.uint8), cv2.MORPH_GRADIENT, square)
    on[: max(0, _RIM - box.top)] = 0
    on[max(0, shape[0] - _RIM - box.top) :] = 0
    on[:, :_RIM] = on[:, -_RIM:] = 0
    return on.view(np.bool_)


def _pieces(on: NDArray[np.bool_]) -> Iterator[Box]:
    """Rows of squares that hold some of what is set."""
    squares = reduced(on.view(np.uint8) * np.uint8(255), _SQUARE // 4) > 0
    rows, columns = (-(-side // 4) * 4 for side in squares.shape)
    padded = np.zeros((rows, columns), np.bool_)
    padded[: squares.shape[0], : squares.shape[1]] = squares
    work = np.asarray(padded.reshape(rows // 4, 4, columns // 4, 4).any((1, 3)))
    for row in range(rows // 4):
        ends = np.flatnonzero(np.diff(work[row], prepend=False, append=False))
        for first, end in ends.reshape(-1, 2).tolist():
            box = Box(row * _SQUARE, first * _SQUARE, (row + 1) * _SQUARE, end * _SQUARE)
            yield box.within((on.shape[0], on.shape[1]))


def _strengths(photo: Plane, box: Box, on: list[NDArray[np.bool_]]) -> list[float]:
    """Sums over each contour of the photo's gradient."""
    around = box.grown(_AROUND, photo.shape)
    either = on[0] | on[1]
    there = np.zeros((around.height, around.width), np.bool_)
    there[box.moved(-around.top, -around.left).slices] = either
    strength = gradient_at(photo.read(around), there)
    return [float(strength[pixels[either]].sum()) for pixels in on]


def gradient_at(photo: NDArray[np.uint8], on: NDArray[np.bool_]) -> NDArray[np.float32]:
    """The gradient of a photo HxWx3 at some of its pixels, HxW: that of the strongest channel."""
    blurred = cv2.GaussianBlur(photo, (0, 0), 1.0)
    across, down = (
        cv2.Sobel(blurred, cv2.CV_16S, dx, 1 - dx)[on].astype(np.float32) for dx in (1, 0)
    )
    return np.asarray(np.hypot(across, down).max(1), np.float32)
