"""Masks: the forms in which they come in files and arrays become float32 HxW in [0, 1]."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from edgewise.errors import InputError, OutputError
from edgewise.files import deep_grey, load_picture, lossy_format, save_picture

if TYPE_CHECKING:
    import os

    from numpy.typing import ArrayLike, NDArray
    from PIL.Image import Image

GREY_TOLERANCE = 8
"""Largest difference between a grey pixel's channels, in 0..255: lossy files tint grey a little."""

LABELS = 64
"""Grey pictures of more levels than this are no label maps."""

BESIDE_VOID = 32
"""Where the levels are the highest possible and some below this, these are labels and it is void: a
soft edge has levels between."""

RINGING = 100
"""So many times as many pixels below half as above are no labels where a file is compressed with
loss: in JPEG, about one white pixel all 64 of a block turn grey."""

WRITABLE = frozenset({".png", ".tif", ".tiff", ".webp"})
"""File name endings, in lower case, of the formats in which a mask is written."""

_LABEL_MAP = "a label map; choose one label and save it as 0 and 255"


def read_mask(
    path: str | os.PathLike[str], *, size: tuple[int, int] | None = None, soft: bool = False
) -> NDArray[np.float32]:
    """The mask in a file as float32 HxW in [0, 1]; 1 is the object.

    What counts as the mask, in this order:

    - alpha, where it varies (a cut-out);
    - a palette with colours: of one or two labels, the one that is not the background (index 0,
      else the darker colour) is the object; a palette of greys alone counts as grey;
    - grey of 1, 8 or 16 bits, and floating point in [0, 1], by its level. Where 1 is the highest
      level of 8 or 16 bits, the levels are the indices 0 and 1;
    - RGB that is grey within `GREY_TOLERANCE`, by its luminance; exactly two colours, as in a
      palette.

    EXIF orientation is applied; colour profiles are not, as levels are no colours.

    Args:
        path: a JPEG, PNG, WebP, TIFF, BMP or GIF file.
        size: height and width of the photo; a mask of another size is resampled by `fit_mask`.
        soft: take grey levels as they are. Otherwise 1 as the highest level is an index, and
            at most `LABELS` levels with more pixels below than above half, 0 apart, are refused
            as a label map (of a file compressed with loss, with `RINGING` times more), as are a few
            low levels beside the highest alone (`BESIDE_VOID`). Files by
            `write_mask(soft=True)` are read exactly with this.

    Raises:
        InputError: the file is missing, is no picture, is damaged, is a label map or looks like a
            photo, or does not fit `size`.
    """
    picture, lossy = load_picture(path), lossy_format(path) is not None
    mask = _mask_of(picture, str(path), soft=soft, lossy=lossy)
    return mask if size is None else _fit(mask, size, str(path))


def fit_mask(mask: ArrayLike, shape: tuple[int, int]) -> NDArray[np.float32]:
    """A mask resampled to `shape` (height, width), which must have the mask's aspect.

    Sides made by scaling and rounding are off by less than one pixel each, in the same direction
    for floor and for ceil and by half a pixel at most for rounding. With w = s W + e and
    h = s H + f that makes |w H - h W| = |e H - f W| <= max(W, H); the greater of the two sizes
    takes that place when the mask is the larger one. Shrinking averages areas, enlarging is
    linear; levels stay soft.

    Args:
        mask: float32 HxW in [0, 1], or what `as_mask` takes for one.
        shape: height and width wanted.

    Raises:
        InputError: the aspects differ, or the mask or the shape is none.
    """
    return _fit(as_mask(mask), shape, "the mask")


def as_mask(array: ArrayLike, shape: tuple[int, int] | None = None) -> NDArray[np.float32]:
    """An array as a soft mask, float32 HxW in [0, 1]; 1 is the object.

    Accepts HxW and HxWx1 of bool, of uint8 and uint16 (levels up to 255 and 65535; where 1 is the
    highest, 0 and 1), of other integers that are all 0 and 1 or 0 and 255, and of floats in
    [0, 1].

    Args:
        array: the mask.
        shape: height and width that it must have; `fit_mask` resamples where it has not.

    Raises:
        InputError: another type or shape, a label map, NaN, or values out of range.
    """
    mask = np.asarray(array)
    if mask.ndim == 3 and mask.shape[2] == 1:
        mask = mask[..., 0]
    if mask.ndim != 2 or mask.size == 0:
        raise InputError(f"the mask's shape is {mask.shape}; expected height x width")
    if shape is not None and mask.shape != tuple(shape):
        raise InputError(
            f"the mask has {_size(mask.shape)} pixels and the photo {_size(shape)}; they must "
            "agree (fit_mask resamples a mask)"
        )
    return _unit_range(mask, "the mask", soft=False)


def binary(mask: NDArray[np.float32]) -> NDArray[np.bool_]:
    """The object's pixels, bool HxW: those above one half.

    The published benchmarks compare a soft result in 0..255 by > 128, so that the level 128 is
    object here (128 / 255 > 0.5) and background there.
    """
    return mask > np.float32(0.5)


def write_mask(
    path: str | os.PathLike[str],
    mask: NDArray[np.bool_] | NDArray[np.float32],
    *,
    soft: bool = False,
) -> None:
    """Write a mask, bool or float32 HxW in [0, 1], without loss; the object is white.

    Args:
        path: ends in .png, .tif, .tiff or .webp. The file appears complete or not at all.
        mask: the mask; 1-bit files get `binary` of it.
        soft: write 8-bit grey, rounded to the nearest of 256 levels, instead of 1 bit. (WebP has
            neither form and gets RGB.)

    Raises:
        InputError: the mask is no mask (`as_mask`).
        OutputError: another suffix, or the file cannot be written.
    """
    from PIL import Image

    options = save_options(path, soft=soft)
    pixels: NDArray[Any] = np.asarray(mask)
    # A mask of bool is written as it is, without four bytes a pixel between.
    if pixels.dtype != np.bool_ or pixels.ndim != 2 or not pixels.size or soft:
        levels = as_mask(mask)
        pixels = np.rint(levels * 255).astype(np.uint8) if soft else binary(levels)
    save_picture(path, Image.fromarray(pixels), **options)


def save_options(path: str | os.PathLike[str], *, soft: bool) -> dict[str, Any]:
    """Pillow's options for writing without loss in the format that the suffix names.

    Raises:
        OutputError: no format for masks has this suffix.
    """
    tiff = {"format": "TIFF", "compression": "tiff_adobe_deflate" if soft else "group4"}
    options: dict[str, dict[str, Any]] = {
        ".png": {"format": "PNG"},
        ".tif": tiff,
        ".tiff": tiff,
        ".webp": {"format": "WEBP", "lossless": True},
    }
    suffix = Path(path).suffix.lower()
    if suffix not in options:
        raise OutputError(
            f"{path}: a mask cannot be written as {suffix or 'a file without suffix'}; "
            "expected .png, .tif, .tiff or .webp, which lose nothing"
        )
    return options[suffix]


def _mask_of(picture: Image, name: str, *, soft: bool, lossy: bool) -> NDArray[np.float32]:
    """The mask that a picture of any mode stands for, by the order in `read_mask`."""
    alpha = _varying_alpha(picture)
    if alpha is not None:
        return _unit_range(np.asarray(alpha), name, soft=True)
    if picture.mode == "P":
        return _palette_mask(picture, name, soft=soft)
    if picture.mode.startswith("I;16"):
        values, top = deep_grey(picture)
        return _levels(values, top, name, soft=soft)
    if picture.mode in ("1", "L", "LA", "I", "F"):
        grey = picture.convert("L") if picture.mode == "LA" else picture
        return _unit_range(np.asarray(grey), name, soft=soft, lossy=lossy)
    if picture.mode in ("LAB", "HSV"):
        raise InputError(f"{name}: a mask cannot be read of mode {picture.mode}; save 8-bit grey")
    return _colour_mask(picture.convert("RGB"), name, soft=soft, lossy=lossy)


def _varying_alpha(picture: Image) -> Image | None:
    """The alpha channel, or None where there is none or all its values are one."""
    if "transparency" in picture.info and picture.mode == "P":
        picture = picture.convert("RGBA")
    if not picture.mode.endswith("A"):
        return None
    alpha = picture.getchannel("A")
    lowest, highest = alpha.getextrema()
    return None if lowest == highest else alpha


def _palette_mask(picture: Image, name: str, *, soft: bool) -> NDArray[np.float32]:
    """The mask of a palette picture: grey by its colours, labels by its indices."""
    used = [index for index, count in enumerate(picture.histogram()) if count]
    if _is_grey_palette(picture, used):
        return _unit_range(np.asarray(picture.convert("L")), name, soft=soft)
    if len(used) > 2:
        raise InputError(f"{name}: holds the labels {_some(used)}: {_LABEL_MAP}")
    background = 0 if 0 in used else _darkest(picture, used)
    return _flags(np.asarray(picture) != background)


def _is_grey_palette(picture: Image, used: list[int]) -> bool:
    """Whether indices stand for greys.

    All entries are looked at where few are used: in the palette of PASCAL VOC the label 7 is grey.
    """
    stored = np.array(picture.getpalette("RGB") or [], dtype=np.uint8).reshape(-1, 3)
    palette = np.pad(stored, ((0, 256 - len(stored)), (0, 0)))  # entries left out are black
    colours = palette[used]
    judged = palette if len(used) <= 2 else colours
    distinct = len(np.unique(colours, axis=0)) == len(used)
    return distinct and bool((judged == judged[:, :1]).all())


def _darkest(picture: Image, used: list[int]) -> int:
    """The used index whose colour is the darker; -1, which none is, where only one is used."""
    brightness = np.asarray(picture.convert("L"))
    indices = np.asarray(picture)
    return min(used, key=lambda index: brightness[indices == index][0]) if len(used) > 1 else -1


def _colour_mask(picture: Image, name: str, *, soft: bool, lossy: bool) -> NDArray[np.float32]:
    """The mask of an RGB picture that is grey, or that has two colours."""
    from PIL import ImageChops

    red, green, blue = picture.split()
    tints = (ImageChops.difference(red, green), ImageChops.difference(green, blue))
    if max(np.asarray(tint).max() for tint in tints) <= GREY_TOLERANCE:
        return _unit_range(np.asarray(picture.convert("L")), name, soft=soft, lossy=lossy)
    colours = picture.getcolors(256)
    if colours is None:
        raise InputError(f"{name}: looks like a photo, not a mask; expected black and white")
    brightness = np.asarray(picture.convert("L"))
    darkest, lightest = int(brightness.min()), int(brightness.max())
    if len(colours) != 2 or darkest == lightest:
        raise InputError(f"{name}: has {len(colours)} colours: {_LABEL_MAP}")
    return _flags(brightness == lightest)


def _unit_range(
    values: NDArray[Any], name: str, *, soft: bool, lossy: bool = False
) -> NDArray[np.float32]:
    """HxW values of any type as float32 in [0, 1], or an InputError."""
    if values.dtype == bool:
        return _flags(values)
    if values.dtype in (np.uint8, np.uint16):
        return _levels(values, int(np.iinfo(values.dtype).max), name, soft=soft, lossy=lossy)
    if np.issubdtype(values.dtype, np.integer):
        return _two_integers(values, name)
    if not np.issubdtype(values.dtype, np.floating):
        raise InputError(f"{name}: is of type {values.dtype}; expected bool, uint8 or float32")
    low, high = values.min(), values.max()
    if not (low >= 0 and high <= 1):  # so that NaN is refused too
        raise InputError(f"{name}: has values from {low:.8g} to {high:.8g}; expected 0 to 1")
    return np.asarray(values, dtype=np.float32)


def _levels(
    values: NDArray[Any], top: int, name: str, *, soft: bool, lossy: bool = False
) -> NDArray[np.float32]:
    """Grey levels from 0 to `top` as shares; indices and label maps told apart unless `soft`."""
    highest = int(values.max())
    if not soft and highest == 1:
        return _flags(values > 0)
    if not soft:
        _refuse_labels(values, top, name, lossy=lossy)
    shares: NDArray[np.float32] = np.divide(values, np.float32(top), dtype=np.float32)
    return shares


def _refuse_labels(values: NDArray[Any], top: int, name: str, *, lossy: bool) -> None:
    """Raise InputError where grey levels look like labels.

    As levels, the labels of a map would be a mask that is empty but for its highest labels and its
    void. A soft mask differs: it has many levels or, where few, most of the object is above half.
    """
    import cv2

    counts = cv2.calcHist([values], [0], None, [top + 1], [0, top + 1]).ravel()
    refuse_label_counts(counts, top, name, lossy=lossy)


def refuse_label_counts(counts: NDArray[Any], top: int, name: str, *, lossy: bool = False) -> None:
    """Raise InputError where a picture with so many pixels of each level looks like labels.

    Args:
        counts: pixels of each level 0..top.
        top: the highest level possible.
        name: of the file, for the message.
        lossy: it is compressed with loss, by which levels beside an edge are not those drawn.
    """
    used = np.flatnonzero(counts)
    below_half = counts[1 : top // 2 + 1].sum()
    above_half = counts[top // 2 + 1 :].sum()
    void = used[-1] == top and (used[:-1] < BESIDE_VOID).all() and not lossy
    if void and below_half <= above_half < below_half * RINGING:  # fewer are dust
        raise InputError(f"{name}: holds the levels {_some(used)}, labels and void: {_LABEL_MAP}")
    if len(used) <= LABELS and below_half > above_half * (RINGING if lossy else 1):
        levels = f"{_some(used)}, most of them below half of {top}"
        raise InputError(
            f"{name}: holds the levels {levels}: {_LABEL_MAP} (a soft mask: as a picture's alpha, "
            "or as floating point)"
        )


def _flags(inside: NDArray[np.bool_]) -> NDArray[np.float32]:
    return inside.astype(np.float32)


def _two_integers(values: NDArray[Any], name: str) -> NDArray[np.float32]:
    """Integers of a type that states no range: 0 and 1, or 0 and 255."""
    highest = values.max()
    if highest not in (0, 1, 255) or not np.isin(values, (0, highest)).all():
        raise InputError(
            f"{name}: holds {values.dtype} from {values.min()} to {highest}; expected 0 and 1, "
            "or uint8"
        )
    return _flags(values > 0)


def _fit(mask: NDArray[np.float32], shape: tuple[int, int], name: str) -> NDArray[np.float32]:
    if mask.shape == tuple(shape):
        return mask
    if len(shape) != 2 or min(shape) < 1:
        raise InputError(f"size {tuple(shape)}: expected height and width, in pixels")
    check_aspect(mask.shape, shape, name)
    import cv2

    height, width = shape
    shrinks = height * width < mask.size
    method = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    resized = cv2.resize(mask, (width, height), interpolation=method)
    return np.asarray(resized, dtype=np.float32).clip(0, 1)


def check_aspect(own: tuple[int, ...], shape: tuple[int, int], name: str) -> None:
    """Raise InputError where a mask of that height and width is none of a photo of `shape`."""
    if not _same_aspect(own, shape):
        turned = _same_aspect(own[::-1], shape)
        hint = (
            "it fits when turned by 90 degrees: one of the two lost its EXIF orientation"
            if turned
            else "expected the photo's size or one of the same aspect"
        )
        raise InputError(f"{name}: has {_size(own)} pixels and the photo {_size(shape)}; {hint}")


def _same_aspect(first: tuple[int, ...], second: tuple[int, ...]) -> bool:
    """Whether two sizes differ by a scale and by rounding, as `fit_mask` derives it."""
    return abs(first[1] * second[0] - first[0] * second[1]) <= max(*first, *second)


def _size(shape: tuple[int, ...]) -> str:
    return f"{shape[1]}x{shape[0]}"


def _some(values: Any) -> str:
    """The first of many numbers, for a message."""
    shown = ", ".join(str(value) for value in values[:5])
    return shown + (", ..." if len(values) > 5 else "")
