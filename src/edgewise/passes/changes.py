"""Changes: where a refined mask differs from the coarse one, piece by piece, and which to take.

A rough mask is seldom wrong all along: where it was right, a change can only harm. So each piece of
the difference is looked at by itself, and a small network that learned from pieces whose truth was
known (`training.judge`) says whether it is a gain. Another says the same of all that is taken
together: a mask that a person drew is right in ways that no piece shows.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from edgewise.network.runtime import Judge
from edgewise.passes.answers import Answer
from edgewise.passes.overview import rescaled, to_bytes
from edgewise.passes.planes import (
    INSIDE,
    STRIP_ROWS,
    Plane,
    Pyramid,
    halved,
    power_within,
    read_over,
    reduced,
    strips,
)
from edgewise.passes.proposal import overlap
from edgewise.passes.settle import Agreement, edge_distance, gradient_at
from edgewise.passes.threads import mapped
from edgewise.passes.view import Box

PIXELS = 500_000
"""Pieces are told apart where the view has at most so many pixels."""

FEATURES = 27
"""Numbers that the judge is told of a piece."""

SUMMED_UP = 30
"""Numbers that the judge is told of all that is taken."""

_ADDED, _SHARE, _DEPTH, _LOG_DEPTH = 0, 1, 3, 4  # where some of `described`'s numbers stand
_COMMON = 10  # of them, the last ones, are the same for all pieces of a mask
_THIN = 3.0  # pixels of depth up to which a piece is a change of the edge
_CORNERS = 1.5, 3.0  # pixels by which a polygon of few corners may leave a contour
_CORE = 0.03  # pieces hang together where they are thicker than this, over the object's size
_NEAR = 0.15  # how far the colours beside a piece are taken from, over the object's size
_NO_COLOURS = 100.0  # distance of colours where there are none to compare with

Labels = NDArray[np.int32]
Bytes = NDArray[np.uint8]
Numbers = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Seen:
    """A view and all that was said of it, at a size of at most `PIXELS`.

    Attributes:
        photo: uint8 HxWx3 RGB.
        coarse: uint8 HxW, object above `INSIDE`.
        refined: uint8 HxW, likewise.
        proposed: float32 hxw in 0..1 of any size, the proposal; None where none was believed.
        overview: float32 hxw in 0..1 of any size.
        found: how coarse mask and refined mask agree.
        trust: what `settle` gave the proposal to say.
    """

    photo: Bytes
    coarse: Bytes
    refined: Bytes
    proposed: NDArray[np.float32] | None
    overview: NDArray[np.float32]
    found: Agreement
    trust: float


def seen_at(
    photo: Pyramid,
    coarse: Pyramid,
    refined: Answer,
    *,
    proposed: NDArray[np.float32] | None,
    overview: NDArray[np.float32],
    found: Agreement,
    trust: float,
    threads: int,
) -> Seen:
    """A view as the judge sees it; see `Seen`."""
    shape, power = refined.shape, power_within(refined.shape, PIXELS)
    small = np.empty(halved(shape, power), np.uint8)

    def read(box: Box) -> None:
        part = reduced(to_bytes(refined.read(box)), 1 << power)
        small[box.top >> power : (box.top >> power) + len(part)] = part

    # Of whole squares, which have more rows than strips in views of thousands of megapixels.
    for _ in mapped(read, strips(shape, multiple=max(STRIP_ROWS, 1 << power)), threads):
        pass
    return Seen(
        photo=photo.whole(power),
        coarse=coarse.whole(power),
        refined=small,
        proposed=proposed,
        overview=overview,
        found=found,
        trust=trust,
    )


def taken_back(
    judge: Judge, seen: Seen, *, least: float, verdict: float = 0.0
) -> NDArray[np.bool_] | None:
    """Where a change is not to be taken; None where none of it is, so that the mask stays.

    Args:
        judge: says how probable it is that a piece is a gain, or all that is taken.
        seen: the view.
        least: probability from which a piece is taken.
        verdict: probability from which what is taken together is; 0 does not ask.
    """
    labels, rows = described(seen)
    if not len(rows):
        return labels > 0
    gains = judge(rows)
    taken = gains >= least
    if not taken.any():
        return None
    if verdict:
        told = summed_up(seen.coarse, seen.refined, rows, gains, taken)
        if judge.verdict(told[None])[0] < verdict:
            return None
    back = np.concatenate([[False], ~taken])[labels]
    # Where the view was halved a piece ends within the squares beside it.
    beside = cv2.dilate(back.view(np.uint8), np.ones((3, 3), np.uint8)) > 0
    return np.asarray(back | beside & (labels == 0))


class Kept:
    """An answer that the coarse mask takes the place of in some parts.

    Args:
        answer: the answer.
        coarse: the coarse mask, object above `INSIDE`.
        back: bool, where the coarse mask's side is kept; the view at a size of at most `PIXELS`.
    """

    def __init__(self, answer: Answer, coarse: Plane, back: NDArray[np.bool_]) -> None:
        self.shape = answer.shape
        self._answer, self._coarse, self._back = answer, coarse, back
        self._power = power_within(self.shape, PIXELS)

    def read(self, box: Box) -> NDArray[np.float32]:
        """See `Answer`."""
        return read_over(self._inside, self.shape, box)

    def _inside(self, box: Box) -> NDArray[np.float32]:
        soft = self._answer.read(box)
        part = self._around_back(box)
        if part is None:
            return soft
        rows, columns = (
            np.arange(start, end) >> self._power
            for start, end in ((part.top, part.bottom), (part.left, part.right))
        )
        inside = self._coarse.read(part) > INSIDE
        soft = soft.copy()
        piece = soft[part.moved(-box.top, -box.left).slices]
        turned = self._back[np.ix_(rows, columns)] & ((piece > 0.5) != inside)
        # As sure as the answer was, and on the other side: beyond the piece they meet.
        piece[turned] = 1 - piece[turned]
        return soft

    def _around_back(self, box: Box) -> Box | None:
        """The part of a box that holds all of what is taken back there."""
        grain = 1 << self._power
        top, left = box.top >> self._power, box.left >> self._power
        there = self._back[top : -(-box.bottom // grain), left : -(-box.right // grain)]
        first_column, first_row, columns, rows = cv2.boundingRect(there.view(np.uint8))
        if not rows:
            return None
        found = Box(first_row, first_column, first_row + rows, first_column + columns)
        inside = found.moved(top, left).enlarged(grain).moved(-box.top, -box.left)
        return inside.within((box.height, box.width)).moved(box.top, box.left)


def pieces(
    coarse: NDArray[np.bool_], refined: NDArray[np.bool_]
) -> tuple[Labels, int, NDArray[np.float32]]:
    """The pieces of the difference of two masks HxW: labels from 1 on, 0 where there is none.

    A limb and the thin seam along the contour that it hangs on are different pieces.

    Returns:
        int32 HxW, how many pieces there are, and how deep in the difference each pixel lies.
    """
    differs = coarse != refined
    depth = np.asarray(
        cv2.distanceTransform(differs.view(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5), np.float32
    )
    least = max(2.0, _CORE * math.sqrt(np.count_nonzero(coarse)))
    thick = depth > least
    labels = np.zeros(coarse.shape, np.int32)
    count = 0
    if thick.any():
        away, nearest = cv2.distanceTransformWithLabels(
            (~thick).view(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5, labelType=cv2.DIST_LABEL_CCOMP
        )
        labels = np.asarray(np.where(differs & (away <= 3 * least), nearest, 0), np.int32)
        count = int(nearest.max())
    rest = differs & (labels == 0)
    more, seams = cv2.connectedComponents(rest.view(np.uint8), connectivity=8)
    labels[rest] = seams[rest] + count
    return labels, count + more - 1, depth


def described(seen: Seen) -> tuple[Labels, NDArray[np.float32]]:
    """The pieces of the difference, and what the judge is told of each.

    Returns:
        Labels int32 HxW from 1 on, and float32 (pieces, `FEATURES`).
    """
    coarse, refined = seen.coarse > INSIDE, seen.refined > INSIDE
    labels, count, inner = pieces(coarse, refined)
    if not count:
        return labels, np.zeros((0, FEATURES), np.float32)
    at = np.flatnonzero(labels)
    names = labels.ravel()[at]
    area = np.bincount(names, minlength=count + 1)[1:].astype(np.float64)

    def mean(values: NDArray[np.float32]) -> Numbers:
        sums = np.bincount(names, values.ravel()[at], minlength=count + 1)[1:]
        return np.asarray(sums / np.maximum(area, 1))

    def most(values: NDArray[np.float32]) -> Numbers:
        found = np.zeros(count + 1)
        np.maximum.at(found, names, values.ravel()[at])
        return found[1:]

    size = math.sqrt(max(1, int(np.count_nonzero(coarse))))
    added = mean(refined.astype(np.float32))
    sign = np.where(added > 0.5, 1.0, -1.0)
    depth = most(inner)
    soft = seen.refined.astype(np.float32) / 255
    shape = coarse.shape[0], coarse.shape[1]
    overview = rescaled(seen.overview, shape)
    proposed = overview if seen.proposed is None else rescaled(seen.proposed, shape)
    rims, (old, new), (all_old, all_new) = _rims(seen.photo, coarse, refined, labels, count)
    inside, outside = _colours(seen.photo, coarse & refined, ~(coarse | refined), size, at)
    to_inside, to_outside = (
        np.bincount(names, away, minlength=count + 1)[1:] / np.maximum(area, 1)
        for away in (inside, outside)
    )
    own = [
        added,
        np.log(area / size**2 + 1e-7),
        np.log(area + 1),
        depth / size,
        np.log(depth + 0.5),
        most(edge_distance(coarse)) / size,
        mean(np.abs(soft - np.float32(0.5))),
        sign * (mean(proposed) - 0.5),
        sign * (mean(overview) - 0.5),
        rims[0] / np.maximum(rims[0] + rims[1], 1),
        np.log((old + 1) / (new + 1)),
        np.log((old + 1) / (all_new + 1)),
        np.log((new + 1) / (all_new + 1)),
        np.log(new + 1),
        to_inside,
        to_outside,
        sign * (to_outside - to_inside),
    ]
    common = [
        min(seen.found.edges, 3.0),
        seen.found.overlap,
        overlap(coarse, proposed > 0.5),
        overlap(refined, proposed > 0.5),
        float(seen.proposed is not None),
        seen.trust,
        math.log(size),
        math.log(all_old + 1),
        math.log(all_new + 1),
        float(np.log(count)),
    ]
    rows = np.empty((count, FEATURES), np.float32)
    for column, values in enumerate((*own, *common)):
        rows[:, column] = values
    return labels, rows


def summed_up(
    coarse: Bytes,
    refined: Bytes,
    rows: NDArray[np.float32],
    gains: NDArray[np.float32],
    taken: NDArray[np.bool_],
) -> NDArray[np.float32]:
    """What the judge is told of all that is taken of a mask's change.

    Args:
        coarse: uint8 HxW, object above `INSIDE`.
        refined: uint8 HxW, likewise.
        rows: float32 (pieces, `FEATURES`), what was said of each piece, at least one.
        gains: float32 (pieces), what the judge said of each.
        taken: bool (pieces).

    Returns:
        float32 (`SUMMED_UP`).
    """
    share = np.exp(rows[:, _SHARE].astype(np.float64))
    added, depth = rows[:, _ADDED], rows[:, _DEPTH]
    expected = (2 * gains - 1) * share
    own = share * taken
    thin = np.exp(rows[:, _LOG_DEPTH]) - 0.5 <= _THIN
    all_own, all_share = max(1e-6, own.sum()), max(1e-6, share.sum())
    size = math.sqrt(max(1, int(np.count_nonzero(coarse > INSIDE))))
    contours = _contours(coarse)
    before, after = _length(contours), _length(_contours(refined))
    numbers = [
        *rows[0, -_COMMON:],
        (expected * taken).sum(),
        expected.sum(),
        own.sum(),
        share.sum(),
        (gains * (1 - gains) * own).sum() / all_own,
        (gains * own).sum() / all_own,
        (own * (1 - added)).sum(),
        (own * added).sum(),
        (expected * taken * (1 - added)).sum(),
        (expected * taken * added).sum(),
        (share * ~taken).sum() / all_share,
        (depth * share).sum() / all_share,
        depth.max(),
        (own * thin).sum(),
        (own * ~thin).sum(),
        math.log(before / size + 1e-3),
        math.log(after / size + 1e-3),
        math.log((before + 1) / (after + 1)),
        *(math.log(_corners(contours, off) / (before + 1) + 1e-4) for off in _CORNERS),
    ]
    return np.array(numbers, np.float32)


def _contours(mask: Bytes) -> Sequence[NDArray[np.int32]]:
    inside = (mask > INSIDE).view(np.uint8)
    found, _ = cv2.findContours(inside, cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
    return cast(Sequence[NDArray[np.int32]], found)


def _length(contours: Sequence[NDArray[np.int32]]) -> float:
    return sum(cv2.arcLength(contour, True) for contour in contours)


def _corners(contours: Sequence[NDArray[np.int32]], off: float) -> int:
    """Of polygons that leave the contours by so many pixels at most."""
    return sum(len(cv2.approxPolyDP(contour, off, True)) for contour in contours)


def _rims(
    photo: Bytes,
    coarse: NDArray[np.bool_],
    refined: NDArray[np.bool_],
    labels: Labels,
    count: int,
) -> tuple[list[NDArray[np.intp]], list[Numbers], list[float]]:
    """Of the coarse and the refined contour: the pixels that lie beside each piece, the photo's
    gradient there, and the gradient along the whole contour.
    """
    square = np.ones((3, 3), np.uint8)
    contours = [
        cv2.morphologyEx(mask.view(np.uint8), cv2.MORPH_GRADIENT, square) > 0
        for mask in (coarse, refined)
    ]
    both = contours[0] | contours[1]
    gradient = gradient_at(photo, both)
    beside = cv2.dilate(labels.astype(np.float32), square)[both].astype(np.int32)
    on = [contour[both] for contour in contours]
    counts, means = [], []
    for mine, other in ((on[0], on[1]), (on[1], on[0])):
        alone = mine & ~other
        number = np.bincount(beside[alone], minlength=count + 1)[1:]
        total = np.bincount(beside[alone], gradient[alone], minlength=count + 1)[1:]
        counts.append(number)
        means.append(total / np.maximum(number, 1))
    alls = [float(gradient[mine].mean()) if mine.any() else 0.0 for mine in on]
    return counts, means, alls


def _colours(
    photo: Bytes,
    inside: NDArray[np.bool_],
    outside: NDArray[np.bool_],
    size: float,
    at: NDArray[np.intp],
) -> list[NDArray[np.float32]]:
    """How far the colours of pixels `at` are from the mean of those inside and outside nearby."""
    # Not L*a*b*: the tables that OpenCV makes for it take longer than all else here.
    planes = cv2.split(cv2.cvtColor(photo, cv2.COLOR_RGB2YCrCb))
    side = 2 * max(4, round(_NEAR * size)) + 1
    found = []
    for mask in (inside, outside):
        weight = mask.astype(np.float32)
        total = cv2.boxFilter(weight, -1, (side, side), normalize=False).ravel()[at]
        away = np.zeros(at.shape, np.float32)
        for channel in planes:  # one at a time, in the same memory
            own = channel.astype(np.float32)
            sums = cv2.boxFilter(own * weight, -1, (side, side), normalize=False)
            away += np.abs(own.ravel()[at] - sums.ravel()[at] / np.maximum(total, 1))
        found.append(np.where(total >= 1, away, np.float32(_NO_COLOURS)).astype(np.float32))
    return found
