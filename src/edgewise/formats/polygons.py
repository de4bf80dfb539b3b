"""Polygons and masks: outlines of pixels, holes and parts joined by seams, checks, filling.

Coordinates are in pixels, x right and y down, with pixel (0, 0) covering [0, 1] x [0, 1], as in
the COCO format. A ring is float64 Nx2 (x, y), not closed by a repeated point.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from pycocotools import mask as coco_mask  # type: ignore[import-untyped]

from edgewise.errors import InputError
from edgewise.formats.annotation import Rle

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from edgewise.formats.annotation import Size

Ring = Any  # NDArray[np.float64] of N x 2
_BLOCK = 256  # edges compared with all their neighbours at once
_OUTSIDE = 1.0  # px: annotation tools round, and put the last pixel's centre or its far side
_FAR = 10  # of the photo's longer side: filling takes memory by the length of the edges
_FARTHEST = 1e7  # px: filling counts in fifths of a pixel, in 32 bits


@dataclass(frozen=True)
class Part:
    """One connected part of a mask: its outer ring and the rings of its holes."""

    outer: Ring
    holes: tuple[Ring, ...]


def filled(rings: Iterable[Ring], size: Size) -> Rle:
    """The union of rings as a mask: a pixel is inside where its centre is (even-odd in a ring).

    Raises:
        InputError: a ring reaches further out than ten times the photo's longer side.
    """
    height, width = size
    flat = [_near(np.asarray(ring, dtype=np.float64), size).ravel().tolist() for ring in rings]
    merged = coco_mask.merge(coco_mask.frPyObjects(flat, height, width))
    return Rle(height, width, merged["counts"])


def _near(ring: Ring, size: Size) -> Ring:
    """The ring, where it does not lie too far out to be filled."""
    side = max(size)
    if ring.min() < -min(_FAR * side, _FARTHEST) or ring.max() > min((1 + _FAR) * side, _FARTHEST):
        raise InputError(f"{_spans(ring)}: too far outside the photo of {size[1]}x{size[0]} pixels")
    return ring


def _spans(ring: Ring) -> str:
    (left, top), (right, bottom) = ring.min(axis=0), ring.max(axis=0)
    return f"its polygon spans x {left:g} to {right:g}, y {top:g} to {bottom:g}"


def ring_of(numbers: Sequence[Any], scale: tuple[float, float] = (1, 1)) -> Ring:
    """A ring from x1, y1, x2, y2, ..., each times the `scale` of its axis.

    Raises:
        InputError: fewer than three points, an odd count, or what is no finite number.
    """
    if not all(type(number) in (int, float) for number in numbers):
        raise InputError("its polygon has coordinates that are no numbers")
    if len(numbers) < 6 or len(numbers) % 2:
        raise InputError(f"its polygon has {len(numbers)} coordinates; expected pairs, 3 or more")
    try:
        with np.errstate(over="ignore"):  # what gets too large is not finite
            ring = np.array(numbers, dtype=np.float64).reshape(-1, 2) * scale
    except OverflowError:
        raise InputError("its polygon has a coordinate of more than 308 digits") from None
    if not np.isfinite(ring).all():
        raise InputError("its polygon has coordinates that are not finite")
    return ring


def check_inside(ring: Ring, size: Size) -> None:
    """Raise InputError where a ring leaves the photo by more than a pixel."""
    height, width = size
    (left, top), (right, bottom) = ring.min(axis=0), ring.max(axis=0)
    beyond = max(-left, -top, right - width, bottom - height)
    if beyond > _OUTSIDE:
        raise InputError(f"{_spans(ring)}: outside the photo of {width}x{height} pixels")


def check_simple(ring: Ring) -> None:
    """Raise InputError where two edges of a ring cross.

    Edges that only touch are no crossing, and seams (`one_ring`) may cross what they like.
    """
    starts, ends = _without_seams(ring)
    order = np.argsort(np.minimum(starts[:, 0], ends[:, 0]), kind="stable")
    starts, ends = starts[order], ends[order]
    left, right = np.minimum(starts[:, 0], ends[:, 0]), np.maximum(starts[:, 0], ends[:, 0])
    for first in range(0, len(starts), _BLOCK):
        block = slice(first, first + _BLOCK)
        last = np.searchsorted(left, right[block].max(), side="right")
        near = first + np.flatnonzero(right[first:last] >= left[first])
        at = _crossing(starts[block], ends[block], starts[near], ends[near])
        if at is not None:
            raise InputError(f"its polygon crosses itself near x {at[0]:g}, y {at[1]:g}")


def _without_seams(ring: Ring) -> tuple[Ring, Ring]:
    """Starts and ends of a ring's edges, but those that are gone there and back."""
    edges = np.stack([ring, np.roll(ring, -1, axis=0)], axis=1)
    swapped = (edges[:, 0] > edges[:, 1])[:, 0] | (
        (edges[:, 0, 0] == edges[:, 1, 0]) & (edges[:, 0, 1] > edges[:, 1, 1])
    )
    undirected = np.where(swapped[:, None, None], edges[:, ::-1], edges).reshape(-1, 4)
    _, which, counts = np.unique(undirected, axis=0, return_inverse=True, return_counts=True)
    kept = edges[counts[which.ravel()] % 2 == 1]
    return kept[:, 0], kept[:, 1]


def _crossing(a: Ring, b: Ring, c: Ring, d: Ring) -> NDArray[np.float64] | None:
    """The start of an edge a-b that crosses an edge c-d inside both, or None."""
    a, b, c, d = a[:, None], b[:, None], c[None], d[None]
    across = (_side(a, b, c) * _side(a, b, d) < 0) & (_side(c, d, a) * _side(c, d, b) < 0)
    hits = np.argwhere(across)
    return a[hits[0, 0], 0] if len(hits) else None


def _side(a: Ring, b: Ring, point: Ring) -> NDArray[np.float64]:
    """Whether a point lies left of (1), on (0) or right of (-1) the line through a and b."""
    turn = (b[..., 0] - a[..., 0]) * (point[..., 1] - a[..., 1])
    turn = turn - (b[..., 1] - a[..., 1]) * (point[..., 0] - a[..., 0])
    return np.asarray(np.sign(turn))


def parts(mask: Rle, tolerance: float) -> list[Part]:
    """The outlines of a mask's 4-connected parts.

    Points lie on pixel corners. With a tolerance of 0, filling gives the mask back exactly; else
    Douglas and Peucker's simplification leaves out points that lie within `tolerance` px of the
    simpler line (a ring that would vanish stays as it is).
    """
    left, top, width, height = mask.box
    if not (width and height):
        return []
    inside = mask.mask()[top : top + height, left : left + width]
    _, labels = cv2.connectedComponents(inside.astype(np.uint8), connectivity=4)
    outers: dict[int, Ring] = {}
    holes: dict[int, list[Ring]] = {}
    for ring in _corner_rings(inside):
        x, y = ring[0]
        simple = _simplified(ring, tolerance) + np.array([left, top])
        if inside[y, x]:
            outers[int(labels[y, x])] = simple
        else:  # the pixel above a hole's first corner is the part's
            holes.setdefault(int(labels[y - 1, x]), []).append(simple[::-1])
    return [Part(ring, tuple(holes.get(label, ()))) for label, ring in outers.items()]


def _corner_rings(mask: NDArray[np.bool_]) -> list[NDArray[np.int32]]:
    """The rings of corner points (x, y) around the 4-connected parts and the holes of a mask.

    A corner is where an odd number of the four pixels around a grid point are inside, or two that
    meet in that point only, which then is two corners. The corners of a row, in pairs from the
    left, are its horizontal edges, and likewise the columns' are the vertical ones; a ring takes
    both in turn. Each begins at its topmost, leftmost corner and goes right.
    """
    padded = np.pad(mask, 1)
    a, b, c, d = padded[:-1, :-1], padded[:-1, 1:], padded[1:, :-1], padded[1:, 1:]
    meeting = (a == d) & (b == c) & (a != b)
    y, x = np.nonzero((a ^ b ^ c ^ d) | meeting)
    twice = meeting[y, x]
    y, x, crossed = (np.repeat(values, 1 + twice) for values in (y, x, b[y, x] & twice))
    copy = _is_copy(twice)
    # The left edge meets the upper one where the upper left pixel is inside, else the lower one.
    rank = copy ^ crossed
    down = np.lexsort((rank, y, x))
    vertical = np.empty(len(x), dtype=np.int64)
    vertical[down[0::2]], vertical[down[1::2]] = down[1::2], down[0::2]
    return [np.stack([x[ring], y[ring]], axis=1).astype(np.int32) for ring in _cycles(vertical)]


def _is_copy(twice: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """For corners of which some come twice: whether each is the second of its two."""
    copy = np.zeros(int((1 + twice).sum()), dtype=bool)
    copy[(np.cumsum(1 + twice) - 1)[twice]] = True
    return copy


def _cycles(vertical: NDArray[np.int64]) -> list[list[int]]:
    """Rings of corners: from an even one right to the next in its row, then up or down."""
    partner = vertical.tolist()
    seen = bytearray(len(partner))
    rings = []
    for first in range(len(partner)):
        if seen[first]:
            continue
        ring, corner = [], first
        while not seen[corner]:
            along = corner ^ 1  # pairs of a row are neighbours in the order of corners
            ring += [corner, along]
            seen[corner] = seen[along] = 1
            corner = partner[along]
        rings.append(ring)
    return rings


def _simplified(ring: NDArray[np.int32], tolerance: float) -> Ring:
    if tolerance > 0:
        simple = cv2.approxPolyDP(ring[:, None], tolerance, closed=True)[:, 0]
        if len(simple) >= 3 and cv2.contourArea(simple) > 0:
            start = int(np.argmin(simple[:, 1] * (1 << 16) + simple[:, 0]))
            return np.roll(simple, -start, axis=0).astype(np.float64)
    return ring.astype(np.float64)


def rings(mask: Rle, tolerance: float) -> list[Ring]:
    """One ring for each part of a mask, its holes joined to it by seams."""
    return [_seamed(part) for part in parts(mask, tolerance)]


def one_ring(mask: Rle, tolerance: float) -> Ring:
    """One ring for a whole mask: holes and parts joined by seams.

    A seam is an edge there and back, of no width: by even-odd filling it has no effect. Formats
    with a single ring an object are written so by common convention.
    """
    joined, *others = rings(mask, tolerance)
    for ring in others:
        nearest = _nearest(joined, ring.mean(axis=0))
        entry = _nearest(ring, joined[nearest])
        nearest = _nearest(joined, ring[entry])
        joined = _spliced(joined, nearest, ring, entry)
    return joined


def _nearest(ring: Ring, point: Ring) -> int:
    return int(np.argmin(((ring - point) ** 2).sum(axis=1)))


def _spliced(ring: Ring, at: int, other: Ring, entry: int) -> Ring:
    """A ring that goes from its point `at` to `other`'s point `entry`, around it, and back."""
    around = np.roll(other, -entry, axis=0)
    return np.concatenate([ring[: at + 1], around, around[:1], ring[at:]])


def _seamed(part: Part) -> Ring:
    """The outer ring with each hole joined by a horizontal seam, which runs inside the object.

    From a hole's leftmost point the first edge to the left is the outer ring's or that of a hole
    which begins further left; these are joined already.
    """
    ring = part.outer
    entries = [(hole, int(np.lexsort((hole[:, 1], hole[:, 0]))[0])) for hole in part.holes]
    for hole, entry in sorted(entries, key=lambda pair: tuple(pair[0][pair[1]])):
        ring, at = _with_point_left_of(ring, hole[entry])
        ring = _spliced(ring, at, hole, entry)
    return ring


def _with_point_left_of(ring: Ring, point: Ring) -> tuple[Ring, int]:
    """The ring with a point added where the ray from `point` to the left meets it first.

    Where simplifying has put the point outside of the ring, its nearest corner serves.
    """
    x, y = point
    start, end = ring, np.roll(ring, -1, axis=0)
    low, high = np.minimum(start[:, 1], end[:, 1]), np.maximum(start[:, 1], end[:, 1])
    edges = np.flatnonzero((low <= y) & (y < high))
    share = (y - start[edges, 1]) / (end[edges, 1] - start[edges, 1])
    meets = start[edges, 0] + share * (end[edges, 0] - start[edges, 0])
    edges, meets = edges[meets <= x], meets[meets <= x]
    if not len(edges):
        return ring, _nearest(ring, point)
    best = int(np.argmax(meets))
    at = int(edges[best]) + 1
    return np.insert(ring, at, (meets[best], y), axis=0), at
