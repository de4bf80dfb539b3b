"""`edgewise refine`: one photo, or a folder of them."""

import os.path
import signal
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from edgewise.cli import engines
from edgewise.cli.options import Careful, Device, Model, OverviewOnly, Soft, Threads
from edgewise.cli.outputs import check_apart, check_outputs
from edgewise.cli.warned import warnings_told
from edgewise.errors import EdgewiseError, InputError, OutputError
from edgewise.files import make_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from edgewise.engines import Refine
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
    soft: Soft = False,
    overview_only: OverviewOnly = False,
    careful: Careful = False,
    threads: Threads = None,
    model: Model = "default",
    device: Device = "cpu",
    engine: str = typer.Option(engines.OWN, "--engine", help=engines.HELP),
    weights: Path | None = engines.WEIGHTS,
    memory: str | None = typer.Option(
        None, "--memory", help="Memory to keep to, from 500MB; larger photos are read by region."
    ),
) -> None:
    """Refine a rough mask to the photo's true edge."""
    choices = engines.Choices(
        weights=weights,
        model=model,
        threads=threads,
        device=device,
        overview_only=overview_only,
        careful=careful,
    )
    bound = _bytes(memory)
    if photo and mask and not photos and not masks:
        if os.path.isdir(output):  # false, too, of what no path can be
            raise OutputError(f"{output}: is a folder; give the name of a file to write")
        check_outputs(output, inputs=[photo, mask])
        with (
            _ended_at_once() as go_on,
            ThreadPoolExecutor(1) as pool,  # opening takes as long as reading a photo
        ):
            opened = pool.submit(_open, engine, choices)

            def waited() -> _Opened:
                found = opened.result()
                go_on()
                return found

            _refine_one(waited, (photo, mask), output, bound, soft=soft)
        return
    if not (photos and masks) or photo or mask:
        raise InputError("give PHOTO MASK, or --photos FOLDER --masks FOLDER")
    from edgewise.cli.progress import tracked

    check_apart([output], [photos, masks])
    pairs, lonely = _pairs(photos, masks)
    check_apart((_target(output, pair) for pair in pairs), chain.from_iterable(pairs))
    make_folder(output)
    with _ended_at_once():
        ready = _open(engine, choices)
    for path in lonely:
        typer.echo(f"edgewise: {path}: no mask of this stem in {masks}", err=True)
    failed = len(lonely)

    for pair in tracked(pairs, total=len(pairs), what="refine"):
        try:
            _refine_one(lambda: ready, pair, _target(output, pair), bound, soft=soft)
        except EdgewiseError as error:
            failed += 1
            typer.echo(f"edgewise: {error}", err=True)
    done = len(pairs) + len(lonely) - failed
    typer.echo(f"{done} refined, {failed} failed: {output}", err=True)
    if failed:
        raise typer.Exit(SOME_FAILED)


@contextmanager
def _ended_at_once() -> "Iterator[Callable[[], object]]":
    """Let Ctrl-C end the process without more ado, up to the block's end or the call it is given.

    As an exception it could leave an import half done, for which another thread's waits for ever.
    """
    ours = signal.getsignal(signal.SIGINT) is signal.default_int_handler  # not in the background

    def go_on() -> object:
        return ours and signal.signal(signal.SIGINT, signal.default_int_handler)

    if ours:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        yield go_on
    finally:
        go_on()


def _target(output: Path, pair: tuple[Path, Path]) -> Path:
    """Where the refined mask of a photo and mask of a folder goes."""
    return output / f"{pair[0].stem}.png"


def _bytes(memory: str | None) -> int | None:
    if memory is None:
        return None
    from edgewise.large import bytes_of, fits

    bound = bytes_of(memory)
    fits((1, 1), bound)  # refuses what is too little for any photo, before the first
    return bound


def _pairs(photos: Path, masks: Path) -> tuple[list[tuple[Path, Path]], list[Path]]:
    """Photos with the masks of their stems, and the photos that have none."""
    from edgewise.files import find_images

    by_stem = _by_stem(find_images(masks), "masks")
    found = find_images(photos)
    _by_stem(found, "photos")
    if not found:
        raise InputError(f"{photos}: no photos in this folder")
    lonely = [path for path in found if path.stem not in by_stem]
    if len(lonely) == len(found):
        raise InputError(f"{masks}: no mask has the stem of a photo of {photos} ({found[0].name})")
    return [(path, by_stem[path.stem]) for path in found if path.stem in by_stem], lonely


def _by_stem(files: list[Path], what: str) -> dict[str, Path]:
    """Files of a folder by their stems; InputError where two have one."""
    by_stem: dict[str, Path] = {}
    for path in files:
        first = by_stem.setdefault(path.stem, path)
        if first != path:
            raise InputError(
                f"{path.parent}: two {what} of one stem: {first.name}, {path.name}; keep one"
            )
    return by_stem


@dataclass(frozen=True)
class _Opened:
    """An engine; edgewise's own reads large photos by region as well, others only whole ones."""

    refine: "Refine"
    refiner: "Refiner | None" = None
    overview_only: bool = False


def _open(engine: str, choices: engines.Choices) -> _Opened:
    """Open an engine; the checksum of weights that are not the package's own is shown."""
    from edgewise.engines import NetworkEngine

    found = engines.find_engine(engine, choices)
    if choices.weights:
        digest = found.describe()["sha256"]
        typer.echo(f"edgewise: {choices.weights}: sha256 {digest}", err=True)
    if not isinstance(found, NetworkEngine):
        return _Opened(found())
    refiner = found.open()
    return _Opened(found.refining(refiner), refiner, found.overview_only)


def _refine_one(
    opened: "Callable[[], _Opened]",
    pair: tuple[Path, Path],
    output: Path,
    memory: int | None,
    *,
    soft: bool,
) -> None:
    """Refine one photo; by region where it is too large for so many bytes of memory."""
    from edgewise.images import read_photo
    from edgewise.large import by_region, refine_file
    from edgewise.masks import read_mask, save_options, write_mask

    save_options(output, soft=soft)  # refused before the work, not after
    if by_region(pair[0], output, memory) and (refiner := opened().refiner):
        with warnings_told(pair[1]):
            refine_file(
                refiner,
                *pair,
                output,
                soft=soft,
                overview_only=opened().overview_only,
                any_mask=memory is None,
            )
        return
    photo = read_photo(pair[0])
    mask = read_mask(pair[1], size=(photo.shape[0], photo.shape[1]))
    with warnings_told(pair[1]):
        refined = opened().refine(photo, mask)
    write_mask(output, refined if soft else refined > 0.5, soft=soft)
