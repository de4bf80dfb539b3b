"""`edgewise compare`: what one run scores over another, pair by pair."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from edgewise.errors import InputError

if TYPE_CHECKING:
    from edgewise.evaluation.compare import Comparison

FORMAT = 1


def command(
    files: list[Path] = typer.Argument(
        ..., metavar="A.jsonl B.jsonl...", help="Results files; all others are held against A."
    ),
    json_file: Path | None = typer.Option(None, "--json", help="Write the differences as JSON."),
    common: bool = typer.Option(
        False, "--common", help="Compare the pairs that both have; leave the others out."
    ),
) -> None:
    """Compare runs of `edgewise evaluate` over the same truths.

    Differences are paired; the intervals are 95 %, by drawing photos anew.
    """
    from edgewise.cli.outputs import check_outputs
    from edgewise.cli.tables import comparison_lines
    from edgewise.evaluation.compare import Run, compare
    from edgewise.evaluation.exports import write_json

    if len(files) < 2:
        raise InputError("compare takes two results files or more")
    check_outputs(json_file, inputs=files)
    first, *others = [Run.read(path) for path in files]
    comparisons = [compare(first, other, common=common) for other in others]
    if json_file:
        values = [_values(comparison) for comparison in comparisons]
        write_json(json_file, {"format": FORMAT, "comparisons": values})
    typer.echo("\n\n".join(comparison_lines(comparison) for comparison in comparisons))


def _values(comparison: "Comparison") -> dict[str, object]:
    """A comparison for JSON."""
    from edgewise.evaluation.summary import plain

    return {
        "first": str(comparison.first),
        "second": str(comparison.second),
        "other_coarse": comparison.other_coarse,
        "left_out": comparison.left_out,
        **{key: plain(value) for key, value in asdict(comparison.differences).items()},
    }
