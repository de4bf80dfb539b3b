"""The score of one pair: every metric of one mask against one truth."""

from dataclasses import dataclass

from edgewise.metrics.boundaries import boundary_overlaps, boundary_width, mba
from edgewise.metrics.pairs import Mask
from edgewise.metrics.regions import Overlap

BOUNDARY_RATIO = 0.02
FINE_BOUNDARY_RATIO = 0.005


@dataclass(frozen=True, slots=True)
class PairScore:
    """One pair's values; nan where a metric is undefined."""

    intersection: int
    union: int
    iou: float
    mba: float
    boundary_iou: float
    boundary_iou_fine: float


def score(mask: Mask, truth: Mask) -> PairScore:
    """Every metric of `mask` against `truth`, both bool HxW of one size; PairError otherwise."""
    overlap = Overlap.of(mask, truth)
    depths = [boundary_width(truth.shape, r) for r in (BOUNDARY_RATIO, FINE_BOUNDARY_RATIO)]
    wide, fine = boundary_overlaps(mask, truth, depths)
    return PairScore(
        intersection=overlap.intersection,
        union=overlap.union,
        iou=overlap.score,
        mba=mba(mask, truth),
        boundary_iou=wide.score,
        boundary_iou_fine=fine.score,
    )
