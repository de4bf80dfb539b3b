"""Photos of every form become uint8 HxWx3 RGB, upright, in sRGB, or an InputError."""

import io
import struct
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image, ImageCms

from edgewise.errors import InputError
from edgewise.images import as_photo, photo_size, profile_applies, read_photo


def assert_photo(photo, shape):
    assert photo.dtype == np.uint8
    assert photo.shape == shape
    assert photo.flags["C_CONTIGUOUS"]
    assert photo.flags["WRITEABLE"]


# Formats


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("photo.png", {}),
        ("photo.bmp", {}),
        ("photo.webp", {"lossless": True}),
        ("photo.tif", {}),
        ("photo.tiff", {"compression": "tiff_lzw"}),
        ("photo.tif", {"compression": "tiff_adobe_deflate"}),
        ("PHOTO.PNG", {}),
    ],
)
def test_lossless_formats_give_the_very_pixels(save, colours, name, options):
    photo = read_photo(save(colours, name, **options))
    assert_photo(photo, (12, 16, 3))
    assert (photo == colours).all()


@pytest.mark.parametrize("name", ["photo.jpg", "photo.webp"])
def test_lossy_formats_give_nearly_the_pixels(save, colours, name):
    photo = read_photo(save(colours, name, quality=95))
    assert_photo(photo, (12, 16, 3))
    assert np.abs(photo.astype(int) - colours).mean() < 4


def test_a_progressive_jpeg_is_read(save, colours):
    photo = read_photo(save(colours, "photo.jpg", quality=95, progressive=True))
    assert np.abs(photo.astype(int) - colours).mean() < 4


def test_the_suffix_does_not_matter(save, colours):
    path = save(colours, "photo.jpg", format="PNG")
    assert (read_photo(path) == colours).all()


def test_of_several_pictures_the_first_is_read(save, colours):
    first, second = Image.fromarray(colours[..., 0]), Image.fromarray(colours[..., 1])
    for name in ("film.gif", "pages.tif", "film.png"):
        path = save(first, name, save_all=True, append_images=[second])
        assert (read_photo(path) == colours[..., :1]).all(), name


@pytest.mark.parametrize("name", ["photo.gif", "photo.png", "photo.tif", "photo.bmp"])
def test_palette_pictures_give_the_palettes_colours(save, name):
    indices = np.arange(12, dtype=np.uint8).reshape(3, 4) % 5
    palette = [10, 20, 30, 200, 0, 0, 0, 200, 0, 0, 0, 200, 255, 255, 0]
    picture = Image.fromarray(indices)
    picture.putpalette(palette)
    expected = np.reshape(palette, (-1, 3))[indices]
    assert (read_photo(save(picture, name)) == expected).all()


@pytest.mark.parametrize("transparency", [2, bytes([0, 128, 255])])
def test_transparent_palette_entries_keep_their_colour(save, transparency):
    """Pillow warns of such files, and warnings are errors here."""
    picture = Image.fromarray(np.array([[0, 1, 2]], dtype=np.uint8))
    picture.putpalette([10, 20, 30, 200, 0, 0, 0, 200, 0])
    photo = read_photo(save(picture, "photo.png", transparency=transparency))
    assert photo.tolist() == [[[10, 20, 30], [200, 0, 0], [0, 200, 0]]]


@pytest.mark.parametrize("name", ["photo.png", "photo.tif", "photo.webp"])
def test_alpha_is_ignored_and_colours_stay_as_stored(save, colours, name):
    alpha = np.arange(192, dtype=np.uint8).reshape(12, 16, 1)
    options = {"lossless": True, "exact": True} if name.endswith("webp") else {}
    photo = read_photo(save(np.concatenate([colours, alpha], axis=2), name, **options))
    assert (photo == colours).all()


def test_grey_with_alpha_keeps_its_grey(save, colours):
    pair = np.ascontiguousarray(colours[..., :2])
    bands = [Image.fromarray(np.ascontiguousarray(band)) for band in np.moveaxis(pair, 2, 0)]
    photo = read_photo(save(Image.merge("LA", bands)))
    assert (photo == pair[..., :1]).all()


def test_grey_with_premultiplied_alpha_is_divided_by_it(tmp_path):
    path = tmp_path / "grey.tif"
    path.write_bytes(tiff(2, 1, 8, 1, bytes([50, 127, 200, 255]), t277=2, t338=1))
    assert read_photo(path)[0, :, 0].tolist() == [100, 200]


@pytest.mark.parametrize("name", ["photo.png", "photo.tif", "photo.jpg", "photo.bmp"])
def test_grey_gives_three_equal_channels(save, name):
    grey = np.linspace(0, 255, 64, dtype=np.uint8).reshape(8, 8)
    photo = read_photo(save(grey, name))
    assert_photo(photo, (8, 8, 3))
    assert (photo == photo[..., :1]).all()
    assert np.abs(photo[..., 0].astype(int) - grey).max() <= (3 if name.endswith("jpg") else 0)


@pytest.mark.parametrize(
    ("name", "options"), [("photo.png", {}), ("photo.tif", {"compression": "group4"})]
)
def test_one_bit_gives_black_and_white(save, shape, name, options):
    photo = read_photo(save(shape, name, **options))
    assert (photo == np.where(shape, 255, 0)[..., None]).all()


# Depth


@pytest.mark.parametrize("name", ["photo.png", "photo.tif"])
def test_16_bit_grey_is_scaled_and_not_clipped(save, name):
    levels = np.array([[0, 128, 129, 257, 300], [1000, 32767, 40000, 65406, 65535]], np.uint16)
    photo = read_photo(save(levels, name))
    assert_photo(photo, (2, 5, 3))
    assert photo[..., 1].tolist() == [[0, 0, 1, 1, 1], [4, 127, 156, 254, 255]]


@pytest.mark.parametrize(("colour", "channels"), [(2, 3), (6, 4)])
def test_16_bit_colour_keeps_its_range(tmp_path, png_bytes, colour, channels):
    levels = np.array([0, 20_000, 40_000, 65_535], dtype=">u2")
    row = np.repeat(levels[:, None], channels, axis=1)
    (tmp_path / "deep.png").write_bytes(png_bytes(4, 1, 16, colour, b"\0" + row.tobytes()))
    photo = read_photo(tmp_path / "deep.png")
    assert_photo(photo, (1, 4, 3))
    assert np.abs(photo[0] - np.array([0, 20_000, 40_000, 65_535])[:, None] / 257).max() <= 1


def tiff(width, height, bits, photometric, data, *, order="<", **more):
    """An uncompressed TIFF file from its parts: of one channel, unless `more` tags, tNNN, say."""
    tags = {
        256: (4, width),
        257: (4, height),
        258: (3, bits),
        259: (3, 1),
        262: (3, photometric),
        273: (4, 200),
        277: (3, 1),
        278: (4, height),
        279: (4, len(data)),
    }
    tags |= {int(name[1:]): (3, value) for name, value in more.items()}
    head = struct.pack(order + "2sHIH", b"II" if order == "<" else b"MM", 42, 8, len(tags))
    for tag, (kind, value) in sorted(tags.items()):
        packed = struct.pack(order + ("I" if kind == 4 else "Hxx"), value)
        head += struct.pack(order + "HHI", tag, kind, 1) + packed
    return head.ljust(200, b"\0") + data


def test_12_bit_tiff_is_scaled_by_its_own_range(tmp_path):
    (tmp_path / "deep.tif").write_bytes(tiff(2, 1, 12, 1, bytes([0xFF, 0xF8, 0x00])))
    assert read_photo(tmp_path / "deep.tif")[0, :, 0].tolist() == [255, round(0x800 / 4095 * 255)]


@pytest.mark.parametrize("order", ["<", ">"])
def test_16_bit_tiff_of_either_byte_order_is_read(tmp_path, order):
    data = np.array([0, 257, 65535], dtype=order + "u2").tobytes()
    (tmp_path / "deep.tif").write_bytes(tiff(3, 1, 16, 1, data, order=order))
    assert read_photo(tmp_path / "deep.tif")[0, :, 0].tolist() == [0, 1, 255]


@pytest.mark.parametrize(("bits", "kind"), [(8, "u1"), (16, "<u2")])
def test_tiff_whose_zero_is_white_is_no_negative(tmp_path, bits, kind):
    data = np.array([0, 2**bits - 1], dtype=kind).tobytes()
    (tmp_path / "white.tif").write_bytes(tiff(2, 1, bits, 0, data))
    assert read_photo(tmp_path / "white.tif")[0, :, 0].tolist() == [255, 0]


@pytest.mark.parametrize(("kind", "word"), [("f4", "floating point"), ("i4", "32-bit")])
def test_samples_without_a_known_range_are_refused(save, kind, word):
    path = save(np.ones((2, 3), dtype=kind), "deep.tif")
    with pytest.raises(InputError, match=rf"deep\.tif: its samples are {word}.*save it as 8- or"):
        read_photo(path)


def test_16_bit_channels_that_lie_apart_are_refused(tmp_path):
    """Pillow would take their bytes for levels."""
    path = tmp_path / "apart.tif"
    path.write_bytes(tiff(2, 1, 16, 2, bytes(12), t277=3, t284=2))
    with pytest.raises(InputError, match=r"apart\.tif: its 16-bit channels lie one after"):
        read_photo(path)


def test_a_tiff_of_samples_that_are_not_read_is_not_called_damaged_alone(tmp_path):
    path = tmp_path / "half.tif"
    path.write_bytes(tiff(2, 1, 16, 1, bytes(4), t339=3))
    with pytest.raises(InputError, match=r"half\.tif: .* samples that are not read; expect"):
        read_photo(path)


def test_lab_colours_are_refused(save):
    path = save(Image.new("LAB", (3, 2)), "lab.tif")
    with pytest.raises(InputError, match=r"its samples are CIE L\*a\*b\* colours"):
        read_photo(path)


# Colour


@pytest.mark.parametrize("name", ["photo.jpg", "photo.tif"])
def test_cmyk_is_converted_and_not_inverted(save, name):
    """Adobe stores the inks of a CMYK JPEG inverted; white paper must come out white."""
    inks = np.zeros((8, 32, 4), np.uint8)
    inks[:, 8:16, 3] = 255  # black ink
    inks[:, 16:24, 0] = 255  # cyan ink takes the red away
    inks[:, 24:, 2] = 255  # yellow ink takes the blue away
    picture = Image.frombytes("CMYK", (32, 8), inks.tobytes())
    photo = read_photo(save(picture, name, quality=100) if "jpg" in name else save(picture, name))
    expected = [[255, 255, 255], [0, 0, 0], [0, 255, 255], [255, 255, 0]]
    assert np.abs(photo[4, 4::8].astype(int) - expected).max() <= 2


def icc_profile(space, curves, primaries):
    """A colour profile by the standard's smallest form: a gamma a channel and its XYZ."""

    def fixed(*values):
        return struct.pack(f">{len(values)}i", *(round(value * 65536) for value in values))

    gamma = b"curv" + struct.pack(">IIH", 0, 1, round(curves * 256)) + b"\0\0"
    white = b"XYZ " + bytes(4) + fixed(0.9642, 1, 0.8249)
    name = b"desc" + struct.pack(">II", 0, 5) + b"test\0" + bytes(79)
    tags = {b"desc": name, b"cprt": b"text" + bytes(8), b"wtpt": white}
    if space == b"GRAY":
        tags[b"kTRC"] = gamma
    if space == b"RGB ":
        for letter, column in zip("rgb", np.transpose(primaries), strict=True):
            tags[f"{letter}XYZ".encode()] = b"XYZ " + bytes(4) + fixed(*column)
            tags[f"{letter}TRC".encode()] = gamma
    return _profile_file(space, b"XYZ ", tags)


def ink_profile():
    """A profile by which only black ink shows, its share being taken off the lightness L*."""
    ramp = bytes(range(256))
    nodes = 8 * bytes([255, 128, 128, 0, 128, 128])  # L*a*b* without and with black ink
    identity = struct.pack(">9i", *(65536 * np.eye(3, dtype=int).ravel()))
    table = b"mft1" + bytes(4) + bytes([4, 3, 2, 0]) + identity + 4 * ramp + nodes + 3 * ramp
    name = b"desc" + struct.pack(">II", 0, 5) + b"inks\0" + bytes(79)
    return _profile_file(b"CMYK", b"Lab ", {b"desc": name, b"A2B0": table})


def _profile_file(space, connection, tags):
    table, body, start = b"", b"", 128 + 4 + 12 * len(tags)
    for tag, content in tags.items():
        data = content.ljust(-(-len(content) // 4) * 4, b"\0")
        table += struct.pack(">4sII", tag, start + len(body), len(data))
        body += data
    size = start + len(body)
    head = struct.pack(">I4sI4s4s4s", size, b"none", 0x02400000, b"prtr", space, connection)
    head += bytes(12) + b"acsp" + bytes(28) + struct.pack(">iii", 63190, 65536, 54061)
    return head.ljust(128, b"\0") + struct.pack(">I", len(tags)) + table + body


# Columns: XYZ of the red, green and blue primary for the D50 white of profiles (Lindbloom).
SRGB = np.array(
    [
        [0.4360747, 0.3850649, 0.1430804],
        [0.2225045, 0.7168786, 0.0606169],
        [0.0139322, 0.0971045, 0.7141733],
    ]
)
ADOBE = np.array(
    [
        [0.6097559, 0.2052401, 0.1492240],
        [0.3111242, 0.6256560, 0.0632197],
        [0.0194811, 0.0608902, 0.7448387],
    ]
)


def srgb_levels(linear):
    """The sRGB standard's curve (IEC 61966-2-1), 0..1 to 0..255."""
    linear = np.clip(linear, 0, 1)
    return 255 * np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)


@pytest.mark.parametrize("name", ["photo.png", "photo.tif", "photo.jpg", "photo.webp"])
def test_an_embedded_profile_is_converted_to_srgb(save, name):
    """Against the matrices and curves of the standards: Adobe RGB's green is no sRGB green."""
    stored = np.zeros((16, 48, 3), np.uint8)
    stored[:, :16], stored[:, 16:32], stored[:, 32:] = (90, 160, 90), (150, 120, 100), 128
    exact = {"photo.jpg": {"quality": 100, "subsampling": 0}, "photo.webp": {"lossless": True}}
    profile = icc_profile(b"RGB ", 2.2, ADOBE)
    photo = read_photo(save(stored, name, icc_profile=profile, **exact.get(name, {})))
    linear = (stored[8, 8::16] / 255) ** 2.2
    expected = srgb_levels(linear @ (np.linalg.inv(SRGB) @ ADOBE).T)
    assert np.abs(photo[8, 8::16] - expected).max() < 2.5
    assert np.abs(expected - stored[8, 8::16]).max() > 15


def test_a_profile_of_colour_leaves_grey(save):
    grey = np.array([[0, 55, 128, 255]], np.uint8)
    photo = read_photo(save(grey, icc_profile=icc_profile(b"RGB ", 1.0, ADOBE)))
    assert (photo == grey[..., None]).all()


def test_no_time_is_spent_on_converting_srgb_to_srgb(save, colours, monkeypatch):
    path = save(colours, icc_profile=srgb_profile())
    monkeypatch.setattr(ImageCms, "profileToProfile", lambda *_, **__: pytest.fail("converted"))
    assert (read_photo(path) == colours).all()


@pytest.mark.parametrize("name", ["photo.jpg", "photo.tif"])
def test_a_profile_of_inks_is_converted(save, name):
    """The profile's colours are used: without one, cyan ink would give cyan."""
    inks = np.zeros((8, 24, 4), np.uint8)
    inks[:, 8:, 0] = 255
    inks[:, 16:, 3] = 128
    options = {"quality": 100} if name.endswith("jpg") else {}
    picture = Image.frombytes("CMYK", (24, 8), inks.tobytes())
    photo = read_photo(save(picture, name, icc_profile=ink_profile(), **options))
    lightness = 100 * (1 - 128 / 255)
    grey = srgb_levels(((lightness + 16) / 116) ** 3)  # CIE 1976 lightness, inverted
    assert np.abs(photo[4, 4::8] - np.array([255, 255, grey])[:, None]).max() < 2


def test_a_profile_of_grey_is_converted(save):
    linear = np.array([[0, 55, 128, 255]], np.uint8)
    photo = read_photo(save(linear, icc_profile=icc_profile(b"GRAY", 1.0, None)))
    assert np.abs(photo[..., 0] - srgb_levels(linear / 255)).max() < 1.5


def test_a_profile_applies_to_colours_beside_alpha(save, colours):
    opaque = np.dstack([colours, np.full((12, 16), 255, np.uint8)])
    profile = icc_profile(b"RGB ", 1.0, ADOBE)
    with_alpha = read_photo(save(opaque, "a.png", icc_profile=profile))
    assert (with_alpha == read_photo(save(colours, "b.png", icc_profile=profile))).all()
    assert (with_alpha != colours).any()


def srgb_profile():
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


@pytest.mark.parametrize(
    "profile",
    [
        srgb_profile(),
        b"garbage",
        icc_profile(b"RGB ", 2.2, ADOBE)[:200],
        icc_profile(b"GRAY", 1.0, None),
        icc_profile(b"CMYK", 1.0, None),
    ],
    ids=["sRGB", "garbage", "cut off", "of grey", "of CMYK"],
)
def test_a_profile_that_says_srgb_or_nothing_usable_leaves_the_pixels(save, colours, profile):
    assert (read_photo(save(colours, icc_profile=profile)) == colours).all()


@pytest.mark.parametrize(
    ("mode", "profile", "applies"),
    [
        ("RGB", icc_profile(b"RGB ", 2.2, ADOBE), True),
        ("RGB", srgb_profile(), False),
        ("L", icc_profile(b"RGB ", 2.2, ADOBE), False),
        ("L", icc_profile(b"GRAY", 1.0, None), True),
        ("CMYK", ink_profile(), True),
        ("CMYK", icc_profile(b"RGB ", 2.2, ADOBE), False),
        ("RGB", b"garbage", False),
    ],
    ids=["RGB", "sRGB", "grey by RGB", "grey", "inks", "inks by RGB", "garbage"],
)
def test_a_profile_applies_where_it_changes_how_a_photo_is_read(mode, profile, applies):
    assert profile_applies(mode, profile) == applies


# Orientation and size


@pytest.mark.parametrize("name", ["photo.png", "photo.tif", "photo.webp"])
def test_exif_orientation_is_applied(oriented, colours, name):
    path = oriented(colours, name)
    assert (read_photo(path) == colours).all()
    assert photo_size(path) == (16, 12)


def test_exif_orientation_is_applied_to_jpeg(oriented, colours):
    large = np.kron(colours, np.ones((8, 8, 1), np.uint8))
    path = oriented(large, "photo.jpg")
    assert np.abs(read_photo(path).astype(int) - large).mean() < 6
    assert photo_size(path) == (128, 96)


@pytest.mark.parametrize("size", [(1, 1), (30_000, 20), (20, 30_000)])
def test_extreme_sizes_are_photos(save, size):
    path = save(Image.new("RGB", size, (1, 2, 3)))
    photo = read_photo(path)
    assert_photo(photo, (size[1], size[0], 3))
    assert (photo == (1, 2, 3)).all()
    assert photo_size(path) == size


def test_a_photo_taller_than_a_strip_is_whole(save):
    tall = np.random.default_rng(0).integers(0, 255, (600, 5, 3), dtype=np.uint8)
    assert (read_photo(save(tall)) == tall).all()


def test_the_limit_of_pixels_can_be_set(save, colours):
    with pytest.raises(InputError, match="16x12 pixels, more than the limit of 100"):
        read_photo(save(colours), max_pixels=100)


def test_a_truncated_photo_is_refused(save):
    path = save(np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype=np.uint8), "a.jpg")
    path.write_bytes(path.read_bytes()[:2000])
    with pytest.raises(InputError, match=r"a\.jpg: is damaged or cut off"):
        read_photo(path)


@pytest.mark.parametrize("name", ["missing.jpg", "."])
def test_a_size_cannot_be_read_of_what_is_no_photo(tmp_path, name):
    with pytest.raises(InputError, match=r"cannot be read|is not a file"):
        photo_size(tmp_path / name)


FORMATS = [("JPEG", {}), ("PNG", {}), ("WEBP", {}), ("TIFF", {}), ("BMP", {}), ("GIF", {})]
SAMPLES = []
for _format, _options in [*FORMATS, ("TIFF", {"compression": "tiff_adobe_deflate"})]:
    _file = io.BytesIO()
    _picture = Image.effect_noise((24, 20), 60)
    _picture.convert("RGB").save(_file, _format, exif=_picture.getexif(), **_options)
    SAMPLES.append(_file.getvalue())


@given(data=st.data())
def test_damaged_bytes_give_a_photo_or_an_input_error(data, tmp_path_factory):
    """No other error, and no warning, whatever the bytes."""
    sample = bytearray(data.draw(st.sampled_from(SAMPLES)))
    for _ in range(data.draw(st.integers(1, 6))):
        sample[data.draw(st.integers(0, len(sample) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.mktemp("damaged") / "photo"
    path.write_bytes(sample[: data.draw(st.integers(1, len(sample)))])
    with suppress(InputError):
        photo = read_photo(path, max_pixels=100_000)
        assert photo.dtype == np.uint8
        assert photo.ndim == 3


# Arrays


@given(
    arrays(np.uint8, st.tuples(st.integers(1, 9), st.integers(1, 9), st.sampled_from([1, 3, 4])))
)
def test_arrays_of_one_three_or_four_channels_are_photos(array):
    photo = as_photo(array)
    assert_photo(photo, (*array.shape[:2], 3))
    assert (photo == array[..., :3]).all()


def test_a_grey_array_gets_three_channels(colours):
    grey = colours[..., 0]
    assert (as_photo(grey) == grey[..., None]).all()


def test_a_photo_is_passed_on_without_a_copy(colours):
    assert np.shares_memory(as_photo(colours), colours)


def test_a_view_becomes_contiguous(colours):
    assert_photo(as_photo(colours[::-1, ::2]), (12, 8, 3))


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.zeros((4, 5, 3), np.float32), "samples are float32; expected uint8"),
        (np.zeros((4, 5, 3), np.uint16), "samples are uint16; expected uint8"),
        (np.zeros((4, 5), bool), "samples are bool; expected uint8"),
        (np.array("photo.jpg"), "samples are <U9; expected uint8"),
        (np.zeros((3, 40, 50), np.uint8), r"\(3, 40, 50\); expected height x width x 3"),
        (np.zeros((1, 4, 5, 3), np.uint8), r"\(1, 4, 5, 3\); expected height x width x 3"),
        (np.zeros(9, np.uint8), r"\(9,\); expected height x width x 3"),
        (np.zeros((0, 5, 3), np.uint8), r"\(0, 5, 3\); expected"),
    ],
)
def test_other_arrays_are_refused_with_what_would_be_right(array, message):
    with pytest.raises(InputError, match=message):
        as_photo(array)
