"""Metrics of segmentation masks: numpy arrays in, numbers and statistics that add up out."""

from edgewise.metrics.boundaries import boundary_iou, mba
from edgewise.metrics.pairs import PairError
from edgewise.metrics.regions import Overlap, iou
from edgewise.metrics.score import PairScore, score

__all__ = ["Overlap", "PairError", "PairScore", "boundary_iou", "iou", "mba", "score"]
