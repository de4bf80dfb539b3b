"""Levels: soft masks as bytes, 0..255, as the studio holds them: a fourth of the memory."""

import numpy as np
from numpy.typing import NDArray

Levels = NDArray[np.uint8]

INSIDE = 127
"""Levels above this are the object."""


def levels_of(soft: NDArray[np.float32]) -> Levels:
    """A soft mask, float32 HxW in 0..1, as bytes; above `INSIDE` exactly where it is above 0.5.

    Halves are rounded down, so that 0.5, which is outside, does not become 128.
    """
    return np.asarray(np.ceil(soft * np.float32(255) - np.float32(0.5)), np.uint8)


def soft_of(levels: Levels) -> NDArray[np.float32]:
    """Bytes as a soft mask, float32 HxW in 0..1."""
    return np.divide(levels, np.float32(255), dtype=np.float32)
