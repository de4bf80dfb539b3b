"""Soft masks against a binary truth: mean absolute error and structure measure."""

import math
from collections.abc import Iterator
from dataclasses import astuple, dataclass

import numpy as np
import numpy.typing as npt

from edgewise.metrics.pairs import Mask, SoftMask, check_soft

_EPSILON = float(np.spacing(1))
# A spread below this share of the squares' sum is rounding, not structure: a relative deviation
# of 1e-6, where float32 itself steps by 1e-7.
_ROUNDING = 1e-12
_BLOCK = 2**18


def mae(soft: SoftMask, truth: Mask) -> float:
    """Mean absolute error of one pair, in [0, 1] (Perazzi et al., CVPR 2012, equation 14).

    Args:
        soft: floating HxW in [0, 1], taken as it is: stretch it yourself where a published
            protocol stretches each picture to the full range.
        truth: bool HxW, the same size.

    Raises:
        InputError: an array has another form or range, or the sizes differ.
    """
    check_soft(soft, truth)
    total = sum(float(np.abs(part - true).sum()) for part, true in _blocks(soft, truth))
    return total / truth.size


def s_measure(soft: SoftMask, truth: Mask) -> float:
    """Structure measure of one pair, in [0, 1] (Fan et al., ICCV 2017), with alpha = 0.5.

    The mean of a score by object (levels and their spread on object and background) and by region
    (similarity in the four quarters around the truth's centroid), as PySODMetrics computes it. An
    empty truth scores 1 - mean, a full one the mean. A quarter without pixels weighs nothing.

    Args:
        soft: floating HxW in [0, 1], taken as it is.
        truth: bool HxW, the same size.

    Raises:
        InputError: an array has another form or range, or the sizes differ.
    """
    check_soft(soft, truth)
    area = np.count_nonzero(truth)
    if area in (0, truth.size):
        mean = _Moments.of(soft, truth).total / truth.size
        return mean if area else 1 - mean
    quarters = [_Moments.of(soft[quarter], truth[quarter]) for quarter in _quarters(truth)]
    whole = sum(quarters, _Moments())
    by_region = sum(part.similarity() * part.count for part in quarters) / truth.size
    return max(0.0, 0.5 * whole.by_object() + 0.5 * by_region)


@dataclass(frozen=True, slots=True)
class _Moments:
    """Sums over a region: of ones, levels and their squares; on the truth alone likewise."""

    count: float = 0
    total: float = 0
    squares: float = 0
    area: float = 0
    inside: float = 0
    squares_inside: float = 0

    @classmethod
    def of(cls, soft: SoftMask, truth: Mask) -> "_Moments":
        sums = np.zeros(6)
        for part, true in _blocks(soft, truth):
            on_truth = part * true
            sums += (
                part.size,
                part.sum(),
                np.einsum("i,i->", part, part),
                true.sum(),
                on_truth.sum(),
                np.einsum("i,i->", on_truth, on_truth),
            )
        return cls(*map(float, sums))

    def __add__(self, other: "_Moments") -> "_Moments":
        return _Moments(*(a + b for a, b in zip(astuple(self), astuple(other), strict=True)))

    def by_object(self) -> float:
        """Equations 3 to 6: object and background by their shares of the picture."""
        outside = self.count - self.area
        background = outside - (self.total - self.inside)
        squares = 2 * background - outside + (self.squares - self.squares_inside)
        share = self.area / self.count
        return share * _object_score(self.area, self.inside, self.squares_inside) + (
            1 - share
        ) * _object_score(outside, background, squares)

    def similarity(self) -> float:
        """The structural similarity of a quarter, equation 7, without its constants."""
        if not self.count:
            return 0.0
        freedom = self.count - 1 + _EPSILON
        covariance = self.inside - self.total * self.area / self.count
        if abs(covariance) <= _ROUNDING * self.inside:
            covariance = 0.0
        mean, true_mean = self.total / self.count, self.area / self.count
        spread = _spread(self.count, self.total, self.squares)
        true_spread = _spread(self.count, self.area, self.area)
        upper = 4 * mean * true_mean * covariance / freedom
        lower = (mean**2 + true_mean**2) * (spread + true_spread) / freedom
        if upper:
            return upper / (lower + _EPSILON)
        return 0.0 if lower else 1.0


def _object_score(count: float, total: float, squares: float) -> float:
    mean = total / count
    deviation = math.sqrt(_spread(count, total, squares) / (count - 1)) if count > 1 else 0.0
    return 2 * mean / (mean**2 + 1 + deviation + _EPSILON)


def _spread(count: float, total: float, squares: float) -> float:
    """The sum of squared deviations from the mean."""
    spread = squares - total * total / count
    return spread if spread > _ROUNDING * squares else 0.0


def _quarters(truth: Mask) -> list[tuple[slice, slice]]:
    """Four quarters around the truth's centroid, whose row and column belong to the first."""
    rows, columns = truth.sum(axis=1), truth.sum(axis=0)
    area = rows.sum()
    # Python rounds halves to even, as PySODMetrics does.
    middle = round(float(rows @ np.arange(rows.size) / area)) + 1
    centre = round(float(columns @ np.arange(columns.size) / area)) + 1
    return [
        (vertical, horizontal)
        for vertical in (slice(None, middle), slice(middle, None))
        for horizontal in (slice(None, centre), slice(centre, None))
    ]


def _blocks(
    soft: SoftMask, truth: Mask
) -> Iterator[tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]]:
    """Both arrays in float64, flat, a few rows at a time: exact sums in little memory."""
    rows = max(1, _BLOCK // max(1, truth.shape[1]))
    for start in range(0, truth.shape[0], rows):
        part = slice(start, start + rows)
        yield soft[part].astype(np.float64).ravel(), truth[part].astype(np.float64).ravel()
