"""`edgewise refine`: one photo, or a folder of them."""

import sys
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from edgewise.errors import EdgewiseError, EdgewiseWarning, InputError

if TYPE_CHECKING:
    from edgewise.refiner import Refiner

SOME_FAILED = 1


def command(
    photo: Path | None = typer.Argument(None, help="The photo."),
    mask: Path | None = typer.Argument(None, help="The rough mask of one object in it."),
    output: Path = typer.Option(
        ..., "--output", "-o", help="The refined mask to write; a folder with --photos."
    ),
    photos: Path | None = typer.Option(None, "--photos", help="A folder of photos."),
    masks: Path | None = typer.Option(None, "--masks", help="A folder of masks, same stems."),
    soft: bool = typer.Option(False, "--soft", help="Write 8-bit grey instead of black and white."),
    overview_only: bool = typer.Option(
        False, "--overview-only", help="Stop after the first look: fast, less exact edges."
    ),
    threads: int | None = typer.Option(
        None, "--threads", min=1, help="Threads; default: all cores."
    ),
    model: str = typer.Option("default", "--model", help="A network of `edgewise models`."),
    device: str = typer.Option("cpu", "--device", help="cpu, or cuda with onnxruntime-gpu."),
) -> None:
    """Refine a rough mask to the photo's true edge."""
    pairs, is_folder = _jobs(photo, mask, photos, masks)
    if is_folder:
        make_folder(output)
    refiner = _open(model, threads, device)
    if not is_folder:
        _refine_file(refiner, pairs[0], output, soft=soft, overview_only=overview_only)
        return
    failed = 0
    from edgewise.cli.progress import tracked

    for pair in tracked(pairs, total=len(pairs), what="refine"):
        target = output / f"{pair[0].stem}.png"
        try:
            _refine_file(refiner, pair, target, soft=soft, overview_only=overview_only)
        except EdgewiseError as error:
            failed += 1
            typer.echo(f"edgewise: {error}", err=True)
    typer.echo(f"{len(pairs) - failed} refined, {failed} failed: {output}", err=True)
    if failed:
        raise typer.Exit(SOME_FAILED)


def _jobs(
    photo: Path | None, mask: Path | None, photos: Path | None, masks: Path | None
) -> tuple[list[tuple[Path, Path]], bool]:
    """The (photo, mask) pairs asked for, and whether they are those of folders."""
    if photo and mask and not photos and not masks:
        return [(photo, mask)], False
    if photos and masks and not photo and not mask:
        return _pairs(photos, masks), True
    raise InputError("give PHOTO MASK, or --photos FOLDER --masks FOLDER")


def _pairs(photos: Path, masks: Path) -> list[tuple[Path, Path]]:
    """Photos and masks of the same stem; InputError names what has no counterpart."""
    from edgewise.files import find_images

    by_stem: dict[str, Path] = {}
    for path in find_images(masks):
        if path.stem in by_stem:
            raise InputError(
                f"{masks}: two masks of one stem: {by_stem[path.stem].name}, {path.name}"
            )
        by_stem[path.stem] = path
    found = find_images(photos)
    if not found:
        raise InputError(f"{photos}: no photos in this folder")
    lonely = [path.name for path in found if path.stem not in by_stem]
    if len(lonely) == len(found):
        raise InputError(f"{masks}: no mask has the stem of a photo of {photos} ({lonely[0]}, ...)")
    for name in lonely:
        typer.echo(
            f"edgewise: {photos / name}: no mask of this stem in {masks}; left out", err=True
        )
    return [(path, by_stem[path.stem]) for path in found if path.stem in by_stem]


def make_folder(folder: Path) -> None:
    """Make an output folder; OutputError where that is not possible."""
    from edgewise.errors import OutputError

    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{folder}: cannot be made: {error.strerror}") from error


def _open(model: str, threads: int | None, device: str) -> "Refiner":
    from edgewise.network.runtime import OnnxEngine
    from edgewise.refiner import Refiner

    return Refiner(OnnxEngine(model, threads=threads, device=device))


def _refine_file(
    refiner: "Refiner", pair: tuple[Path, Path], output: Path, *, soft: bool, overview_only: bool
) -> None:
    from edgewise.images import read_photo
    from edgewise.masks import read_mask, write_mask

    photo = read_photo(pair[0])
    mask = read_mask(pair[1], size=(photo.shape[0], photo.shape[1]))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", EdgewiseWarning)
        refined = refiner.refine(photo, mask, overview_only=overview_only)
    for warning in caught:
        print(f"edgewise: {pair[1]}: {warning.message}", file=sys.stderr)  # noqa: T201
    write_mask(output, refined.soft if soft else refined.mask, soft=soft)
