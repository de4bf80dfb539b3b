"""Engines whose answers are known, and scenes for them."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray


class ColourEngine:
    """Answers by colour alone: the redder than blue, the surer it is object."""

    def __init__(self, stride: int = 64) -> None:
        self.stride = stride
        self.shapes: list[tuple[int, ...]] = []

    def __call__(self, views: NDArray[np.uint8]) -> NDArray[np.float32]:
        self.shapes.append(views.shape)
        difference = views[:, 0].astype(np.float32) - views[:, 2]
        return np.asarray(1 / (1 + np.exp(-difference / 8)), np.float32)


class AnswerEngine:
    """Gives what a function makes of the views."""

    stride = 64

    def __init__(self, answer: Callable[[NDArray[np.uint8]], NDArray[np.float32]]) -> None:
        self.answer = answer

    def __call__(self, views: NDArray[np.uint8]) -> NDArray[np.float32]:
        return self.answer(views)


class NothingProposer:
    """Opened as `OnnxProposer` is; its one candidate is empty, which nobody believes."""

    stride = 224

    def __init__(self, *, threads: int | None = None, device: str = "cpu") -> None:
        self.runs = 0

    def __call__(
        self, photo: NDArray[np.uint8], mask: NDArray[np.float32], places: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        self.runs += 1
        return np.full((1, *mask.shape), -8, np.float32)


def prior_of(views: NDArray[np.uint8]) -> NDArray[np.float32]:
    """The prior mask, unchanged."""
    return views[:, 3].astype(np.float32) / 255


def red_on_blue(truth: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """A photo on which ColourEngine finds exactly `truth`."""
    photo = np.empty((*truth.shape, 3), np.uint8)
    photo[...] = (40, 60, 200)
    photo[truth] = (200, 60, 40)
    return photo


def disc(shape: tuple[int, int], centre: tuple[float, float], radius: float) -> NDArray[np.bool_]:
    y, x = np.ogrid[: shape[0], : shape[1]]
    return np.asarray((y - centre[0]) ** 2 + (x - centre[1]) ** 2 <= radius**2)


def overlap(a: NDArray[np.bool_], b: NDArray[np.bool_]) -> float:
    return float((a & b).sum() / (a | b).sum())
