"""Split: a label map taken apart into the pieces of each label, as published for ADE20K.

After CascadePSP (Cheng et al., CVPR 2020, section 5.3) and its published inputs.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from edgewise.errors import InputError
from edgewise.passes.view import Box

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    Labels = NDArray[np.integer[Any]]
    Mask = NDArray[np.bool_]

SMALL = 32 * 32
"""Labels and pieces of at most so many pixels are not refined."""

_DISC = 10
_ROOM = _DISC + 2  # what dilating and eroding by the disc look at around a label
_NAME = re.compile(r"(?P<image>.+)_(?P<label>-?\d+)\.(?P<number>\d+)")


@dataclass(frozen=True)
class Component:
    """One piece of one label.

    Attributes:
        label: of the label map.
        number: within the label, from 1; those too small to keep leave gaps.
        box: rectangle of the label map that the masks fill.
        closed: bool, the box's size: the piece with its narrow gaps closed. The truth of the
            piece is what of the label's truth lies in it.
        mask: bool, the box's size: what of `closed` has the label. It may be empty.
    """

    label: int
    number: int
    box: Box
    closed: Mask
    mask: Mask

    def truth(self, labels: Labels) -> Mask:
        """The piece in a true label map HxW, bool, the box's size."""
        return np.asarray(self.closed & (labels[self.box.slices] == self.label))


def part_name(image: str, component: Component) -> str:
    """What the names of a component's files begin with: `<image>_<label>.<number>`."""
    return f"{image}_{component.label}.{component.number}"


def part_of(name: str) -> tuple[str, int, int]:
    """Image, label and number of a component's name.

    Raises:
        InputError: the name has another form.
    """
    found = _NAME.fullmatch(name)
    if found is None:
        raise InputError(f"{name}: expected <image>_<label>.<component>, such as a_17.2")
    return found["image"], int(found["label"]), int(found["number"])


def present(labels: Labels, void: int | None) -> list[int]:
    """The labels of a map in order, without void."""
    return [int(label) for label in np.unique(labels) if label != void]


def disc() -> NDArray[np.uint8]:
    """The published disc, 10x10: offsets -5..4 within distance 5; it is not quite symmetric."""
    y, x = np.ogrid[-_DISC // 2 : _DISC // 2, -_DISC // 2 : _DISC // 2]
    return np.asarray(x * x + y * y <= (_DISC // 2) ** 2, np.uint8)


def window_of(inside: Mask) -> Box:
    """The rectangle in which the pieces of a label, which is not empty, are found.

    It begins at even places: OpenCV numbers components by blocks of two pixels, and the numbers
    are to be those of the whole picture.
    """
    left, top, width, height = cv2.boundingRect(inside.view(np.uint8))
    return Box(
        max(0, top - _ROOM) // 2 * 2,
        max(0, left - _ROOM) // 2 * 2,
        min(inside.shape[0], top + height + _ROOM),
        min(inside.shape[1], left + width + _ROOM),
    )


def grouped(inside: Mask) -> tuple[list[Box], NDArray[np.int32]]:
    """The pieces of a mask, each with a rim of the disc's reach: their boxes, and a map of them.

    The map HxW numbers them from 1; 0 is none. Pieces whose rims touch are one: what is closer
    than the disc belongs together.
    """
    near = cv2.dilate(inside.view(np.uint8), disc())
    _, numbers, stats, _ = cv2.connectedComponentsWithStats(near, connectivity=8)
    boxes = [Box(int(y), int(x), int(y + h), int(x + w)) for x, y, w, h, _ in stats[1:]]
    return boxes, np.asarray(numbers, np.int32)


def split(labels: Labels, *, void: int | None = 0) -> Iterator[Component]:
    """The pieces of a label map that are large enough to refine, by label and number.

    Each label's mask (skipped at `SMALL` pixels or less) is dilated by the disc; its 8-connected
    components are eroded by the same disc, and those of more than `SMALL` pixels kept.

    Args:
        labels: integers HxW.
        void: the label that is none; None where there is no such label.
    """
    for label in present(labels, void):
        inside = labels == label
        if np.count_nonzero(inside) <= SMALL:
            continue
        window = window_of(inside)
        inside = np.ascontiguousarray(inside[window.slices])
        boxes, numbers = grouped(inside)
        for number in range(1, len(boxes) + 1):
            closed = cv2.erode((numbers == number).astype(np.uint8), disc())
            if np.count_nonzero(closed) > SMALL:
                yield _component((label, number), window, closed.astype(bool), inside)


def _component(key: tuple[int, int], window: Box, closed: Mask, inside: Mask) -> Component:
    """A component, cut to the box around it."""
    left, top, width, height = cv2.boundingRect(closed.view(np.uint8))
    own = slice(top, top + height), slice(left, left + width)
    top, left = top + window.top, left + window.left
    box = Box(top, left, top + height, left + width)
    return Component(*key, box, closed[own].copy(), closed[own] & inside[own])
