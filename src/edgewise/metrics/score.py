"""The score of one pair: every metric of one mask against one truth."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import cast

import numpy as np

from edgewise.errors import InputError
from edgewise.metrics.bands import mba
from edgewise.metrics.boundaries import boundary_depth, boundary_f, boundary_overlaps
from edgewise.metrics.effort import hce
from edgewise.metrics.hausdorff import SurfaceDistances
from edgewise.metrics.pairs import Mask, SoftMask, binarise, check_soft
from edgewise.metrics.regions import agreement, overlap
from edgewise.metrics.soft import mae, s_measure
from edgewise.metrics.weighted import weighted_f

BOUNDARY_RATIOS = (0.02, 0.005)
"""Depths of `boundary_iou` and `boundary_iou_fine`, as shares of the picture's diagonal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PairScore:
    """Every metric of one pair. Undefined is nan; distances are in pixels, shares in [0, 1].

    `boundary_iou` is at 0.02 of the diagonal, `boundary_iou_fine` at 0.005. `hce` is None where
    it was not asked for.
    """

    pixels: int
    correct: int
    intersection: int
    union: int
    iou: float
    mba: float
    boundary_iou: float
    boundary_iou_fine: float
    boundary_f: float
    hausdorff: float
    hd95: float
    assd: float
    weighted_f: float
    s_measure: float
    mae: float
    hce: float | None = None

    def to_dict(self) -> dict[str, float | None]:
        """The values by name, for JSON: None where undefined, no `hce` where not asked for."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        if self.hce is None:
            del values["hce"]
        return {
            name: None if isinstance(value, float) and math.isnan(value) else value
            for name, value in values.items()
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, float | None]) -> "PairScore":
        """The score that `to_dict` wrote; other keys are left alone.

        Raises:
            InputError: a value is missing.
        """
        names = [field.name for field in fields(cls) if field.name != "hce"]
        missing = [name for name in names if name not in values]
        if missing:
            raise InputError(f"a score lacks {', '.join(missing)}")
        if "hce" in values:
            names.append("hce")
        return cls(**{name: _number(values[name]) for name in names})  # type: ignore[arg-type]


def score(mask: Mask | SoftMask, truth: Mask, *, effort: bool = False) -> PairScore:
    """Every metric of one mask against one truth.

    Args:
        mask: bool HxW, or soft: floating HxW in [0, 1], which weighted F, S-measure and MAE take
            as it is and the others at the published threshold, `binarise`.
        truth: bool HxW, the same size.
        effort: measure human correction effort too, which takes longer than all else together.

    Raises:
        InputError: an array has another form or range, or the sizes differ.
    """
    soft, hard = _forms(mask)
    check_soft(soft, truth)
    shared, agreeing = overlap(hard, truth), agreement(hard, truth)
    depths = [boundary_depth(truth.shape, ratio) for ratio in BOUNDARY_RATIOS]
    wide, fine = boundary_overlaps(hard, truth, depths)
    surfaces = SurfaceDistances.of(hard, truth)
    return PairScore(
        pixels=agreeing.whole,
        correct=agreeing.part,
        intersection=shared.part,
        union=shared.whole,
        iou=shared.score,
        mba=mba(hard, truth),
        boundary_iou=wide.score,
        boundary_iou_fine=fine.score,
        boundary_f=boundary_f(hard, truth),
        hausdorff=surfaces.percentile(100),
        hd95=surfaces.percentile(95),
        assd=surfaces.mean,
        weighted_f=weighted_f(soft, truth),
        s_measure=s_measure(soft, truth),
        mae=mae(soft, truth),
        hce=hce(hard, truth) if effort else None,
    )


def _forms(mask: Mask | SoftMask) -> tuple[SoftMask, Mask]:
    """The mask as soft and as bool."""
    if mask.dtype == np.bool_:
        return mask.astype(np.float32), cast("Mask", mask)
    soft = cast("SoftMask", mask)
    return soft, binarise(soft)


def _number(value: float | None) -> float:
    return math.nan if value is None else value
