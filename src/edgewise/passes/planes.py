"""Planes: pictures that give any of their rectangles, at a half, a quarter, ... of the size too.

The steps read the photo and the coarse mask through these alone, so that a picture in memory and
one that is read from its file by region take the same way and give the same result.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from edgewise.passes.view import Box

STRIP_PIXELS = 2_000_000
"""About so many are read at a time where all of a picture is wanted."""

STRIP_ROWS = 64
"""Strips have a multiple of so many rows, where no other is asked for."""

INSIDE = 127
"""Levels of a coarse mask above this are object."""

_CUBIC = 2
"""Pixels on every side that cubic interpolation needs."""

REGIONAL = 1
"""Up to this power of two a level is read from the picture's own pixels, when it is wanted;
smaller levels are held: they are at most a sixteenth of the pixels."""


class Plane(Protocol):
    """A picture of bytes, HxW or HxWx3, that gives any of its rectangles."""

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width."""
        ...

    def read(self, box: Box) -> NDArray[np.uint8]:
        """The pixels of a rectangle that lies inside the picture."""
        ...


@dataclass(frozen=True)
class Held:
    """An array as a plane."""

    pixels: NDArray[np.uint8]

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width."""
        return self.pixels.shape[0], self.pixels.shape[1]

    def read(self, box: Box) -> NDArray[np.uint8]:
        """See `Plane`."""
        return self.pixels[box.slices]


@dataclass(frozen=True)
class Window:
    """A rectangle of a plane as a plane of its own."""

    plane: Plane
    box: Box

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width."""
        return self.box.height, self.box.width

    def read(self, box: Box) -> NDArray[np.uint8]:
        """See `Plane`."""
        return self.plane.read(box.moved(self.box.top, self.box.left))


@dataclass(frozen=True)
class Enlarged:
    """A picture of `shape` of which only a level at a `power` of two is known; HxW.

    Every pixel of a square has the square's value.
    """

    small: NDArray[np.uint8]
    power: int
    shape: tuple[int, int]

    def read(self, box: Box) -> NDArray[np.uint8]:
        """See `Plane`."""
        rows = np.arange(box.top, box.bottom) >> self.power
        columns = np.arange(box.left, box.right) >> self.power
        return np.asarray(self.small[rows].take(columns, axis=1))


def read_over(
    read: Callable[[Box], NDArray[Any]], shape: tuple[int, int], box: Box
) -> NDArray[Any]:
    """What `read` gives of a box that may reach outside a picture of `shape`; its rim repeats."""
    inside = box.within(shape)
    part = read(inside)
    if inside == box:
        return part
    return np.asarray(
        cv2.copyMakeBorder(
            part,
            inside.top - box.top,
            box.bottom - inside.bottom,
            inside.left - box.left,
            box.right - inside.right,
            cv2.BORDER_REPLICATE,
        )
    )


def halved(shape: tuple[int, int], power: int) -> tuple[int, int]:
    """Height and width after halving `power` times, rounded up; doubled for a power of -1."""
    if power < 0:
        return shape[0] << -power, shape[1] << -power
    return -(-shape[0] >> power), -(-shape[1] >> power)


def power_within(shape: tuple[int, int], pixels: int) -> int:
    """How often a picture of `shape` is halved until it has at most so many pixels."""
    power = 0
    while math.prod(halved(shape, power)) > pixels:
        power += 1
    return power


def at_half(box: Box, beyond: int) -> Box:
    """Where a rectangle lies at half the size, and so many pixels more on every side."""
    return Box(
        box.top // 2 - beyond,
        box.left // 2 - beyond,
        -(-box.bottom // 2) + beyond,
        -(-box.right // 2) + beyond,
    )


def reduced(image: NDArray[np.uint8], factor: int) -> NDArray[np.uint8]:
    """Means of squares of `factor` pixels; at the end the rim repeats to whole squares.

    A square's mean depends on its pixels alone, so that parts of a picture that begin at whole
    squares give the same as the whole.
    """
    if factor == 1:
        return image
    below, beside = -image.shape[0] % factor, -image.shape[1] % factor
    if below or beside:
        image = cv2.copyMakeBorder(image, 0, below, 0, beside, cv2.BORDER_REPLICATE)  # type: ignore[assignment]
    size = image.shape[1] // factor, image.shape[0] // factor
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)


def strips(
    shape: tuple[int, int], pixels: int = STRIP_PIXELS, *, multiple: int = STRIP_ROWS
) -> Iterator[Box]:
    """A picture of `shape` from top to bottom, about so many pixels and a multiple of rows each."""
    rows = multiple * max(1, pixels // (multiple * shape[1]))
    for top in range(0, shape[0], rows):
        yield Box(top, 0, min(top + rows, shape[0]), shape[1])


def any_inside(coarse: Plane, power: int) -> NDArray[np.bool_]:
    """Which squares of a coarse mask hold some of the object; sides of 2 ** power, at most 16."""
    parts = []
    for box in strips(coarse.shape):
        inside = (coarse.read(box) > INSIDE).view(np.uint8) * np.uint8(255)
        parts.append(reduced(inside, 1 << power) > 0)
    return np.concatenate(parts)


def smaller(plane: Plane, power: int) -> NDArray[np.uint8]:
    """All of a plane, each side halved `power` times, at most 6."""
    height, width = halved(plane.shape, power)
    # Made first: pieces that stay, between strips that go, would leave holes in memory.
    small: NDArray[np.uint8] | None = None
    for box in strips(plane.shape):
        part = reduced(plane.read(box), 1 << power)
        if small is None:
            small = np.empty((height, width, *part.shape[2:]), np.uint8)
        small[box.top >> power : (box.top >> power) + len(part)] = part
    return np.zeros((height, width), np.uint8) if small is None else small


@dataclass(frozen=True)
class Level:
    """A plane at a `power` of two of its size, by region; reads outside repeat the rim."""

    plane: Plane
    power: int = 0

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width."""
        return halved(self.plane.shape, self.power)

    def read(self, box: Box) -> NDArray[np.uint8]:
        """The pixels of a rectangle, which may reach outside."""
        return read_over(self._inside, self.shape, box)

    def _inside(self, box: Box) -> NDArray[np.uint8]:
        factor = 1 << self.power
        own = box.enlarged(factor).within(self.plane.shape)
        return reduced(self.plane.read(own), factor)


@dataclass(frozen=True)
class Twice:
    """A plane at twice its size: cubic between a photo's pixels; a mask HxW stays black and white.

    The network was trained on photos that were enlarged so, and is surer of an edge there.
    """

    plane: Plane

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width."""
        return halved(self.plane.shape, -1)

    def read(self, box: Box) -> NDArray[np.uint8]:
        """See `Plane`."""
        around = at_half(box, _CUBIC)
        part = read_over(self.plane.read, self.plane.shape, around)
        size = 2 * around.width, 2 * around.height
        own = box.moved(-2 * around.top, -2 * around.left).slices
        if part.ndim == 2:
            grey = cv2.resize(part, size, interpolation=cv2.INTER_LINEAR)
            return np.where(grey[own] > INSIDE, 255, 0).astype(np.uint8)
        return np.asarray(cv2.resize(part, size, interpolation=cv2.INTER_CUBIC)[own], np.uint8)


class Pyramid:
    """A plane at all powers of two of its size; the small ones are made once and held."""

    def __init__(self, plane: Plane) -> None:
        self.plane = plane
        self._held: dict[int, NDArray[np.uint8]] = {}

    def level(self, power: int) -> Level:
        """The plane, each side halved `power` times; for -1 doubled."""
        if power < 0:
            return Level(Twice(self.plane))
        if power <= REGIONAL:
            return Level(self.plane, power)
        return Level(Held(self.whole(power)))

    def whole(self, power: int) -> NDArray[np.uint8]:
        """All pixels of a level."""
        if power == 0:
            return self.plane.read(Box(0, 0, *self.plane.shape))
        if power not in self._held:
            first = power <= REGIONAL + 1
            self._held[power] = (
                smaller(self.plane, power) if first else reduced(self.whole(power - 1), 2)
            )
        return self._held[power]
