"""Specks: spots of a few pixels that a pass leaves inside an object or beside it."""

import cv2
import numpy as np
from numpy.typing import NDArray

from edgewise.passes.answers import Answer
from edgewise.passes.planes import INSIDE, Plane, read_over
from edgewise.passes.view import Box

_SPOT = np.ones((3, 3), np.uint8)
_RING = np.pad(np.zeros((3, 3), np.uint8), 1, constant_values=1)
_REACH = 3  # pixels around one that say whether it belongs to a speck: a spot's and its ring's


def specks(inside: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The spots of a mask, bool HxW, of either side, that lie within 3x3 pixels of the other."""
    mask = inside.view(np.uint8)
    spots, holes = (cv2.dilate(cv2.erode(around, _RING), _SPOT) for around in (1 - mask, mask))
    return np.where(inside, spots, holes) > 0


class Cleared:
    """An answer whose specks are those of the coarse mask.

    Args:
        answer: the answer.
        coarse: the coarse mask, whose side is taken at all others.
    """

    def __init__(self, answer: Answer, coarse: Plane) -> None:
        self.shape = answer.shape
        self._answer, self._coarse = answer, coarse

    def read(self, box: Box) -> NDArray[np.float32]:
        """See `Answer`."""
        return read_over(self._inside, self.shape, box)

    def _inside(self, box: Box) -> NDArray[np.float32]:
        around = box.grown(_REACH, self.shape)
        soft = self._answer.read(around)
        inside = soft > 0.5
        turned = specks(inside)
        if turned.any():
            turned &= inside != (self._coarse.read(around) > INSIDE)
            soft = np.where(turned, 1 - soft, soft)
        return soft[box.moved(-around.top, -around.left).slices]
