"""`edgewise benchmark`: the published benchmark's data on this machine."""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from edgewise.cli import benchmark_run
from edgewise.errors import InputError
from edgewise.files import make_folder

if TYPE_CHECKING:
    from edgewise.benchmarks.catalog import Row
    from edgewise.benchmarks.store import Store

FOUND_WRONG = 1

app = typer.Typer(
    help="The published benchmark: BIG, relabeled PASCAL VOC 2012, ADE20K and their input sets.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

app.command("run")(benchmark_run.command)

_Root = typer.Option(
    None, "--root", help="Where the data lie; default: $EDGEWISE_BENCHMARKS, else a cache folder."
)
_Names = typer.Argument(..., help="Names of `edgewise benchmark list`.")


@app.command("list")
def list_rows(
    name: str | None = typer.Argument(None, help="One row, with its links and layout."),
    root: Path | None = _Root,
    as_json: bool = typer.Option(False, "--json", help="Everything, for programs."),
) -> None:
    """What was published, and what of it is on this machine."""
    from edgewise.benchmarks.catalog import find, rows
    from edgewise.benchmarks.store import Store

    store = Store(root)
    chosen = [find(name)] if name else list(rows().values())
    if as_json:
        typer.echo(json.dumps([_as_dict(row, store) for row in chosen], indent=2))
        return
    here = [_presence(row, store) for row in chosen]
    names, states = max(len(row.name) for row in chosen), max(map(len, here))
    for row, state in zip(chosen, here, strict=True):
        typer.echo(f"{row.name:{names}}  {state:{states}}  {row.title}: {row.about}")
        if name:
            _print_details(row, store)
    typer.echo(f"below {store.root}", err=True)


@app.command("fetch")
def fetch_rows(
    names: list[str] = _Names,
    root: Path | None = _Root,
    accept_terms: bool = typer.Option(
        False, "--accept-terms", help="Accept the terms, such as non-commercial use."
    ),
    again: bool = typer.Option(False, "--again", help="Fetch though it is here already."),
    new_checksum: bool = typer.Option(
        False, "--new-checksum", help="Take a file that has changed since it was first fetched."
    ),
    keep_downloads: bool = typer.Option(False, "--keep-downloads", help="Keep the archives."),
    drive_url: str = typer.Option(
        "https://drive.google.com", "--drive-url", help="Where Drive answers; for a mirror."
    ),
) -> None:
    """Download from the published links, and go on where a download broke off."""
    from edgewise.benchmarks.catalog import find
    from edgewise.benchmarks.fetch import Options, fetch
    from edgewise.benchmarks.store import Store
    from edgewise.benchmarks.web import Web

    store = Store(root)
    for row in [find(name) for name in names]:
        options = Options(
            accept_terms=accept_terms or _asked(row, store, again=again),
            again=again,
            new_checksum=new_checksum,
            keep_downloads=keep_downloads,
        )
        with Web(drive_url=drive_url) as web, _transfer() as progress:
            done = fetch(row, store, web, options=options, progress=progress)
        for failure in done.failures:
            typer.echo(f"edgewise: {failure}; took the backup", err=True)
        what = f"{done.files} files from {done.link}" if done.files else "here already"
        typer.echo(f"{row.name}: {what}; {_presence(row, store)}: {store.folder(row)}")


@app.command("import")
def import_row(
    name: str = typer.Argument(..., help="A name of `edgewise benchmark list`."),
    paths: list[Path] = typer.Argument(
        ..., help="Archives, or a folder, in any arrangement: files are known by their names."
    ),
    root: Path | None = _Root,
    link: bool = typer.Option(False, "--link", help="Link to the folder's files; no copy."),
    split: str | None = typer.Option(
        None, "--split", help="Of BIG: val or test, where no folder's name says so."
    ),
    replace: bool = typer.Option(False, "--replace", help="Throw away what is here of it."),
) -> None:
    """Take over data that you have already."""
    from edgewise.benchmarks.catalog import find
    from edgewise.benchmarks.fetch import bring
    from edgewise.benchmarks.store import Store

    row, store = find(name), Store(root)
    plan = bring(row, paths, store, link=link, split=split, replace=replace)
    left = f", {plan.others} others left alone" if plan.others else ""
    typer.echo(
        f"{row.name}: {len(plan.files)} files{left}; {_presence(row, store)}: {store.folder(row)}"
    )


@app.command("verify")
def verify_rows(names: list[str] = _Names, root: Path | None = _Root) -> None:
    """Check what is here against what was published, and list each difference."""
    from edgewise.benchmarks.catalog import find
    from edgewise.benchmarks.store import Store
    from edgewise.benchmarks.verify import verify

    store, wrong = Store(root), 0
    for row in [find(name) for name in names]:
        number = 0
        for number, problem in enumerate(verify(row, store), start=1):  # noqa: B007
            typer.echo(f"{problem.where}: {problem.what}")
        typer.echo(f"{row.name}: {_presence(row, store)}, {number} problems")
        wrong += number
    if wrong:
        raise typer.Exit(FOUND_WRONG)


@app.command("inputs")
def make_inputs(
    dataset: str = typer.Argument(..., help="big, pascal or ade20k."),
    network: str = typer.Option(..., "--from", help="The network whose outputs they are."),
    path: Path = typer.Option(..., "--path", help="The folder of its outputs, as it wrote them."),
    output: Path | None = typer.Option(
        None, "--output", "-o", help="The folder to make; default: the input set's own."
    ),
    root: Path | None = _Root,
    split: str = typer.Option("test", "--split", help="Of BIG: val or test."),
    first_label: int | None = typer.Option(
        None, "--first-label", help="Of ADE20K's classes, 0 or 1; default: told from the maps."
    ),
    colours: Path | None = typer.Option(
        None,
        "--colours",
        help="Of ADE20K's maps in colour: CSV lines label,red,green,blue; default: as published.",
    ),
    reference_quirks: bool = typer.Option(
        False, "--reference-quirks", help="Blend RefineNet's ADE20K labels, as the reference did."
    ),
) -> None:
    """Make a network's own outputs into an input set of the benchmark."""
    from edgewise.benchmarks.inputs import convert
    from edgewise.benchmarks.inputs.colours import read_colours
    from edgewise.benchmarks.store import Store, photos_of
    from edgewise.cli.outputs import check_apart
    from edgewise.cli.progress import tracked

    form = convert.format_of(dataset, network)
    store = Store(root)
    folder = output or store.input_set(dataset, network, split)
    jobs = convert.jobs(dataset, network, path, photos_of(store, dataset, split), folder)
    check_apart((job.target for job in jobs), (job.native for job in jobs if job.native))
    linked = next((job.target for job in jobs if job.target.is_symlink()), None)
    if linked:
        raise InputError(
            f"{linked}: is a link, as of `import --link`, to {linked.readlink()}, which would be "
            "written over; remove it, or give another folder by --output"
        )
    options = convert.Options(
        first_label=first_label,
        reference_quirks=reference_quirks,
        colours=read_colours(colours) if colours else None,
    )
    options = convert.settle(jobs, form, options)
    if options.first_label is not None:
        typer.echo(f"classes count from {options.first_label}", err=True)
    make_folder(folder)
    failed = 0
    for job in tracked(jobs, total=len(jobs), what="inputs"):
        outcome = convert.convert(job, form, options)
        failed += bool(outcome.problem)
        for text in filter(None, (outcome.problem, outcome.note)):
            typer.echo(f"{job.name}: {text}", err=True)
    typer.echo(f"{len(jobs) - failed} of {len(jobs)} made: {folder}")
    if failed:
        raise typer.Exit(FOUND_WRONG)


def _presence(row: "Row", store: "Store") -> str:
    """What of a row is here, in words."""
    counts = store.counts(row)
    if not any(counts.values()):
        return f"absent (of {row.count})" if row.count else "absent"
    if not row.counts:
        return f"{sum(counts.values())} masks"
    several = len(counts) > 1
    return ", ".join(
        f"{number} of {row.counts[split]}" + (f" {split}" if several else "")
        for split, number in counts.items()
    )


def _print_details(row: "Row", store: "Store") -> None:
    from edgewise.benchmarks.catalog import networks

    for number, link in enumerate(row.links):
        typer.echo(f"    {'backup' if number else 'link'}: {link}")
    if row.network:
        typer.echo(f"    made by: {networks()[row.network].sources[row.dataset]}")
    typer.echo(f"    licence: {row.licence}")
    if row.terms:
        typer.echo(f"    terms: {row.terms}")
    typer.echo(f"    layout: {row.layout}")
    typer.echo(f"    folder: {store.folder(row)}")


def _as_dict(row: "Row", store: "Store") -> dict[str, object]:
    from dataclasses import asdict

    here = {"folder": str(store.folder(row)), "here": store.counts(row)}
    return {**asdict(row), **here, "complete": store.is_complete(row)}


def _asked(row: "Row", store: "Store", *, again: bool) -> bool:
    """Whether the terms were accepted at a prompt; False without a terminal to ask at."""
    from edgewise.benchmarks.fetch import terms_to_accept

    terms = terms_to_accept(row, store)
    if not terms or (store.is_complete(row) and not again) or not _watched():
        return False
    typer.echo(terms, err=True)
    return typer.confirm("Do you accept these terms?", err=True)


def _watched() -> bool:
    """Whether somebody is there to answer."""
    return sys.stdin.isatty()


@contextmanager
def _transfer() -> Iterator[Callable[[str, int, int | None], None]]:
    """A bar of bytes for each file, on standard error where somebody watches."""
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn())
    hidden = not console.is_terminal
    with Progress(*columns, TimeRemainingColumn(), console=console, disable=hidden) as bar:
        tasks = {}

        def tell(name: str, done: int, total: int | None) -> None:
            if name not in tasks:
                tasks[name] = bar.add_task(name, total=total)
            bar.update(tasks[name], completed=done, total=total)

        yield tell
