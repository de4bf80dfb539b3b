"""`edgewise batch`: many photos, from folders, buckets or a manifest."""

import json
from collections.abc import Callable, Iterable
from contextlib import closing
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from edgewise.cli.options import Careful, Device, Model, OverviewOnly, Soft
from edgewise.cli.outputs import check_apart, check_outputs
from edgewise.errors import InputError

if TYPE_CHECKING:
    from edgewise.batch import Engine, Folders, Manifest, Opener, Options, Result
    from edgewise.cli.pace import Pace

SOME_FAILED = 1
_LISTED = 100
_SHOWN = 20


class EngineName(StrEnum):
    """Where the jobs run."""

    PROCESS = "process"
    DASK = "dask"


def command(
    manifest: str | None = typer.Argument(
        None, help="A table of jobs: .csv, .jsonl or .parquet with photo, mask and output."
    ),
    photos: str | None = typer.Option(None, "--photos", help="A folder of photos."),
    masks: str | None = typer.Option(None, "--masks", help="A folder of masks, same stems."),
    output: str | None = typer.Option(
        None, "--output", "-o", help="The folder of refined masks that no row names otherwise."
    ),
    workers: int = typer.Option(1, "--workers", min=1, help="Processes, each opens the network."),
    threads: int = typer.Option(1, "--threads", min=1, help="Threads of a process."),
    engine: EngineName = typer.Option(
        EngineName.PROCESS, "--engine", help="Run in processes here or on a Dask cluster."
    ),
    scheduler: str | None = typer.Option(
        None, "--scheduler", help="Dask's, tcp://HOST:8786; default: a cluster of --workers here."
    ),
    ledger: Path | None = typer.Option(
        None,
        "--ledger",
        help="Where to note what is done; default: in the output folder, or beside the manifest.",
    ),
    timeout: float | None = typer.Option(
        None, "--timeout", help="Seconds after which a photo counts as hung; default: never."
    ),
    retries: int = typer.Option(2, "--retries", min=0, help="More tries where one may help."),
    checksum: bool = typer.Option(
        False, "--checksum", help="Tell changed inputs by their content, not by size and time."
    ),
    again: bool = typer.Option(False, "--again", help="Make outputs anew that are up to date."),
    retry_failed: bool = typer.Option(
        False, "--retry-failed", help="Try again what an earlier run gave up."
    ),
    soft: Soft = False,
    overview_only: OverviewOnly = False,
    careful: Careful = False,
    model: Model = "default",
    device: Device = "cpu",
    memory: str | None = typer.Option(
        None, "--memory", help="Memory of a worker, from 500MB; larger photos are read by region."
    ),
    quiet: bool = typer.Option(False, "--quiet", "-q", help="Show no progress and no failures."),
    json_file: Path | None = typer.Option(None, "--json", help="Write a summary as JSON."),
) -> None:
    """Refine many photos; the same command goes on where a run was ended or killed.

    Local paths and URLs (s3://, gs://, http://, ...) may be mixed; URLs, Parquet and Dask take
    `pip install 'edgewise[batch]'`. Ends with status 1 where some photo failed.
    """
    from edgewise.batch import Options, Rules, check, run
    from edgewise.cli.pace import Pace

    options = Options(soft=soft, overview_only=overview_only)
    jobs = _jobs(manifest, photos, masks, output, options)
    where = ledger or _ledger(manifest, output)
    runs_on = _engine(engine, scheduler, workers, timeout)
    rules = Rules(retries=retries, checksum=checksum, again=again, retry_failed=retry_failed)
    _check_files(json_file, where, manifest)
    opener = open_network(model, threads, device, memory, careful=careful)
    total = check(jobs)
    if not total:
        raise InputError(f"{manifest or photos}: no photos there")
    pace = Pace(total)
    results = run(jobs, engine=runs_on, opener=opener, ledger=where, rules=rules)
    summary = _Summary(pace, opener, where)
    try:
        with closing(results):  # ends the workers, whatever went wrong here
            _follow(results, summary, quiet=quiet)
        summary.ended = "whole"
    finally:
        if json_file:
            summary.write(json_file)
    typer.echo(f"{summary}: {where}", err=True)
    if pace.failed:
        raise typer.Exit(SOME_FAILED)


def open_network(
    model: str, threads: int, device: str, memory: str | None, *, careful: bool = False
) -> "Opener":
    """What each worker opens."""
    from edgewise.batch.bounded import Bounded
    from edgewise.engines import NetworkEngine
    from edgewise.large import bytes_of, fits

    bound = None if memory is None else bytes_of(memory)
    if bound is not None:
        fits((1, 1), bound)  # refuses what is too little for any photo, before the first
    return Bounded(
        NetworkEngine(model=model, threads=threads, device=device, careful=careful), bound
    )


def _jobs(
    manifest: str | None,
    photos: str | None,
    masks: str | None,
    output: str | None,
    options: "Options",
) -> "Folders | Manifest":
    from edgewise.batch import Folders, Manifest

    if manifest and not (photos or masks):
        return Manifest(manifest, output, options)
    if manifest or not (photos and masks and output):
        raise InputError("give a MANIFEST, or --photos FOLDER --masks FOLDER --output FOLDER")
    return Folders(photos, masks, output, options)


def _ledger(manifest: str | None, output: str | None) -> Path:
    """Where the ledger is unless the user says."""
    from edgewise.batch.stores import local_path

    folder = None if output is None else local_path(output)
    if folder is not None:
        return folder / "edgewise-batch.jsonl"
    table = None if manifest is None else local_path(manifest)
    if table is not None and output is None:
        return table.with_name(f"{table.name}.ledger.jsonl")
    raise InputError("the output is no local folder; give --ledger FILE to note what is done")


def _engine(
    name: EngineName, scheduler: str | None, workers: int, timeout: float | None
) -> "Engine":
    from edgewise.batch import Dask, Processes

    if name is EngineName.DASK:
        return Dask(scheduler=scheduler, workers=workers, timeout=timeout)
    if scheduler:
        raise InputError(f"--scheduler {scheduler} is for --engine dask")
    return Processes(workers=workers, timeout=timeout)


def _check_files(summary: Path | None, ledger: Path, manifest: str | None) -> None:
    """Raise before a long run what would be raised after it, or be lost by it."""
    from edgewise.batch.stores import local_path

    table = None if manifest is None else local_path(manifest)
    check_apart(filter(None, (summary, ledger)), filter(None, (table,)))
    check_outputs(summary)


class _Summary:
    """What came of all jobs; of failures, the first ones, as the ledger has them all."""

    def __init__(self, pace: "Pace", opener: "Opener", ledger: Path) -> None:
        self.ended = "early"
        self.pace, self._opener, self._ledger = pace, opener, ledger
        self.counts = {"done": 0, "current": 0, "failed": 0}
        self._failures: list[dict[str, str | None]] = []

    def add(self, result: "Result") -> None:
        self.counts[result.status] += 1
        self.pace.count(failed=result.status == "failed", worked=result.attempts > 0)
        if result.status == "failed" and len(self._failures) < _LISTED:
            job = result.job
            row = {"photo": job.photo, "mask": job.mask, "output": job.output}
            self._failures.append({**row, "error": result.error})

    def write(self, path: Path) -> None:
        from edgewise.files import atomic_path

        values = {
            "ended": self.ended,
            "jobs": self.pace.total,
            **self.counts,
            "seconds": round(self.pace.seconds, 3),
            "per_second": round(self.pace.worked / max(self.pace.seconds, 1e-9), 4),
            "failures": self._failures,
            "ledger": str(self._ledger),
            "engine": self._opener.describe(),
        }
        with atomic_path(path) as temporary:
            temporary.write_text(json.dumps(values, indent=2) + "\n", encoding="utf-8")

    def __str__(self) -> str:
        """In a line."""
        done, current, failed = (self.counts[name] for name in ("done", "current", "failed"))
        return f"{done} refined, {current} up to date, {failed} failed"


def _follow(results: Iterable["Result"], summary: _Summary, *, quiet: bool) -> None:
    """Take all results, showing how it goes."""
    from edgewise.cli.pace import PaceDisplay

    with PaceDisplay(summary.pace, quiet=quiet) as display:
        for result in results:
            summary.add(result)
            if not quiet:
                _say(result, summary.counts["failed"], display.say)
            display.update()


def _say(result: "Result", failures: int, say: Callable[[str], None]) -> None:
    """A line on what failed or is odd; of failures the first ones."""
    for warning in result.warnings:
        say(f"edgewise: {result.job.mask}: {warning}")
    if result.status == "failed" and failures <= _SHOWN:
        say(f"edgewise: {result.error}")
    if result.status == "failed" and failures == _SHOWN:
        say("edgewise: further failures are in the ledger")
