"""Label maps of many classes: mIoU and pixel accuracy as on ADE20K."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from edgewise.errors import InputError
from edgewise.metrics.pairs import LabelMap, check_labels

ADE20K_CLASSES = 150
_SMOOTHING = 1e-6


@dataclass(frozen=True, slots=True)
class ClassOverlap:
    """Pixels by class, which pool over images by adding up. Tuples hold classes 1, 2, ... .

    shared: labelled so in both maps; labelled: in the scored map; true: in the truth. Pixels that
    are void (0) in the truth are in none of them.
    """

    shared: tuple[int, ...] = ()
    labelled: tuple[int, ...] = ()
    true: tuple[int, ...] = ()

    @classmethod
    def of(
        cls,
        labels: LabelMap,
        truth: LabelMap,
        *,
        classes: int = ADE20K_CLASSES,
        reference_quirks: bool = False,
    ) -> "ClassOverlap":
        """The statistics of one pair of label maps.

        Args:
            labels: integer HxW, 0..classes; 0 is no class.
            truth: integer HxW, 0..classes, the same size; 0 is void.
            classes: how many there are.
            reference_quirks: leave out the lowest class of a pair in which neither map has a 0,
                as CascadePSP's published script does by mistake.

        Raises:
            InputError: a map has another form, a label above `classes`, or the sizes differ.
        """
        check_labels(labels, truth)
        highest = max(int(labels.max()), int(truth.max()))
        if highest > classes:
            raise InputError(f"there are {classes} classes, but a map holds the label {highest}")
        lowest = min(int(labels.min()), int(truth.min()))
        seen = truth > 0
        overlap = cls(
            _count(truth[seen & (labels == truth)], classes),
            _count(labels[seen], classes),
            _count(truth[seen], classes),
        )
        return overlap.without(lowest) if reference_quirks and lowest else overlap

    def without(self, label: int) -> "ClassOverlap":
        """The statistics with one class's (1, 2, ...) set to nothing."""
        return ClassOverlap(
            *(
                (*counts[: label - 1], 0, *counts[label:])
                for counts in (self.shared, self.labelled, self.true)
            )
        )

    def __add__(self, other: "ClassOverlap") -> "ClassOverlap":
        """The statistics of both parts together; those of no part at all add nothing."""
        if not self.true or not other.true:
            return other if not self.true else self
        if len(self.true) != len(other.true):
            raise InputError(f"{len(self.true)} and {len(other.true)} classes do not add up")
        return ClassOverlap(
            _add(self.shared, other.shared),
            _add(self.labelled, other.labelled),
            _add(self.true, other.true),
        )

    @property
    def unions(self) -> tuple[int, ...]:
        """Pixels of each class in either map."""
        counts = zip(self.labelled, self.true, self.shared, strict=True)
        return tuple(labelled + true - shared for labelled, true, shared in counts)

    @property
    def ious(self) -> tuple[float, ...]:
        """IoU of each class, with 1e-6 in the denominator: 0 for an absent class."""
        counts = zip(self.shared, self.unions, strict=True)
        return tuple(shared / (union + _SMOOTHING) for shared, union in counts)

    @property
    def absent(self) -> int:
        """How many classes are in neither map: each counts 0 in the mean IoU."""
        return sum(not union for union in self.unions)

    @property
    def mean_iou(self) -> float:
        """Mean IoU (mIoU) over all classes, absent ones included; nan without classes."""
        return sum(self.ious) / len(self.true) if self.true else math.nan

    @property
    def accuracy(self) -> float:
        """Pixel accuracy over labelled truth; nan where all is void."""
        return sum(self.shared) / sum(self.true) if any(self.true) else math.nan


def mean_iou(labels: LabelMap, truth: LabelMap, *, classes: int = ADE20K_CLASSES) -> float:
    """Mean IoU of one pair of label maps; pool `ClassOverlap` for that of a data set."""
    return ClassOverlap.of(labels, truth, classes=classes).mean_iou


def _count(labels: LabelMap, classes: int) -> tuple[int, ...]:
    counts = np.bincount(labels.astype(np.intp), minlength=classes + 1)
    return tuple(int(count) for count in counts[1:])


def _add(counts: Sequence[int], others: Sequence[int]) -> tuple[int, ...]:
    return tuple(a + b for a, b in zip(counts, others, strict=True))
