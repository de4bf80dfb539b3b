"""A pair to score: the forms that every metric accepts, checked once."""

import numpy as np
import numpy.typing as npt

Mask = npt.NDArray[np.bool_]
SoftMask = npt.NDArray[np.floating]
LabelMap = npt.NDArray[np.integer]

THRESHOLD = 128.5 / 255
"""A soft mask is scored where it exceeds this, which is the published rule "8-bit value > 128"."""


class PairError(ValueError):
    """The two arrays can't be scored against each other."""


def binarise(soft: SoftMask) -> Mask:
    """The bool mask that the published scores see in a soft one (values in [0, 1])."""
    return soft > THRESHOLD


def check_masks(mask: Mask, truth: Mask) -> None:
    """Raise PairError unless both are bool, HxW, of the same size and not without pixels."""
    _check_bool("mask", mask)
    check_truth(mask, truth)


def check_soft(soft: SoftMask, truth: Mask) -> None:
    """Raise PairError unless `soft` is floating in [0, 1] and `truth` bool, both HxW, same size."""
    if not np.issubdtype(soft.dtype, np.floating):
        raise PairError(f"the soft mask must be floating in [0, 1], not {soft.dtype}")
    check_truth(soft, truth)
    low, high = float(soft.min()), float(soft.max())
    if not (low >= 0 and high <= 1):
        raise PairError(f"the soft mask must be in [0, 1], but reaches from {low:g} to {high:g}")


def check_labels(labels: LabelMap, truth: LabelMap) -> None:
    """Raise PairError unless both are integer label maps >= 0, HxW, of the same size."""
    for name, array in (("label map", labels), ("truth", truth)):
        if not np.issubdtype(array.dtype, np.integer):
            raise PairError(f"the {name} must hold integer labels, not {array.dtype}")
    check_sizes(labels, truth)
    for name, array in (("label map", labels), ("truth", truth)):
        if array.min() < 0:
            raise PairError(f"the {name} holds the label {array.min()}; void is 0, classes are > 0")


def check_truth(mask: npt.NDArray[np.generic], truth: Mask) -> None:
    """Raise PairError unless `truth` is bool and both are HxW of the same size."""
    _check_bool("truth", truth)
    check_sizes(mask, truth)


def check_sizes(mask: npt.NDArray[np.generic], truth: npt.NDArray[np.generic]) -> None:
    """Raise PairError unless both are HxW, of the same size and not without pixels."""
    if mask.ndim != 2 or mask.shape != truth.shape:
        raise PairError(
            f"mask and truth must be HxW of one size, but are {mask.shape} and {truth.shape}"
        )
    if mask.size == 0:
        raise PairError(f"mask and truth have no pixels: their size is {mask.shape}")


def _check_bool(name: str, array: npt.NDArray[np.generic]) -> None:
    if array.dtype != np.bool_:
        raise PairError(f"the {name} must be bool, not {array.dtype}; make it so by `array > 128`")
