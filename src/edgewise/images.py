"""Photos: a file or an array becomes uint8 HxWx3 RGB, upright, in sRGB."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np

from edgewise.errors import InputError
from edgewise.files import MAX_PIXELS, deep_grey, load_picture, picture_size

if TYPE_CHECKING:
    import os

    from numpy.typing import ArrayLike, NDArray
    from PIL.Image import Image

_UNREADABLE = {
    "I": "32-bit or signed integers",
    "F": "floating point numbers",
    "LAB": "CIE L*a*b* colours",
    "HSV": "HSV colours",
}
_STRIP_BYTES = 100_000  # copies of more would be fresh memory every time, which is slower


def read_photo(path: str | os.PathLike[str], *, max_pixels: int = MAX_PIXELS) -> NDArray[np.uint8]:
    """The photo in a file as uint8 HxWx3 RGB.

    Reads JPEG, PNG, WebP, TIFF, BMP and GIF; of several pictures in a file, the first.

    - EXIF orientation is applied.
    - 16-bit grey is scaled from 0..65535 to 0..255 (12-bit from 0..4095), rounded; of 16-bit
      colour Pillow keeps the upper byte.
    - An alpha channel is ignored and the colours stay as stored: laid over a background, the
      alpha's edge would become an edge of the photo.
    - Samples with an embedded colour profile are converted to sRGB. A profile that is damaged or
      of another colour space than the samples is ignored; without one, samples count as sRGB.

    Raises:
        InputError: the file is missing, is no picture, is damaged or cut off, holds floating
            point or 32-bit samples, or has more than `max_pixels` pixels (checked before
            decoding).
    """
    picture = load_picture(path, max_pixels=max_pixels)
    if picture.mode in _UNREADABLE:
        raise InputError(
            f"{path}: its samples are {_UNREADABLE[picture.mode]}; save it as 8- or 16-bit RGB"
        )
    if picture.mode.startswith("I;16"):
        return _as_rgb(_byte_levels(picture))
    return _pixels(_as_srgb(_without_alpha(picture)))


def photo_size(path: str | os.PathLike[str]) -> tuple[int, int]:
    """Width and height in pixels of the photo in a file, upright, from its header alone.

    Raises:
        InputError: the file is missing or is no picture.
    """
    return picture_size(path)


def profile_applies(mode: str, profile: bytes) -> bool:
    """Whether `read_photo` converts samples by such an embedded colour profile.

    Args:
        mode: of the samples, as Pillow calls it: L, RGB or CMYK.
        profile: the embedded file.
    """
    from PIL import Image

    sample = Image.new(mode, (1, 1))
    sample.info["icc_profile"] = profile
    return _as_srgb(sample) is not sample


def as_photo(array: ArrayLike) -> NDArray[np.uint8]:
    """An array as a photo, uint8 HxWx3 RGB.

    Accepts uint8 HxWx3 (returned as it is where contiguous), HxW and HxWx1 (grey), and HxWx4
    (RGBA, whose alpha is ignored).

    Raises:
        InputError: the array has another type or shape, or no pixels.
    """
    photo = np.asarray(array)
    if photo.dtype != np.uint8:
        raise InputError(
            f"the photo's samples are {photo.dtype}; expected uint8, 0..255 (from floats in "
            "[0, 1]: np.rint(photo * 255).astype(np.uint8))"
        )
    if photo.ndim == 3 and photo.shape[2] == 1:
        photo = photo[..., 0]
    channels = photo.shape[2] if photo.ndim == 3 else 1
    if photo.ndim not in (2, 3) or channels not in (1, 3, 4) or photo.size == 0:
        raise InputError(
            f"the photo's shape is {photo.shape}; expected height x width x 3 in RGB order "
            "(or x 4 with alpha, or height x width in grey)"
        )
    return _as_rgb(photo) if photo.ndim == 2 else np.ascontiguousarray(photo[..., :3])


def _as_rgb(grey: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.repeat(grey[..., None], 3, axis=2)


def _byte_levels(picture: Image) -> NDArray[np.uint8]:
    """16-bit grey as bytes: 65535 / 255 is 257, so dividing by 257 keeps both ends and rounds."""
    values, top = deep_grey(picture)
    grey: NDArray[np.uint8] = np.rint(values * np.float32(255 / top)).astype(np.uint8)
    return grey


def _without_alpha(picture: Image) -> Image:
    """The picture in one of the modes L, RGB and CMYK, colours as stored."""
    if picture.mode in ("L", "RGB", "CMYK"):
        return picture
    if picture.mode in ("1", "LA"):
        return picture.convert("L")
    if picture.mode in ("P", "PA"):
        return picture.convert("RGBA").convert("RGB")  # P to RGB warns of transparent entries
    return picture.convert("RGB")


def _as_srgb(picture: Image) -> Image:
    """The picture converted by its embedded profile; as it is where that does not apply."""
    data = picture.info.get("icc_profile")
    if not data:
        return picture
    from PIL import ImageCms

    try:
        profile = ImageCms.ImageCmsProfile(io.BytesIO(data))
        if "sRGB" in ImageCms.getProfileDescription(profile):
            return picture  # nothing to do, which saves as much time as decoding takes
        srgb = ImageCms.createProfile("sRGB")
        converted = ImageCms.profileToProfile(picture, profile, srgb, outputMode="RGB")
    except (ImageCms.PyCMSError, OSError, ValueError):
        return picture  # as documented: an unfit profile says nothing about the samples
    return picture if converted is None else converted


def _pixels(picture: Image) -> NDArray[np.uint8]:
    """A picture as a photo, in strips: Pillow's own conversion holds three copies for a while."""
    width, height = picture.size
    photo = np.empty((height, width, 3), dtype=np.uint8)
    rows = max(1, _STRIP_BYTES // (4 * width))  # Pillow holds a pixel of colours in 4 bytes
    for top in range(0, height, rows):
        strip = picture.crop((0, top, width, min(top + rows, height)))
        photo[top : top + rows] = np.asarray(strip.convert("RGB"))
    return photo
