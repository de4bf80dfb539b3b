"""`edgewise evaluate`: score the pairs of folders, before and after refining."""

import os
import platform
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import typer

from edgewise.cli import engines
from edgewise.cli.options import Device, Model, Workers, WorkerThreads
from edgewise.errors import InputError

if TYPE_CHECKING:
    from edgewise.evaluation import (
        Failure,
        Header,
        OpenRefine,
        Outcome,
        Pair,
        Results,
        Row,
    )

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
    workers: Workers = 1,
    threads: WorkerThreads = None,
    model: Model = "default",
    device: Device = "cpu",
    engine_name: str = typer.Option(engines.OWN, "--engine", help=engines.HELP),
    weights: Path | None = engines.WEIGHTS,
    fast: bool = typer.Option(False, "--fast", help="Measure only IoU, mBA and boundary IoU."),
    hce: bool = typer.Option(
        False, "--hce", help="Measure human correction effort too, which takes long."
    ),
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
    from edgewise.cli.outputs import check_outputs
    from edgewise.cli.tables import overview_lines
    from edgewise.evaluation import Outcome, Results, find_pairs, summarise
    from edgewise.evaluation.exports import summary_values, write_csv, write_json
    from edgewise.evaluation.kept import with_kept

    check_outputs(json_file, csv_file, report=report)
    found = find_pairs(folders, refine_all=refine)
    _print_problems(found.problems)
    threads = threads or (1 if workers > 1 else None)
    choices = engines.Choices(weights=weights, model=model, threads=threads, device=device)
    engine = engines.find_engine(engine_name, choices)
    header = _header(found.pairs, engine, workers=workers, threads=threads, fast=fast, hce=hce)
    chosen = _chosen(found.pairs, sets, limit)
    with _masks_folder(results, report) as masks:
        with Results(results, header, found.pairs) as file:
            rows, failures = _scored(chosen, engine, file, workers=workers, masks=masks)
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
        if report and masks:
            _write_report(report, done, with_kept(chosen, masks), engine, workers)
    typer.echo(overview_lines(done.overview))
    if done.failed:
        typer.echo(f"{done.failed} failed", err=True)
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
    hce: bool,
) -> "Header":
    from edgewise.evaluation import Header

    refines = any(pair.refined is None for pair in pairs)
    return Header(
        engine=engine.describe() if refines else None,
        fast=fast,
        hce=hce,
        run={
            "workers": workers,
            "threads": threads or len(os.sched_getaffinity(0)),
            "machine": platform.machine(),
            "system": platform.system(),
        },
    )


@contextmanager
def _masks_folder(results: Path | None, report: Path | None) -> Iterator[Path | None]:
    """Where refined masks are kept: beside the results, or as long as the report takes."""
    if results:
        yield results.with_name(f"{results.name}.masks")
    elif report:
        with TemporaryDirectory(prefix="edgewise-") as folder:
            yield Path(folder)
    else:
        yield None


def _scored(
    chosen: Sequence["Pair"],
    engine: "OpenRefine",
    file: "Results",
    *,
    workers: int,
    masks: Path | None,
) -> tuple[list["Row"], list["Failure"]]:
    """The chosen pairs' rows, those of the results file taken as they are; and the failures."""
    from edgewise.cli.progress import tracked
    from edgewise.evaluation import Failure, evaluate
    from edgewise.evaluation.kept import keep_mask

    failures = []
    rows = [file.rows[pair.key] for pair in chosen if pair.key in file.rows]
    if rows:
        typer.echo(f"{len(rows)} pairs are in {file.path} already", err=True)
    left = [pair for pair in chosen if pair.key not in file.rows]
    outcomes = evaluate(
        left,
        engine,
        workers=workers,
        fast=file.header.fast,
        hce=file.header.hce,
        keep=partial(keep_mask, folder=masks) if masks else None,
    )
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
    """Write the report; pairs that it shows are read, and refined where no mask was kept."""
    from edgewise.cli.progress import tracked
    from edgewise.evaluation.workers import each
    from edgewise.report import crop_pair, extremes, write_report

    ends = extremes(done.rows)
    chosen = [pair for pair in pairs if pair.key in ends.keys]
    crops = each(partial(crop_pair, worst=ends.worst_keys), chosen, engine, workers=workers)
    by_key = {crop.key: crop for crop in tracked(crops, total=len(chosen), what="report")}
    write_report(path, done, by_key)


def _print_failure(failure: "Failure") -> None:
    name = "/".join(filter(None, (failure.set, failure.id, failure.source)))
    typer.echo(f"edgewise: {name}: {failure.error}", err=True)
