"""Cut-outs: a photo and a soft mask become RGBA whose colours at the edge are the object's own.

At its edge a photo mixes the object's colour F and the background's B: I = a F + (1 - a) B with
the alpha a. Laid on another background, I shows a fringe of the old one. F is estimated by the
multi-level method of Germer, Uelwer, Conrad and Harmeling, "Fast Multi-Level Foreground
Estimation" (ICPR 2020, arXiv:2006.14970), on the pixels of the edge alone: the cost follows the
length and width of the edge, not the photo's size.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import cv2
import numpy as np

from edgewise.errors import InputError, OutputError
from edgewise.files import save_picture
from edgewise.matte import alpha_of

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator

    from numpy.typing import NDArray

    Bytes = NDArray[np.uint8]
    Floats = NDArray[np.float32]

_Kind = TypeVar("_Kind", bound=np.generic)

SMOOTHNESS = 1e-5
"""The energy's weight of smooth colours where alpha is constant (PyMatting's default)."""

SWEEPS = (10, 4)
"""Sweeps over a level of at most `SMALL` pixels a side, and over a larger one.

PyMatting has 10 and 2. On composites of known colours two more took 12 to 17 % off the error.
"""

SMALL = 32

_CHUNK = 1 << 14  # pixels updated at once: their temporary arrays stay in the processor's cache


def cut_out(photo: Bytes, soft: Floats | NDArray[np.bool_], *, is_alpha: bool = False) -> Bytes:
    """The object of a photo on a transparent ground.

    Args:
        photo: uint8 HxWx3 RGB.
        soft: float32 HxW in [0, 1], as a `Refinement` has it; or bool HxW.
        is_alpha: `soft` is an alpha matte, to be kept as it is. Otherwise it is a probability,
            whose alpha `edgewise.matte.alpha_of` finds.

    Returns:
        uint8 HxWx4 RGBA, straight (not premultiplied) alpha; colours as of `estimate_foreground`.

    Raises:
        InputError: another form, or sizes that differ.
    """
    _check(photo, soft)
    alpha = _as_bytes(soft.astype(np.float32) if is_alpha else alpha_of(photo, soft))
    return np.dstack([_foreground(photo, alpha), alpha])


def estimate_foreground(photo: Bytes, alpha: Floats | NDArray[np.bool_]) -> Bytes:
    """The object's own colours: at the edge without the background that the photo mixes in.

    For each channel the colours F and B minimise, over the pixels i and their neighbours j,

        sum (a_i F_i + (1 - a_i) B_i - I_i)^2
            + 1/2 sum (e + |a_i - a_j|) ((F_i - F_j)^2 + (B_i - B_j)^2),   0 <= F, B <= 1

    with e = `SMOOTHNESS` (the cost of Levin, Lischinski and Weiss, "A Closed-Form Solution to
    Natural Image Matting", 2008, as Germer et al. 2020 take it), approached by a few sweeps at
    each of about log2(max(H, W)) sizes. Different from the paper, F = I is kept where alpha is 1
    and B = I where it is 0, and sweeps alternate between the fields of a chessboard, which
    favours no side as an order by rows does.

    Args:
        photo: uint8 HxWx3 RGB.
        alpha: float32 HxW in [0, 1], or bool HxW.

    Returns:
        uint8 HxWx3 RGB. Where alpha is 1 the photo's colours, exactly. Where it is 0 the colours
        of the object nearby, spread ever more coarsely: they are unseen, but software that
        resizes straight alpha mixes them in. Nothing of the background is left there.

    Raises:
        InputError: another form, or sizes that differ.
    """
    _check(photo, alpha)
    return _foreground(photo, _as_bytes(alpha.astype(np.float32)))


def compose(cutout: Bytes, background: Bytes | tuple[int, int, int]) -> Bytes:
    """A cut-out laid on a background, mixed in sRGB levels as browsers and editors do.

    Args:
        cutout: uint8 HxWx4 RGBA, straight alpha.
        background: a colour, three levels in 0..255, or a photo uint8 HxWx3 RGB of any size,
            which is scaled to cover the cut-out and trimmed evenly.

    Returns:
        uint8 HxWx3 RGB, rounded.

    Raises:
        InputError: the background has another form.
    """
    ground = _as_ground(background)
    if ground.ndim == 3:
        ground = _covering(ground, (cutout.shape[0], cutout.shape[1]))
    alpha = cutout[..., 3:].astype(np.uint16)
    mixed = cutout[..., :3] * alpha + ground * (255 - alpha)  # at most 255 * 255: fits
    return np.asarray((mixed + 127) // 255, np.uint8)


def cropped(cutout: Bytes) -> Bytes:
    """The part of a cut-out, uint8 HxWx4, around the pixels of which anything is seen.

    Raises:
        InputError: nothing is seen.
    """
    left, top, width, height = cv2.boundingRect(np.ascontiguousarray(cutout[..., 3]))
    if not width:
        raise InputError("the cut-out is empty, there is nothing to crop to; check the mask")
    return cutout[top : top + height, left : left + width]


def write_cutout(path: str | os.PathLike[str], picture: Bytes) -> None:
    """Write a cut-out, uint8 HxWx4 RGBA, or what `compose` made of one, uint8 HxWx3 RGB.

    Args:
        path: ends in .png, .tif, .tiff or .webp, written without loss, or for RGB in .jpg or
            .jpeg (quality 95). The file appears complete or not at all.
        picture: the pixels; colours where alpha is 0 are kept in the file.

    Raises:
        OutputError: another suffix, or the file cannot be written.
    """
    from PIL import Image

    options = save_options(path, opaque=picture.shape[2] == 3)
    save_picture(path, Image.fromarray(picture), **options)


def save_options(path: str | os.PathLike[str], *, opaque: bool) -> dict[str, Any]:
    """Pillow's options for the format that the suffix names.

    Raises:
        OutputError: no format for cut-outs has this suffix.
    """
    tiff = {"format": "TIFF", "compression": "tiff_adobe_deflate"}
    formats: dict[str, dict[str, Any]] = {
        ".png": {"format": "PNG", "compress_level": 3},  # 6 takes twice as long for 1 % less
        ".tif": tiff,
        ".tiff": tiff,
        ".webp": {"format": "WEBP", "lossless": True, "exact": True},
    }
    if opaque:
        jpeg = {"format": "JPEG", "quality": 95, "subsampling": 0}
        formats |= {".jpg": jpeg, ".jpeg": jpeg}
    suffix = Path(path).suffix.lower()
    if suffix not in formats:
        known = ", ".join(formats)
        hint = " (JPEG has no alpha; it needs a background)" if suffix == ".jpg" else ""
        raise OutputError(
            f"{path}: a cut-out cannot be written as {suffix or 'a file without suffix'}{hint}; "
            f"expected one of {known}"
        )
    return formats[suffix]


def _check(photo: Bytes, soft: Floats | NDArray[np.bool_]) -> None:
    """Raise InputError unless the arrays have the forms of a photo and its soft mask."""
    if photo.dtype != np.uint8 or photo.ndim != 3 or photo.shape[2] != 3 or photo.size == 0:
        raise InputError(
            f"the photo is {photo.dtype} of shape {photo.shape}; expected uint8, height x width "
            "x 3 in RGB order"
        )
    if soft.shape != photo.shape[:2]:
        raise InputError(f"the mask's shape is {soft.shape}, the photo's {photo.shape[:2]}")
    if soft.dtype == bool:
        return
    if not np.issubdtype(soft.dtype, np.floating):
        raise InputError(f"the mask is of type {soft.dtype}; expected bool, or float in [0, 1]")
    low, high = soft.min(), soft.max()
    if not (low >= 0 and high <= 1):  # so that NaN is refused too
        raise InputError(f"the mask has values from {low:.8g} to {high:.8g}; expected 0 to 1")


def _as_ground(background: Bytes | tuple[int, int, int]) -> Bytes:
    """A background as levels, of shape (3,) or HxWx3; InputError where it has another form."""
    ground = np.asarray(background)
    fits = ground.shape == (3,) or (ground.ndim == 3 and ground.shape[2] == 3 and ground.size > 0)
    whole = np.issubdtype(ground.dtype, np.integer)
    if not fits or not whole or ground.min() < 0 or ground.max() > 255:
        raise InputError(
            f"the background is {ground.dtype} of shape {ground.shape}; expected three levels in "
            "0..255, or a photo uint8 of height x width x 3 in RGB order"
        )
    return ground.astype(np.uint8, copy=False)


def _as_bytes(alpha: Floats) -> Bytes:
    """Alpha as it will be written: colours are estimated for the rounded levels."""
    return np.asarray(np.rint(alpha * np.float32(255)), np.uint8)


def _covering(background: Bytes, shape: tuple[int, int]) -> Bytes:
    """The middle of a background, scaled to `shape` (height, width)."""
    height, width = shape
    scale = min(background.shape[0] / height, background.shape[1] / width)
    rows, columns = max(1, round(height * scale)), max(1, round(width * scale))
    top, left = (background.shape[0] - rows) // 2, (background.shape[1] - columns) // 2
    part = background[top : top + rows, left : left + columns]
    how = cv2.INTER_AREA if scale > 1 else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(part, (width, height), interpolation=how), np.uint8)


def _foreground(photo: Bytes, alpha: Bytes) -> Bytes:
    """`estimate_foreground` of an alpha in 0..255.

    From size to size go the colours F and B, float32 hxwx6 in [0, 1]; only those of the band are
    worked on, the others are those of the size before.
    """
    colours = np.concatenate([_mean(photo, alpha), _mean(photo, 255 - alpha)])[None, None]
    *coarse, full = _level_sizes(alpha.shape)
    for size in coarse:
        level = _Level.of(_sampled(photo, size), _sampled(alpha, size))
        colours = _sampled(colours, size)
        colours[level.rows, level.columns] = _solved(level, colours[level.rows, level.columns])
    level = _Level.of(photo, alpha)
    result = _sampled(np.rint(colours[..., :3] * 255).astype(np.uint8), full)
    start = colours[
        level.rows * colours.shape[0] // full[0], level.columns * colours.shape[1] // full[1]
    ]
    result[level.rows, level.columns] = np.rint(_solved(level, start)[:, :3] * 255)
    np.copyto(result, photo, where=(alpha == 255)[..., None])
    return result


def _mean(photo: Bytes, share: Bytes) -> Floats:
    """Mean colour, 3 floats in [0, 1], where `share` is about as high as anywhere."""
    surest = (share >= 0.9 * int(share.max())).astype(np.uint8)
    return np.asarray(cv2.mean(photo, surest)[:3], np.float32) / np.float32(255)


def _level_sizes(shape: tuple[int, ...]) -> list[tuple[int, int]]:
    """Heights and widths from 1x1 to `shape`, each at most about twice the one before."""
    steps = max(1, math.ceil(math.log2(max(shape))))
    return [
        (round(shape[0] ** (step / steps)), round(shape[1] ** (step / steps)))
        for step in range(steps + 1)
    ]


def _sampled(image: NDArray[_Kind], size: tuple[int, int]) -> NDArray[_Kind]:
    """An image at another size by picking pixels: a mean of mixed pixels has no one alpha."""
    rows = np.arange(size[0]) * image.shape[0] // size[0]
    columns = np.arange(size[1]) * image.shape[1] // size[1]
    picked: NDArray[_Kind] = image[rows[:, None], columns]
    return picked


@dataclass(frozen=True)
class _Level:
    """The band's n pixels at one size: first those of a chessboard's black fields, then the white.

    `photo` float32 (n, 3) and `alpha` float32 (n,) in [0, 1]; `links` int32 (4, n), the numbers
    of the four neighbours, the pixel's own number where a neighbour lies outside the band.
    """

    rows: NDArray[np.intp]
    columns: NDArray[np.intp]
    photo: Bytes
    alpha: Floats
    links: NDArray[np.int32]
    blacks: int
    is_small: bool

    @classmethod
    def of(cls, photo: Bytes, alpha: Bytes) -> _Level:
        band = np.pad(_band(alpha), 1)  # so that every pixel of the band has four neighbours
        stride = band.shape[1]
        places = np.flatnonzero(band)
        is_white = (places // stride + places % stride) % 2 == 1
        places = np.concatenate([places[~is_white], places[is_white]])
        own = np.arange(len(places), dtype=np.int32)
        numbers = np.full(band.size, -1, np.int32)
        numbers[places] = own
        near = np.stack([numbers[places + step] for step in (-stride, -1, 1, stride)])
        rows, columns = places // stride - 1, places % stride - 1
        return cls(
            rows,
            columns,
            photo[rows, columns],
            alpha[rows, columns] / np.float32(255),
            np.where(near < 0, own, near),
            len(places) - int(is_white.sum()),
            max(alpha.shape) <= SMALL,
        )

    def chunks(self) -> Iterator[slice]:
        """All pixels, those of one field before the other's, which are their neighbours."""
        for first, last in ((0, self.blacks), (self.blacks, len(self.alpha))):
            for start in range(first, last, _CHUNK):
                yield slice(start, min(start + _CHUNK, last))


def _band(alpha: Bytes) -> NDArray[np.bool_]:
    """Where colours have to be worked on: partial alpha and steps of it, one pixel wider."""
    cross = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))
    uneven = cv2.morphologyEx(alpha, cv2.MORPH_GRADIENT, cross) > 0
    uneven |= (alpha > 0) & (alpha < 255)
    return np.asarray(cv2.dilate(uneven.astype(np.uint8), cross), bool)


def _solved(level: _Level, colours: Floats) -> Floats:
    """The colours (n, 6) of a level's pixels after its sweeps, from those given."""
    for _ in range(SWEEPS[0] if level.is_small else SWEEPS[1]):
        for chunk in level.chunks():
            colours[chunk] = _updated(level, colours, chunk)
    return colours


def _updated(level: _Level, colours: Floats, chunk: slice) -> Floats:
    """The colours (m, 6) of a chunk's pixels that are best with their neighbours' as they are.

    A pixel's two unknowns solve [[a² + s, a q], [a q, q² + s]] (F, B) = (a I + p, q I + r) with
    q = 1 - a, the sum s of the neighbours' weights, and p and r their weighted F and B.
    """
    alpha, links = level.alpha[chunk], level.links[:, chunk]
    photo = level.photo[chunk] / np.float32(255)
    weights = np.abs(level.alpha.take(links) - alpha) + np.float32(SMOOTHNESS)
    pull = np.einsum("km,kmc->mc", weights, colours.take(links, axis=0))
    a, s = alpha[:, None], weights.sum(axis=0)[:, None]
    q = 1 - a
    first, second = a * photo + pull[:, :3], q * photo + pull[:, 3:]
    scale = 1 / (s * (a * a + q * q + s))  # the determinant, without taking a² q² from itself
    fore = ((q * q + s) * first - a * q * second) * scale
    back = ((a * a + s) * second - a * q * first) * scale
    fore = np.where(a == 1, photo, fore)
    back = np.where(a == 0, photo, back)
    return np.hstack([fore, back]).clip(0, 1)
