"""Answers: soft masks, held where a pass has looked and made from coarser ones elsewhere."""

from dataclasses import dataclass
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from edgewise.passes.planes import at_half, halved, read_over, strips
from edgewise.passes.threads import mapped
from edgewise.passes.view import Box

CELL = 64
"""Side in pixels of the squares in which a pass's answer is held."""

_LEAST_INSIDE = np.float32(129 / 255)

Soft = NDArray[np.float32]


class Answer(Protocol):
    """A soft mask that gives any of its rectangles."""

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width."""
        ...

    def read(self, box: Box) -> Soft:
        """float32 in 0..1 of a rectangle, which may reach outside: the rim repeats."""
        ...


def whole(answer: Answer, threads: int = 1) -> Soft:
    """All of an answer, float32 HxW, read by so many threads."""
    soft = np.empty(answer.shape, np.float32)
    write_into(soft, answer, threads)
    return soft


def write_into(soft: Soft, answer: Answer, threads: int = 1) -> None:
    """Write all of an answer into an array of its shape, by so many threads."""

    def read(box: Box) -> None:
        soft[box.slices] = answer.read(box)

    for _ in mapped(read, strips(answer.shape), threads):
        pass


@dataclass(frozen=True)
class Known:
    """An array as an answer."""

    soft: Soft

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width."""
        return self.soft.shape[0], self.soft.shape[1]

    def read(self, box: Box) -> Soft:
        """See `Answer`."""
        return read_over(lambda inside: self.soft[inside.slices], self.shape, box)


@dataclass(frozen=True)
class Doubled:
    """An answer at twice its size, linear between its pixels."""

    half: Answer
    shape: tuple[int, int]

    def read(self, box: Box) -> Soft:
        """See `Answer`."""
        return read_over(self._inside, self.shape, box)

    def _inside(self, box: Box) -> Soft:
        # One pixel more on every side is all that linear interpolation needs.
        half = at_half(box, 1)
        part = self.half.read(half)
        size = 2 * half.width, 2 * half.height
        large = cv2.resize(part, size, interpolation=cv2.INTER_LINEAR)
        own = box.moved(-2 * half.top, -2 * half.left)
        return np.asarray(large[own.slices], np.float32)


@dataclass(frozen=True)
class Halved:
    """An answer at half its size, the mean of four pixels each."""

    double: Answer

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width."""
        return halved(self.double.shape, 1)

    def read(self, box: Box) -> Soft:
        """See `Answer`."""
        return read_over(self._inside, self.shape, box)

    def _inside(self, box: Box) -> Soft:
        part = self.double.read(box.enlarged(2))
        size = box.width, box.height
        return np.asarray(cv2.resize(part, size, interpolation=cv2.INTER_AREA), np.float32)


@dataclass(frozen=True)
class Decided:
    """An answer of which no pixel is just above one half.

    Bytes of it are the same mask wherever they are cut: above 127 as here, or above 128 as the
    published scores do.
    """

    answer: Answer

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width."""
        return self.answer.shape

    def read(self, box: Box) -> Soft:
        """See `Answer`."""
        soft = self.answer.read(box)
        unsure = (soft > 0.5) & (soft < _LEAST_INSIDE)
        return np.where(unsure, _LEAST_INSIDE, soft) if unsure.any() else soft


class Refined:
    """An answer with better parts: the weighted mean of what was added, the `base` elsewhere."""

    def __init__(self, base: Answer) -> None:
        self.base = base
        self.shape = base.shape
        self._cells: dict[tuple[int, int], Soft] = {}
        self._sums: dict[tuple[int, int], Soft] = {}

    def add(self, box: Box, soft: Soft, weight: Soft, changed: NDArray[np.bool_]) -> None:
        """Add a part.

        Args:
            box: where; what lies outside the picture is dropped.
            soft: float32 of the box's size.
            weight: likewise, above 0.
            changed: bool, likewise: where `soft` differs from the base. Squares without any of
                it are not held.
        """
        weighted = soft * weight
        inside = box.within(self.shape)
        for row, down, rows in _spans(inside.top, inside.bottom, box.top):
            for column, right, columns in _spans(inside.left, inside.right, box.left):
                if not changed[rows, columns].any():
                    continue
                sums = self._sums.get((row, column))
                if sums is None:
                    sums = self._sums[row, column] = np.zeros((2, CELL, CELL), np.float32)
                sums[0, down, right] += weighted[rows, columns]
                sums[1, down, right] += weight[rows, columns]

    def finish(self) -> None:
        """Turn sums into means; nothing can be added any more."""
        while self._sums:
            key, (total, weight) = self._sums.popitem()
            if weight.all():
                self._cells[key] = total / weight
                continue
            top, left = key[0] * CELL, key[1] * CELL
            soft = self._below(Box(top, left, top + CELL, left + CELL))
            np.divide(total, weight, out=soft, where=weight > 0)
            self._cells[key] = soft

    def read(self, box: Box) -> Soft:
        """See `Answer`."""
        return read_over(self._inside, self.shape, box)

    def _inside(self, box: Box) -> Soft:
        found, missing = [], False
        across = _spans(box.left, box.right, box.left)
        for row, down, rows in _spans(box.top, box.bottom, box.top):
            for column, right, columns in across:
                cell = self._cells.get((row, column))
                if cell is None:
                    missing = True
                else:
                    found.append((cell[down, right], rows, columns))
        soft = self._below(box) if missing else np.empty((box.height, box.width), np.float32)
        for part, rows, columns in found:
            soft[rows, columns] = part
        return soft

    def _below(self, box: Box) -> Soft:
        """A copy of the base's answer."""
        return np.array(self.base.read(box))


def _spans(first: int, end: int, origin: int) -> list[tuple[int, slice, slice]]:
    """The squares along one side: number, what is met there, and that counted from `origin`."""
    spans = []
    for number in range(first // CELL, -(-end // CELL)):
        start, stop = max(first, number * CELL), min(end, (number + 1) * CELL)
        there = slice(start - number * CELL, stop - number * CELL)
        spans.append((number, there, slice(start - origin, stop - origin)))
    return spans
