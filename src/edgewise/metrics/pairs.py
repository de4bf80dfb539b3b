"""A pair to score: the forms that every metric accepts, checked in one place."""

import cv2
import numpy as np
import numpy.typing as npt

from edgewise.errors import InputError

Mask = npt.NDArray[np.bool_]
SoftMask = npt.NDArray[np.floating]
LabelMap = npt.NDArray[np.integer]
Window = tuple[slice, slice]

THRESHOLD = 128.5 / 255
"""A soft mask counts as object above this: the published rule is "8-bit value > 128"."""


def binarise(soft: SoftMask) -> Mask:
    """The bool mask that the published scores see in a soft mask, HxW in [0, 1]."""
    return soft > THRESHOLD


def check_masks(mask: Mask, truth: Mask) -> None:
    """Raise InputError unless both are bool HxW of one size, with at least one pixel."""
    _check_bool("mask", mask)
    _check_bool("truth", truth)
    _check_sizes(mask, truth)


def check_soft(soft: SoftMask, truth: Mask) -> None:
    """Raise InputError unless `soft` is floating in [0, 1], `truth` bool, both HxW of one size."""
    if not np.issubdtype(soft.dtype, np.floating):
        raise InputError(f"the soft mask must be floating in [0, 1], not {soft.dtype}")
    _check_bool("truth", truth)
    _check_sizes(soft, truth)
    low, high = soft.min(), soft.max()
    if not (low >= 0 and high <= 1):
        raise InputError(f"the soft mask must be in [0, 1], but reaches from {low} to {high}")


def check_labels(labels: LabelMap, truth: LabelMap) -> None:
    """Raise InputError unless both are integer label maps HxW >= 0 of one size."""
    for name, array in (("label map", labels), ("true label map", truth)):
        if not np.issubdtype(array.dtype, np.integer):
            raise InputError(f"the {name} must hold integers, not {array.dtype}")
        if array.size and array.min() < 0:
            raise InputError(f"the {name} holds {array.min()}; void is 0 and classes are above it")
    _check_sizes(labels, truth)


def object_window(mask: Mask, margin: int) -> Window:
    """Rows and columns of the mask's bounding box, grown by `margin` pixels within the picture."""
    left, top, width, height = cv2.boundingRect(mask.view(np.uint8))
    return (
        slice(max(0, top - margin), top + height + margin),
        slice(max(0, left - margin), left + width + margin),
    )


def _check_bool(name: str, array: npt.NDArray[np.generic]) -> None:
    if array.dtype != np.bool_:
        raise InputError(f"the {name} must be bool, not {array.dtype}; 8-bit masks are `> 128`")


def _check_sizes(mask: npt.NDArray[np.generic], truth: npt.NDArray[np.generic]) -> None:
    if mask.ndim != 2 or mask.shape != truth.shape:
        raise InputError(
            f"mask and truth must be height x width and agree, but are {mask.shape} and"
            f" {truth.shape}"
        )
    if not mask.size:
        raise InputError(f"mask and truth are {mask.shape}: without pixels")
