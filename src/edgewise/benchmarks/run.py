"""Run: refine input sets of one object a photo, keep the masks, and score them.

Below a run's folder, each input set has a folder in the published layout, `<name>_mask.png`, with
one results file a method, by which an interrupted run goes on.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from edgewise.benchmarks import load
from edgewise.benchmarks.catalog import find, find_network, networks, row_name
from edgewise.benchmarks.figures import COARSE
from edgewise.benchmarks.samples import REFINED
from edgewise.benchmarks.store import Store, need
from edgewise.errors import InputError
from edgewise.evaluation import Failure, Header, OpenRefine, Pair, Results, Row, evaluate
from edgewise.evaluation.kept import keep_mask, with_kept
from edgewise.files import make_folder

BINARY = ("big", "pascal")
"""The datasets of one object a photo."""

SCENES = "ade20k"
"""The dataset of label maps, which `scene_run` runs."""

OWN = "edgewise"
"""The method of the package's own masks."""

PUBLISHED = "CascadePSP"
"""The method of the published refined results."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InputSet:
    """A network's coarse masks of a dataset."""

    dataset: str
    network: str

    @property
    def name(self) -> str:
        """As in commands, and of folders."""
        return row_name(self.dataset, self.network, "inputs")

    @property
    def published(self) -> int | None:
        """How many masks were published."""
        return find(self.name).count


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """The masks of one method on one input set, to score and perhaps to make.

    Attributes:
        inputs: the input set.
        method: what makes or made the masks.
        pairs: all of the set that there are.
        folder: of the run's files for this set, by which it is named.
        makes: whether the masks are made here, by an engine.
    """

    inputs: InputSet
    method: str
    pairs: Sequence[Pair]
    folder: Path
    makes: bool = False

    @property
    def results(self) -> Path:
        """The file of rows."""
        return self.folder / f"{self.method}.jsonl"


def input_sets(store: Store, dataset: str, asked: Sequence[str] = ()) -> list[InputSet]:
    """The input sets of a dataset that are on this machine, in the order of the catalog.

    Args:
        store: where they lie.
        dataset: one of `BINARY`, or `SCENES`.
        asked: networks, all of which must be here; none for what there is.

    Raises:
        InputError: no such dataset or network, or an input set that was asked for is not here.
    """
    if dataset not in (*BINARY, SCENES):
        known = ", ".join((*BINARY, SCENES))
        raise InputError(f"no dataset {dataset!r}; there is: {known}")
    names = [find_network(name, dataset).name for name in asked]
    for name in names:
        row = find(row_name(dataset, name, "inputs"))
        need(store.folder(row), row.name)
    sets = [
        InputSet(dataset=dataset, network=network.name)
        for network in networks().values()
        if dataset in network.sources
    ]
    return [one for one in sets if _wanted(one, names, store)]


def pairs_of(inputs: InputSet, store: Store) -> list[Pair]:
    """The objects of an input set as pairs to refine, in the order of names.

    Raises:
        InputError: the dataset or the input set is not here, or a file is missing.
    """
    return [
        Pair(
            set=inputs.name,
            id=sample.name,
            source="",
            truth=sample.truth_path,
            coarse=sample.coarse_path,
            photo=sample.photo_path,
        )
        for sample in load(inputs.dataset, inputs=inputs.network, root=store.root)
    ]


def own_job(inputs: InputSet, store: Store, folder: Path) -> Job:
    """Edgewise's own masks, to be made below a run's folder.

    Raises:
        InputError: as `pairs_of`.
    """
    pairs = pairs_of(inputs, store)
    return Job(inputs=inputs, method=OWN, pairs=pairs, folder=folder / inputs.name, makes=True)


def engine_job(inputs: InputSet, method: str, store: Store, folder: Path) -> Job:
    """Another engine's masks, to be made in a folder of the method's below a run's.

    Raises:
        InputError: as `pairs_of`, or the method's name is none or taken.
    """
    check_method(method)
    return replace(own_job(inputs, store, folder / method), method=method)


def given_job(inputs: InputSet, method: str, masks: Path, store: Store, folder: Path) -> Job:
    """Masks that a method made, `<name>_mask.png`: those that are there.

    Args:
        inputs: the input set that was refined.
        method: the name in tables and of the results file.
        masks: the folder of the masks.
        store: where the input set lies.
        folder: of the run.

    Raises:
        InputError: as `pairs_of`, there is no mask, or the method's name is none or taken.
    """
    check_method(method)
    pairs = [
        replace(pair, photo=None, refined=masks / f"{pair.id}{REFINED}")
        for pair in pairs_of(inputs, store)
        if (masks / f"{pair.id}{REFINED}").is_file()
    ]
    if not pairs:
        raise InputError(f"{masks}: no mask of {inputs.name} in it; expected <name>{REFINED}")
    return Job(inputs=inputs, method=method, pairs=pairs, folder=folder / inputs.name)


def published_jobs(sets: Iterable[InputSet], store: Store, folder: Path) -> list[Job]:
    """The published refined results of input sets that are on this machine."""
    rows = {one: find(row_name(one.dataset, one.network, "refined")) for one in sets}
    return [
        given_job(one, PUBLISHED, store.folder(row), store, folder)
        for one, row in rows.items()
        if any(store.counts(row).values())
    ]


def with_masks(job: Job) -> list[Pair]:
    """The pairs of a job that have been done, with the masks that were kept of them."""
    return [pair for pair in with_kept(job.pairs, job.folder.parent) if pair.refined]


def check_folder(job: Job) -> None:
    """Raise InputError where a folder to make masks in holds some that no run here has made.

    They would be written over, or scored as this method's.
    """
    if job.makes and not job.results.exists() and any(pair.refined for pair in with_masks(job)):
        raise InputError(
            f"{job.folder}: holds masks, and no {job.results.name} of a run that made them; give "
            "another folder by --output"
        )


def work(
    job: Job,
    open_refine: OpenRefine | None,
    header: Header,
    *,
    workers: int = 1,
    limit: int | None = None,
) -> Iterator[Row | Failure]:
    """The rows of a job: those of its results file, then each as it is done, masks first.

    Args:
        job: what to do.
        open_refine: what refines; None where no masks are to be made.
        header: what the rows depend on; of given masks, only how they are scored.
        workers: processes.
        limit: only the first so many pairs.

    Raises:
        InputError: the results file is of another engine or of other files.
        OutputError: something cannot be written; what was written stays, to go on from.
        EdgewiseError: the engine cannot be opened, or a worker died.
    """
    make_folder(job.folder)
    header = header if job.makes else replace(header, engine=None)
    chosen = job.pairs[:limit]
    with Results(job.results, header, job.pairs) as file:
        done = {pair.key for pair in with_masks(job) if pair.key in file.rows}
        yield from (file.rows[pair.key] for pair in chosen if pair.key in done)
        left = [pair for pair in chosen if pair.key not in done]
        keep = partial(keep_mask, folder=job.folder.parent)
        for result in evaluate(left, open_refine, workers=workers, fast=True, keep=keep):
            if isinstance(result, Row):
                file.add(result)
            yield result


def check_method(method: str) -> None:
    """Raise InputError unless masks of others may go by that name."""
    if not re.fullmatch(r"\w[\w .+-]*", method) or method in (OWN, COARSE):
        raise InputError(
            f"{method!r} cannot name masks; give letters and digits, and neither {OWN!r} nor "
            f"{COARSE!r}"
        )


def _wanted(inputs: InputSet, names: Sequence[str], store: Store) -> bool:
    """Whether an input set was asked for, or is here where none was."""
    if names:
        return inputs.network in names
    return any(store.counts(find(inputs.name)).values())
