"""`edgewise evaluate`: score the pairs of folders, before and after refining."""

import os
import platform
from collections.abc import Iterable, Sequence
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from edgewise.errors import InputError, OutputError, missing_extra

if TYPE_CHECKING:
    from edgewise.evaluation import Failure, Header, OpenRefine, Outcome, Pair, Row

SOME_FAILED = 1
NOTHING_DONE = 2
_MOST_PROBLEMS = 20


def command(
    folders: list[Path] = typer.Argument(..., metavar="DIR...", help="Folders of pairs."),
    json_file: Path | None = typer.Option(None, "--json", help="Write the summary as JSON."),
    csv_file: Path | None = typer.Option(None, "--csv", help="Write a line a pair as CSV."),
    results: Path | None = typer.Option(
        None, "--results", help="Write a line a pair as JSON; goes on where it was interrupted."
    ),
    report: Path | None = typer.Option(None, "--report", help="Write a report as one HTML file."),
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
    from edgewise.evaluation import NetworkEngine, Outcome, find_pairs, summarise
    from edgewise.evaluation.exports import summary_values, write_csv, write_json

    _check_outputs(json_file, csv_file, report)
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
    done = Outcome(
        header=header,
        overview=summarise(rows, header.measured),
        rows=rows,
        failures=failures,
        problems=found.problems,
    )
    if json_file:
        write_json(json_file, summary_values(done))
    if csv_file:
        write_csv(csv_file, rows, header.measured)
    if report:
        _write_report(report, done, chosen, engine, workers)
    typer.echo(overview_lines(done.overview))
    if done.failed:
        typer.echo(f"{done.failed} failed", err=True)
        raise typer.Exit(SOME_FAILED)


def _check_outputs(json_file: Path | None, csv_file: Path | None, report: Path | None) -> None:
    """Raise before a long run what would be raised after it."""
    for path in (json_file, csv_file, report):
        if path and not path.resolve().parent.is_dir():
            raise OutputError(f"{path}: cannot be written: there is no folder {path.parent}")
    if report and find_spec("jinja2") is None:
        raise missing_extra("jinja2", "report")


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


def _write_report(
    path: Path, done: "Outcome", pairs: Sequence["Pair"], engine: "OpenRefine", workers: int
) -> None:
    """Write the report, for which the pairs that it shows are read (and refined) again."""
    from edgewise.cli.progress import tracked
    from edgewise.evaluation.workers import each
    from edgewise.report import crop_pair, extremes, write_report

    ends = extremes(done.rows)
    worst = frozenset(row.key for row in ends.worst)
    shown = worst | {row.key for row in ends.best}
    chosen = [pair for pair in pairs if pair.key in shown]
    crops = each(partial(crop_pair, worst=worst), chosen, engine, workers=workers)
    by_key = {crop.key: crop for crop in tracked(crops, total=len(chosen), what="report")}
    write_report(path, done, by_key)


def _print_failure(failure: "Failure") -> None:
    name = "/".join(filter(None, (failure.set, failure.id, failure.source)))
    typer.echo(f"edgewise: {name}: {failure.error}", err=True)
