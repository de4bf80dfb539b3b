"""`edgewise scene`: label maps, and folders of them in the published layouts."""

import json
import math
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import typer

from edgewise.cli.options import Device, Model, OverviewOnly, Threads
from edgewise.cli.outputs import check_apart, check_outputs
from edgewise.errors import EdgewiseError, InputError, OutputError
from edgewise.files import make_folder

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from edgewise.refiner import Refiner
    from edgewise.scenes.evaluate import SceneScore

SOME_FAILED = 1
HARM = 0.002
"""A scene is harmed where its mean IoU falls by more than this."""

app = typer.Typer(
    help="Label maps: refine, and split, merge and score folders as published for ADE20K.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

_Output = typer.Option(..., "--output", "-o", help="The folder to write.")
_Maps = typer.Option(..., "--labels", help="A folder of coarse label maps, <image>.png.")
_Void = typer.Option(0, "--void", help="The label that is none: its pixels stay.")
_NoVoid = typer.Option(False, "--no-void", help="Every label is one, 0 too.")
_Again = typer.Option(False, "--again", help="Redo what is there already.")
_Classes = typer.Option(150, "--classes", min=1, help="How many classes there are.")


@app.command("refine")
def refine(
    photo: Path | None = typer.Argument(None, help="The photo."),
    labels: Path | None = typer.Argument(None, help="Its coarse label map."),
    output: Path = typer.Option(
        ..., "--output", "-o", help="The label map to write; a folder with folders."
    ),
    photos: Path | None = typer.Option(None, "--photos", help="A folder of photos."),
    maps: Path | None = typer.Option(None, "--labels", help="A folder of label maps, same names."),
    parts: Path | None = typer.Option(
        None, "--parts", help="A folder of split pieces: refine each alone, as published."
    ),
    void: int = _Void,
    no_void: bool = _NoVoid,
    again: bool = _Again,
    overview_only: OverviewOnly = False,
    threads: Threads = None,
    model: Model = "default",
    device: Device = "cpu",
) -> None:
    """Refine a label map: every pixel keeps one label, and edges follow the photo.

    Of PHOTO and LABELS, of the folders --photos and --labels, or of the pieces in --parts.
    """
    from edgewise.refiner import Refiner, Settings

    ways = [bool(photo and labels), bool(photos and maps), bool(parts)]
    if sum(ways) != 1 or sum(map(bool, (photo, labels, photos, maps, parts))) != 2 - ways[2]:
        raise InputError("give PHOTO LABELS, or --photos and --labels, or --parts")
    if photo and labels:
        if output.is_dir():
            raise OutputError(f"{output}: is a folder; give the name of a file to write")
        check_outputs(output, inputs=[photo, labels])
    # Pieces alone come by the hundred, most of them small: without proposals.
    settings = Settings(proposal_side=0) if parts or overview_only else Settings()
    refiner = Refiner.open(model, threads=threads, device=device, settings=settings)
    options = _Options(None if no_void else void, overview_only)
    if photo and labels:
        _refine_map(refiner, (photo, labels), output, options)
    elif photos and maps:
        _refine_maps(refiner, (photos, maps), output, options, again=again)
    elif parts:
        _refine_parts(refiner, parts, output, options, again=again)


class _Options(NamedTuple):
    """How label maps are refined."""

    void: int | None
    overview_only: bool


def _refine_map(
    refiner: "Refiner", files: tuple[Path, Path], output: Path, options: _Options
) -> None:
    from edgewise.images import read_photo
    from edgewise.scenes.labels import check_writable, read_labels, write_labels
    from edgewise.scenes.refine import SceneSettings, refine_labels

    labels, form = read_labels(files[1])
    check_writable(output, labels, form)  # refining adds no label
    photo, settings = read_photo(files[0]), SceneSettings(overview_only=options.overview_only)
    try:
        refined = refine_labels(
            photo, labels, void=options.void, refiner=refiner, settings=settings
        )
    except InputError as error:
        raise InputError(f"{files[1]}: {error}") from error
    write_labels(output, refined, form)


def _refine_maps(
    refiner: "Refiner",
    folders: tuple[Path, Path],
    output: Path,
    options: _Options,
    *,
    again: bool,
) -> None:
    from edgewise.scenes import folders as layout

    photos, maps = layout.photos(folders[0]), layout.label_maps(folders[1])
    targets = (output / path.name for path in maps.values())
    check_apart(targets, (*photos.values(), *maps.values()))
    make_folder(output)

    def one(image: str) -> bool:
        target = output / maps[image].name
        if target.exists() and not again:
            return False
        photo = _of(photos, image, folders[0])
        _refine_map(refiner, (photo, maps[image]), target, options)
        return True

    _each(maps, one, what="refine", done="refined", output=output)


def _refine_parts(
    refiner: "Refiner", parts: Path, output: Path, options: _Options, *, again: bool
) -> None:
    from edgewise.images import read_photo
    from edgewise.scenes import folders as layout

    names = layout.parts(parts)
    if not names:
        raise InputError(f"{parts}: no pieces in it; expected <image>_<label>.<number>_seg.png")
    make_folder(output)

    def one(image: str) -> bool:
        targets = {name: output / f"{name}{layout.REFINED}" for name in names[image]}
        missing = [name for name, path in targets.items() if again or not path.exists()]
        if not missing:
            return False
        photo = read_photo(parts / f"{image}{layout.PHOTO}.jpg")
        for name in missing:
            _refine_part(refiner, photo, (parts, name), targets[name], options)
        return True

    _each(names, one, what="refine", done="photos' pieces refined", output=output)


def _refine_part(
    refiner: "Refiner",
    photo: "NDArray[np.uint8]",
    part: tuple[Path, str],
    output: Path,
    options: _Options,
) -> None:
    """One piece alone, in its box; a piece that is empty or fills its box stays."""
    import numpy as np

    from edgewise.masks import write_mask
    from edgewise.scenes.folders import COARSE, read_coarse_part

    mask, box = read_coarse_part(*part)
    if mask.shape != photo.shape[:2]:
        raise InputError(f"{part[1]}{COARSE}: its size is not that of its photo")
    inside = mask[box.slices]
    if not inside.size:
        raise InputError(f"{part[1]}{COARSE}: is a single row or column, which has no box")
    fixed = inside.all() or not inside.any()
    if fixed:
        soft = inside.astype(np.float32)
    else:
        only = options.overview_only
        soft = refiner.refine(photo[box.slices], inside, overview_only=only).soft
    write_mask(output, soft, soft=True)


@app.command("split")
def split(
    photos: Path = typer.Option(..., "--photos", help="A folder of photos, <image>.jpg."),
    labels: Path = _Maps,
    truths: Path | None = typer.Option(None, "--truths", help="A folder of true label maps."),
    output: Path = _Output,
    void: int = _Void,
    no_void: bool = _NoVoid,
) -> None:
    """Take label maps apart into the pieces of each label, as published."""
    from edgewise.scenes import folders as layout

    pictures, maps = layout.photos(photos), layout.label_maps(labels)
    true = None if truths is None else layout.label_maps(truths)
    make_folder(output)
    earlier = layout.parts(output)

    def one(image: str) -> bool:
        truth = None if true is None or truths is None else _of(true, image, truths)
        files = (_of(pictures, image, photos), maps[image], truth)
        made = layout.write_split(image, files, output, void=None if no_void else void)
        if left := sorted(set(earlier.get(image, ())).difference(made)):
            raise InputError(
                f"{output / left[0]}{layout.COARSE}: is of an earlier split, and would be "
                f"merged too; remove it or split to a new folder ({len(left)} of {image})"
            )
        return True

    _each(maps, one, what="split", done="split", output=output)


@app.command("merge")
def merge(
    labels: Path = _Maps,
    parts: Path = typer.Option(..., "--parts", help="The folder of split pieces, _seg.png."),
    refined: Path = typer.Option(..., "--refined", help="The folder of results, _mask.png."),
    output: Path = _Output,
    no_background: bool = typer.Option(
        False, "--no-background", help="Treat ADE20K's background labels like the others."
    ),
    again: bool = _Again,
) -> None:
    """Put refined pieces back into label maps by the published rule."""
    from edgewise.scenes import folders as layout
    from edgewise.scenes.labels import check_writable, read_labels, write_labels
    from edgewise.scenes.merge import BACKGROUND
    from edgewise.scenes.merge import merge as merged

    maps, names = layout.label_maps(labels), layout.parts(parts)
    if not maps.keys() & names.keys():
        raise InputError(
            f"{parts}: no pieces of the maps in {labels}; expected <image>_<label>.<number>_seg.png"
        )
    background: frozenset[int] = frozenset() if no_background else BACKGROUND
    check_apart((output / path.name for path in maps.values()), maps.values())
    make_folder(output)

    def one(image: str) -> bool:
        target = output / maps[image].name
        if target.exists() and not again:
            return False
        coarse, form = read_labels(maps[image])
        check_writable(target, coarse, form)
        if image not in names:
            typer.echo(f"edgewise: {maps[image]}: has no pieces in {parts}; it stays", err=True)
        found = layout.refined_parts(refined, names.get(image, []), parts, coarse.shape)
        write_labels(target, merged(coarse, found, background=background), form)
        return True

    _each(maps, one, what="merge", done="merged", output=output)


@app.command("evaluate")
def evaluate(
    labels: Path = typer.Option(..., "--labels", help="A folder of label maps to score."),
    truths: Path = typer.Option(..., "--truths", help="A folder of true label maps; 0 is void."),
    before: Path | None = typer.Option(
        None, "--before", help="A folder of the maps as they were, to compare with."
    ),
    classes: int = _Classes,
    reference_quirks: bool = typer.Option(
        False, "--reference-quirks", help="Count as the published script does, mistakes included."
    ),
    as_json: bool = typer.Option(False, "--json", help="For programs."),
) -> None:
    """Score label maps as published: mIoU and pixel accuracy pooled, mBA by scene."""
    from edgewise.scenes import folders as layout

    true, after = layout.label_maps(truths), layout.label_maps(labels)
    old = None if before is None else layout.label_maps(before)
    scoring = _Scoring(classes, reference_quirks)

    def one(image: str) -> None:
        truth = _of(true, image, truths)
        coarse = None if old is None or before is None else _of(old, image, before)
        scoring.add(after[image], truth, coarse)

    failed = _tried(after, one, what="score")
    if not scoring.scenes:
        raise InputError(f"{labels}: none of its label maps could be scored")
    typer.echo(json.dumps(scoring.values(), indent=2) if as_json else _table(scoring))
    if failed:
        raise typer.Exit(SOME_FAILED)


class _Scoring:
    """Scores pooled over scenes, after refining and, where given, before."""

    def __init__(self, classes: int, reference_quirks: bool) -> None:
        from edgewise.scenes.evaluate import SceneScore

        self.classes, self.quirks = classes, reference_quirks
        self.before, self.after = SceneScore(), SceneScore()
        self.scenes = self.compared = self.harmed = 0

    def add(self, labels: Path, truth: Path, coarse: Path | None) -> None:
        """Score one scene."""
        score = self._score(labels, truth)
        if coarse is not None:
            was = self._score(coarse, truth)
            self.before += was
            self.compared += 1
            self.harmed += score.scene_iou.score < was.scene_iou.score - HARM
        self.after += score
        self.scenes += 1

    def _score(self, labels: Path, truth: Path) -> "SceneScore":
        from edgewise.scenes.evaluate import SceneScore
        from edgewise.scenes.labels import read_labels

        try:
            return SceneScore.of(
                read_labels(labels)[0],
                read_labels(truth)[0],
                classes=self.classes,
                reference_quirks=self.quirks,
            )
        except InputError as error:
            raise InputError(f"{labels}: {error}") from error

    def values(self) -> dict[str, object]:
        """Everything, for JSON; null where undefined."""
        rows: dict[str, object] = {"scenes": self.scenes, "after": _plain(self.after.values())}
        if self.compared:
            rows["before"] = _plain(self.before.values())
            rows["harmed"] = self.harmed / self.compared
        return rows


def _plain(values: dict[str, float]) -> dict[str, float | None]:
    return {name: None if math.isnan(value) else value for name, value in values.items()}


_TITLES = {
    "miou": "mIoU",
    "miou_present": "mIoU present",
    "scene_iou": "IoU by scene",
    "mba": "mBA",
    "accuracy": "accuracy",
}


def _table(scoring: _Scoring) -> str:
    """Scores in percent, gains in points."""
    from edgewise.cli.tables import aligned, number, percent

    after, before = scoring.after.values(), scoring.before.values()
    lines = [["", *_TITLES.values()]]
    if scoring.compared:
        lines.append(["before", *(number(100 * before[name], 2) for name in _TITLES)])
    lines.append(["after", *(number(100 * after[name], 2) for name in _TITLES)])
    if scoring.compared:
        gains = (number(100 * (after[name] - before[name]), 2, sign=True) for name in _TITLES)
        lines.append(["gain", *gains])
    note = f"{scoring.scenes} scenes"
    if scoring.compared:
        note += f", harmed {percent(scoring.harmed / scoring.compared)}"
    return f"{aligned(lines)}\n\n{note}"


def _of(files: dict[str, Path], image: str, folder: Path) -> Path:
    """The file of an image; InputError where there is none."""
    if image not in files:
        raise InputError(f"{folder}: no file of the image {image} in it")
    return files[image]


def _tried(images: Iterable[str], one: Callable[[str], None], *, what: str) -> int:
    """Do each; say what fails and go on. How many failed."""
    from edgewise.cli.progress import tracked

    names, failed = list(images), 0
    for image in tracked(names, total=len(names), what=what):
        try:
            one(image)
        except EdgewiseError as error:
            failed += 1
            typer.echo(f"edgewise: {error}", err=True)
    return failed


def _each(
    images: Iterable[str], one: Callable[[str], bool], *, what: str, done: str, output: Path
) -> None:
    """Do each image, which says whether there was work left; status 1 where one failed."""
    worked: list[bool] = []

    def noted(image: str) -> None:
        worked.append(one(image))

    failed = _tried(images, noted, what=what)
    there = f", {worked.count(False)} there already (--again)" if False in worked else ""
    typer.echo(f"{worked.count(True)} {done}{there}, {failed} failed: {output}", err=True)
    if failed:
        raise typer.Exit(SOME_FAILED)
