"""`edgewise benchmark run`: the published tables, with lines measured here."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import typer

from edgewise.errors import InputError

if TYPE_CHECKING:
    from edgewise.benchmarks.figures import Figure
    from edgewise.benchmarks.run import InputSet, Job
    from edgewise.benchmarks.store import Store
    from edgewise.benchmarks.tables import Table
    from edgewise.evaluation import Failure, Header, NetworkEngine, OpenRefine, Pair, Row

Result = TypeVar("Result")

SOME_FAILED = 1
NOTHING_DONE = 2


def command(
    datasets: list[str] = typer.Argument(
        None, metavar="[DATASET]...", help="big, pascal, ade20k; default: what is here."
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
        help="Score others' results too: DIR/big-pspnet/<name>_mask.png. May be repeated.",
    ),
    refine: bool = typer.Option(True, "--refine/--no-refine", help="Or score given masks alone."),
    json_file: Path | None = typer.Option(None, "--json", help="Write all figures as JSON."),
    csv_file: Path | None = typer.Option(None, "--csv", help="Write a line a figure as CSV."),
    report: Path | None = typer.Option(
        None, "--report", help="Write the tables, and where objects gained and lost, as HTML."
    ),
    workers: int = typer.Option(1, "--workers", min=1, help="Processes, of one thread each."),
    threads: int | None = typer.Option(
        None, "--threads", min=1, help="Threads of a process; default: all cores, or 1 a worker."
    ),
    model: str = typer.Option("default", "--model", help="A network of `edgewise models`."),
    device: str = typer.Option("cpu", "--device", help="cpu, or cuda with onnxruntime-gpu."),
    limit: int | None = typer.Option(None, "--limit", min=1, help="Only the first N photos."),
    reference_quirks: bool = typer.Option(
        False, "--reference-quirks", help="Count ADE20K's classes as the reference did, by mistake."
    ),
) -> None:
    """Refine the input sets that are here, and print the published tables with the results.

    Tables are Markdown. Results published or given with --masks are scored beside. Goes
    on where it was interrupted. Ends with status 1 where some object failed.
    """
    from edgewise.benchmarks.figures import published
    from edgewise.benchmarks.run import BINARY
    from edgewise.benchmarks.store import Store
    from edgewise.benchmarks.tables import markdown, table, write_csv
    from edgewise.cli.outputs import check_outputs
    from edgewise.evaluation import NetworkEngine

    check_outputs(json_file, csv_file, report=report)
    store = Store(root)
    sets = _sets(store, datasets or [], [name for name in inputs.split(",") if name])
    if report and not (refine and any(one.dataset in BINARY for one in sets)):
        raise InputError(f"--report {report}: shows objects of BIG and PASCAL as they are refined")
    jobs = _jobs(sets, store, output, masks, refine=refine)
    threads = threads or (1 if workers > 1 else None)
    runner = _Runner(
        engine=NetworkEngine(model=model, threads=threads, device=device),
        run={"workers": workers, "threads": threads},
        workers=workers,
        limit=limit,
        reference_quirks=reference_quirks,
    )
    names = list(dict.fromkeys(one.dataset for one in sets))
    figures = _measured(jobs, runner)
    header = runner.header(runner.engine if refine else None)
    everything = [*published(names), *figures]
    if csv_file:
        write_csv(csv_file, everything)
    if json_file:
        _write_json(json_file, everything, runner.failures, header)
    tables = [table(name, everything, about=_about(header)) for name in names]
    typer.echo("\n\n".join(map(markdown, tables)))
    if report and runner.rows:
        _write_report(report, runner, header, tables)
    _exit(figures, runner.failures)


def _sets(store: "Store", datasets: Sequence[str], asked: Sequence[str]) -> list["InputSet"]:
    """The input sets to run."""
    from edgewise.benchmarks.catalog import datasets as known
    from edgewise.benchmarks.run import input_sets

    if datasets:
        sets = [one for name in datasets for one in input_sets(store, name, asked)]
    else:
        here = [one for name in known() for one in input_sets(store, name)]
        sets = [one for one in here if not asked or one.network in asked]
    found = {one.network for one in sets}
    missing = [name for name in asked if name not in found]
    if missing or not sets:
        wanted = (
            f"of {' or '.join(missing)}" if missing else f"for {' or '.join(datasets or known())}"
        )
        raise InputError(
            f"no input set {wanted} is on this machine; `edgewise benchmark list` has their "
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
    """What to do: what others published and made, then our own."""
    from edgewise.benchmarks.run import SCENES, own_job, published_jobs
    from edgewise.benchmarks.scene_run import own_scenes, published_scenes

    objects = [one for one in sets if one.dataset != SCENES]
    scenes = [one for one in sets if one.dataset == SCENES]
    jobs: list[Job] = [
        *published_jobs(objects, store, output),
        *published_scenes(scenes, store, output),
        *_given(sets, store, output, masks),
    ]
    if refine:
        jobs += [own_job(one, store, output) for one in objects]
        jobs += [own_scenes(one, store, output) for one in scenes]
    if not jobs:
        raise InputError("nothing to score: no published results are here; give --masks NAME=DIR")
    return jobs


def _given(
    sets: Sequence["InputSet"], store: "Store", output: Path, masks: Sequence[str]
) -> Iterator["Job"]:
    from edgewise.benchmarks.run import SCENES, given_job
    from edgewise.benchmarks.scene_run import given_scenes

    for name, folder in map(_named_folder, masks):
        found = [one for one in sets if (folder / one.name).is_dir()]
        if not found:
            expected = ", ".join(one.name for one in sets)
            raise InputError(f"{folder}: no folder of masks in it; expected {expected}")
        for one in found:
            take = given_scenes if one.dataset == SCENES else given_job
            yield take(one, name, folder / one.name, store, output)


def _named_folder(text: str) -> tuple[str, Path]:
    name, equals, folder = text.partition("=")
    if not (name and equals and folder):
        raise InputError(f"--masks {text}: expected NAME=DIR, such as CRM=~/crm")
    return name, Path(folder).expanduser()


@dataclass
class _Runner:
    """How jobs are done, and what failed."""

    engine: "NetworkEngine"
    run: dict[str, str | int | None]
    workers: int
    limit: int | None
    reference_quirks: bool
    failures: list["Failure"] = field(default_factory=list)
    rows: list["Row"] = field(default_factory=list)
    """Of the masks made here."""
    pairs: list["Pair"] = field(default_factory=list)
    """With these masks."""

    def header(self, engine: "OpenRefine | None") -> "Header":
        from edgewise.evaluation import Header

        return Header(engine=engine.describe() if engine else None, fast=True, run=self.run)

    def figures(self, job: "Job") -> list["Figure"]:
        """Do a job: its figures."""
        from edgewise.benchmarks import scene_run
        from edgewise.benchmarks.figures import measured
        from edgewise.benchmarks.run import OWN, with_masks, work

        workers, limit = self.workers, self.limit
        if isinstance(job, scene_run.SceneJob):
            job = replace(job, reference_quirks=self.reference_quirks)
            opener = scene_run.SceneEngine(network=self.engine)
            header = self.header(opener if job.method == OWN else None)
            results = scene_run.work_scenes(job, opener, header, workers=workers, limit=limit)
            return scene_run.measured_scenes(job, self._succeeded(job, results))
        header = self.header(self.engine if job.method == OWN else None)
        done = work(job, self.engine, header, workers=workers, limit=limit)
        rows = list(self._succeeded(job, done))
        if job.method == OWN:
            self.rows += rows
            self.pairs += with_masks(job)
        inputs = job.inputs
        return list(measured(inputs.dataset, inputs.network, job.method, rows)) if rows else []

    def _succeeded(self, job: "Job", results: Iterator["Result | Failure"]) -> Iterator[Result]:
        """The results but for failures, which are told; with a progress bar."""
        from edgewise.cli.progress import tracked
        from edgewise.evaluation import Failure

        what = f"{job.inputs.name}, {job.method}"
        for one in tracked(results, total=len(job.pairs[: self.limit]), what=what):
            if isinstance(one, Failure):
                self.failures.append(one)
                typer.echo(f"edgewise: {what}: {one.id}: {one.error}", err=True)
            else:
                yield one


def _measured(jobs: Sequence["Job"], runner: _Runner) -> list["Figure"]:
    """The figures of all jobs, those of a set's coarse masks once: of the last job."""
    figures: dict[tuple[str, str], Figure] = {}
    for job in jobs:
        for one in runner.figures(job):
            figures[job.inputs.name, one.method] = one
    return list(figures.values())


def _about(header: "Header") -> str:
    """What measured, for whom the table is shown to."""
    if header.engine is None:
        return f"scored by edgewise {header.edgewise}"
    model, digest = (header.engine.get(key, "") for key in ("model", "sha256"))
    return f"edgewise: version {header.edgewise}, network {model} (sha256 {digest[:12]})"


def _write_report(path: Path, runner: _Runner, header: "Header", tables: Sequence["Table"]) -> None:
    """Write the tables and what became of objects, from the masks that were kept."""
    from edgewise import report
    from edgewise.evaluation import Outcome, summarise

    done = Outcome(
        header=header,
        overview=summarise(runner.rows, header.measured),
        rows=runner.rows,
        failures=runner.failures,
    )
    ends = report.extremes(done.rows)
    crops = {
        pair.key: report.crop_pair(pair, None, worst=ends.worst_keys)
        for pair in runner.pairs
        if pair.key in ends.keys
    }
    further = [report.Table(title=one.title, lines=one.lines, notes=one.notes) for one in tables]
    report.write_report(path, done, crops, tables=further)


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
