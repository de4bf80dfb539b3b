"""Label maps: integers HxW, one a pixel, in the files that people keep them in.

What is read is written back in the same form: the palette, the mode and the depth stay. Grey of
less than 8 bits becomes 8.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from edgewise.errors import InputError, OutputError
from edgewise.files import (
    atomic_path,
    load_picture,
    lossy_format,
    save_picture,
    stored_levels,
)

if TYPE_CHECKING:
    import os

    from numpy.typing import ArrayLike, NDArray
    from PIL.Image import Image

    Labels = NDArray[np.integer[Any]]

MANY = 4096
"""Colours: a smoothed or lossy picture has more than any label map has labels."""

_HIGHEST = {"1": 1, "L": 255, "P": 255, "I;16": 65535, "RGB": 2**24 - 1}
_SAVE: dict[str, dict[str, Any]] = {
    ".png": {"format": "PNG"},
    ".tif": {"format": "TIFF", "compression": "tiff_adobe_deflate"},
    ".tiff": {"format": "TIFF", "compression": "tiff_adobe_deflate"},
}


@dataclass(frozen=True)
class Form:
    """How a label map is kept in a file.

    Attributes:
        mode: "1", "L", "P", "I;16" or "RGB" as in Pillow.
        palette: of mode P: 3 bytes a label, red, green, blue.
        transparency: of mode P: the label, or one byte a label, that says what is see-through.
        dtype: of a NumPy file; pictures have the smallest that holds their mode.
    """

    mode: str = "L"
    palette: bytes = b""
    transparency: int | bytes | None = None
    dtype: str = "uint8"


def as_labels(array: ArrayLike, shape: tuple[int, int] | None = None) -> Labels:
    """An array as a label map: integers HxW (bool counts as 0 and 1), of `shape` where given.

    Raises:
        InputError: another type or shape, or no pixels.
    """
    labels = np.asarray(array)
    if labels.dtype == bool:
        labels = labels.astype(np.uint8)
    if not np.issubdtype(labels.dtype, np.integer):
        raise InputError(f"the label map is of type {labels.dtype}; expected integers")
    if labels.ndim != 2 or not labels.size:
        raise InputError(f"the label map's shape is {labels.shape}; expected height x width")
    if shape is not None and labels.shape != tuple(shape):
        raise InputError(
            f"the label map has {labels.shape[1]}x{labels.shape[0]} pixels and the photo "
            f"{shape[1]}x{shape[0]}; they must agree (enlarge labels by nearest neighbour)"
        )
    return labels


def read_labels(path: str | os.PathLike[str]) -> tuple[Labels, Form]:
    """The label map in a file, and its form for `write_labels`.

    - PNG, TIFF, BMP or GIF of a palette: indices are labels; of 2- to 16-bit grey: levels are; of
      1 bit: 0 and 1; of RGB with few colours, also in lossless WebP: red + 256 green + 65536 blue
      is, as in COCO's panoptic files.
    - `.npy`: integers HxW.

    Returns:
        Integers HxW (int32; a NumPy file's own type), and the form.

    Raises:
        InputError: the file is missing, damaged, compressed with loss or no label map.
    """
    if Path(path).suffix.lower() == ".npy":
        return _read_array(path)
    picture = load_lossless(path)
    if picture.mode == "P":
        palette = bytes(picture.getpalette("RGB") or b"")
        form = Form("P", palette, picture.info.get("transparency"))
        return np.asarray(picture).astype(np.int32), form
    if picture.mode == "1":
        return np.asarray(picture).astype(np.int32), Form("1")
    if picture.mode == "L":
        return stored_levels(picture, path).astype(np.int32), Form("L")
    if picture.mode in ("I;16", "I;16B", "I"):
        return _read_deep(picture, path)
    if picture.mode == "RGB":
        return _read_colours(picture, path)
    raise InputError(f"{path}: is of mode {picture.mode}; expected labels as grey, palette or RGB")


def _read_array(path: str | os.PathLike[str]) -> tuple[Labels, Form]:
    try:
        with Path(path).open("rb") as stream:
            labels = as_labels(np.load(stream, allow_pickle=False))
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
    except Exception as error:  # NumPy raises nearly anything on a damaged or lying header
        reason = " ".join(str(error).split())
        raise InputError(f"{path}: cannot be read as a label map: {reason}") from error
    return labels, Form(_smallest_mode(labels), dtype=str(labels.dtype))


def load_lossless(path: str | os.PathLike[str]) -> Image:
    """The picture of a label map, as `files.load_picture` gives it.

    Raises:
        InputError: as there, or it is compressed with loss.
    """
    picture, lossy = load_picture(path), lossy_format(path)
    if lossy:
        raise InputError(
            f"{path}: is compressed with loss ({lossy}), which blurs labels into others; "
            "expected .png, .tif or .npy"
        )
    return picture


def _read_deep(picture: Image, path: str | os.PathLike[str]) -> tuple[Labels, Form]:
    labels = np.asarray(picture).astype(np.int32)
    if labels.min() < 0 or labels.max() > _HIGHEST["I;16"]:
        raise InputError(f"{path}: holds {labels.min()} to {labels.max()}; expected 0 to 65535")
    return labels, Form("I;16", dtype="uint16")


def _read_colours(picture: Image, path: str | os.PathLike[str]) -> tuple[Labels, Form]:
    if picture.getcolors(MANY) is None:
        raise InputError(
            f"{path}: has more than {MANY} colours, so it is a photo or was saved with loss; "
            "expected one colour a label"
        )
    channels = np.asarray(picture).astype(np.int32)
    labels = channels[..., 0] | channels[..., 1] << 8 | channels[..., 2] << 16
    return labels, Form("RGB", dtype="int32")


def write_labels(path: str | os.PathLike[str], labels: Labels, form: Form | None = None) -> None:
    """Write a label map without loss; the file appears complete or not at all.

    Args:
        path: ends in .png, .tif, .tiff or .npy.
        labels: integers HxW.
        form: as read; None takes the smallest that holds the labels.

    Raises:
        InputError: the array is no label map.
        OutputError: another suffix, labels that the form cannot hold, or a failed write.
    """
    labels = as_labels(labels)
    check_writable(path, labels, form)
    suffix = Path(path).suffix.lower()
    if suffix == ".npy":
        dtype = form.dtype if form else str(labels.dtype)
        with atomic_path(path) as temporary:
            np.save(temporary, labels.astype(dtype), allow_pickle=False)
        return
    form = form or Form(_smallest_mode(labels))
    options = dict(_SAVE[suffix])
    if form.transparency is not None and suffix == ".png":
        options["transparency"] = form.transparency
    save_picture(path, _picture(labels, form), **options)


def check_writable(path: str | os.PathLike[str], labels: Labels, form: Form | None = None) -> None:
    """Raise before the work what `write_labels` would raise after it.

    Args:
        path: of the file to write.
        labels: integers HxW, which hold all that will be written.
        form: as for `write_labels`.

    Raises:
        OutputError: another suffix, or labels that the form cannot hold.
    """
    suffix = Path(path).suffix.lower()
    if suffix == ".npy":
        limits = np.iinfo(form.dtype if form else labels.dtype)
        low, high = int(limits.min), int(limits.max)
    elif suffix in _SAVE:
        low, high = 0, _HIGHEST[form.mode if form else _smallest_mode(labels)]
    else:
        raise OutputError(f"{path}: labels cannot be kept so; expected .png, .tif or .npy")
    if labels.min() < low or labels.max() > high:
        raise OutputError(
            f"{path}: the labels {labels.min()} to {labels.max()} do not fit; "
            f"this form holds {low} to {high}"
        )


def _smallest_mode(labels: Labels) -> str:
    highest = int(labels.max())
    return next((mode for mode in ("L", "I;16") if highest <= _HIGHEST[mode]), "RGB")


def _picture(labels: Labels, form: Form) -> Image:
    from PIL import Image

    if form.mode == "RGB":
        channels = [(labels >> shift & 255).astype(np.uint8) for shift in (0, 8, 16)]
        return Image.fromarray(np.stack(channels, axis=-1))
    if form.mode == "1":
        return Image.fromarray(labels.astype(bool))
    if form.mode == "I;16":
        return Image.fromarray(labels.astype(np.uint16))
    picture = Image.fromarray(labels.astype(np.uint8))
    if form.mode == "P":
        # By the palette's length Pillow chooses the bits: each label has to have an entry.
        picture.putpalette(form.palette.ljust(3 * (int(labels.max()) + 1), b"\0"))
    return picture
