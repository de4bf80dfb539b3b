"""Patches: what an operation changes of a document's layers, the same back and forth.

A patch holds, for the rectangle in which a layer changes, its bytes before XOR those after. Laid
on once it makes the change, laid on again it takes the change back.
"""

import base64
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from edgewise.errors import InputError
from edgewise.passes.view import Box

Layers = Mapping[Any, NDArray[np.uint8]]


@dataclass(frozen=True)
class Patch:
    """The change of a layer within `box`: `flips` uint8 hxw."""

    layer: str
    box: Box
    flips: NDArray[np.uint8]

    def lay_on(self, layers: Layers) -> None:
        """Make the change, or take it back."""
        layers[self.layer][self.box.slices] ^= self.flips

    def as_json(self) -> dict[str, Any]:
        """The patch as values of JSON; its bytes compressed."""
        box = [self.box.left, self.box.top, self.box.right, self.box.bottom]
        flips = base64.b64encode(zlib.compress(self.flips.tobytes(), 1)).decode()
        return {"layer": self.layer, "box": box, "flips": flips}

    @classmethod
    def from_json(cls, value: dict[str, Any], layers: Layers) -> "Patch":
        """The patch that `as_json` gave.

        Raises:
            InputError: it is damaged, or of other layers than these.
        """
        try:
            left, top, right, bottom = (int(side) for side in value["box"])
            height, width = layers[value["layer"]].shape
            size = (bottom - top, right - left)
            if not (0 <= left < right <= width and 0 <= top < bottom <= height):
                raise InputError(f"a patch of the journal lies at {value['box']}: outside")
            packed = base64.b64decode(value["flips"], validate=True)
            unpacker = zlib.decompressobj()
            data = unpacker.decompress(packed, size[0] * size[1] + 1)  # never more than there is
            flips = np.frombuffer(data, np.uint8).reshape(size)
        except InputError:
            raise
        except (KeyError, TypeError, ValueError, AttributeError, zlib.error) as error:
            raise InputError(f"a patch of the journal is damaged: {error}") from error
        return cls(str(value["layer"]), Box(top, left, bottom, right), flips)


def patch_to(
    layer: str, before: NDArray[np.uint8], after: NDArray[np.uint8], box: Box
) -> Patch | None:
    """The patch that makes `after`, uint8 hxw, of a layer's part `box`; None where it is so.

    Args:
        layer: the layer's name.
        before: uint8 HxW, the whole layer.
        after: uint8, of the box's size.
        box: where it goes.
    """
    flips = before[box.slices] ^ after
    left, top, width, height = cv2.boundingRect(flips)
    if not width:
        return None
    tight = Box(box.top + top, box.left + left, box.top + top + height, box.left + left + width)
    return Patch(layer, tight, flips[top : top + height, left : left + width].copy())
