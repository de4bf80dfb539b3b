"""Regions: how much of the mask and of the truth is shared."""

import numpy as np

from edgewise.metrics.pairs import Mask, check_masks
from edgewise.metrics.statistics import Share


def overlap(mask: Mask, truth: Mask) -> Share:
    """Pixels in both masks over pixels in either, which pool to the published IoU.

    IoU on BIG and on relabeled PASCAL VOC is the sum of intersections over the sum of unions
    (CascadePSP, Cheng et al., CVPR 2020, and its published code). A pair of two empty masks adds
    nothing to either.

    Args:
        mask: bool HxW.
        truth: bool HxW, the same size.

    Raises:
        InputError: a mask is not bool HxW, or the sizes differ.
    """
    check_masks(mask, truth)
    shared = int(np.count_nonzero(mask & truth))
    return Share(shared, int(np.count_nonzero(mask)) + int(np.count_nonzero(truth)) - shared)


def iou(mask: Mask, truth: Mask) -> float:
    """Intersection over union of one pair (bool HxW), in [0, 1]; nan where both are empty.

    >>> import numpy as np
    >>> iou(np.array([[True, True, False]]), np.array([[False, True, True]]))
    0.3333333333333333
    """
    return overlap(mask, truth).score


def agreement(mask: Mask, truth: Mask) -> Share:
    """Pixels at which mask and truth (bool HxW) agree, over all pixels: pixel accuracy."""
    check_masks(mask, truth)
    return Share(int(np.count_nonzero(mask == truth)), mask.size)
