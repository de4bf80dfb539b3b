"""Metrics of masks and label maps: arrays in; numbers, and statistics that add up, out.

Masks are bool HxW, soft masks floating HxW in [0, 1], label maps integer HxW with 0 for void. An
undefined value is nan, and every statistic counts how often that was so.
"""

from edgewise.metrics.bands import band_radii, mba, mba_classes
from edgewise.metrics.boundaries import boundary_depth, boundary_f, boundary_iou
from edgewise.metrics.classes import ClassOverlap, mean_iou
from edgewise.metrics.effort import hce
from edgewise.metrics.hausdorff import SurfaceDistances, assd, hausdorff, hd95
from edgewise.metrics.pairs import binarise
from edgewise.metrics.regions import agreement, iou, overlap
from edgewise.metrics.score import BOUNDARY_RATIOS, PairScore, score
from edgewise.metrics.soft import mae, s_measure
from edgewise.metrics.statistics import Mean, Share
from edgewise.metrics.summary import Summary
from edgewise.metrics.weighted import weighted_f

__all__ = [
    "BOUNDARY_RATIOS",
    "ClassOverlap",
    "Mean",
    "PairScore",
    "Share",
    "Summary",
    "SurfaceDistances",
    "agreement",
    "assd",
    "band_radii",
    "binarise",
    "boundary_depth",
    "boundary_f",
    "boundary_iou",
    "hausdorff",
    "hce",
    "hd95",
    "iou",
    "mae",
    "mba",
    "mba_classes",
    "mean_iou",
    "overlap",
    "s_measure",
    "score",
    "weighted_f",
]
