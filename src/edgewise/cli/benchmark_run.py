"""`edgewise benchmark run`: the published tables, with lines measured here."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from edgewise.errors import InputError, OutputError

if TYPE_CHECKING:
    from edgewise.benchmarks.figures import Figure
    from edgewise.benchmarks.run import InputSet, Job
    from edgewise.benchmarks.store import Store
    from edgewise.evaluation import Failure, Header, OpenRefine, Row

SOME_FAILED = 1
NOTHING_DONE = 2


def command(
    datasets: list[str] = typer.Argument(
        None, metavar="[DATASET]...", help="big, pascal; default: both, as far as they are here."
    ),
    inputs: str = typer.Option(
        "", "--inputs", help="Networks, such as pspnet,fcn8s; default: all that are here."
    ),
    output: Path = typer.Option(
        Path("edgewise-benchmark"), "--output", "-o", help="The folder for masks and scores."
    ),
    root: Path | None = typer.Option(
        None, "--root", help="Where the data lie; default: as for the other commands."
    ),
    masks: list[str] = typer.Option(
        [],
        "--masks",
        metavar="NAME=DIR",
        help="Score masks that you have too: DIR/big-pspnet/<name>_mask.png. May be repeated.",
    ),
    refine: bool = typer.Option(True, "--refine/--no-refine", help="Or score given masks alone."),
    json_file: Path | None = typer.Option(None, "--json", help="Write all figures as JSON."),
    csv_file: Path | None = typer.Option(None, "--csv", help="Write a line a figure as CSV."),
    workers: int = typer.Option(1, "--workers", min=1, help="Processes, of one thread each."),
    threads: int | None = typer.Option(
        None, "--threads", min=1, help="Threads of a process; default: all cores, or 1 a worker."
    ),
    model: str = typer.Option("default", "--model", help="A network of `edgewise models`."),
    device: str = typer.Option("cpu", "--device", help="cpu, or cuda with onnxruntime-gpu."),
    limit: int | None = typer.Option(None, "--limit", min=1, help="Only the first N objects."),
) -> None:
    """Refine the input sets that are here, and print the published tables with the results.

    Tables are Markdown. Masks of results published or given with --masks are scored beside. Goes
    on where it was interrupted. Ends with status 1 where some object failed.
    """
    from edgewise.benchmarks.figures import published
    from edgewise.benchmarks.store import Store
    from edgewise.benchmarks.tables import markdown, write_csv
    from edgewise.evaluation import Header, NetworkEngine

    _check_outputs(json_file, csv_file)
    store = Store(root)
    sets = _sets(store, datasets or [], [name for name in inputs.split(",") if name])
    jobs = _jobs(sets, store, output, masks, refine=refine)
    threads = threads or (1 if workers > 1 else None)
    engine = NetworkEngine(model=model, threads=threads, device=device)
    header = Header(
        engine=engine.describe() if refine else None,
        fast=True,
        run={"workers": workers, "threads": threads},
    )
    names = list(dict.fromkeys(one.dataset for one in sets))
    figures, failures = _measured(jobs, engine, header, workers, limit)
    everything = [*published(names), *figures]
    if csv_file:
        write_csv(csv_file, everything)
    if json_file:
        _write_json(json_file, everything, failures, header)
    about = _about(header)
    typer.echo("\n\n".join(markdown(name, everything, about=about) for name in names))
    _exit(figures, failures)


def _check_outputs(*paths: Path | None) -> None:
    """Raise before a long run what would be raised after it."""
    for path in paths:
        if path and not path.resolve().parent.is_dir():
            raise OutputError(f"{path}: cannot be written: there is no folder {path.parent}")


def _sets(store: "Store", datasets: Sequence[str], asked: Sequence[str]) -> list["InputSet"]:
    """The input sets to run."""
    from edgewise.benchmarks.run import BINARY, input_sets

    sets = [one for name in datasets or BINARY for one in input_sets(store, name, asked)]
    if not sets:
        wanted = " or ".join(datasets or BINARY)
        raise InputError(
            f"no input set of {wanted} is on this machine; `edgewise benchmark list` has their "
            "names, and `fetch`, `import` and `inputs` bring them"
        )
    return sets


def _jobs(
    sets: Sequence["InputSet"],
    store: "Store",
    output: Path,
    masks: Sequence[str],
    *,
    refine: bool,
) -> list["Job"]:
    """What to do: published and given masks, then our own."""
    from edgewise.benchmarks.run import given_job, own_job, published_jobs

    jobs = published_jobs(sets, store, output)
    for name, folder in map(_named_folder, masks):
        found = [one for one in sets if (folder / one.name).is_dir()]
        if not found:
            expected = ", ".join(one.name for one in sets)
            raise InputError(f"{folder}: no folder of masks in it; expected {expected}")
        jobs += [given_job(one, name, folder / one.name, store, output) for one in found]
    if refine:
        jobs += [own_job(one, store, output) for one in sets]
    if not jobs:
        raise InputError("nothing to score: no published results are here; give --masks NAME=DIR")
    return jobs


def _named_folder(text: str) -> tuple[str, Path]:
    name, equals, folder = text.partition("=")
    if not (name and equals and folder):
        raise InputError(f"--masks {text}: expected NAME=DIR, such as CRM=~/crm")
    return name, Path(folder).expanduser()


def _measured(
    jobs: Sequence["Job"],
    engine: "OpenRefine",
    header: "Header",
    workers: int,
    limit: int | None,
) -> tuple[list["Figure"], list["Failure"]]:
    """The figures of all jobs, those of a set's coarse masks once; and the failures."""
    from edgewise.benchmarks.figures import measured
    from edgewise.benchmarks.run import work
    from edgewise.cli.progress import tracked
    from edgewise.evaluation import Failure

    figures: dict[tuple[str, str], Figure] = {}
    failures: list[Failure] = []
    for job in jobs:
        rows: list[Row] = []
        total = len(job.pairs[:limit])
        what = f"{job.inputs.name}, {job.method}"
        done = work(job, engine, header, workers=workers, limit=limit)
        for one in tracked(done, total=total, what=what):
            if isinstance(one, Failure):
                failures.append(one)
                typer.echo(f"edgewise: {what}: {one.id}: {one.error}", err=True)
            else:
                rows.append(one)
        if rows:
            for figure in measured(job.inputs.dataset, job.inputs.network, job.method, rows):
                figures[job.inputs.name, figure.method] = figure
    return list(figures.values()), failures


def _about(header: "Header") -> str:
    """What measured, for whom the table is shown to."""
    if header.engine is None:
        return f"scored by edgewise {header.edgewise}"
    model, digest = (header.engine.get(key, "") for key in ("model", "sha256"))
    return f"edgewise: version {header.edgewise}, network {model} (sha256 {digest[:12]})"


def _write_json(
    path: Path, figures: Sequence["Figure"], failures: Sequence["Failure"], header: "Header"
) -> None:
    from dataclasses import asdict

    from edgewise.benchmarks.figures import sources
    from edgewise.evaluation.exports import write_json

    used = {one.source for one in figures}
    values = {
        "format": 1,
        "edgewise": header.edgewise,
        "engine": header.engine,
        "libraries": header.libraries,
        "run": header.run,
        "figures": [one.to_dict() for one in figures],
        "sources": {key: asdict(row) for key, row in sources().items() if key in used},
        "failures": [asdict(one) for one in failures],
    }
    write_json(path, values)


def _exit(figures: Sequence["Figure"], failures: Sequence["Failure"]) -> None:
    if not figures:
        typer.echo("edgewise: no object could be scored", err=True)
        raise typer.Exit(NOTHING_DONE)
    if failures:
        typer.echo(f"{len(failures)} failed", err=True)
        raise typer.Exit(SOME_FAILED)
