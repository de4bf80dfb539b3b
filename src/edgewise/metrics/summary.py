"""The summary of many pairs: statistics of every metric, which add up."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from edgewise.errors import InputError
from edgewise.metrics.score import PairScore
from edgewise.metrics.statistics import Mean, Share

AVERAGED = (
    "iou",
    "mba",
    "boundary_iou",
    "boundary_iou_fine",
    "boundary_f",
    "hausdorff",
    "hd95",
    "assd",
    "weighted_f",
    "s_measure",
    "mae",
    "hce",
)
"""The values of a pair that are averaged over pairs, in the order of tables."""


@dataclass(frozen=True, slots=True)
class Summary:
    """Statistics over pairs: pooled counts of pixels, and a mean for each averaged value.

    `Summary.of(a) + Summary.of(b)` is `Summary.of([*a, *b])`, so that parts may be scored in
    other files, processes or machines.
    """

    pairs: int = 0
    overlap: Share = field(default_factory=Share)
    agreement: Share = field(default_factory=Share)
    means: Mapping[str, Mean] = field(default_factory=dict)

    @classmethod
    def of(cls, scores: Iterable[PairScore]) -> "Summary":
        """The statistics of some pairs."""
        return sum((cls._of_pair(score) for score in scores), cls())

    @classmethod
    def _of_pair(cls, score: PairScore) -> "Summary":
        values = {name: getattr(score, name) for name in AVERAGED}
        return cls(
            1,
            Share(score.intersection, score.union),
            Share(score.correct, score.pixels),
            {name: Mean.of(value) for name, value in values.items() if value is not None},
        )

    def __add__(self, other: "Summary") -> "Summary":
        """The statistics of both parts together."""
        means = {
            name: self.means.get(name, Mean()) + other.means.get(name, Mean())
            for name in AVERAGED
            if name in self.means or name in other.means
        }
        return Summary(
            self.pairs + other.pairs,
            self.overlap + other.overlap,
            self.agreement + other.agreement,
            means,
        )

    @property
    def scores(self) -> dict[str, float]:
        """The scores by name; nan where no pair defines one.

        `iou` is pooled over pixels, as published; `iou_per_image` is the mean over pairs.
        `accuracy` is pooled too; all others are means over the pairs that define them.
        """
        pooled = {"iou": self.overlap.score, "accuracy": self.agreement.score}
        return pooled | {_title(name): mean.score for name, mean in self.means.items()}

    @property
    def undefined(self) -> dict[str, int]:
        """How many pairs have no part in each of `scores`, as they do not define it."""
        empty = self.means["iou"].undefined if "iou" in self.means else 0
        pooled = {"iou": empty, "accuracy": 0}
        return pooled | {_title(name): mean.undefined for name, mean in self.means.items()}

    def to_dict(self) -> dict[str, Any]:
        """The statistics, for JSON."""
        return {
            "pairs": self.pairs,
            "overlap": asdict(self.overlap),
            "agreement": asdict(self.agreement),
            "means": {name: asdict(mean) for name, mean in self.means.items()},
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Summary":
        """The statistics that `to_dict` wrote.

        Raises:
            InputError: they are not such statistics.
        """
        try:
            return cls(
                values["pairs"],
                Share(**values["overlap"]),
                Share(**values["agreement"]),
                {name: Mean(**mean) for name, mean in values["means"].items()},
            )
        except (KeyError, TypeError, AttributeError) as error:
            raise InputError(f"not the statistics of a summary: {error!r}") from error


def _title(name: str) -> str:
    return "iou_per_image" if name == "iou" else name
