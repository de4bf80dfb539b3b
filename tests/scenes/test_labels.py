"""What a label map was read from, it is written to: labels, palette, mode and depth."""

import struct

import numpy as np
import pytest
from PIL import Image

from edgewise.errors import InputError, OutputError
from edgewise.scenes.labels import Form, as_labels, check_writable, read_labels, write_labels

MAP = np.array([[0, 1, 2], [7, 7, 3]], np.int32)
PALETTE = bytes(range(30)) + bytes(226 * 3 + 60)


def _palette_picture():
    picture = Image.fromarray(MAP.astype(np.uint8))
    picture.putpalette(PALETTE)
    return picture


PICTURES = {
    "8 bits": lambda: Image.fromarray(MAP.astype(np.uint8)),
    "16 bits": lambda: Image.fromarray((MAP * 1000).astype(np.uint16)),
    "palette": _palette_picture,
    "1 bit": lambda: Image.fromarray(MAP > 1),
    "colours": lambda: Image.fromarray(np.stack([MAP, MAP * 30, MAP * 9], -1).astype(np.uint8)),
}


@pytest.mark.parametrize("suffix", [".png", ".tif"])
@pytest.mark.parametrize("kind", PICTURES)
def test_a_picture_comes_back_in_its_mode_with_its_pixels(tmp_path, kind, suffix):
    path, again = tmp_path / f"a{suffix}", tmp_path / f"b{suffix}"
    PICTURES[kind]().save(path)
    labels, form = read_labels(path)
    write_labels(again, labels, form)
    with Image.open(path) as first, Image.open(again) as second:
        assert second.mode == first.mode
        np.testing.assert_array_equal(np.asarray(second), np.asarray(first))
        assert second.getpalette() == first.getpalette()


@pytest.mark.parametrize(("bits", "highest"), [(8, 255), (4, 15)])
def test_labels_beyond_a_short_palette_come_back(tmp_path, png_bytes, bits, highest):
    labels = np.array([[0, 1], [2, highest]])
    path, again = tmp_path / "a.png", tmp_path / "b.png"
    colours = bytes([0, 0, 0, 200, 0, 0, 0, 200, 0])
    path.write_bytes(png_bytes(2, 2, bits, 3, packed(labels, bits), (b"PLTE", colours)))
    write_labels(again, *read_labels(path))
    np.testing.assert_array_equal(read_labels(again)[0], labels)
    with Image.open(again) as picture:
        assert bytes(picture.getpalette())[:9] == colours


@pytest.mark.parametrize("bits", [2, 4])
def test_grey_of_few_bits_has_its_own_levels(tmp_path, png_bytes, bits):
    labels = np.array([[0, 1], [2, 2**bits - 1]])
    (tmp_path / "a.png").write_bytes(png_bytes(2, 2, bits, 0, packed(labels, bits)))
    (tmp_path / "a.tif").write_bytes(grey_tiff(labels, bits))
    for name in ("a.png", "a.tif"):
        read, form = read_labels(tmp_path / name)
        np.testing.assert_array_equal(read, labels)
        write_labels(tmp_path / "b.png", read, form)
        np.testing.assert_array_equal(read_labels(tmp_path / "b.png")[0], labels)


def packed(labels, bits, start=b"\0"):
    """Rows of labels as PNG stores them: the first pixel in the highest bits, after `start`."""
    places = np.unpackbits(labels.astype(np.uint8)[..., None], axis=-1)[..., -bits:]
    return b"".join(start + np.packbits(row).tobytes() for row in places)


def grey_tiff(labels, bits):
    """A TIFF file of grey levels of less than 8 bits, which Pillow does not write."""
    rows = packed(labels, bits, start=b"")
    height, width = labels.shape
    tags = {256: width, 257: height, 258: bits, 259: 1, 262: 1, 273: 8, 278: height}
    tags[279] = len(rows)
    entries = b"".join(
        struct.pack("<HHII", tag, 4, 1, value) for tag, value in sorted(tags.items())
    )
    head = struct.pack("<4sI", b"II*\0", 8 + len(rows))
    return head + rows + struct.pack("<H", len(tags)) + entries + bytes(4)


def test_labels_are_indices_and_levels(tmp_path):
    for kind, factor in (("8 bits", 1), ("palette", 1), ("16 bits", 1000)):
        path = tmp_path / "a.png"
        PICTURES[kind]().save(path)
        np.testing.assert_array_equal(read_labels(path)[0], MAP * factor)


def test_colours_count_as_in_panoptic_files(tmp_path):
    Image.new("RGB", (2, 2), (3, 2, 1)).save(tmp_path / "a.png")
    assert read_labels(tmp_path / "a.png")[0].max() == 3 + 256 * 2 + 65536


def test_a_transparent_index_stays_transparent(tmp_path):
    path, again = tmp_path / "a.png", tmp_path / "b.png"
    _palette_picture().save(path, transparency=0)
    write_labels(again, *read_labels(path))
    with Image.open(again) as picture:
        assert picture.info["transparency"] == 0


@pytest.mark.parametrize("dtype", ["uint8", "int16", "int64"])
def test_a_numpy_file_keeps_its_type(tmp_path, dtype):
    labels = MAP.astype(dtype) - (dtype == "int16")
    np.save(tmp_path / "a.npy", labels)
    write_labels(tmp_path / "b.npy", *read_labels(tmp_path / "a.npy"))
    again = np.load(tmp_path / "b.npy")
    assert again.dtype == dtype
    np.testing.assert_array_equal(again, labels)


@pytest.mark.parametrize(("highest", "mode"), [(255, "L"), (256, "I;16"), (65536, "RGB")])
def test_without_a_form_the_smallest_that_holds_the_labels_is_taken(tmp_path, highest, mode):
    labels = np.array([[0, highest]])
    write_labels(tmp_path / "a.png", labels)
    with Image.open(tmp_path / "a.png") as picture:
        assert picture.mode == mode
    np.testing.assert_array_equal(read_labels(tmp_path / "a.png")[0], labels)


def test_a_photo_is_no_label_map(tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, (80, 80, 3), dtype=np.uint8)
    Image.fromarray(noise).save(tmp_path / "a.png")
    with pytest.raises(InputError, match="more than 4096 colours"):
        read_labels(tmp_path / "a.png")


EXIF = Image.Exif()
EXIF[0x0112] = 6  # on its side
LOSSY = {
    "grey": ("a.jpg", "L", {}),
    "colours": ("a.jpg", "RGB", {}),
    "turned": ("a.jpg", "L", {"exif": EXIF}),
    "in TIFF": ("a.tif", "L", {"compression": "jpeg"}),
    "by another name": ("a.png", "L", {"format": "JPEG"}),
    "WebP": ("a.webp", "RGB", {}),
    "WebP with notes": ("a.webp", "RGB", {"exif": EXIF}),
    "moving WebP": (
        "a.webp",
        "RGB",
        {"save_all": True, "append_images": [Image.new("RGB", (3, 2))]},
    ),
}


@pytest.mark.parametrize("kind", LOSSY)
def test_a_map_compressed_with_loss_is_refused(tmp_path, kind):
    name, mode, options = LOSSY[kind]
    Image.fromarray(MAP.astype(np.uint8)).convert(mode).save(tmp_path / name, **options)
    with pytest.raises(InputError, match=r"compressed with loss \((JPEG|WebP)\)"):
        read_labels(tmp_path / name)


@pytest.mark.parametrize("options", [{}, {"exif": EXIF}])
def test_a_lossless_webp_is_read(tmp_path, options):
    Image.fromarray(MAP.astype(np.uint8)).save(tmp_path / "a.webp", lossless=True, **options)
    labels = read_labels(tmp_path / "a.webp")[0]
    np.testing.assert_array_equal(labels & 255, np.rot90(MAP, -1) if options else MAP)


def test_a_numpy_file_that_claims_more_than_fits_is_named(tmp_path):
    with (tmp_path / "a.npy").open("wb") as stream:
        header = {"descr": "<i4", "fortran_order": False, "shape": (10**7, 10**7)}
        np.lib.format.write_array_header_1_0(stream, header)
    with pytest.raises(InputError, match=r"a\.npy: cannot be read"):
        read_labels(tmp_path / "a.npy")


@pytest.mark.parametrize("content", [b"", b"\x93NUMPY", b"text", b"PK\x03\x04"])
def test_a_damaged_numpy_file_is_named(tmp_path, content):
    (tmp_path / "a.npy").write_bytes(content)
    with pytest.raises(InputError, match=r"a\.npy"):
        read_labels(tmp_path / "a.npy")


def test_pickles_are_not_loaded(tmp_path):
    np.save(tmp_path / "a.npy", np.array([{}], object), allow_pickle=True)
    with pytest.raises(InputError, match=r"a\.npy"):
        read_labels(tmp_path / "a.npy")


@pytest.mark.parametrize(
    ("array", "words"),
    [
        (np.zeros((2, 2)), "integers"),
        (np.zeros((2, 2, 3), int), "height x width"),
        (np.zeros((0, 2), int), "height x width"),
        (np.zeros((3, 2), int), "2x3 pixels and the photo 2x2"),
    ],
)
def test_other_arrays_are_refused(array, words):
    with pytest.raises(InputError, match=words):
        as_labels(array, (2, 2))


def test_labels_that_a_file_cannot_hold_are_refused(tmp_path):
    Image.new("L", (2, 2)).save(tmp_path / "a.png")
    form = read_labels(tmp_path / "a.png")[1]
    with pytest.raises(OutputError, match="0 to 255"):
        write_labels(tmp_path / "b.png", np.array([[256]]), form)
    with pytest.raises(OutputError, match=r"\.png, \.tif or \.npy"):
        write_labels(tmp_path / "b.jpg", np.array([[1]]), form)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.png"]


@pytest.mark.parametrize(
    ("name", "label", "form"),
    [("b.jpg", 1, None), ("b.png", 256, Form("L")), ("b.png", -1, None), ("b.npy", 256, Form())],
)
def test_what_cannot_be_written_is_known_before(tmp_path, name, label, form):
    labels = np.array([[0, label]])
    with pytest.raises(OutputError) as before:
        check_writable(tmp_path / name, labels, form)
    with pytest.raises(OutputError) as after:
        write_labels(tmp_path / name, labels, form)
    assert str(before.value) == str(after.value)
