"""Very large photos: read by region, refined within a bound of memory, written as they come.

The steps are those of `edgewise.refiner`, over planes that libvips (the extra `large`) reads from
the files, once, into a temporary file of their pixels. What is held follows the length of the
object's edge, not the photo's area.
"""

from __future__ import annotations

import os
import re
import tempfile
import warnings
from contextlib import ExitStack
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from edgewise.errors import EdgewiseWarning, InputError, OutputError, missing_extra
from edgewise.files import (
    BITS_PER_SAMPLE,
    COMPRESSION,
    JPEG,
    PHOTOMETRIC,
    atomic_path,
    lossy_format,
    orientation,
    picture_format,
    picture_size,
    stored_size,
    tiff_tags,
)
from edgewise.images import profile_applies
from edgewise.masks import check_aspect, read_mask, refuse_label_counts
from edgewise.passes.planes import INSIDE, Held, Plane, strips
from edgewise.passes.view import Box

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edgewise.passes.answers import Answer
    from edgewise.refiner import Refiner

BASE = 500_000_000
"""Bytes that the program, the networks and their working memory take, whatever the photo's size."""

BYTES_A_PIXEL = 24
"""What a pixel takes where photo, masks and answer are held whole."""

MAX_PIXELS = 10_000_000_000

DEFAULT_MEMORY = 1_000_000_000

WRITABLE = (".png", ".tif", ".tiff")
"""Suffixes of files that a large mask is written to."""

_UNITS = {"": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}
_LOADERS = dict.fromkeys(JPEG, "jpegload") | {"PNG": "pngload", "TIFF": "tiffload"}
_RARE = frozenset({"zstd", "lzma", "webp"})  # compression of TIFF that libvips may be built without
_YCBCR = 6  # colours of TIFF that libvips takes for RGB where they are not JPEG's
_LAB = 8  # colours that neither way reads, and only the other says so


def bytes_of(text: str) -> int:
    """A size such as 1GB, 1.5 GB or 800MB, in bytes.

    Raises:
        InputError: it is none.
    """
    found = re.fullmatch(r"([0-9.]+)\s*([KMGT]?B|)", text.strip().upper())
    try:
        if found:
            return int(float(found[1]) * _UNITS[found[2]])
    except (ValueError, OverflowError):
        pass
    raise InputError(f"memory {text!r}: expected a size such as 1GB or 800MB")


def by_region(photo: Path, output: Path, memory: int | None) -> bool:
    """Whether a photo is to be refined by region, and not whole.

    Args:
        photo: its file.
        output: the file to write.
        memory: bytes to keep to. None for `DEFAULT_MEMORY`, where the extra `large` is installed
            and the files are of a form that it reads and a format that it writes.

    Raises:
        InputError: the photo is missing or is no picture, or not even the program fits.
    """
    if memory is None:
        writable = output.suffix.lower() in WRITABLE and find_spec("pyvips") is not None
        if not writable or _form(photo) not in _LOADERS:
            return False
        memory = DEFAULT_MEMORY
    width, height = picture_size(photo)
    return not fits((height, width), memory)


def fits(shape: tuple[int, int], memory: int) -> bool:
    """Whether a photo of that height and width can be refined whole in so many bytes.

    Raises:
        InputError: not even the program fits.
    """
    if memory < BASE:
        raise InputError(
            f"memory {memory}: expected at least {BASE} bytes, which the networks need"
        )
    return BASE + shape[0] * shape[1] * BYTES_A_PIXEL <= memory


def refine_file(
    refiner: Refiner,
    photo: str | os.PathLike[str],
    mask: str | os.PathLike[str],
    output: str | os.PathLike[str],
    *,
    soft: bool = False,
    overview_only: bool = False,
    any_mask: bool = False,
) -> None:
    """Refine one object's mask from file to file, by region.

    Args:
        refiner: the network and its settings.
        photo: a JPEG, PNG or TIFF file; read as by `images.read_photo`, but that libvips doubles
            the colour of JPEG files at half the resolution without interpolating it.
        mask: a grey file of 1 or 8 bits of the photo's size, or any that `masks.read_mask` takes
            of a smaller one.
        output: the file to write, .png or .tif (tiled).
        soft: write 8-bit grey instead of 1 bit.
        overview_only: stop after the overview.
        any_mask: take any of the photo's size or a larger one too, though it is read whole for
            that: at up to 30 bytes a pixel.

    Raises:
        InputError: a file cannot be read, or the two do not fit.
        OutputError: another suffix, or the file cannot be written.
        DependencyError: the extra `large` is not installed.
    """
    if Path(output).suffix.lower() not in WRITABLE:
        raise OutputError(f"{output}: a large mask is written as one of {', '.join(WRITABLE)}")
    with ExitStack() as stack:
        picture = open_photo(photo, stack)
        coarse = open_mask(mask, picture.shape, stack, any_form=any_mask)
        lean = refiner.with_settings(held_pixels=0)
        found: list[tuple[Box, Answer | None]] = []
        if _two_sided(coarse):
            found = list(lean.answers(picture, coarse, overview_only=overview_only))
        _write(output, coarse, found, soft=soft)


def _two_sided(coarse: Plane) -> bool:
    """Whether the mask has an inside and an outside; a warning where it has not."""
    seen = set()
    for box in strips(coarse.shape):
        inside = coarse.read(box) > INSIDE
        seen |= {bool(inside.any()), bool(inside.all())}
        if len(seen) == 2:
            return True
    what = "full" if seen == {True} else "empty"
    warnings.warn(f"the mask is {what}: it came back as it was", EdgewiseWarning, stacklevel=3)
    return False


def composed(
    coarse: Plane, found: list[tuple[Box, Answer | None]], box: Box
) -> NDArray[np.float32]:
    """The result in a box: the views' answers, the coarse mask elsewhere; float32 in 0..1."""
    rough = coarse.read(box)
    result = (rough > INSIDE).astype(np.float32)
    for view, answer in found:
        if not view.meets(box):
            continue
        met = box.moved(-view.top, -view.left).within((view.height, view.width))
        here = met.moved(view.top - box.top, view.left - box.left).slices
        result[here] = rough[here] / np.float32(255) if answer is None else answer.read(met)
    return result


def _write(
    output: str | os.PathLike[str],
    coarse: Plane,
    found: list[tuple[Box, Answer | None]],
    *,
    soft: bool,
) -> None:
    """Write the result in strips into a raw file, and that as a picture."""
    vips = _vips()
    height, width = coarse.shape
    with (
        atomic_path(output) as temporary,
        tempfile.NamedTemporaryFile(dir=temporary.parent, prefix=".edgewise-") as raw,
    ):
        for box in strips(coarse.shape):
            result = composed(coarse, found, box)
            levels = np.rint(result * 255) if soft else (result > 0.5) * 255
            raw.write(levels.astype(np.uint8).tobytes())
        raw.flush()
        image = vips.Image.rawload(os.fsencode(raw.name), width, height, 1).copy(
            interpretation="b-w"
        )
        depth = {} if soft else {"bitdepth": 1}
        try:
            if temporary.suffix.lower() == ".png":
                image.pngsave(os.fsencode(temporary), **depth)
            else:
                packing = "deflate" if soft else "ccittfax4"
                image.tiffsave(os.fsencode(temporary), tile=True, compression=packing, **depth)
        except vips.Error as error:
            raise OutputError(f"{output}: cannot be written: {_line(error)}") from error


@dataclass(frozen=True)
class RawPlane:
    """A picture's pixels, row by row in a file, as a plane; several threads may read at a time.

    Read, not mapped: the pages of a mapped file count as memory of the process.
    """

    file: IO[bytes]
    shape: tuple[int, int]
    bands: int

    def read(self, box: Box) -> NDArray[np.uint8]:
        """See `Plane`."""
        form = (box.height, box.width) if self.bands == 1 else (box.height, box.width, self.bands)
        pixels = np.empty(form, np.uint8)
        descriptor, row = self.file.fileno(), self.shape[1] * self.bands
        first = box.top * row + box.left * self.bands
        if box.width == self.shape[1]:
            os.preadv(descriptor, [pixels.data], first)
            return pixels
        for index, line in enumerate(pixels):
            os.preadv(descriptor, [line.data], first + index * row)
        return pixels


def open_photo(path: str | os.PathLike[str], stack: ExitStack) -> RawPlane:
    """A photo's file as a plane HxWx3 RGB, within a level of `images.read_photo`.

    Args:
        path: a JPEG, PNG or TIFF file.
        stack: closes the temporary file.

    Raises:
        InputError: the file is missing, no JPEG, PNG or TIFF, or of a form that is not read.
        OutputError: its pixels do not fit into the folder of temporary files.
        DependencyError: the extra `large` is not installed.
    """
    vips = _vips()
    image = _opened(path)
    if image.format not in ("uchar", "ushort"):
        raise InputError(f"{path}: its samples are {image.format}; save it as 8-bit RGB")
    try:
        image = _in_srgb(image)
    except vips.Error as error:
        raise InputError(f"{path}: cannot be converted to sRGB: {_line(error)}") from error
    image = image.bandjoin([image, image]) if image.bands == 1 else image
    return _unpacked(image, path, stack)[0]


def _in_srgb(image: Any) -> Any:
    """The samples of a picture as 8-bit RGB or grey in sRGB, by the rules of `read_photo`."""
    if image.format == "ushort" and image.bands == 1:
        return (image / 257).rint().cast("uchar").copy(interpretation="b-w")
    if image.interpretation == "cmyk":
        mode, samples = "CMYK", image[:4]
    else:
        mode, samples = ("RGB", image[:3]) if image.bands >= 3 else ("L", image[0])
    if image.format == "ushort":
        samples = (samples >> 8).cast("uchar")
    samples = samples.copy(interpretation={"CMYK": "cmyk", "RGB": "srgb", "L": "b-w"}[mode])
    # Asked first: in the place of an unfit profile libvips puts one of its own.
    profile = samples.get("icc-profile-data") if samples.get_typeof("icc-profile-data") else b""
    if profile and profile_applies(mode, profile):
        return samples.icc_transform("srgb", embedded=True, intent="perceptual", depth=8)
    if mode == "CMYK":
        return ((255 - samples[:3]) * (255 - samples[3]) / 255).rint().cast("uchar")
    return samples


def open_mask(
    path: str | os.PathLike[str],
    shape: tuple[int, int],
    stack: ExitStack,
    *,
    any_form: bool = False,
) -> Plane:
    """A coarse mask's file as a plane HxW in 0..255, fitted to the photo's `shape`.

    Args:
        path: the file.
        shape: height and width of the photo.
        stack: closes the temporary file.
        any_form: read the file whole where it is not grey of 1 or 8 bits, or larger.

    Raises:
        InputError: the file is missing, is no grey picture, holds labels, or does not fit.
        OutputError: its pixels do not fit into the folder of temporary files.
        DependencyError: the extra `large` is not installed.
    """
    width, height = picture_size(path)
    if width * height > shape[0] * shape[1]:
        found = f"is larger than the photo, {shape[1]}x{shape[0]} pixels"
        return _whole_mask(path, shape, found, any_form=any_form)
    if (height, width) != shape:
        return Enlarged(read_mask(path), shape, os.fspath(path))
    image = _opened(path) if _form(path) in _LOADERS else None
    if image is None or image.bands != 1 or image.format != "uchar":
        return _whole_mask(path, shape, "is not grey of 1 or 8 bits", any_form=any_form)
    plane, counts = _unpacked(image, path, stack)
    if int(np.flatnonzero(counts)[-1]) == 1:
        return Indices(plane)
    refuse_label_counts(counts, 255, os.fspath(path), lossy=lossy_format(path) is not None)
    return plane


def _whole_mask(
    path: str | os.PathLike[str], shape: tuple[int, int], found: str, *, any_form: bool
) -> Plane:
    """A mask that cannot be read by region, for what was `found` of it."""
    from edgewise.refiner import levels_of

    if not any_form:
        raise InputError(
            f"{path}: {found}; the mask of a photo that does not fit into the memory allowed must "
            "be grey of 1 or 8 bits and at most its size; save it so, or give more with --memory"
        )
    return Held(levels_of(read_mask(path, size=shape)))


def _unpacked(
    image: Any, path: str | os.PathLike[str], stack: ExitStack
) -> tuple[RawPlane, NDArray[np.int64]]:
    """A picture's pixels in a temporary file, and how many of its samples have each level."""
    vips = _vips()
    file = stack.enter_context(tempfile.TemporaryFile())  # noqa: SIM115 (the stack closes it)
    counts = np.zeros(256, np.int64)
    region = vips.Region.new(image)
    try:
        for box in strips((image.height, image.width)):
            data = region.fetch(box.left, box.top, box.width, box.height)
            file.write(data)
            if image.bands == 1:
                counts += np.bincount(np.frombuffer(data, np.uint8), minlength=256)
        file.flush()
    except vips.Error as error:
        raise InputError(f"{path}: is damaged or cut off: {_line(error)}") from error
    except OSError as error:
        raise OutputError(
            f"{tempfile.gettempdir()}: cannot hold the pixels of {path}: {error.strerror}; "
            "set TMPDIR to a folder with more room"
        ) from error
    return RawPlane(file, (image.height, image.width), image.bands), counts


@dataclass(frozen=True)
class Indices:
    """A mask of the levels 0 and 1 as one of 0 and 255."""

    plane: Plane

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width."""
        return self.plane.shape

    def read(self, box: Box) -> NDArray[np.uint8]:
        """See `Plane`."""
        return self.plane.read(box) * np.uint8(255)


class Enlarged:
    """A small mask as a plane of the photo's size, linear between its pixels.

    Args:
        mask: float32 hxw in 0..1.
        shape: the photo's height and width.
        name: of the file, for messages.

    Raises:
        InputError: the aspects differ.
    """

    def __init__(self, mask: NDArray[np.float32], shape: tuple[int, int], name: str) -> None:
        check_aspect(mask.shape, shape, name)
        self.shape = shape
        self._mask = mask

    def read(self, box: Box) -> NDArray[np.uint8]:
        """See `Plane`."""
        (up, down, high), (left, right, wide) = (
            _between(first, end, of, to)
            for first, end, of, to in zip(
                (box.top, box.left),
                (box.bottom, box.right),
                self._mask.shape,
                self.shape,
                strict=True,
            )
        )
        rows = self._mask[up] * (1 - high)[:, None] + self._mask[down] * high[:, None]
        mask = rows[:, left] * (1 - wide) + rows[:, right] * wide
        return np.asarray(mask * np.float32(255) + np.float32(0.499), np.uint8)


def _between(
    first: int, end: int, of: int, to: int
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float32]]:
    """The pixels before and after each of first..end when `of` become `to`, and the share."""
    at = (np.arange(first, end) + 0.5) * (of / to) - 0.5
    before = np.clip(np.floor(at), 0, of - 1).astype(np.intp)
    return before, np.minimum(before + 1, of - 1), np.clip(at - before, 0, 1).astype(np.float32)


def _opened(path: str | os.PathLike[str]) -> Any:
    """An upright picture, by region."""
    vips = _vips()
    width, height = stored_size(path)
    if width * height > MAX_PIXELS:
        raise InputError(f"{path}: has {width}x{height} pixels, more than {MAX_PIXELS}")
    form = _form(path)
    if form not in _LOADERS:
        raise InputError(
            f"{path}: is {form} and does not fit into the memory allowed; save it as JPEG, PNG or "
            "plain TIFF, which are read by region, or give more with --memory"
        )
    noted = orientation(path)
    # Turning needs all rows; libvips keeps many of them in a file of its own.
    access = "random" if noted > 1 else "sequential"
    try:
        load = getattr(vips.Image, _LOADERS[form])
        # Of TIFF, "truncated" still gives black for what is cut off or damaged.
        image = load(os.fsencode(path), access=access, fail_on="error").copy()
        image.set_type(vips.GValue.gint_type, "orientation", noted)  # libvips sees not all of them
        return image.autorot()
    except vips.Error as error:
        raise InputError(f"{path}: is damaged or cut off: {_line(error)}") from error


def _form(path: str | os.PathLike[str]) -> str:
    """The format of a file; of a TIFF that libvips does not read as Pillow does, why as well."""
    form = picture_format(path)
    if form != "TIFF":
        return form  # before an import that takes longer than reading a header

    from PIL.TiffImagePlugin import COMPRESSION_INFO

    tags = tiff_tags(path)
    packing = COMPRESSION_INFO.get(tags.get(COMPRESSION, 1))
    if packing in _RARE:
        return f"{form} of compression {packing}"
    if tags.get(PHOTOMETRIC) == _YCBCR and packing != "jpeg":
        return f"{form} of YCbCr colours"
    if tags.get(PHOTOMETRIC) == _LAB:
        return f"{form} of CIE L*a*b* colours"
    return f"{form} of 12 bits" if tags.get(BITS_PER_SAMPLE) == (12,) else form


def _line(error: Exception) -> str:
    lines = dict.fromkeys(str(error).splitlines())  # each strip of a file says the same
    return " ".join(" ".join(lines).split())


def _vips() -> Any:
    try:
        import pyvips
    except ImportError as error:
        raise missing_extra("pyvips", "large") from error
    pyvips.cache_set_max(0)  # it would give a file's older pixels, and keep our deleted ones open
    return pyvips
