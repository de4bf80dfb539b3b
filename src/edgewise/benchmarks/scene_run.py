"""Scene runs: refine input sets of label maps, keep the maps, and score them as published.

Below a run's folder, each input set has a folder of label maps, `<image>.png`; what is there is
not refined again. The rules of refining, merging and scoring are those of `edgewise.scenes`.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from edgewise.benchmarks import load_scenes
from edgewise.benchmarks.ade20k import LABEL_MAP
from edgewise.benchmarks.catalog import find, row_name
from edgewise.benchmarks.figures import COARSE, Figure
from edgewise.benchmarks.inputs.labels import read_labels
from edgewise.benchmarks.run import OWN, PUBLISHED, InputSet, Job, check_method
from edgewise.benchmarks.store import Store
from edgewise.errors import InputError, told
from edgewise.evaluation import Failure, Header, NetworkEngine, OpenRefine, Pair, Refine, Results
from edgewise.evaluation.workers import each
from edgewise.files import make_folder
from edgewise.images import read_photo
from edgewise.scenes import folders
from edgewise.scenes.evaluate import SceneScore
from edgewise.scenes.labels import write_labels
from edgewise.scenes.merge import Part, merge, part_box
from edgewise.scenes.refine import SceneSettings, refine_labels
from edgewise.scenes.split import split

Labels = NDArray[np.integer[Any]]
RefineLabels = Callable[[NDArray[np.uint8], Labels], Labels]
"""(photo uint8 HxWx3 RGB, coarse label map HxW) -> the refined label map, HxW."""


@dataclass(frozen=True, kw_only=True)
class SceneEngine:
    """Edgewise's own refiner, for label maps: what it opens is a `RefineLabels`.

    Attributes:
        network: which network, and how it runs.
    """

    network: NetworkEngine

    def __call__(self) -> Refine:
        """Open the networks."""
        return cast("Refine", partial(refine_labels, refiner=self.network.open()))

    def describe(self) -> dict[str, str]:
        """As of the network, and the settings for label maps."""
        return {**self.network.describe(), "scenes": repr(SceneSettings())}


@dataclass(frozen=True, kw_only=True)
class PiecesEngine:
    """Any refiner of masks, for label maps: what it opens is a `RefineLabels`.

    As published for CascadePSP: the map is split into pieces, each is refined alone in its box, and
    the merge rule puts them back.

    Attributes:
        engine: refines one mask.
    """

    engine: OpenRefine

    def __call__(self) -> Refine:
        """Open the engine."""
        return cast("Refine", partial(refine_pieces, refine=self.engine()))

    def describe(self) -> dict[str, str]:
        """As of the engine, and that label maps are refined by pieces."""
        return {**self.engine.describe(), "scenes": "split, refine each piece, merge"}


def refine_pieces(photo: NDArray[np.uint8], labels: Labels, *, refine: Refine) -> NDArray[np.int64]:
    """A label map refined piece by piece, and put back together by the published rule.

    Args:
        photo: uint8 HxWx3 RGB.
        labels: HxW, 0 is void.
        refine: refines one mask; it sees the part of the photo in `merge.part_box`.

    Returns:
        int64 HxW.

    Raises:
        InputError: the sizes differ.
    """
    if photo.shape[:2] != labels.shape:
        raise InputError(
            f"the label map has {labels.shape[1]}x{labels.shape[0]} pixels and the photo "
            f"{photo.shape[1]}x{photo.shape[0]}; they must agree"
        )
    return merge(labels, _refined_pieces(photo, labels, refine))


def _refined_pieces(photo: NDArray[np.uint8], labels: Labels, refine: Refine) -> Iterator[Part]:
    """Each piece as the engine leaves it; what is empty or fills its box stays as it is."""
    for piece in split(labels):
        whole = np.zeros(labels.shape, bool)
        whole[piece.box.slices] = piece.mask
        box = part_box(whole)
        inside = whole[box.slices]
        if not inside.size:
            continue
        soft = inside.astype(np.float32)
        if inside.any() and not inside.all():
            seen = np.ascontiguousarray(photo[box.slices])
            soft = np.asarray(refine(seen, soft), np.float32)
        yield Part(piece.label, box, soft)


@dataclass(frozen=True, slots=True, kw_only=True)
class SceneJob(Job):
    """The label maps of one method on one input set, to score and, perhaps to make.

    A pair's `refined` is None where its label map is to be made, a label map, or a folder of
    refined pieces to merge.

    Attributes:
        pieces: the folder of the pieces before refining, where there are pieces to merge.
        reference_quirks: score as `edgewise.metrics.ClassOverlap.of` says.
    """

    pieces: Path | None = None
    reference_quirks: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SceneResult:
    """One scored scene.

    Attributes:
        id: the image.
        before, after: scores of the coarse and of the refined label map.
        seconds: time of refining alone; None where the map was there.
    """

    id: str
    before: SceneScore
    after: SceneScore
    seconds: float | None


def own_scenes(inputs: InputSet, store: Store, folder: Path) -> SceneJob:
    """Edgewise's own label maps, those that are not below a run's folder yet to be made.

    Raises:
        InputError: the dataset or the input set is not here, or a file is missing.
    """
    here = folder / inputs.name
    pairs = [
        replace(pair, refined=path if path.is_file() else None)
        for pair in _scenes_of(inputs, store)
        for path in [_map_path(pair, here)]
    ]
    return SceneJob(inputs=inputs, method=OWN, pairs=pairs, folder=here, makes=True)


def engine_scenes(inputs: InputSet, method: str, store: Store, folder: Path) -> SceneJob:
    """Another engine's label maps, in a folder of the method's below a run's.

    Raises:
        InputError: as `own_scenes`, or the method's name is none or taken.
    """
    check_method(method)
    return replace(own_scenes(inputs, store, folder / method), method=method)


def given_scenes(inputs: InputSet, method: str, maps: Path, store: Store, folder: Path) -> SceneJob:
    """Label maps that a method made, `<image>.png`: those that are there.

    Raises:
        InputError: as `own_scenes`, there is no map, or the method's name is none or taken.
    """
    check_method(method)
    paths = {pair: maps / f"{pair.id}{LABEL_MAP}" for pair in _scenes_of(inputs, store)}
    pairs = [replace(pair, refined=path) for pair, path in paths.items() if path.is_file()]
    if not pairs:
        raise InputError(f"{maps}: no label map of {inputs.name} in it; expected <image>.png")
    return SceneJob(inputs=inputs, method=method, pairs=pairs, folder=folder / inputs.name)


def published_scenes(sets: Iterable[InputSet], store: Store, folder: Path) -> list[SceneJob]:
    """The published refined pieces that are here with what they were made of, to be merged."""
    jobs = []
    for one in sets:
        refined, split = (
            find(row_name(one.dataset, one.network, role)) for role in ("refined", "split")
        )
        if not all(any(store.counts(row).values()) for row in (refined, split)):
            continue
        pairs = [replace(pair, refined=store.folder(refined)) for pair in _scenes_of(one, store)]
        here, pieces = folder / one.name, store.folder(split)
        jobs.append(SceneJob(inputs=one, method=PUBLISHED, pairs=pairs, folder=here, pieces=pieces))
    return jobs


def work_scenes(
    job: SceneJob,
    open_refine: OpenRefine | None,
    header: Header,
    *,
    workers: int = 1,
    limit: int | None = None,
) -> Iterator[SceneResult | Failure]:
    """Each scene's result as it is done; maps are kept first, and never made twice.

    Args:
        job: what to do.
        open_refine: what opens a `RefineLabels`, as `SceneEngine` and `PiecesEngine` do; None where
            no maps are to be made.
        header: what the maps depend on.
        workers: processes; each holds one scene at a time.
        limit: only the first so many scenes.

    Raises:
        InputError: the folder holds maps of another engine.
        OutputError: something cannot be written.
        EdgewiseError: the engine cannot be opened, or a worker died.
    """
    make_folder(job.folder)
    if job.makes:
        with Results(job.results, header, ()):  # refuses a folder of another engine
            pass
    names = folders.parts(job.pieces) if job.pieces else {}
    task = partial(_result, job=replace(job, pairs=()), names=names)
    return each(task, job.pairs[:limit], open_refine, workers=workers)


def measured_scenes(job: SceneJob, results: Iterable[SceneResult]) -> list[Figure]:
    """The figures of the coarse maps and of a method's, of results taken one at a time."""
    before, after, seconds = SceneScore(), SceneScore(), []
    for one in results:
        before += one.before
        after += one.after
        seconds += [one.seconds] if one.seconds is not None else []
    if not after.mba.count + after.mba.undefined:
        return []
    mean = sum(seconds) / len(seconds) if seconds else None
    return [_figure(job.inputs, COARSE, before), _figure(job.inputs, job.method, after, mean)]


def _figure(
    inputs: InputSet, method: str, score: SceneScore, seconds: float | None = None
) -> Figure:
    values = score.values()
    return Figure(
        dataset=inputs.dataset,
        network=inputs.network,
        method=method,
        iou=values["miou"],
        mba=values["mba"],
        iou_per_image=values["scene_iou"],
        accuracy=values["accuracy"],
        pairs=score.mba.count + score.mba.undefined,
        undefined=score.mba.undefined,
        seconds=seconds,
    )


def _scenes_of(inputs: InputSet, store: Store) -> list[Pair]:
    return [
        Pair(
            set=inputs.name,
            id=scene.name,
            source="",
            truth=scene.truth_path,
            coarse=scene.coarse_path,
            photo=scene.photo_path,
        )
        for scene in load_scenes(inputs=inputs.network, root=store.root)
    ]


def _map_path(pair: Pair, folder: Path) -> Path:
    return folder / f"{pair.id}{LABEL_MAP}"


def _result(
    pair: Pair, refine: Refine | None, *, job: SceneJob, names: dict[str, list[str]]
) -> SceneResult | Failure:
    """The scene's result, or why there is none: one bad scene must not end a long run."""
    try:
        return _scored(pair, cast("RefineLabels | None", refine), job, names.get(pair.id, []))
    except Exception as error:  # an engine may raise anything
        return Failure(set=pair.set, id=pair.id, source="", error=told(error))


def _scored(
    pair: Pair, refine: RefineLabels | None, job: SceneJob, names: list[str]
) -> SceneResult:
    if pair.coarse is None:
        raise InputError(f"{pair.name}: has no coarse label map")
    coarse, truth = read_labels(pair.coarse), read_labels(pair.truth)
    seconds = None
    if pair.refined is None:
        after, seconds = _refined(pair, refine, coarse)
        write_labels(_map_path(pair, job.folder), after)
    elif job.pieces is None:
        after = read_labels(pair.refined)
    else:
        found = folders.refined_parts(pair.refined, names, job.pieces, coarse.shape)
        after = merge(coarse, found)
    score = partial(SceneScore.of, truth=truth, reference_quirks=job.reference_quirks)
    return SceneResult(id=pair.id, before=score(coarse), after=score(after), seconds=seconds)


def _refined(pair: Pair, refine: RefineLabels | None, coarse: Labels) -> tuple[Labels, float]:
    """The refined label map, and the seconds that it took."""
    if pair.photo is None or refine is None:
        raise InputError(f"{pair.name}: refining takes a photo and an engine")
    photo = read_photo(pair.photo)
    start = time.perf_counter()
    return refine(photo, coarse), time.perf_counter() - start
