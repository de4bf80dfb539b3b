"""`edgewise evaluate`: score the pairs of folders, before and after refining."""

import os
import platform
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import typer

from edgewise.cli import engines
from edgewise.cli.options import Careful, Device, Model, Workers, WorkerThreads
from edgewise.errors import InputError

if TYPE_CHECKING:
    from edgewise.evaluation import Failure, Header, OpenRefine, Outcome, Pair, Rival, Row

SOME_FAILED = 1
NOTHING_DONE = 2
GIVEN = "given masks"
"""What masks that were made elsewhere go by in tables of engines."""
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
    careful: Careful = False,
    names: list[str] = typer.Option(
        [engines.OWN],
        "--engine",
        help=f"{engines.HELP} May be repeated, to set others beside the first.",
    ),
    weights: Path | None = engines.WEIGHTS,
    baselines: bool | None = typer.Option(
        None, help=f"{engines.BASELINES}; default: where there is a --report."
    ),
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
    from edgewise.evaluation import Outcome, find_pairs, summarise
    from edgewise.evaluation.kept import with_kept

    wanted = bool(report) if baselines is None else baselines
    first_name, *others = engines.with_baselines(names) if wanted else names
    rows_of = [_results_of(results, name) for name in ("", *map(engines.label, others))]
    found = find_pairs(folders, refine_all=refine)
    read = [path for pair in found.pairs for path in pair.files.values()]
    check_outputs(*rows_of, json_file, csv_file, report=report, inputs=[*read, weights])
    _print_problems(found.problems)
    threads = threads or (1 if workers > 1 else None)
    choices = engines.Choices(
        weights=weights, model=model, threads=threads, device=device, careful=careful
    )
    opened = engines.find_engines([first_name, *others], choices)
    header = _header(found.pairs, opened[first_name], workers=workers, threads=threads)
    header = replace(header, fast=fast, hce=hce)
    chosen = _chosen(found.pairs, sets, limit)
    with _scratch(report) as scratch:
        work = _Work(workers=workers, results=results, scratch=scratch)
        first = opened.pop(first_name)
        rows, failures = work.scored(chosen, found.pairs, first, header)
        if not rows:
            typer.echo("edgewise: no pair could be scored", err=True)
            raise typer.Exit(NOTHING_DONE)
        rivals, others_failed = work.rivals(opened, found.pairs, rows, header)
        done = Outcome(
            name=engines.label(first_name) if header.engine else GIVEN,
            header=header,
            overview=summarise(rows, header.measured),
            rows=rows,
            failures=[*failures, *others_failed],
            problems=found.problems,
            rivals=rivals,
        )
        _write_files(done, json_file, csv_file)
        masks = work.masks()
        if report and masks:
            _write_report(report, done, with_kept(chosen, masks), first, work)
    _print_tables(done)
    if done.failed:
        typer.echo(f"{done.failed} failed", err=True)
        raise typer.Exit(SOME_FAILED)


def _write_files(done: "Outcome", json_file: Path | None, csv_file: Path | None) -> None:
    from edgewise.evaluation.exports import summary_values, write_csv, write_json

    if json_file:
        write_json(json_file, summary_values(done))
    if csv_file:
        write_csv(csv_file, done.rows, done.header.measured)


def _print_tables(done: "Outcome") -> None:
    from edgewise.cli.tables import engine_lines, overview_lines
    from edgewise.evaluation.outcome import side_by_side

    typer.echo(overview_lines(done.overview))
    groups = side_by_side(done)
    if groups:
        typer.echo(f"\n{engine_lines(groups)}")


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
    pairs: Iterable["Pair"], engine: "OpenRefine", *, workers: int, threads: int | None
) -> "Header":
    from edgewise.evaluation import Header

    refines = any(pair.refined is None for pair in pairs)
    return Header(
        engine=engine.describe() if refines else None,
        run={
            "workers": workers,
            "threads": threads or len(os.sched_getaffinity(0)),
            "machine": platform.machine(),
            "system": platform.system(),
        },
    )


@contextmanager
def _scratch(report: Path | None) -> Iterator[Path | None]:
    """A folder that lasts as long as a report takes; None without one."""
    if report is None:
        yield None
        return
    with TemporaryDirectory(prefix="edgewise-") as folder:
        yield Path(folder)


def _results_of(results: Path | None, name: str) -> Path | None:
    """The results file of another engine, run.grabcut.jsonl; of the first without a name."""
    if results is None or not name:
        return results
    return results.with_name(f"{results.stem}.{name}{results.suffix}")


@dataclass(frozen=True, kw_only=True)
class _Work:
    """How engines are run over pairs, and where their results and masks are kept.

    Attributes:
        workers: processes.
        results: the results file of the first engine; the others' are named after it.
        scratch: where masks are kept without one; None keeps none.
    """

    workers: int
    results: Path | None
    scratch: Path | None

    def masks(self, name: str = "") -> Path | None:
        """The folder of an engine's masks: beside its results, or as long as the report takes."""
        from edgewise.evaluation.pairs import KEPT

        results = _results_of(self.results, name)
        if results:
            return results.with_name(f"{results.name}{KEPT}")
        return self.scratch / (name or "first") if self.scratch else None

    def scored(
        self,
        chosen: Sequence["Pair"],
        pairs: Sequence["Pair"],
        engine: "OpenRefine",
        header: "Header",
        name: str = "",
    ) -> tuple[list["Row"], list["Failure"]]:
        """The chosen pairs' rows, those of the results file taken as they are; and the failures.

        Args:
            chosen: what to score.
            pairs: all that the results file may hold.
            engine: what refines.
            header: of the results file.
            name: of the engine, where it is not the first.
        """
        from edgewise.cli.progress import tracked
        from edgewise.evaluation import Failure, Results, evaluate
        from edgewise.evaluation.kept import keep_mask

        masks, failures = self.masks(name), []
        with Results(_results_of(self.results, name), header, pairs) as file:
            rows = [file.rows[pair.key] for pair in chosen if pair.key in file.rows]
            if rows:
                typer.echo(f"{len(rows)} pairs are in {file.path} already", err=True)
            left = [pair for pair in chosen if pair.key not in file.rows]
            outcomes = evaluate(
                left,
                engine,
                workers=self.workers,
                fast=header.fast,
                hce=header.hce,
                keep=partial(keep_mask, folder=masks) if masks else None,
            )
            with closing(outcomes):  # ends the workers, whatever went wrong here
                for outcome in tracked(outcomes, total=len(left), what=name or "evaluate"):
                    if isinstance(outcome, Failure):
                        failures.append(_named(outcome, name))
                        _print_failure(failures[-1])
                    else:
                        file.add(outcome)
                        rows.append(outcome)
        return rows, failures

    def rivals(
        self,
        opened: "Mapping[str, OpenRefine]",
        pairs: Sequence["Pair"],
        rows: Sequence["Row"],
        header: "Header",
    ) -> tuple[list["Rival"], list["Failure"]]:
        """What other engines make of the pairs that the first has scored, and their failures.

        Pairs without a photo or a coarse mask are left out.

        Args:
            opened: the engines by name.
            pairs: all pairs.
            rows: of the first engine.
            header: of the first engine.
        """
        from edgewise.evaluation import Rival, summarise

        refinable = [replace(pair, refined=None) for pair in pairs if pair.photo and pair.coarse]
        done = {row.key for row in rows}
        chosen = [pair for pair in refinable if pair.key in done]
        rivals, failed = [], []
        for name, engine in opened.items():
            label = engines.label(name)
            own = replace(header, engine=engine.describe(), fast=True, hce=False)
            found, failures = self.scored(chosen, refinable, engine, own, label)
            failed += failures
            if found:
                overview = summarise(found, own.measured)
                rivals.append(Rival(name=label, header=own, overview=overview, rows=found))
        return rivals, failed


def _write_report(
    path: Path, done: "Outcome", pairs: Sequence["Pair"], engine: "OpenRefine", work: _Work
) -> None:
    """Write the report; pairs that it shows are read, and refined where no mask was kept."""
    from edgewise.cli.progress import tracked
    from edgewise.evaluation.workers import each
    from edgewise.report import crop_pair, extremes, write_report

    ends = extremes(done.rows)
    chosen = [pair for pair in pairs if pair.key in ends.keys]
    kept = {rival.name: work.masks(rival.name) for rival in done.rivals}
    rivals = {name: folder for name, folder in kept.items() if folder}
    crop = partial(crop_pair, worst=ends.worst_keys, rivals=rivals)
    crops = each(crop, chosen, engine, workers=work.workers)
    by_key = {crop.key: crop for crop in tracked(crops, total=len(chosen), what="report")}
    write_report(path, done, by_key)


def _named(failure: "Failure", engine: str) -> "Failure":
    """A failure whose error names the engine, where it is not the first."""
    return replace(failure, error=f"{engine}: {failure.error}") if engine else failure


def _print_failure(failure: "Failure") -> None:
    name = "/".join(filter(None, (failure.set, failure.id, failure.source)))
    typer.echo(f"edgewise: {name}: {failure.error}", err=True)
