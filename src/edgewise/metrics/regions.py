"""Regions: how much of the mask and the truth is shared."""

import math
from dataclasses import dataclass

import numpy as np

from edgewise.metrics.pairs import Mask, check_masks


@dataclass(frozen=True, slots=True)
class Overlap:
    """Pixels in both masks and pixels in either: statistics that add up to the pooled IoU.

    The score is the published IoU of BIG and of relabeled PASCAL VOC (CascadePSP, Cheng et al.,
    CVPR 2020): the sum of intersections over the sum of unions. A pair of two empty masks adds
    nothing to either; alone it is undefined (nan).
    """

    intersection: int = 0
    union: int = 0

    @classmethod
    def of(cls, mask: Mask, truth: Mask) -> "Overlap":
        """The statistics of one pair, both bool HxW of one size; PairError otherwise."""
        check_masks(mask, truth)
        shared = int(np.count_nonzero(mask & truth))
        return cls(shared, int(np.count_nonzero(mask)) + int(np.count_nonzero(truth)) - shared)

    def __add__(self, other: "Overlap") -> "Overlap":
        """The statistics of both parts together."""
        return Overlap(self.intersection + other.intersection, self.union + other.union)

    @property
    def score(self) -> float:
        """Intersection over union in [0, 1]; nan where there is no union."""
        return self.intersection / self.union if self.union else math.nan


def iou(mask: Mask, truth: Mask) -> float:
    """Intersection over union of one pair (bool HxW), in [0, 1]; nan where both are empty."""
    return Overlap.of(mask, truth).score
