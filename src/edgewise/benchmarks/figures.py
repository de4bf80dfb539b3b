"""Figures: the scores of one method on one input set, as published or as measured here."""

import tomllib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from importlib import resources
from typing import Any

from edgewise.evaluation.rows import Row
from edgewise.evaluation.summary import plain
from edgewise.metrics import PairScore, Summary

COARSE = "coarse"
"""The method of the masks that are refined."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where published figures come from.

    Attributes:
        title: the publication, in words.
        doubt: why figures may not be what the publication has; "" where they were read in it.
    """

    title: str
    doubt: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """The scores of one method on one input set, shares in [0, 1], nan where undefined.

    Attributes:
        dataset, network: whose coarse masks of what.
        method: what made the masks scored; `COARSE` for those masks themselves.
        source: a key of `sources()`; None where it was measured here.
        iou: pooled: the sum of intersections over the sum of unions; of scenes, its mean over
            classes.
        mba: mean over the photos that define it.
        iou_per_image: mean over photos; None where it was not published.
        accuracy: share of a scene's pixels with the right label, pooled; None of objects.
        pairs: how many objects, or scenes; None where published.
        undefined: of how many of them mBA is undefined (empty or full truths).
        seconds: mean time of refining a photo; None where nothing was refined here.
    """

    dataset: str
    network: str
    method: str
    iou: float
    mba: float
    source: str | None = None
    iou_per_image: float | None = None
    accuracy: float | None = None
    pairs: int | None = None
    undefined: int = 0
    seconds: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """The figure for JSON, None where undefined."""
        values: dict[str, Any] = plain(asdict(self))
        return values


@cache
def sources() -> dict[str, Source]:
    """Where published figures come from, by key."""
    return {key: Source(**values) for key, values in _table()["sources"].items()}


def published(datasets: Iterable[str]) -> list[Figure]:
    """The published figures of some datasets, in the order of publication."""
    wanted = set(datasets)
    return [one for row in _table()["figures"] if row["dataset"] in wanted for one in _of_row(row)]


def remarks(dataset: str) -> list[str]:
    """What was published about a dataset that no network can be named for."""
    return [row["text"] for row in _table()["remarks"] if row["dataset"] == dataset]


def measured(dataset: str, network: str, method: str, rows: Sequence[Row]) -> Iterator[Figure]:
    """The figures of a method's rows, at least one; those of the coarse masks come first.

    Coarse masks have a figure where every row has its score before.
    """
    before = [row.before for row in rows if row.before is not None]
    if len(before) == len(rows):
        yield _figure(dataset, network, COARSE, before)
    seconds = [row.seconds for row in rows if row.seconds is not None]
    mean = sum(seconds) / len(seconds) if seconds else None
    yield _figure(dataset, network, method, [row.after for row in rows], seconds=mean)


def _figure(
    dataset: str,
    network: str,
    method: str,
    scores: Sequence[PairScore],
    *,
    seconds: float | None = None,
) -> Figure:
    summary = Summary.of(scores)
    return Figure(
        dataset=dataset,
        network=network,
        method=method,
        iou=summary.scores["iou"],
        mba=summary.scores["mba"],
        iou_per_image=summary.scores["iou_per_image"],
        pairs=summary.pairs,
        undefined=summary.undefined["mba"],
        seconds=seconds,
    )


def _of_row(row: dict[str, Any]) -> Iterator[Figure]:
    for network, (iou, mba) in row["values"].items():
        yield Figure(
            dataset=row["dataset"],
            network=network,
            method=row["method"],
            source=row["source"],
            iou=round(iou / 100, 6),
            mba=round(mba / 100, 6),
        )


@cache
def _table() -> dict[str, Any]:
    text = resources.files(__package__).joinpath("published.toml").read_text("utf-8")
    return tomllib.loads(text)
