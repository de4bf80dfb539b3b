"""Tables of scores as text."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edgewise.evaluation import Overview, Tally
    from edgewise.evaluation.compare import Comparison
    from edgewise.evaluation.differences import Difference, Estimate
    from edgewise.evaluation.outcome import Line

_SCORES = {
    "iou_per_image": ("IoU", 100),
    "iou": ("pooled", 100),
    "mba": ("mBA", 100),
    "boundary_iou": ("bIoU 2%", 100),
    "boundary_iou_fine": ("0.5%", 100),
    "hce": ("HCE", 1),
}
"""What the columns are called, and the factor by which their scores are shown."""


def overview_lines(overview: "Overview") -> str:
    """The overview as a table: three lines a set, shares in percent and gains in points."""
    tallies = [*overview.sets, overview.mean_over_sets, overview.all_pairs]
    lines: list[list[str]] = [
        ["", "pairs", "", *_labels(overview.all_pairs.after), "harmed", "s/photo"]
    ]
    for tally in tallies:
        lines += [[], *_tally_cells(tally)]
    text = aligned(lines)
    notes = _notes(overview.all_pairs)
    return "\n".join([text, *([""] if notes else []), *notes])


def engine_lines(groups: Mapping[str, Sequence["Line"]]) -> str:
    """Engines beside each other, a line each, by what they are means over."""
    names = [name for name in _SCORES if name != "hce"]  # only the run's own has it
    head = ["pairs", *_labels(names), "IoU gain", "harmed", "s/photo"]
    lines: list[list[str]] = [["", *head]]
    for group, engines in groups.items():
        lines += [[], [group, *("" for _ in head)]]
        lines += [_engine_cells(line, names) for line in engines]
    return aligned(lines)


def _engine_cells(line: "Line", names: Sequence[str]) -> list[str]:
    return [
        f"  {line.name}",
        str(line.pairs),
        *_numbers({name: line.scores[name] for name in names}),
        number(100 * line.gain, 2, sign=True),
        percent(line.harmed),
        number(line.seconds, 2),
    ]


def _tally_cells(tally: "Tally") -> list[list[str]]:
    name, pairs = tally.name, str(tally.pairs)
    after = ["after", *_numbers(tally.after), "", number(tally.seconds, 2)]
    if not tally.gain.pairs:
        return [[name, pairs, *after]]
    before = ["before", *_numbers(tally.before)]
    gains = ["gain", *_points(tally.gain.scores)]
    return [
        [name, pairs, *before, "", ""],
        ["", "", *after],
        ["", "", *gains, percent(tally.gain.harmed), ""],
    ]


def _labels(scores: Iterable[str]) -> list[str]:
    """The heads of the columns; HCE only where it is among the scores."""
    names = set(scores)
    return [label for key, (label, _) in _SCORES.items() if key in names]


def _numbers(scores: Mapping[str, float]) -> list[str]:
    return [
        number(factor * scores[key], 2) for key, (_, factor) in _SCORES.items() if key in scores
    ]


def _points(scores: Mapping[str, "Estimate"]) -> list[str]:
    return [
        number(factor * scores[key].value, 2, sign=True)
        for key, (_, factor) in _SCORES.items()
        if key in scores
    ]


def _notes(tally: "Tally") -> list[str]:
    """What the figures leave out."""
    undefined = [
        f"{label} undefined in {tally.undefined[key]}"
        for key, (label, _) in _SCORES.items()
        if tally.undefined.get(key)
    ]
    notes = [f"of {tally.pairs} pairs: {', '.join(undefined)}"] if undefined else []
    if tally.gain.pairs < tally.pairs:
        notes.append(f"{tally.pairs - tally.gain.pairs} of {tally.pairs} pairs have no mask before")
    if tally.warnings:
        notes.append(f"{tally.warnings} of {tally.pairs} pairs were empty or full masks")
    return notes


def comparison_lines(comparison: "Comparison") -> str:
    """A comparison as a table: differences in points, and their intervals a line below."""
    found = comparison.differences
    lines: list[list[str]] = [["", "pairs", *_labels(found.all_pairs.scores), "improved", "harmed"]]
    for part in (*found.sets, found.mean_over_sets, found.all_pairs):
        lines += [[], *_difference_cells(part)]
    notes = [
        f"in {count} pairs {what}"
        for count, what in (
            (comparison.other_coarse, "the coarse masks differ too"),
            (comparison.left_out, "one of the runs has no score: left out"),
        )
        if count
    ]
    unit = "points, HCE in clicks" if "hce" in found.all_pairs.scores else "points"
    title = f"{comparison.second} less {comparison.first}, in {unit} (95 % interval)"
    return "\n".join([title, "", aligned(lines), *([""] if notes else []), *notes])


def _difference_cells(part: "Difference") -> list[list[str]]:
    shares = [percent(part.improved), percent(part.harmed)]
    intervals = [
        _interval(part.scores[key], factor)
        for key, (_, factor) in _SCORES.items()
        if key in part.scores
    ]
    return [
        [part.name, str(part.pairs), *_points(part.scores), *shares],
        ["", "", *intervals, "", ""],
    ]


def _interval(estimate: "Estimate", factor: float) -> str:
    low, high = (number(factor * end, 1, sign=True) for end in (estimate.low, estimate.high))
    return f"{low}..{high}" if low != _UNDEFINED else low


_UNDEFINED = "–"


def percent(share: float) -> str:
    """A share in percent; a dash where undefined."""
    return _UNDEFINED if math.isnan(share) else f"{100 * share:.1f} %"


def number(value: float, digits: int, *, sign: bool = False) -> str:
    """A number with fixed digits; a dash where undefined."""
    if math.isnan(value):
        return _UNDEFINED
    return f"{value:+.{digits}f}" if sign else f"{value:.{digits}f}"


def aligned(lines: Iterable[list[str]]) -> str:
    """Cells in columns: the first to the left, the others to the right."""
    rows = list(lines)
    count = max(len(row) for row in rows)
    widths = [max((len(row[at]) for row in rows if row), default=0) for at in range(count)]
    return "\n".join(_line(row, widths).rstrip() for row in rows)


def _line(row: list[str], widths: list[int]) -> str:
    cells = [
        cell.ljust(width) if at == 0 else cell.rjust(width)
        for at, (cell, width) in enumerate(zip(row, widths, strict=False))
    ]
    return "  ".join(cells)
