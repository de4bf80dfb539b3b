"""Uploads: pictures from a client, checked before they are decoded.

What a picture is, its content says: names count for nothing but to be shown.
"""

import unicodedata
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgewise.errors import InputError
from edgewise.files import stored_size
from edgewise.images import read_photo
from edgewise.masks import read_mask
from edgewise.studio.limits import RefusedError

LONGEST_NAME = 120


def checked_name(name: str | None) -> str:
    """A file's name as a client gave it, fit to be shown and to be offered for saving.

    Raises:
        RefusedError: 400 where the name leads to another folder.
    """
    text = name or "photo"
    if "/" in text or "\\" in text or text in (".", "..") or "\0" in text:
        shown = "".join(c for c in text[:40] if c.isprintable())
        raise RefusedError(400, f"the file name {shown!r} leads to a folder; expected a plain name")
    kept = "".join(c for c in text if unicodedata.category(c)[0] != "C")
    return kept[:LONGEST_NAME] or "photo"


def photo_in(path: Path, *, pixels: int, called: str = "the photo") -> NDArray[np.uint8]:
    """The photo in an uploaded file, uint8 HxWx3 RGB.

    Args:
        path: the file.
        pixels: the limit, which the header is held against before anything is decoded.
        called: what messages call the file.

    Raises:
        RefusedError: 415 no picture, 413 too many pixels, 422 damaged or of an unfit kind.
    """
    _check_header(path, pixels, called)
    try:
        return read_photo(path, max_pixels=pixels)
    except InputError as error:
        raise RefusedError(422, _told(error, path, called)) from error


def mask_in(
    path: Path, *, size: tuple[int, int], pixels: int, called: str = "the mask"
) -> NDArray[np.float32]:
    """The mask in an uploaded file, float32 HxW of a photo's `size` (height, width), in 0..1.

    Raises:
        RefusedError: as `photo_in`, or 422 where it does not fit the photo.
    """
    _check_header(path, pixels, called)
    try:
        return read_mask(path, size=size)
    except InputError as error:
        raise RefusedError(422, _told(error, path, called)) from error


def _check_header(path: Path, pixels: int, called: str) -> None:
    try:
        width, height = stored_size(path)
    except InputError as error:
        raise RefusedError(415, _told(error, path, called)) from error
    if width * height > pixels:
        raise RefusedError(
            413,
            f"{called} has {width}x{height} pixels, {width * height:,} in all; the limit is "
            f"{pixels:,}",
        )


def _told(error: InputError, path: Path, called: str) -> str:
    """An error's line with the file called as the client knows it."""
    return str(error).replace(f"{path}: ", f"{called} ").replace(str(path), called)
