"""Distances between the surfaces of two masks: Hausdorff, HD95 and ASSD, in pixels."""

import math
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from edgewise.errors import InputError
from edgewise.metrics.distances import distances_to
from edgewise.metrics.pairs import Mask, check_masks, object_window


@dataclass(frozen=True, slots=True)
class SurfaceDistances:
    """Every surface pixel's distance to the other mask's surface, both ways, in pixels.

    A surface pixel is one of the mask beside the background or the picture's border (over an
    edge, not a corner), as MONAI and DeepMind's surface-distance take it in 2-D.
    """

    to_truth: npt.NDArray[np.float64]
    to_mask: npt.NDArray[np.float64]
    diagonal: float

    @classmethod
    def of(cls, mask: Mask, truth: Mask) -> "SurfaceDistances":
        """The distances of one pair, both bool HxW of one size; InputError otherwise."""
        check_masks(mask, truth)
        window = object_window(mask | truth, 0)
        surface, true_surface = _surface(mask[window]), _surface(truth[window])
        return cls(
            to_truth=distances_to(true_surface, surface),
            to_mask=distances_to(surface, true_surface),
            diagonal=math.hypot(*truth.shape),
        )

    def percentile(self, percent: float) -> float:
        """The greater of both directions' percentiles, percent in [0, 100].

        100 is the Hausdorff distance. The diagonal where just one mask is empty, as the object
        is missed or made up; nan where both are.

        Raises:
            InputError: percent is out of range.
        """
        if not 0 <= percent <= 100:
            raise InputError(f"a percentile must be in [0, 100], not {percent:g}")
        if self._missed is not None:
            return self._missed
        return float(max(np.percentile(d, percent) for d in (self.to_truth, self.to_mask)))

    @property
    def mean(self) -> float:
        """The mean over both surfaces (ASSD); the diagonal or nan as for `percentile`."""
        if self._missed is not None:
            return self._missed
        pixels = self.to_truth.size + self.to_mask.size
        return float((self.to_truth.sum() + self.to_mask.sum()) / pixels)

    @property
    def _missed(self) -> float | None:
        if self.to_truth.size and self.to_mask.size:
            return None
        return self.diagonal if self.to_truth.size or self.to_mask.size else math.nan


def hausdorff(mask: Mask, truth: Mask, *, percent: float = 100) -> float:
    """Hausdorff distance of one pair's surfaces in pixels, or a percentile of it.

    The greatest distance of a surface pixel to the other surface; with `percent` below 100 the
    greater of both directions' percentiles, as MONAI takes it. A missed or made-up object counts
    as the diagonal of the picture; nan where both masks are empty.

    Args:
        mask: bool HxW.
        truth: bool HxW, the same size.
        percent: in [0, 100].

    Raises:
        InputError: a mask is not bool HxW, the sizes differ, or percent is out of range.
    """
    return SurfaceDistances.of(mask, truth).percentile(percent)


def hd95(mask: Mask, truth: Mask) -> float:
    """`hausdorff` at 95 percent: robust to the odd stray pixel."""
    return hausdorff(mask, truth, percent=95)


def assd(mask: Mask, truth: Mask) -> float:
    """Average symmetric surface distance of one pair in pixels.

    The mean over the pixels of both surfaces together (Heimann et al., IEEE TMI 2009; MONAI since
    1.3), not the mean of two means. The diagonal and nan as for `hausdorff`.
    """
    return SurfaceDistances.of(mask, truth).mean


def _surface(mask: Mask) -> Mask:
    if not mask.size:
        return mask
    cross = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))
    inner = cv2.erode(
        mask.view(np.uint8), cross, borderType=cv2.BORDER_CONSTANT, borderValue=(0, 0, 0, 0)
    )
    return mask & ~np.asarray(inner, np.uint8).view(np.bool_)
