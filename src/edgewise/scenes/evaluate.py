"""Scores of label maps as published for ADE20K: pooled mIoU, mean mBA, pixel accuracy."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from edgewise.metrics import ClassOverlap, Mean, mba_classes

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Labels = NDArray[np.integer[Any]]

ADE20K_CLASSES = 150


@dataclass(frozen=True)
class SceneScore:
    """Statistics of label maps, which add up over scenes.

    Attributes:
        overlap: pixels by class; mIoU and pixel accuracy pool them over scenes.
        mba: mean boundary accuracy of the scenes.
        scene_iou: mean over scenes of the mean IoU over the labels of the scene's truth.
    """

    overlap: ClassOverlap = field(default_factory=ClassOverlap)
    mba: Mean = field(default_factory=Mean)
    scene_iou: Mean = field(default_factory=Mean)

    @classmethod
    def of(
        cls,
        labels: Labels,
        truth: Labels,
        *,
        classes: int = ADE20K_CLASSES,
        reference_quirks: bool = False,
    ) -> SceneScore:
        """The statistics of one scene.

        Args:
            labels: integers HxW, 0..classes; 0 is no class.
            truth: integers HxW, 0..classes; 0 is void and left out of every score.
            classes: how many there are.
            reference_quirks: as in `edgewise.metrics.ClassOverlap.of`.

        Raises:
            InputError: a map has another form, a label above `classes`, or the sizes differ.
        """
        overlap = ClassOverlap.of(labels, truth, classes=classes, reference_quirks=reference_quirks)
        return cls(overlap, Mean.of(mba_classes(labels, truth)), Mean.of(_scene_iou(labels, truth)))

    def __add__(self, other: SceneScore) -> SceneScore:
        """The statistics of both parts together."""
        return SceneScore(
            self.overlap + other.overlap, self.mba + other.mba, self.scene_iou + other.scene_iou
        )

    def values(self) -> dict[str, float]:
        """The scores in [0, 1]; nan where undefined.

        `miou` counts classes that no scene has as 0, as published; `miou_present` leaves them out.
        """
        overlap = self.overlap
        present = len(overlap.true) - overlap.absent
        return {
            "miou": overlap.mean_iou,
            "miou_present": sum(overlap.ious) / present if present else math.nan,
            "scene_iou": self.scene_iou.score,
            "mba": self.mba.score,
            "accuracy": overlap.accuracy,
        }


def _scene_iou(labels: Labels, truth: Labels) -> float:
    """Mean IoU over the labels of one truth, which leaves out its void; nan where all is void."""
    seen = truth > 0
    overlap = ClassOverlap.of(labels, truth, classes=int(max(labels.max(), truth.max(), 1)))
    wanted = np.unique(truth[seen])
    return (
        float(np.mean([overlap.ious[label - 1] for label in wanted])) if wanted.size else math.nan
    )
