"""`edgewise evaluate`: score the pairs of folders, before and after refining."""

import os
import platform
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from edgewise.errors import InputError

if TYPE_CHECKING:
    from edgewise.evaluation import Failure, Header, OpenRefine, Pair, Row

SOME_FAILED = 1
NOTHING_DONE = 2
_MOST_PROBLEMS = 20


def command(  # noqa: PLR0913, PLR0917  # the options of the command line
    folders: list[Path] = typer.Argument(..., metavar="DIR...", help="Folders of pairs."),
    json_file: Path | None = typer.Option(None, "--json", help="Write the summary as JSON."),
    csv_file: Path | None = typer.Option(None, "--csv", help="Write a line a pair as CSV."),
    results: Path | None = typer.Option(
        None, "--results", help="Write a line a pair as JSON; goes on where it was interrupted."
    ),
    workers: int = typer.Option(1, "--workers", min=1, help="Processes, of one thread each."),
    threads: int | None = typer.Option(
        None, "--threads", min=1, help="Threads of a process; default: all cores, or 1 a worker."
    ),
    model: str = typer.Option("default", "--model", help="A network of `edgewise models`."),
    device: str = typer.Option("cpu", "--device", help="cpu, or cuda with onnxruntime-gpu."),
    fast: bool = typer.Option(False, "--fast", help="Measure only IoU, mBA and boundary IoU."),
    refine: bool = typer.Option(
        False, "--refine", help="Refine even where a refined mask is given."
    ),
    sets: list[str] = typer.Option([], "--set", help="Only this set; may be repeated."),
    limit: int | None = typer.Option(None, "--limit", min=1, help="Only the first N pairs."),
) -> None:
    """Score the masks of folders in the published layouts, before and after refining.

    A pair is <id>_gt.png with <id>_seg*.png and <id>_im.*, which is refined first, or with a
    refined <id>_mask.png. Ends with status 1 where some pair failed.
    """
    from edgewise.cli.tables import overview_lines
    from edgewise.evaluation import NetworkEngine, find_pairs, summarise
    from edgewise.evaluation.exports import summary_values, write_csv, write_json

    found = find_pairs(folders, refine_all=refine)
    _print_problems(found.problems)
    threads = threads or (1 if workers > 1 else None)
    engine = NetworkEngine(model=model, threads=threads, device=device)
    header = _header(found.pairs, engine, workers=workers, threads=threads, fast=fast)
    chosen = _chosen(found.pairs, sets, limit)
    rows, failures = _scored(chosen, found.pairs, engine, header, workers, results)
    if not rows:
        typer.echo("edgewise: no pair could be scored", err=True)
        raise typer.Exit(NOTHING_DONE)
    overview = summarise(rows, header.measured)
    if json_file:
        write_json(json_file, summary_values(header, overview, failures, found.problems))
    if csv_file:
        write_csv(csv_file, rows, header.measured)
    typer.echo(overview_lines(overview))
    if failures or found.problems:
        typer.echo(f"{len(failures) + len(found.problems)} failed", err=True)
        raise typer.Exit(SOME_FAILED)


def _print_problems(problems: Sequence[str]) -> None:
    for problem in problems[:_MOST_PROBLEMS]:
        typer.echo(f"edgewise: {problem}", err=True)
    if len(problems) > _MOST_PROBLEMS:
        typer.echo(f"edgewise: and {len(problems) - _MOST_PROBLEMS} more like it", err=True)


def _chosen(pairs: Sequence["Pair"], sets: Sequence[str], limit: int | None) -> list["Pair"]:
    """The pairs of the sets asked for, as many as asked for."""
    known = {pair.set for pair in pairs}
    for name in sets:
        if name not in known:
            raise InputError(f"no set {name!r}; there is: {', '.join(sorted(known))}")
    return [pair for pair in pairs if not sets or pair.set in sets][:limit]


def _header(
    pairs: Iterable["Pair"],
    engine: "OpenRefine",
    *,
    workers: int,
    threads: int | None,
    fast: bool,
) -> "Header":
    from edgewise.evaluation import Header

    refines = any(pair.refined is None for pair in pairs)
    return Header(
        engine=engine.describe() if refines else None,
        fast=fast,
        run={
            "workers": workers,
            "threads": threads or len(os.sched_getaffinity(0)),
            "machine": platform.machine(),
            "system": platform.system(),
        },
    )


def _scored(
    chosen: Sequence["Pair"],
    all_pairs: Sequence["Pair"],
    engine: "OpenRefine",
    header: "Header",
    workers: int,
    path: Path | None,
) -> tuple[list["Row"], list["Failure"]]:
    """The chosen pairs' rows, those of the results file taken as they are; and the failures."""
    from edgewise.cli.progress import tracked
    from edgewise.evaluation import Failure, Results, evaluate

    rows, failures = [], []
    with Results(path, header, all_pairs) as file:
        rows = [file.rows[pair.key] for pair in chosen if pair.key in file.rows]
        if rows:
            typer.echo(f"{len(rows)} pairs are in {path} already", err=True)
        left = [pair for pair in chosen if pair.key not in file.rows]
        outcomes = evaluate(left, engine, workers=workers, fast=header.fast)
        for outcome in tracked(outcomes, total=len(left), what="evaluate"):
            if isinstance(outcome, Failure):
                failures.append(outcome)
                _print_failure(outcome)
            else:
                file.add(outcome)
                rows.append(outcome)
    return rows, failures


def _print_failure(failure: "Failure") -> None:
    name = "/".join(filter(None, (failure.set, failure.id, failure.source)))
    typer.echo(f"edgewise: {name}: {failure.error}", err=True)
