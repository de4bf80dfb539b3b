"""Refining annotation files: what `edgewise coco`, `cvat` and `label-studio refine` share."""

import hashlib
import os
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Annotated, Any

import typer

from edgewise.cli.options import Device, Model, Threads
from edgewise.cli.outputs import check_apart
from edgewise.errors import EdgewiseError, InputError
from edgewise.files import check_target

if TYPE_CHECKING:
    from edgewise.formats.annotation import Form, Rle
    from edgewise.formats.document import Document, Item, Scene
    from edgewise.formats.journal import Entry
    from edgewise.refiner import Refiner

SOME_KEPT = 1
TOLERANCE = 0.5


class Kind(StrEnum):
    """How masks are written."""

    RLE = "rle"
    POLYGON = "polygon"


class Results(StrEnum):
    """What to do with the finished photos of a run that was interrupted."""

    RESUME = "resume"
    RESTART = "restart"


As = Annotated[
    Kind | None,
    typer.Option("--as", help="Write all masks so; by default each keeps the form that it has."),
]
Tolerance = Annotated[
    float,
    typer.Option("--tolerance", min=0, help="Px by which polygons may leave the pixels' outline."),
]


@dataclass(frozen=True, kw_only=True)
class Selection:
    """Which annotations to refine: of these categories (all where empty), from this area on."""

    categories: tuple[str, ...] = ()
    min_area: int = 0

    def has(self, item: "Item") -> bool:
        """Whether an annotation is of a category that may be refined."""
        return not self.categories or not {item.category, *item.further}.isdisjoint(self.categories)


def refine_command(kind: str, about: str) -> Callable[..., None]:
    """The command that refines files of one format: "coco", "cvat" or "label-studio"."""

    def refine(
        annotations: Annotated[Path, typer.Argument(help="The annotation file; never changed.")],
        photos: Annotated[Path, typer.Option("--photos", help="The folder of its photos.")],
        output: Annotated[Path, typer.Option("--output", "-o", help="The file to write.")],
        as_: As = None,
        tolerance: Tolerance = TOLERANCE,
        only_category: Annotated[
            list[str] | None,
            typer.Option("--only-category", help="Refine this category only; may be repeated."),
        ] = None,
        min_area: Annotated[
            int, typer.Option("--min-area", min=0, help="Refine masks of at least so many px.")
        ] = 0,
        results: Annotated[
            Results,
            typer.Option("--results", help="Finished photos of an interrupted run: use or redo."),
        ] = Results.RESUME,
        threads: Threads = None,
        model: Model = "default",
        device: Device = "cpu",
    ) -> None:
        from edgewise.formats.annotation import Form

        _check_paths(annotations, photos, output)
        document, digest = _open(kind, annotations)
        chosen = Selection(categories=tuple(only_category or ()), min_area=min_area)
        _check_categories(chosen, document, annotations)
        run = _Run(
            document=document,
            photos=photos,
            output=output,
            form=Form(kind=as_.value if as_ else None, tolerance=tolerance),
            selection=chosen,
        )
        about_run = {
            "input": digest,
            "photos": os.path.realpath(photos),
            "model": _model_digest(model),
            **_as_json(chosen),
        }
        refiner = _refiner(model, threads, device)
        _report(run.refine(refiner, about_run, resume=results is Results.RESUME), output)

    refine.__doc__ = about
    return refine


def _check_paths(annotations: Path, photos: Path, output: Path) -> None:
    from edgewise.formats.journal import journal_path

    if not photos.is_dir():
        raise InputError(f"{photos}: is no folder of photos")
    check_target(Path(os.path.realpath(output)), output)
    check_apart([output, journal_path(output)], [annotations])


def _open(kind: str, path: Path) -> "tuple[Document, str]":
    """The document at `path`, and the checksum of its file."""
    from edgewise.formats.coco import CocoDocument
    from edgewise.formats.cvat import CvatDocument
    from edgewise.formats.json_files import read_bytes
    from edgewise.formats.label_studio import LabelStudioDocument

    data = read_bytes(path)
    kinds: dict[str, Callable[[bytes, str], Document]] = {
        "coco": CocoDocument,
        "cvat": CvatDocument,
        "label-studio": LabelStudioDocument,
    }
    return kinds[kind](data, str(path)), hashlib.sha256(data).hexdigest()


def _check_categories(chosen: Selection, document: "Document", path: Path) -> None:
    for name in chosen.categories:
        if name not in document.categories:
            known = ", ".join(document.categories) or "none"
            raise InputError(f"{path}: has no category {name!r}; there is: {known}")


def _model_digest(model: str) -> str:
    """What tells the results of some networks from those of others."""
    from edgewise.engines import NetworkEngine

    described = NetworkEngine(model=model).describe()
    return " ".join(value for name, value in described.items() if name.endswith("sha256"))


def _as_json(chosen: Selection) -> dict[str, Any]:
    return {"categories": sorted(chosen.categories), "min_area": chosen.min_area}


def _refiner(model: str, threads: int | None, device: str) -> "Refiner":
    from edgewise.refiner import Refiner

    return Refiner.open(model, threads=threads, device=device)


@dataclass(frozen=True)
class _Outcome:
    refined: int
    kept: int


def _report(outcome: _Outcome, output: Path) -> None:
    """Say what came of it; status 1 where something stayed as it was that was to be refined."""
    typer.echo(f"{outcome.refined} refined, {outcome.kept} problems: {output}", err=True)
    if outcome.kept:
        raise typer.Exit(SOME_KEPT)


@dataclass(frozen=True, kw_only=True)
class _Run:
    """One run over a document's photos."""

    document: "Document"
    photos: Path
    output: Path
    form: "Form"
    selection: Selection

    def refine(self, refiner: "Refiner", about: dict[str, Any], *, resume: bool) -> _Outcome:
        """Refine all photos and write the output; a journal beside it holds what is finished."""
        from edgewise.cli.progress import tracked
        from edgewise.formats.journal import Journal

        problems = list(self.document.problems)
        _say(problems)
        refined = 0
        scenes = list(enumerate(self.document.scenes))
        with Journal(self.output, about, resume=resume) as journal:
            if journal.stale:
                _say([f"{journal.path}: is of another run; beginning anew"])
            elif journal.done:
                _say([f"going on: {len(journal.done)} of {len(scenes)} photos are done"])
            for index, scene in tracked(scenes, total=len(scenes), what="refine"):
                entry = journal.done.get(index)
                if entry is None:
                    entry, finished = self._scene(refiner, index, scene)
                    if finished:
                        journal.add(entry)
                _say(entry.problems)
                problems += entry.problems
                refined += len(entry.masks)
                self._apply(scene, entry)
            self.document.save(self.output)
        return _Outcome(refined, len(problems))

    def _scene(self, refiner: "Refiner", index: int, scene: "Scene") -> "tuple[Entry, bool]":
        """What comes of one photo, and whether that is final: a missing photo may turn up."""
        from edgewise.formats.journal import Entry

        if not any(self.selection.has(item) for item in scene.items):
            return Entry(index, {}, []), True
        try:
            return self._refined(refiner, index, scene), True
        except EdgewiseError as error:
            names = ", ".join(item.name for item in scene.items)
            return Entry(index, {}, [f"{scene.name}: {error}; stays as it was: {names}"]), False

    def _refined(self, refiner: "Refiner", index: int, scene: "Scene") -> "Entry":
        from edgewise.formats.journal import Entry
        from edgewise.scenes.instances import refine_instances

        photo = self._photo(scene)
        size = (photo.shape[0], photo.shape[1])
        wanted, fixed, problems = self._masks(scene, size)
        masks = refine_instances(
            refiner, photo, [mask for _, mask in wanted], fixed=[mask for _, mask in fixed]
        )
        found = {}
        for (item, _), mask in zip(wanted, masks, strict=True):
            if mask is None:
                problems.append(f"{item.name}: nothing of it was left after refining; {_KEPT}")
            else:
                found[item.key] = mask
        return Entry(index, found, problems)

    def _photo(self, scene: "Scene") -> Any:
        """The scene's photo, uint8 HxWx3, of the size that the document states."""
        from edgewise.formats.folders import find_photo
        from edgewise.images import read_photo

        if scene.problem:
            raise InputError(scene.problem)
        path = find_photo(self.photos, (scene.photo, *scene.aliases))
        if path is None:
            raise InputError(f"no such photo in {self.photos}")
        place = path.relative_to(self.photos).as_posix()
        if place in self._shared and place != str(PurePosixPath(scene.photo)):
            raise InputError(
                f"{path} may be of {self._shared[place]} photos that the file names; put each at "
                "its own path"
            )
        photo = read_photo(path)
        height, width = photo.shape[:2]
        if scene.size not in (None, (height, width)):
            turned = ", turned by its EXIF orientation" if scene.size == (width, height) else ""
            stated = f"{scene.size[1]}x{scene.size[0]}" if scene.size else ""
            raise InputError(f"is stated as {stated} and {path} is {width}x{height}{turned}")
        return photo

    @cached_property
    def _shared(self) -> dict[str, int]:
        """Places at which several of the document's photos may lie, and how many."""
        from edgewise.formats.folders import places

        photos = {scene.photo: (scene.photo, *scene.aliases) for scene in self.document.scenes}
        counts = Counter(place for names in photos.values() for place in set(places(names)))
        return {place: count for place, count in counts.items() if count > 1}

    def _masks(
        self, scene: "Scene", size: tuple[int, int]
    ) -> "tuple[list[tuple[Item, Rle]], list[tuple[Item, Rle]], list[str]]":
        """The annotations to refine, those that stay as they are, and lines on what is wrong."""
        wanted: list[tuple[Item, Rle]] = []
        fixed: list[tuple[Item, Rle]] = []
        problems: list[str] = []
        for item in scene.items:
            chosen = self.selection.has(item)
            try:
                if item.problem:
                    raise InputError(item.problem)
                mask = self.document.mask(item, size)
            except InputError as error:
                problems += [f"{item.name}: {error}; {_KEPT}"] if chosen else []
                continue
            small = mask.area < self.selection.min_area
            full = mask.area == size[0] * size[1]
            (wanted if chosen and not small and not full else fixed).append((item, mask))
        return wanted, fixed, problems

    def _apply(self, scene: "Scene", entry: "Entry") -> None:
        for item in scene.items:
            mask = entry.masks.get(item.key)
            if mask is None:
                continue
            # Points of a polygon that stays say more than the outline of its pixels would.
            stays = mask == self.document.mask(item, mask.size, strict=False)
            if self.form.kind or not stays:
                self.document.replace(item, mask, self.form)


_KEPT = "it stays as it was"


def _say(lines: list[str]) -> None:
    for line in lines:
        typer.echo(f"edgewise: {line}", err=True)
