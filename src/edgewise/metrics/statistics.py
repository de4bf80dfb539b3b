"""Statistics that add up: parts scored apart merge into what the whole would have given."""

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Mean:
    """A mean over images, and over how many it is defined.

    Images without a value are counted in `undefined` and leave the mean.
    """

    total: float = 0.0
    count: int = 0
    undefined: int = 0

    @classmethod
    def of(cls, value: float) -> "Mean":
        """The statistics of one image's value, where nan means undefined."""
        return cls(undefined=1) if math.isnan(value) else cls(value, 1)

    def __add__(self, other: "Mean") -> "Mean":
        """The statistics of both parts together."""
        return Mean(
            self.total + other.total, self.count + other.count, self.undefined + other.undefined
        )

    @property
    def score(self) -> float:
        """The mean; nan where no image has a value."""
        return self.total / self.count if self.count else math.nan


@dataclass(frozen=True, slots=True)
class Share:
    """A part of a whole, both counts of pixels: pooled over images by adding up."""

    part: int = 0
    whole: int = 0

    def __add__(self, other: "Share") -> "Share":
        """The statistics of both parts together."""
        return Share(self.part + other.part, self.whole + other.whole)

    @property
    def score(self) -> float:
        """The share in [0, 1]; nan where the whole is empty."""
        return self.part / self.whole if self.whole else math.nan
