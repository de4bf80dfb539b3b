"""Views: the rectangles of the photo that the network looks at.

A small object gets a view of its own, so that it fills the network's input; pieces that lie close
together share one, because what is beside a piece helps to tell what it is.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Box:
    """A rectangle of pixels, ends exclusive."""

    top: int
    left: int
    bottom: int
    right: int

    @property
    def height(self) -> int:
        """Rows."""
        return self.bottom - self.top

    @property
    def width(self) -> int:
        """Columns."""
        return self.right - self.left

    @property
    def slices(self) -> tuple[slice, slice]:
        """Index of the rectangle in an array HxW..."""
        return slice(self.top, self.bottom), slice(self.left, self.right)

    def grown(self, by: int, shape: tuple[int, int]) -> "Box":
        """Larger by so many pixels on every side, inside a photo of that height and width."""
        return Box(
            max(0, self.top - by),
            max(0, self.left - by),
            min(shape[0], self.bottom + by),
            min(shape[1], self.right + by),
        )

    def moved(self, down: int, right: int) -> "Box":
        """Elsewhere."""
        return Box(self.top + down, self.left + right, self.bottom + down, self.right + right)

    def within(self, shape: tuple[int, int]) -> "Box":
        """The part of it that lies inside a photo of that height and width."""
        return self.grown(0, shape)

    def enlarged(self, by: int) -> "Box":
        """The same pixels where each of them is a square of so many."""
        return Box(self.top * by, self.left * by, self.bottom * by, self.right * by)

    def joined(self, other: "Box") -> "Box":
        """The smallest rectangle around both."""
        return Box(
            min(self.top, other.top),
            min(self.left, other.left),
            max(self.bottom, other.bottom),
            max(self.right, other.right),
        )

    def meets(self, other: "Box") -> bool:
        """Whether the two share a pixel."""
        return (
            self.top < other.bottom
            and other.top < self.bottom
            and self.left < other.right
            and other.left < self.right
        )


def _with_margin(box: Box, shape: tuple[int, int], margin: float, least: int) -> Box:
    return box.grown(max(least, round(margin * max(box.height, box.width))), shape)


def component_boxes(mask: NDArray[np.bool_]) -> list[Box]:
    """Boxes of the 8-connected pieces of a mask, in raster order."""
    _, _, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    return [Box(int(y), int(x), int(y + h), int(x + w)) for x, y, w, h, _ in stats[1:]]


def _merged(boxes: list[Box]) -> list[Box]:
    """Join boxes that meet until none do."""
    done: list[Box] = []
    for box in boxes:
        joined = box
        while hit := next((other for other in done if other.meets(joined)), None):
            done.remove(hit)
            joined = joined.joined(hit)
        done.append(joined)
    return done


def choose_views(
    mask: NDArray[np.bool_],
    *,
    margin: float,
    least: int,
    gain: float,
    most: int,
    scale: int = 1,
    shape: tuple[int, int] | None = None,
) -> list[Box]:
    """The views of a mask that is not empty; they do not overlap.

    Args:
        mask: bool hxw.
        margin: room around the pieces, as a share of a view's longer side.
        least: room around the pieces in pixels, at least.
        gain: pieces get views of their own only where the largest of those views is smaller than
            the common one by this factor; otherwise the common one keeps their context.
        most: above so many views, the common one is used.
        scale: each pixel of the mask stands for a square of so many of the photo's.
        shape: height and width of the photo; the mask's where it is left out.
    """
    shape = shape or (mask.shape[0] * scale, mask.shape[1] * scale)
    boxes = [box.enlarged(scale).within(shape) for box in component_boxes(mask)]
    whole = boxes[0]
    for box in boxes[1:]:
        whole = whole.joined(box)
    common = _with_margin(whole, shape, margin, least)
    if len(boxes) == 1:
        return [common]
    views = _merged([_with_margin(box, shape, margin, least) for box in boxes])
    largest = max(max(view.height, view.width) for view in views)
    if len(views) > most or largest * gain > max(common.height, common.width):
        return [common]
    return sorted(views, key=lambda view: (view.top, view.left))
