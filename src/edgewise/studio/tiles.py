"""Tiles: squares of a photo or a mask at each zoom, made when asked for and kept for a while.

Level 0 is the photo's own size; each next one is half of it. A tile of level k is reduced from
the pixels that it covers, so that nothing has to be brought up to date after a stroke; all tiles
of a level together cost one pass over the photo.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable

import cv2
import numpy as np
from numpy.typing import NDArray

from edgewise.studio.limits import RefusedError

SIDE = 512
"""Pixels of a tile's side; less at the right and at the bottom."""


def level_count(shape: tuple[int, int]) -> int:
    """Levels of a photo of that height and width; the last one is a single tile."""
    count = 1
    while max(shape) > SIDE << (count - 1):
        count += 1
    return count


def tile(
    image: NDArray[np.uint8], level: int, column: int, row: int, *, scale: int = 1
) -> NDArray[np.uint8]:
    """A tile of an image HxW or HxWx3, by the mean over squares of 2^level pixels.

    Values are multiplied by `scale` before that.

    At the rim, where a square reaches outside, the last pixels are repeated; the tile has then
    ceil(pixels / 2^level) rows or columns.

    Raises:
        RefusedError: there is no such tile.
    """
    shape = (image.shape[0], image.shape[1])
    if not 0 <= level < level_count(shape):
        raise RefusedError(
            404, f"there is no level {level}; expected 0 to {level_count(shape) - 1}"
        )
    span = SIDE << level
    left, top = column * span, row * span
    if not (0 <= left < shape[1] and 0 <= top < shape[0]):
        raise RefusedError(404, f"level {level} has no tile in column {column}, row {row}")
    part = image[top : top + span, left : left + span]
    return _reduced(part if scale == 1 else part * np.uint8(scale), 1 << level)


def _reduced(image: NDArray[np.uint8], factor: int) -> NDArray[np.uint8]:
    if factor == 1:
        return image
    below, beside = -image.shape[0] % factor, -image.shape[1] % factor
    if below or beside:
        image = np.asarray(
            cv2.copyMakeBorder(image, 0, below, 0, beside, cv2.BORDER_REPLICATE), np.uint8
        )
    size = (image.shape[1] // factor, image.shape[0] // factor)
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)


def jpeg(image: NDArray[np.uint8]) -> bytes:
    """An RGB image HxWx3 as JPEG: quality 92 and full colour, so that edges can be judged."""
    options = [
        cv2.IMWRITE_JPEG_QUALITY,
        92,
        cv2.IMWRITE_JPEG_SAMPLING_FACTOR,
        cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444,
    ]
    _, coded = cv2.imencode(".jpg", cv2.cvtColor(image, cv2.COLOR_RGB2BGR), options)
    return coded.tobytes()


def png(image: NDArray[np.uint8]) -> bytes:
    """A grey image HxW as PNG, made fast rather than small."""
    _, coded = cv2.imencode(".png", np.ascontiguousarray(image), [cv2.IMWRITE_PNG_COMPRESSION, 1])
    return coded.tobytes()


class TileCache:
    """Encoded tiles up to a number of bytes in all; the one unused longest goes first."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._held = 0
        self._tiles: OrderedDict[Hashable, bytes] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Hashable, make: Callable[[], bytes]) -> bytes:
        """The tile of a key; `make` makes it where it is not held."""
        with self._lock:
            if key in self._tiles:
                self._tiles.move_to_end(key)
                return self._tiles[key]
        made = make()
        with self._lock:
            self._held += len(made) - len(self._tiles.pop(key, b""))
            self._tiles[key] = made
            while self._held > self._most and len(self._tiles) > 1:
                self._held -= len(self._tiles.popitem(last=False)[1])
        return made

    @property
    def held(self) -> int:
        """Bytes of the tiles held."""
        return self._held
