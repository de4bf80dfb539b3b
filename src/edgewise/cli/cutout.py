"""`edgewise cutout`: the object of a photo, on a transparent ground or on another one."""

import os.path
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from edgewise.cli.options import Device, Model, Threads
from edgewise.cli.outputs import check_outputs
from edgewise.cli.warned import warnings_told
from edgewise.errors import InputError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def command(
    photo: Path = typer.Argument(..., help="The photo."),
    mask: Path = typer.Argument(..., help="The mask of one object in it."),
    output: Path = typer.Option(
        ..., "--output", "-o", help=".png, .webp or .tif; with --background .jpg as well."
    ),
    refine: bool = typer.Option(
        True, "--refine/--no-refine", help="Refine the mask first, or take its levels as alpha."
    ),
    background: str | None = typer.Option(
        None, "--background", help="A colour (white, #00ff00) or a picture to lay the object on."
    ),
    crop: bool = typer.Option(False, "--crop", help="Keep only the box around the object."),
    threads: Threads = None,
    model: Model = "default",
    device: Device = "cpu",
) -> None:
    """Cut an object out, with its own colours at the edge: no fringe of the old background."""
    from edgewise import cutout
    from edgewise.images import read_photo
    from edgewise.masks import read_mask

    cutout.save_options(output, opaque=background is not None)  # refused before the work, not after
    check_outputs(output, inputs=[photo, mask, *([Path(background)] if background else [])])
    ground = None if background is None else _ground(background)
    picture = read_photo(photo)
    soft = read_mask(mask, size=(picture.shape[0], picture.shape[1]))
    if refine:
        soft = _refined(picture, soft, mask, (model, threads, device))
    result = cutout.cut_out(picture, soft, is_alpha=not refine)
    if crop:
        result = cutout.cropped(result)
    cutout.write_cutout(output, result if ground is None else cutout.compose(result, ground))


def _ground(background: str) -> "NDArray[np.uint8] | tuple[int, int, int]":
    """The colour or, where it is no colour's name, the picture that is asked for."""
    from PIL import ImageColor

    from edgewise.images import read_photo

    try:
        colour = ImageColor.getrgb(background)
    except ValueError:
        if os.path.exists(background):  # false, too, of what no path can be
            return read_photo(background)
        raise InputError(
            f"--background {background}: no such file, and no colour; expected a picture, a "
            "name such as white, or a value such as #00ff00"
        ) from None
    if len(colour) != 3:
        raise InputError(f"--background {background}: has an alpha; expected an opaque colour")
    if not all(0 <= level <= 255 for level in colour):
        raise InputError(
            f"--background {background}: is out of range; expected levels up to 255, percentages "
            "up to 100%"
        )
    return colour


def _refined(
    photo: "NDArray[np.uint8]",
    mask: "NDArray[np.float32]",
    name: Path,
    network: tuple[str, int | None, str],
) -> "NDArray[np.float32]":
    """The refined soft mask; what the refiner warns of goes to standard error."""
    from edgewise.refiner import Refiner

    model, threads, device = network
    refiner = Refiner.open(model, threads=threads, device=device)
    with warnings_told(name):
        return refiner.refine(photo, mask).soft
