"""Differences between two scores of the same pairs, with intervals that resample photos."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean

import numpy as np
from numpy.typing import NDArray

from edgewise.evaluation.rows import FULL
from edgewise.metrics import PairScore

HARM = 0.002
"""A pair is harmed where its IoU falls, and improved where it rises, by more than this."""

FEWEST_PHOTOS = 5
"""A score that fewer photos define has no interval; in a mean over sets, each set has to have two
that do."""

DRAWS = 2000
SEED = 0
_PERCENTILES = (2.5, 97.5)
_POOLED = {"iou": ("intersection", "union"), "accuracy": ("correct", "pixels")}
_COUNTS = ("pixels", "correct", "intersection", "union")
_MOST_AT_ONCE = 1 << 20

Sums = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Match:
    """One pair with two scores: the second is asked for, the first is what it is held against."""

    set: str
    id: str
    first: PairScore
    second: PairScore


@dataclass(frozen=True, slots=True)
class Estimate:
    """A difference and its 95 % interval; nan where undefined, in the unit of the score."""

    value: float
    low: float = math.nan
    high: float = math.nan


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """Second less first over some pairs.

    Attributes:
        name: of the set.
        pairs: how many.
        photos: of how many photos; see `FEWEST_PHOTOS`.
        scores: by the names of `score_names`. Means are over the pairs that define both.
        improved: share of the pairs whose IoU rises by more than `HARM`.
        harmed: share whose IoU falls by more.
    """

    name: str
    pairs: int
    photos: int
    scores: dict[str, Estimate]
    improved: float
    harmed: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Differences:
    """Differences of every set, their mean (each set once), and of all pairs."""

    sets: list[Difference]
    mean_over_sets: Difference
    all_pairs: Difference


def score_names(measured: Sequence[str] = FULL) -> list[str]:
    """The names of scores over many pairs, in the order of tables.

    They are those of `edgewise.metrics.Summary.scores`: `iou_per_image` is the mean over pairs,
    `iou` and `accuracy` are pooled over pixels, all others are means.
    """
    averaged = (name for name in measured if name not in (*_COUNTS, "iou"))
    return ["iou_per_image", *_POOLED, *averaged]


def differences(matches: Iterable[Match], measured: Sequence[str] = FULL) -> Differences:
    """The differences of matched pairs per set and in all.

    Intervals are percentile bootstrap: photos are drawn with replacement, `DRAWS` times, each with
    all its pairs, since masks of one photo are not independent. For the mean over sets they are
    drawn within each set. Of n photos n - 1 are drawn, which makes the variance right for few of
    them too (McCarthy and Snowden, 1985: "The bootstrap and finite population sampling"). The seed
    is fixed, so that the same input gives the same interval.

    Args:
        matches: the pairs.
        measured: which values of a score they hold, `rows.FULL` or `rows.FAST`.
    """
    everything = list(matches)
    by_set: dict[str, list[Match]] = {}
    for match in everything:
        by_set.setdefault(match.set, []).append(match)
    names = score_names(measured)
    order = sorted(by_set)
    all_sums = _photo_sums(everything, names)
    spread = _Spread.of([_photo_sums(by_set[name], names) for name in order] or [all_sums])
    sets = [
        _difference(name, by_set[name], spread.only(at).estimates(names))
        for at, name in enumerate(order)
    ]
    pooled = _Spread.of([all_sums]).estimates(names)
    return Differences(
        sets=sets,
        mean_over_sets=Difference(
            name="mean over sets",
            pairs=len(everything),
            photos=sum(one.photos for one in sets),
            scores=spread.estimates(names),
            improved=mean_of_defined(one.improved for one in sets),
            harmed=mean_of_defined(one.harmed for one in sets),
        ),
        all_pairs=_difference("all pairs", everything, pooled),
    )


def mean_of_defined(values: Iterable[float]) -> float:
    """The mean of the values that are not nan; nan where all are."""
    defined = [value for value in values if not math.isnan(value)]
    return fmean(defined) if defined else math.nan


def _difference(name: str, matches: Sequence[Match], scores: dict[str, Estimate]) -> Difference:
    steps = [match.second.iou - match.first.iou for match in matches]
    defined = [step for step in steps if not math.isnan(step)]
    return Difference(
        name=name,
        pairs=len(matches),
        photos=len({(match.set, match.id) for match in matches}),
        scores=scores,
        improved=mean_of_defined(float(step > HARM) for step in defined),
        harmed=mean_of_defined(float(step < -HARM) for step in defined),
    )


def _photo_sums(matches: Sequence[Match], names: Sequence[str]) -> Sums:
    """Sums that add up, of the pairs of each photo: photos x scores x 4.

    The four are the numerator and the denominator of the first score and those of the second.
    """
    photos: dict[tuple[str, str], int] = {}
    rows = [photos.setdefault((match.set, match.id), len(photos)) for match in matches]
    sums = np.zeros((len(photos), len(names), 4))
    if matches:
        np.add.at(sums, rows, [[_parts(match, name) for name in names] for match in matches])
    return sums


def _parts(match: Match, name: str) -> tuple[float, float, float, float]:
    first, second = match.first, match.second
    if name in _POOLED:
        part, whole = _POOLED[name]
        counts = [getattr(score, count) for score in (first, second) for count in (part, whole)]
        return counts[0], counts[1], counts[2], counts[3]
    value = "iou" if name == "iou_per_image" else name
    before, after = float(getattr(first, value)), float(getattr(second, value))
    defined = not (math.isnan(before) or math.isnan(after))
    return (before, 1, after, 1) if defined else (0, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class _Spread:
    """Differences of sets: sets x scores; over draws of their photos: sets x draws x scores.

    `photos`, sets x scores, says how many photos define each.
    """

    values: Sums
    draws: Sums
    photos: NDArray[np.intp]

    @classmethod
    def of(cls, parts: Sequence[Sums]) -> "_Spread":
        values = [_step(sums.sum(axis=0)) for sums in parts]
        # Each set has its own stream: equal draws in sets of equal size would not be independent.
        draws = [_step(_drawn(sums, stream)) for stream, sums in enumerate(parts)]
        photos = np.array([(sums[..., (1, 3)] > 0).all(axis=-1).sum(axis=0) for sums in parts])
        return cls(np.asarray(values), np.asarray(draws), photos)

    def only(self, at: int) -> "_Spread":
        """The spread of one set."""
        part = slice(at, at + 1)
        return _Spread(self.values[part], self.draws[part], self.photos[part])

    def estimates(self, names: Sequence[str]) -> dict[str, Estimate]:
        """The mean over the sets that define each score, with its interval."""
        return {name: self._estimate(at) for at, name in enumerate(names)}

    def _estimate(self, at: int) -> Estimate:
        defined = ~np.isnan(self.values[:, at])
        if not defined.any():
            return Estimate(math.nan)
        value = float(self.values[defined, at].mean())
        photos = self.photos[defined, at]
        if photos.sum() < FEWEST_PHOTOS or photos.min() < 2:
            return Estimate(value)
        means = self.draws[defined, :, at].mean(axis=0)
        means = means[~np.isnan(means)]  # some draws may hold no pair that defines the score
        low, high = np.percentile(means, _PERCENTILES)
        return Estimate(value, float(low), float(high))


def _step(sums: Sums) -> Sums:
    """Second less first, from sums of ... x scores x 4."""
    with np.errstate(divide="ignore", invalid="ignore"):
        step: Sums = sums[..., 2] / sums[..., 3] - sums[..., 0] / sums[..., 1]
    return step


def _drawn(sums: Sums, stream: int) -> Sums:
    """The sums over each draw of photos, draws x scores x 4; nan where there is one photo only."""
    photos = len(sums)
    if photos < 2:
        return np.full((DRAWS, *sums.shape[1:]), np.nan)
    random = np.random.default_rng((SEED, stream))
    flat = sums.reshape(photos, -1)
    chunk = max(1, _MOST_AT_ONCE // photos)
    drawn = [
        _times_drawn(random, photos, min(chunk, DRAWS - start)) @ flat
        for start in range(0, DRAWS, chunk)
    ]
    return np.concatenate(drawn).reshape(DRAWS, *sums.shape[1:])


def _times_drawn(random: np.random.Generator, photos: int, draws: int) -> Sums:
    """How often each photo is drawn, draws x photos; each time one less than there are."""
    chosen = random.integers(photos, size=(draws, photos - 1))
    chosen += photos * np.arange(draws)[:, None]
    return (
        np.bincount(chosen.ravel(), minlength=draws * photos).reshape(draws, photos).astype(float)
    )
