"""`edgewise benchmark run`: the published tables, with lines measured here."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar, cast

import typer

from edgewise.cli import engines
from edgewise.cli.options import Device, Model, Workers, WorkerThreads
from edgewise.errors import InputError

if TYPE_CHECKING:
    from edgewise.benchmarks.figures import Figure
    from edgewise.benchmarks.run import InputSet, Job
    from edgewise.benchmarks.scene_run import SceneJob
    from edgewise.benchmarks.store import Store
    from edgewise.benchmarks.tables import Table
    from edgewise.evaluation import Failure, Header, NetworkEngine, OpenRefine, Pair, Rival, Row

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
    workers: Workers = 1,
    threads: WorkerThreads = None,
    model: Model = "default",
    device: Device = "cpu",
    engine: list[str] = typer.Option(
        [engines.OWN], "--engine", help=f"{engines.HELP} May be repeated, for a line each."
    ),
    baselines: bool = typer.Option(True, help=f"{engines.BASELINES}."),
    weights: Path | None = engines.WEIGHTS,
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

    store = Store(root)
    sets = _sets(store, datasets or [], [name for name in inputs.split(",") if name])
    if report and not (refine and any(one.dataset in BINARY for one in sets)):
        raise InputError(f"--report {report}: shows objects of BIG and PASCAL as they are refined")
    names = engines.with_baselines(engine) if baselines else engine
    jobs = _jobs(sets, store, output, masks, methods=_methods(names) if refine else ())
    read = [path for job in jobs for pair in job.pairs for path in pair.files.values()]
    check_outputs(json_file, csv_file, report=report, inputs=[*read, weights])
    threads = threads or (1 if workers > 1 else None)
    choices = engines.Choices(weights=weights, model=model, threads=threads, device=device)
    found = engines.find_engines(names, choices) if refine else {}
    runner = _Runner(
        engines={engines.label(name): opener for name, opener in found.items()},
        run={"workers": workers, "threads": threads},
        workers=workers,
        limit=limit,
        reference_quirks=reference_quirks,
    )
    known = list(dict.fromkeys(one.dataset for one in sets))
    figures = _measured(jobs, runner)
    header = runner.header(runner.first)
    everything = [*published(known), *figures]
    if csv_file:
        write_csv(csv_file, everything)
    if json_file:
        _write_json(json_file, everything, runner, header)
    tables = [table(name, everything, about=_about(header, runner)) for name in known]
    typer.echo("\n\n".join(map(markdown, tables)))
    if report and runner.rows.get(runner.main):
        _write_report(report, runner, header, tables)
    elif report:
        typer.echo(f"edgewise: {report}: not written, as {runner.main} made nothing", err=True)
    _exit(figures, runner.failures)


def _methods(names: Sequence[str]) -> list[str]:
    return [engines.label(name) for name in names]


def _sets(store: "Store", datasets: Sequence[str], asked: Sequence[str]) -> list["InputSet"]:
    """The input sets to run."""
    from edgewise.benchmarks.catalog import datasets as known
    from edgewise.benchmarks.run import input_sets

    if datasets:
        sets = [one for name in dict.fromkeys(datasets) for one in input_sets(store, name, asked)]
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
    methods: Sequence[str],
) -> list["Job"]:
    """What to do: what others published and made, then what engines make here."""
    from edgewise.benchmarks.run import SCENES, check_folder, engine_job, own_job, published_jobs
    from edgewise.benchmarks.scene_run import engine_scenes, own_scenes, published_scenes

    objects = [one for one in sets if one.dataset != SCENES]
    scenes = [one for one in sets if one.dataset == SCENES]
    jobs: list[Job] = [
        *published_jobs(objects, store, output),
        *published_scenes(scenes, store, output),
        *_given(sets, store, output, masks),
    ]
    for method in methods:
        if method == engines.OWN:
            jobs += [own_job(one, store, output) for one in objects]
            jobs += [own_scenes(one, store, output) for one in scenes]
            continue
        jobs += [engine_job(one, method, store, output) for one in objects]
        jobs += [engine_scenes(one, method, store, output) for one in scenes]
    _check_names(jobs)
    for job in jobs:
        check_folder(job)
    if not jobs:
        raise InputError("nothing to score: no published results are here; give --masks NAME=DIR")
    return jobs


def _check_names(jobs: Sequence["Job"]) -> None:
    """Raise InputError where two jobs would be one line of the table."""
    seen = set()
    for job in jobs:
        if (job.inputs, job.method) in seen:
            raise InputError(f"{job.method!r} names two results of {job.inputs.name}; rename one")
        seen.add((job.inputs, job.method))


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

    engines: "dict[str, OpenRefine]"
    run: dict[str, str | int | None]
    workers: int
    limit: int | None
    reference_quirks: bool
    failures: list["Failure"] = field(default_factory=list)
    rows: dict[str, list["Row"]] = field(default_factory=dict)
    """Of the masks that each engine made of objects."""
    pairs: list["Pair"] = field(default_factory=list)
    """With the masks of the first engine."""
    masks: dict[str, Path] = field(default_factory=dict)
    """The folders of each engine's masks."""

    @property
    def main(self) -> str:
        """The engine whose results the report shows in full; "" where nothing is refined."""
        return next(iter(self.engines), "")

    @property
    def first(self) -> "OpenRefine | None":
        """That engine."""
        return self.engines.get(self.main)

    def header(self, engine: "OpenRefine | None") -> "Header":
        from edgewise.evaluation import Header

        return Header(engine=engine.describe() if engine else None, fast=True, run=self.run)

    def figures(self, job: "Job") -> list["Figure"]:
        """Do a job: its figures."""
        from edgewise.benchmarks import scene_run
        from edgewise.benchmarks.figures import measured
        from edgewise.benchmarks.run import with_masks, work

        engine = self.engines[job.method] if job.makes else None
        if isinstance(job, scene_run.SceneJob):
            return self._scene_figures(job, engine)
        done = work(job, engine, self.header(engine), workers=self.workers, limit=self.limit)
        rows = list(self._succeeded(job, done))
        if engine and rows:
            self.rows.setdefault(job.method, []).extend(rows)
            self.masks[job.method] = job.folder.parent
        if engine and job.method == self.main:
            self.pairs += with_masks(job)
        inputs = job.inputs
        return list(measured(inputs.dataset, inputs.network, job.method, rows)) if rows else []

    def _scene_figures(self, job: "SceneJob", engine: "OpenRefine | None") -> list["Figure"]:
        from edgewise.benchmarks import scene_run

        job = replace(job, reference_quirks=self.reference_quirks)
        opener: OpenRefine | None = None
        if engine and job.method == engines.OWN:
            opener = scene_run.SceneEngine(network=cast("NetworkEngine", engine))
        elif engine:
            opener = scene_run.PiecesEngine(engine=engines.for_pieces(engine))
        results = scene_run.work_scenes(
            job, opener, self.header(opener), workers=self.workers, limit=self.limit
        )
        return scene_run.measured_scenes(job, self._succeeded(job, results))

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


def _about(header: "Header", runner: _Runner) -> str:
    """What measured, for whom the table is shown to."""
    if not runner.engines:
        return f"scored by edgewise {header.edgewise}"
    lines = [f"edgewise: version {header.edgewise}"]
    for method, engine in runner.engines.items():
        described = engine.describe()
        network = f"network {described['model']} " if "model" in described else ""
        before = "" if method == engines.OWN else f"{method}: "
        lines.append(f"{before}{network}(sha256 {described.get('sha256', '')[:12]})")
    return ", ".join(lines)


def _write_report(path: Path, runner: _Runner, header: "Header", tables: Sequence["Table"]) -> None:
    """Write the tables and what became of objects, from the masks that were kept."""
    from edgewise import report
    from edgewise.evaluation import Outcome, summarise

    rows = runner.rows[runner.main]
    done = Outcome(
        name=runner.main,
        header=header,
        overview=summarise(rows, header.measured),
        rows=rows,
        failures=runner.failures,
        rivals=_rivals(runner),
    )
    ends = report.extremes(done.rows)
    folders = {rival.name: runner.masks[rival.name] for rival in done.rivals}
    crops = {
        pair.key: report.crop_pair(pair, None, worst=ends.worst_keys, rivals=folders)
        for pair in runner.pairs
        if pair.key in ends.keys
    }
    further = [report.Table(title=one.title, lines=one.lines, notes=one.notes) for one in tables]
    report.write_report(path, done, crops, tables=further)


def _rivals(runner: _Runner) -> list["Rival"]:
    """What the engines beside the first made of objects."""
    from edgewise.evaluation import Rival, summarise

    headers = {name: runner.header(engine) for name, engine in runner.engines.items()}
    return [
        Rival(
            name=name,
            header=headers[name],
            overview=summarise(rows, headers[name].measured),
            rows=rows,
        )
        for name, rows in runner.rows.items()
        if name != runner.main
    ]


def _write_json(path: Path, figures: Sequence["Figure"], runner: _Runner, header: "Header") -> None:
    from dataclasses import asdict

    from edgewise.benchmarks.figures import sources
    from edgewise.evaluation.exports import write_json

    used = {one.source for one in figures}
    values = {
        "format": 1,
        "edgewise": header.edgewise,
        "engine": header.engine,
        "engines": {method: engine.describe() for method, engine in runner.engines.items()},
        "libraries": header.libraries,
        "run": header.run,
        "figures": [one.to_dict() for one in figures],
        "sources": {key: asdict(row) for key, row in sources().items() if key in used},
        "failures": [asdict(one) for one in runner.failures],
    }
    write_json(path, values)


def _exit(figures: Sequence["Figure"], failures: Sequence["Failure"]) -> None:
    if not figures:
        typer.echo("edgewise: no object could be scored", err=True)
        raise typer.Exit(NOTHING_DONE)
    if failures:
        typer.echo(f"{len(failures)} failed", err=True)
        raise typer.Exit(SOME_FAILED)
