"""Pictures and the browser that several test files need."""

import shutil
import struct
import zlib

import numpy as np
import pytest
from hypothesis import settings
from PIL import Image

# A busy machine is no failure: examples have no time limit of their own.
settings.register_profile("edgewise", deadline=None)
settings.load_profile("edgewise")


def _png(width, height, depth, colour, rows, *extra):
    """A PNG file from its parts: what no encoder writes, such as 16-bit RGB or false sizes."""

    def chunk(kind, data):
        check = zlib.crc32(kind + data)
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", check)

    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    middle = b"".join(chunk(*part) for part in extra)
    pixels = chunk(b"IDAT", zlib.compress(rows))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + middle + pixels + chunk(b"IEND", b"")


@pytest.fixture(scope="session")
def png_bytes():
    return _png


@pytest.fixture
def save(tmp_path):
    """Save an array or a Pillow picture under a name and give the path."""

    def saved(picture, name="picture.png", **options):
        if isinstance(picture, np.ndarray):
            picture = Image.fromarray(picture)
        path = tmp_path / name
        picture.save(path, **options)
        return path

    return saved


@pytest.fixture(scope="session")
def colours():
    """A photo of 12x16 pixels of smooth colour, without symmetry, uint8 HxWx3."""
    rows, columns = np.mgrid[0:12, 0:16]
    return np.stack([columns * 16, rows * 20, 255 - columns * 8 - rows * 6], axis=2).astype(
        np.uint8
    )


@pytest.fixture(scope="session")
def shape():
    """A mask of 12x16 pixels without symmetry, bool HxW."""
    mask = np.zeros((12, 16), dtype=bool)
    mask[2:9, 3:6] = True
    mask[7:9, 3:13] = True
    return mask


def orient(array, orientation):
    """The array as a camera stores it that notes `orientation`: from the EXIF standard's table.

    The table says which side of the scene the stored 0th row and 0th column are.
    """
    row, column = {
        1: ("top", "left"),
        2: ("top", "right"),
        3: ("bottom", "right"),
        4: ("bottom", "left"),
        5: ("left", "top"),
        6: ("right", "top"),
        7: ("right", "bottom"),
        8: ("left", "bottom"),
    }[orientation]
    if row in ("left", "right"):
        array = np.swapaxes(array, 0, 1)  # stored rows run along the scene's columns
    if row in ("bottom", "right"):
        array = array[::-1]
    if column in ("bottom", "right"):
        array = array[:, ::-1]
    return np.ascontiguousarray(array)


@pytest.fixture(params=range(1, 9), ids=lambda value: f"orientation{value}")
def oriented(request, save):
    """Save an array as a camera would that was held one of eight ways."""

    def saved(array, name):
        picture = Image.fromarray(orient(array, request.param))
        exif = picture.getexif()
        exif[0x0112] = request.param
        options = {"lossless": True} if name.endswith(".webp") else {}
        return save(picture, name, exif=exif, **options)

    return saved


@pytest.fixture(scope="module")
def chromium():
    """The browser: playwright's own chromium, or one that is on the path.

    A file of tests has its own, as its driver leaves an event loop running for as long as it lives.
    """
    playwright = pytest.importorskip(
        "playwright.sync_api", reason="takes the package playwright", exc_type=ImportError
    )
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    with playwright.sync_playwright() as engines:
        try:
            browser = engines.chromium.launch(executable_path=path, args=["--no-sandbox"])
        except playwright.Error as error:
            if path:
                raise
            pytest.skip(f"takes a chromium: {str(error).splitlines()[0]}")
        yield browser
        browser.close()
