"""Files: results moved into place whole, photos of a folder, pictures opened safely.

Everything that knows how Pillow misbehaves on a damaged or hostile file is here, so that
`edgewise.images` and `edgewise.masks` see decoded, upright pictures or an InputError.
"""

from __future__ import annotations

import io
import os
import stat
import sys
import threading
import warnings
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from edgewise.errors import EdgewiseError, InputError, OutputError

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    from numpy.typing import NDArray
    from PIL.Image import Image

MAX_PIXELS = 500_000_000
"""Pictures of more pixels than this are refused before they are decoded."""

SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff", ".bmp", ".gif"})
"""File name endings, in lower case, by which a picture is known in a folder."""

JPEG = frozenset({"JPEG", "MPO"})
"""Pillow's names of the JPEG format; an MPO file holds several pictures."""

BITS_PER_SAMPLE = 258
"""The TIFF tag of how many bits a level has,"""

COMPRESSION = 259
"""of how its pixels are packed, 1 being not at all,"""

PHOTOMETRIC = 262
"""and of what its levels mean, 0 being grey whose zero is white."""

# Only these of Pillow's decoders are used: others run outside programs (EPS) or are rarely tested.
_FORMATS = ("JPEG", "PNG", "WEBP", "TIFF", "BMP", "GIF")
_READABLE = "JPEG, PNG, WebP, TIFF, BMP or GIF"
_SIGNATURES = {
    b"\xff\xd8": "JPEG",
    b"\x89PNG": "PNG",
    b"RIFF": "WebP",
    b"II*\0": "TIFF",
    b"MM\0*": "TIFF",
    b"II+\0": "TIFF",  # of more than 4 GB
    b"MM\0+": "TIFF",
    b"BM": "BMP",
    b"GIF8": "GIF",
}
# Of what else a header can be that Pillow refuses without saying why.
_FORMS_READ = {"TIFF": ", or of samples that are not read; expected 8- or 16-bit RGB or grey"}
_JPEG_IN_TIFF = ("jpeg", "tiff_jpeg")  # Pillow's names of a TIFF file's compression
_WEBP_HEADER = 12  # RIFF, size and WEBP
_PNG_HEADER = 8 + 25  # signature and the first chunk, IHDR
_PNG_NOTES = frozenset({b"eXIf", b"iTXt", b"tEXt", b"zTXt"})  # chunks that may say how it lies
_ORIENTATION = 0x0112  # EXIF and TIFF tags
_STEP = {2: 85, 4: 17}  # by bits of grey: from one level to the next in Pillow's 8
_PLANAR = 284  # TIFF tag; 2 where each channel lies by itself


def make_folder(folder: str | os.PathLike[str]) -> None:
    """Make a folder and those above it where they are missing.

    Raises:
        OutputError: that cannot be done.
    """
    try:
        Path(folder).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{folder}: cannot be made: {error.strerror}") from error


def working_name() -> str:
    """A new hidden name for what is being written."""
    return f".edgewise-{os.urandom(8).hex()}"


@contextmanager
def atomic_path(path: str | os.PathLike[str]) -> Iterator[Path]:
    """A temporary path beside `path`, moved onto it when the block ends well.

    When the block raises, the temporary file is removed and an older file at `path` is left as it
    was. The temporary name keeps the suffix, by which savers choose a format, and begins with a
    dot. A link is followed: the file it points to is replaced. The file gets the permissions that
    any new file gets.

    Raises:
        OutputError: the folder is missing or cannot be written to, `path` is a folder, a device
            or write-protected, or the block raised an OSError (a full disk).
    """
    target = Path(os.path.realpath(path))
    temporary = target.parent / f"{working_name()}{target.suffix}"
    try:
        check_target(target, path)
        temporary.open("xb").close()  # tells at once that the folder cannot be written to
        yield temporary
        temporary.replace(target)
    except EdgewiseError:
        raise
    except OSError as error:
        raise OutputError(f"{path}: cannot be written: {error.strerror or error}") from error
    finally:
        with suppress(OSError):  # gone already, or in a folder that lets nobody in
            temporary.unlink()


def save_picture(path: str | os.PathLike[str], picture: Image, **options: Any) -> None:
    """Write a picture by Pillow's options; the file appears complete or not at all.

    Raises:
        OutputError: as `atomic_path`, or the picture is too large for the format.
    """
    with atomic_path(path) as temporary:
        # Not by Pillow into the file: of TIFF it would not say why that fails, as on a full disk.
        stream = io.BytesIO()
        try:
            picture.save(stream, **options)
        except ValueError as error:  # WebP has at most 16383 pixels a side
            raise OutputError(f"{path}: cannot be written: {error}; expected .png") from error
        temporary.write_bytes(stream.getbuffer())


def check_target(target: Path, path: str | os.PathLike[str]) -> None:
    """Raise OutputError where a file at `target`, which the user calls `path`, cannot be made."""
    if target.is_dir():
        raise OutputError(f"{path}: is a folder; give the name of a file")
    if not target.parent.is_dir():
        raise OutputError(f"{path}: cannot be written: there is no folder {target.parent}")
    if target.exists() and not target.is_file():
        raise OutputError(f"{path}: is not a regular file; give the name of a file")
    if target.exists() and not os.access(target, os.W_OK):
        raise OutputError(f"{path}: is write-protected; give another name or allow writing")


def shown(name: str | os.PathLike[str]) -> str:
    """A file's name as text to show: bytes that are no UTF-8 become U+FFFD.

    Where a name is to be opened, keep it as it is.
    """
    return os.fsencode(name).decode("utf-8", "replace")


def find_images(folder: str | os.PathLike[str]) -> list[Path]:
    """The pictures in `folder` (not below it) by suffix, sorted by name, without hidden files.

    A link that leads nowhere is one too, so that whoever opens it tells of it.

    Raises:
        InputError: `folder` is not a folder or cannot be listed, or lets nobody in.
    """
    try:
        return [
            entry
            for entry in sorted(Path(folder).iterdir())
            if entry.suffix.lower() in SUFFIXES
            and not entry.name.startswith(".")
            and not entry.is_dir()
        ]
    except (OSError, ValueError) as error:
        raise InputError(f"{folder}: cannot be listed: {_reason(error)}") from error


def load_picture(path: str | os.PathLike[str], *, max_pixels: int = MAX_PIXELS) -> Image:
    """The first picture of a file, decoded and turned upright by its EXIF orientation.

    An EXIF block that cannot be read counts as none: the picture stays as it is stored.

    Raises:
        InputError: the file is missing, is no picture, is damaged or cut off, or has more than
            `max_pixels` pixels (checked before decoding).
    """
    with _opened(path, max_pixels) as picture:
        orientation = _orientation(picture)
        if _is_misread(picture):
            raise InputError(
                f"{path}: its 16-bit channels lie one after the other, uncompressed, which is not "
                "read; save it with its channels interleaved, or as PNG"
            )
        try:
            picture.load()
        except MemoryError as error:
            size = f"{picture.width}x{picture.height}"
            raise InputError(f"{path}: its {size} pixels do not fit into memory") from error
        except Exception as error:  # Pillow raises nearly anything on damaged data
            raise InputError(f"{path}: is damaged or cut off: {_reason(error)}") from error
        # Grey levels times their alpha: Pillow divides by itself only those of colours.
        plain = picture.convert("LA") if picture.mode == "La" else picture
        return _upright(plain, orientation)


def picture_size(path: str | os.PathLike[str]) -> tuple[int, int]:
    """Width and height in pixels of a file's first picture, upright.

    Nothing is decoded.

    Raises:
        InputError: as `load_picture`, but for damage behind the header and the number of pixels.
    """
    with _opened(path, None) as picture:
        width, height = picture.size
        return (height, width) if _orientation(picture) >= 5 else (width, height)


def stored_size(path: str | os.PathLike[str]) -> tuple[int, int]:
    """Width and height in pixels of a file's first picture as it is stored, not turned upright.

    Nothing is decoded, whatever the file holds; so this is for files of unknown clients.

    Raises:
        InputError: the file is missing or is no picture.
    """
    with _opened(path, None) as picture:
        width, height = picture.size
        return width, height


def picture_format(path: str | os.PathLike[str]) -> str:
    """The format of a file by its content, as Pillow calls it: JPEG, MPO, PNG, ...

    Raises:
        InputError: the file is missing or is no picture.
    """
    with _opened(path, None) as picture:
        return picture.format or ""


def tiff_tags(path: str | os.PathLike[str]) -> dict[int, Any]:
    """The tags of a TIFF file's first picture by their numbers; none of other formats.

    Raises:
        InputError: the file is missing or is no picture.
    """
    with _opened(path, None) as picture:
        return dict(getattr(picture, "tag_v2", {}))


def lossy_format(path: str | os.PathLike[str]) -> str | None:
    """JPEG or WebP where a file's pixels are compressed with loss, else None.

    The file itself is looked at: of WebP, Pillow does not say which it is.

    Raises:
        InputError: the file is missing or is no picture.
    """
    with _opened(path, None) as picture:
        jpeg = picture.format in JPEG or picture.info.get("compression") in _JPEG_IN_TIFF
        webp = picture.format == "WEBP"
    if webp:
        with Path(path).open("rb") as stream:
            webp = _is_lossy_webp(stream)
    return "JPEG" if jpeg else "WebP" if webp else None


def _is_lossy_webp(stream: IO[bytes]) -> bool:
    """Whether the first picture of a WebP file is a lossy one."""
    stream.seek(_WEBP_HEADER)
    while len(head := stream.read(8)) == 8:
        kind, size = head[:4], int.from_bytes(head[4:], "little")
        if kind in (b"VP8 ", b"VP8L"):
            return kind == b"VP8 "
        # The chunks of an animation's frame lie within it, after 16 bytes.
        stream.seek(16 if kind == b"ANMF" else size + size % 2, os.SEEK_CUR)
    return False


def orientation(path: str | os.PathLike[str]) -> int:
    """The EXIF orientation, 1..8, by which `load_picture` turns a file's first picture.

    Raises:
        InputError: as `picture_size`.
    """
    with _opened(path, None) as picture:
        return _noted_orientation(picture)


def deep_grey(picture: Image) -> tuple[NDArray[np.uint16], int]:
    """The levels of a picture of one of Pillow's I;16 modes, HxW, and the highest level possible.

    Pillow unpacks 12-bit TIFF without scaling, and 16-bit TIFF without regard to whether 0 is
    black or white.
    """
    import numpy as np

    values = np.asarray(picture).astype(np.uint16)
    tags = getattr(picture, "tag_v2", {})
    top = 2 ** tags.get(BITS_PER_SAMPLE, (16,))[0] - 1
    return (top - values if tags.get(PHOTOMETRIC) == 0 else values), top


def stored_levels(picture: Image, path: str | os.PathLike[str]) -> NDArray[np.uint8]:
    """The levels of a picture of mode 1 or L as they are in its file at `path`, HxW.

    Pillow spreads those of 2 and of 4 bits over 0..255.
    """
    import numpy as np

    with Path(path).open("rb") as stream:
        head = stream.read(25)
    tags = getattr(picture, "tag_v2", {})
    bits = head[24] if head.startswith(b"\x89PNG") else tags.get(BITS_PER_SAMPLE, (8,))[0]
    return np.asarray(picture).astype(np.uint8) // _STEP.get(bits, 1)


def lock_file(stream: IO[bytes], *, wait: bool = False) -> None:
    """Keep other processes that ask for it out, until the stream is closed or this one ends.

    Args:
        stream: a file open for writing; its content does not matter.
        wait: until the file is free.

    Raises:
        OSError: another process has it.
    """
    if sys.platform == "win32":
        import msvcrt

        msvcrt.locking(stream.fileno(), msvcrt.LK_LOCK if wait else msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(stream, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))


@contextmanager
def _opened(path: str | os.PathLike[str], max_pixels: int | None) -> Iterator[Image]:
    """The picture of a file, its header read and its size checked."""
    from PIL import Image

    with _opened_file(path) as stream, _pillow:
        try:
            picture: Image.Image = Image.open(stream, formats=_FORMATS)
        except Exception as error:  # Pillow raises nearly anything on damaged data
            raise InputError(f"{path}: {_unidentified(stream, error)}") from error
        width, height = picture.size
        if max_pixels is not None and width * height > max_pixels:
            raise InputError(
                f"{path}: has {width}x{height} pixels, more than the limit of {max_pixels}; "
                "make it smaller or raise max_pixels"
            )
        yield picture


def _opened_file(path: str | os.PathLike[str]) -> IO[bytes]:
    """A regular, non-empty file opened for reading; a pipe or device might never end."""
    try:
        status = Path(path).stat()
        if stat.S_ISREG(status.st_mode) and status.st_size > 0:
            return Path(path).open("rb")
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be read: {_reason(error)}") from error
    kind = "is empty" if stat.S_ISREG(status.st_mode) else "is not a file"
    raise InputError(f"{path}: {kind}; expected a picture: {_READABLE}")


def _unidentified(stream: IO[bytes], error: Exception) -> str:
    """What is wrong with a file whose header Pillow refused."""
    from PIL import UnidentifiedImageError

    stream.seek(0)
    head = stream.read(4)
    for signature, name in _SIGNATURES.items():
        if head.startswith(signature):
            known = not isinstance(error, UnidentifiedImageError)
            detail = f": {_reason(error)}" if known else _FORMS_READ.get(name, "")
            return f"is a damaged or cut off {name} file{detail}"
    return f"is not a picture that can be read; expected {_READABLE}"


def _is_misread(picture: Image) -> bool:
    """Whether Pillow takes the bytes of a TIFF file's 16-bit channels for 8-bit levels."""
    tags = getattr(picture, "tag_v2", {})
    apart = tags.get(_PLANAR) == 2 and tags.get(COMPRESSION, 1) == 1
    return apart and picture.getbands()[1:] != () and 16 in tags.get(BITS_PER_SAMPLE, ())


def _orientation(picture: Image) -> int:
    """The EXIF orientation, 1..8, that is still to be applied; 1 where there is none."""
    # Pillow turns TIFF files itself: their size is the upright one already.
    return 1 if picture.format == "TIFF" else _noted_orientation(picture)


def _noted_orientation(picture: Image) -> int:
    """The EXIF orientation, 1..8, that a file notes; 1 where it notes none."""
    from PIL import Image

    try:
        # For a PNG that has noted nothing yet, Pillow's own decodes all pixels to look behind them.
        noting = _noting_first(picture) if picture.format == "PNG" else picture
        exif = Image.Image.getexif(noting) if picture.format == "PNG" else picture.getexif()
        value = exif.get(_ORIENTATION, 1)
    except Exception:  # a damaged EXIF block says nothing about the pixels
        return 1
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def _noting_first(picture: Image) -> Image:
    """A PNG file's picture, or one without pixels that notes what its file does behind them."""
    from PIL import Image

    stream: Any = picture.fp  # type: ignore[attr-defined]  # of every picture that is a file's
    before, place, pixels, late = stream.tell(), _PNG_HEADER, 0, b""
    try:
        while True:
            stream.seek(place)
            head = stream.read(8)
            size, kind = 12 + int.from_bytes(head[:4], "big"), head[4:]
            if len(head) < 8 or kind == b"IEND":
                break
            if not pixels and kind == b"IDAT":
                pixels = place
            if pixels and kind in _PNG_NOTES:
                late += head + stream.read(size - len(head))
            place += size
        stream.seek(0)
        start = stream.read(pixels)
    finally:
        stream.seek(before)
    noted = io.BytesIO(start + late + bytes(4) + b"IDAT")
    return Image.open(noted, formats=("PNG",)) if late else picture


def _upright(picture: Image, orientation: int) -> Image:
    from PIL.Image import Transpose

    turns = {
        2: Transpose.FLIP_LEFT_RIGHT,
        3: Transpose.ROTATE_180,
        4: Transpose.FLIP_TOP_BOTTOM,
        5: Transpose.TRANSPOSE,
        6: Transpose.ROTATE_270,
        7: Transpose.TRANSVERSE,
        8: Transpose.ROTATE_90,
    }
    return picture.transpose(turns[orientation]) if orientation in turns else picture


def _reason(error: Exception) -> str:
    """An exception in one line."""
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return " ".join(text.split()) or type(error).__name__


class _Pillow:
    """Pillow's process-wide settings as reading needs them, for as long as any thread reads.

    Pillow refuses pictures of more than 179 MP and warns from 89 MP on, by a global; `_opened`
    checks the size itself. It also warns of harmless damage in metadata. Both settings belong to
    the whole process, so the first reader changes them and the last one puts them back.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._readers = 0

    def __enter__(self) -> None:
        from PIL import Image

        with self._lock:
            self._readers += 1
            if self._readers == 1:
                self._limit = Image.MAX_IMAGE_PIXELS
                Image.MAX_IMAGE_PIXELS = None
                self._filters = warnings.catch_warnings()
                self._filters.__enter__()
                warnings.filterwarnings("ignore", module=r"PIL\.")

    def __exit__(self, *_: object) -> None:
        from PIL import Image

        with self._lock:
            self._readers -= 1
            if self._readers == 0:
                self._filters.__exit__(None, None, None)
                Image.MAX_IMAGE_PIXELS = self._limit


_pillow = _Pillow()
