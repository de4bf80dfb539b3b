"""`edgewise demo`: the main job on photos that ship with the package."""

import time
from pathlib import Path

import typer


def command(
    output: Path = typer.Option(
        Path("edgewise-demo"), "--output", "-o", help="The folder to write to."
    ),
) -> None:
    """Refine the masks of the package's own photos, and show before and after."""
    from edgewise.demo import before_after, pairs, write_picture
    from edgewise.files import make_folder
    from edgewise.images import read_photo
    from edgewise.masks import read_mask, write_mask
    from edgewise.refiner import Refiner

    make_folder(output)
    refiner = Refiner()
    for pair in pairs():
        photo = read_photo(pair.photo)
        coarse = read_mask(pair.coarse, size=(photo.shape[0], photo.shape[1]))
        began = time.perf_counter()
        refined = refiner.refine(photo, coarse).mask
        seconds = time.perf_counter() - began
        write_mask(output / f"{pair.name}_refined.png", refined)
        target = output / f"{pair.name}_before_after.png"
        write_picture(target, before_after(photo, coarse > 0.5, refined))
        height, width = refined.shape
        typer.echo(f"{pair.name}: {width}x{height} in {seconds:.2f} s -> {target}")
