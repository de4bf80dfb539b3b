"""Engines that need no network, and pickle."""

from dataclasses import dataclass

import numpy as np

from edgewise.errors import InputError


def moved(mask):
    """The mask one column to the right."""
    return np.roll(mask, 1, axis=1)


def _moves(photo, coarse):
    assert photo.shape == (*coarse.shape, 3)
    return moved(coarse)


@dataclass(frozen=True)
class Moves:
    """Moves each mask one column to the right."""

    def __call__(self):
        return _moves

    def describe(self):
        return {"engine": "moves", "model": "none", "sha256": "0" * 64}


@dataclass(frozen=True)
class Grey:
    """Answers the same level everywhere."""

    level: float

    def __call__(self):
        return lambda photo, coarse: np.full_like(coarse, self.level)

    def describe(self):
        return {"engine": "grey"}


@dataclass(frozen=True)
class Fails:
    """Refuses the photos of one mean colour or less."""

    below: float = 256

    def __call__(self):
        def refine(photo, coarse):
            if photo.mean() < self.below:
                raise InputError("too dark")
            return coarse

        return refine

    def describe(self):
        return {"engine": "fails"}


@dataclass(frozen=True)
class Never:
    """Must not be opened."""

    def __call__(self):
        raise AssertionError("opened")

    def describe(self):
        return {"engine": "moves", "model": "none", "sha256": "0" * 64}
