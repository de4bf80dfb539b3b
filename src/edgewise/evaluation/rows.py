"""Rows: what is known of one pair after scoring, as it stands in a results file."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from types import UnionType
from typing import Any

from edgewise.errors import InputError
from edgewise.evaluation.pairs import Key
from edgewise.metrics import PairScore

FAST = (
    "pixels",
    "correct",
    "intersection",
    "union",
    "iou",
    "mba",
    "boundary_iou",
    "boundary_iou_fine",
)
"""The values of a score that are measured where only the fast ones are asked for."""

HCE = "hce"
"""The value of a score that is measured only where it is asked for, as it takes so long."""

FULL = tuple(score.name for score in fields(PairScore) if score.name != HCE)
"""The values of a score that are measured otherwise, without `HCE`."""

EDGE_DISTANCES = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0)
"""Upper ends in pixels of the rings around the truth's edge in which errors are counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rings:
    """Pixels by their distance from the truth's edge, one count a ring of `EDGE_DISTANCES`.

    Attributes:
        pixels: how many there are.
        wrong_before: how many of them differ from the truth in the coarse mask; None without one.
        wrong_after: and in the refined mask.
    """

    pixels: list[int]
    wrong_before: list[int] | None
    wrong_after: list[int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One scored pair.

    Attributes:
        set, id, source: as in `Pair`.
        width, height: of the truth, in pixels.
        refined: whether the mask after was made here; otherwise it was given.
        before: the score of the coarse mask, None without one; nan where undefined and where not
            measured (see `FAST`, `HCE`).
        after: the score of the refined mask.
        rings: errors by distance from the edge.
        seconds: time of refining alone, without reading and scoring; None where it was given.
        sha256: checksums of the files by part.
        warnings: what the refiner warned of.
    """

    set: str
    id: str
    source: str
    width: int
    height: int
    refined: bool
    before: PairScore | None
    after: PairScore
    rings: Rings
    seconds: float | None
    sha256: dict[str, str]
    warnings: list[str] = field(default_factory=list)

    @property
    def key(self) -> Key:
        """What tells pairs of one evaluation apart."""
        return self.set, self.id, self.source

    def to_dict(self, measured: Sequence[str] = FULL) -> dict[str, Any]:
        """The row for JSON, its scores cut to the values that were measured."""
        values = {name: getattr(self, name) for name in _PLAIN}
        values["before"] = self.before and _measured(self.before, measured)
        values["after"] = _measured(self.after, measured)
        values["rings"] = asdict(self.rings)
        return values

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Row":
        """The row that `to_dict` wrote.

        Raises:
            InputError: it is not a row.
        """
        check_types(values, _TYPES)
        check_types(values["sha256"], dict.fromkeys(("truth", *values["sha256"]), str))
        return cls(
            **{name: values[name] for name in _PLAIN},
            before=None if values["before"] is None else _score_of(values["before"]),
            after=_score_of(values["after"]),
            rings=_rings_of(values["rings"]),
        )


_PLAIN: Mapping[str, type | UnionType] = {
    "set": str,
    "id": str,
    "source": str,
    "width": int,
    "height": int,
    "refined": bool,
    "seconds": float | int | None,
    "sha256": dict,
    "warnings": list,
}
_TYPES = {**_PLAIN, "before": dict | None, "after": dict, "rings": dict}
_RINGS = {"pixels": list, "wrong_before": list | None, "wrong_after": list}


def check_types(values: Mapping[str, Any], types: Mapping[str, type | UnionType]) -> None:
    """Raise InputError where a value that was read from JSON is of another type, or missing."""
    if not isinstance(values, Mapping):
        raise InputError(f"{values!r} is no table of {', '.join(map(str, types))}")
    for name, kind in types.items():
        if name not in values:
            raise InputError(f"{name!r} is missing")
        if not isinstance(values[name], kind):
            wanted = getattr(kind, "__name__", str(kind))
            raise InputError(f"{name!r} is {values[name]!r}; expected {wanted}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """One pair that could not be scored, and why."""

    set: str
    id: str
    source: str
    error: str


def full_score(values: Mapping[str, float | None]) -> PairScore:
    """A score of which only some values were measured; the others are nan, and HCE is None."""
    return PairScore.from_dict({**dict.fromkeys(FULL), **values})


def _score_of(values: Mapping[str, Any]) -> PairScore:
    """A score as it was read; InputError where a value is no number."""
    names = [name for name in (*FULL, HCE) if name in values]
    check_types(values, dict.fromkeys(names, float | int | None))
    return full_score(values)


def _rings_of(values: Mapping[str, Any]) -> Rings:
    """Rings as they were read; InputError where they are not a count a ring."""
    check_types(values, _RINGS)
    for name in _RINGS:
        counts = values[name]
        if counts is not None and [type(count) for count in counts] != [int] * len(EDGE_DISTANCES):
            raise InputError(f"{name!r} is {counts!r}; expected {len(EDGE_DISTANCES)} counts")
    return Rings(**{name: values[name] for name in _RINGS})


def _measured(score: PairScore, names: Sequence[str]) -> dict[str, float | None]:
    values = score.to_dict()
    return {name: values[name] for name in names}


def measured_values(*, fast: bool, hce: bool) -> tuple[str, ...]:
    """The values of a score that such a run measures, in the order of tables."""
    return (*(FAST if fast else FULL), *((HCE,) if hce else ()))
