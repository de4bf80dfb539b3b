"""By region the result is the same as in memory, and what cannot be read is told."""

import os
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from edgewise.errors import EdgewiseWarning, InputError, OutputError
from edgewise.files import picture_size
from edgewise.images import read_photo
from edgewise.large import (
    BASE,
    Enlarged,
    by_region,
    bytes_of,
    fits,
    open_mask,
    open_photo,
    refine_file,
)
from edgewise.masks import fit_mask, read_mask
from edgewise.passes.edges import EdgeSettings
from edgewise.passes.view import Box
from edgewise.refiner import Refiner, Settings, levels_of
from tests.fakes import ColourEngine, disc, red_on_blue
from tests.test_images import icc_profile, ink_profile, tiff

pyvips = pytest.importorskip("pyvips")

SMALL = Settings(overview_side=64, edges=EdgeSettings(tile=64, overlap=16))
REFINER = Refiner(ColourEngine(), settings=SMALL)
SHAPE = (330, 471)


def _photo():
    truth = disc(SHAPE, (150, 200), 90) & ~disc(SHAPE, (150, 200), 30)
    truth |= disc(SHAPE, (290, 430), 20)
    noise = np.random.default_rng(2).integers(0, 30, (*SHAPE, 3), np.uint8)
    return red_on_blue(truth) + noise, np.roll(truth, (5, -4), (0, 1))


@pytest.fixture
def files(tmp_path):
    def save(photo, mask, photo_name="photo.png", mask_name="mask.png", **options):
        Image.fromarray(photo).save(tmp_path / photo_name, **options)
        Image.fromarray(mask).save(tmp_path / mask_name)
        return tmp_path / photo_name, tmp_path / mask_name, tmp_path / "out.png"

    return save


def _expected(photo, mask):
    picture = read_photo(photo)
    return REFINER.refine(picture, read_mask(mask, size=picture.shape[:2]))


@pytest.mark.parametrize("name", ["photo.png", "photo.tif", "photo.jpg"])
def test_the_result_is_that_in_memory(files, name):
    options = {"quality": 95, "subsampling": 0} if name.endswith("jpg") else {}
    photo, mask, output = files(*_photo(), photo_name=name, **options)
    refine_file(REFINER, photo, mask, output)
    with Image.open(output) as written:
        assert written.mode == "1"
    assert np.array_equal(read_mask(output) > 0.5, _expected(photo, mask).mask)


def test_a_soft_result_is_that_in_memory(files):
    photo, mask, output = files(*_photo())
    refine_file(REFINER, photo, mask, output, soft=True)
    expected = np.rint(_expected(photo, mask).soft * 255)
    assert np.array_equal(np.rint(read_mask(output, soft=True) * 255), expected)


def test_a_tiled_tiff_is_written(files):
    photo, mask, output = files(*_photo())
    output = output.with_suffix(".tif")
    refine_file(REFINER, photo, mask, output)
    with Image.open(output) as written:
        assert 322 in written.tag_v2  # TileWidth
    assert np.array_equal(read_mask(output) > 0.5, _expected(photo, mask).mask)


@pytest.mark.parametrize("name", ["\udcff", "[0]"], ids=["not UTF-8", "options of libvips"])
@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_files_of_any_name_are_read_and_written(files, name, suffix):
    photo, mask, output = files(*_photo())
    folder = photo.parent / name
    folder.mkdir()
    photo, mask = (path.rename(folder / f"{path.stem}{name}.png") for path in (photo, mask))
    output = folder / f"out{name}{suffix}"
    refine_file(REFINER, photo, mask, output)
    assert np.array_equal(read_mask(output) > 0.5, _expected(photo, mask).mask)


def test_a_turned_photo_is_upright(files):
    pixels, inside = _photo()
    exif = Image.Exif()
    exif[0x0112] = 6
    photo, mask, output = files(np.rot90(pixels).copy(), inside, exif=exif)
    refine_file(REFINER, photo, mask, output)
    assert np.array_equal(read_mask(output) > 0.5, REFINER.refine(pixels, inside).mask)


def _opened(path):
    with ExitStack() as stack:
        plane = open_photo(path, stack)
        return plane.read(Box(0, 0, *plane.shape))


def test_a_photo_that_changed_is_read_anew(save):
    exif = Image.Exif()
    exif[0x0112] = 6
    for level in (10, 200):
        path = save(np.full((4, 6), level, np.uint8), "photo.png", exif=exif)
        assert (_opened(path) == level).all()


def _noted_in_xmp(path, picture):
    picture.save(path, quality=100, subsampling=0, xmp=b'<x tiff:Orientation="6"/>')


def _noted_behind_the_pixels(path, picture):
    exif = Image.Exif()
    exif[0x0112] = 6
    picture.save(path, exif=exif)
    data = path.read_bytes()
    at = data.index(b"eXIf") - 4
    end = at + 12 + int.from_bytes(data[at : at + 4], "big")
    path.write_bytes(data[:at] + data[end:-12] + data[at:end] + data[-12:])


@pytest.mark.parametrize(
    ("name", "save"), [("photo.jpg", _noted_in_xmp), ("photo.png", _noted_behind_the_pixels)]
)
def test_a_photo_lies_as_in_memory_wherever_that_is_noted(tmp_path, colours, name, save):
    path = tmp_path / name
    save(path, Image.fromarray(colours))
    upright = read_photo(path)
    assert upright.shape == (16, 12, 3)
    assert (_opened(path) == upright).all()


# By PRESS the relative and the perceptual intent differ.
PRESS, WIDE = (bytes(pyvips.Image.profile_load(name)) for name in ("cmyk", "p3"))


LINEAR = icc_profile(b"GRAY", 1.0, None)


@pytest.mark.parametrize(
    ("name", "mode", "profile"),
    [
        ("photo.png", "RGB", WIDE),
        ("photo.png", "L", LINEAR),
        ("photo.jpg", "CMYK", None),
        ("photo.tif", "CMYK", None),
        ("photo.jpg", "CMYK", PRESS),
        ("photo.tif", "CMYK", ink_profile()),
        ("photo.tif", "CMYK", WIDE),
        ("photo.tif", "CMYK", PRESS[:200]),
        ("photo.png", "I;16", None),
        ("photo.tif", "I;16", LINEAR),
    ],
    ids=[
        "RGB",
        "grey",
        "inks in JPEG",
        "inks in TIFF",
        "inks of a press",
        "black ink alone",
        "inks, profile of RGB",
        "inks, profile cut off",
        "16 bits",
        "16 bits, profile",
    ],
)
def test_colours_are_within_a_level_of_those_in_memory(save, name, mode, profile):
    size = 40 * 50 * {"L": 1, "I;16": 2, "RGB": 3, "CMYK": 4}[mode]
    samples = np.random.default_rng(3).integers(0, 256, size, np.uint8)
    picture = Image.frombytes(mode, (50, 40), samples.tobytes())
    exact = {"quality": 100, "subsampling": 0} if name == "photo.jpg" else {}
    path = save(picture, name, icc_profile=profile, **exact)
    assert np.abs(_opened(path).astype(int) - read_photo(path)).max() <= 1


@pytest.mark.parametrize(("colour", "channels"), [(0, 1), (2, 3), (4, 2), (6, 4)])
def test_16_bits_are_those_in_memory(tmp_path, png_bytes, colour, channels):
    rows = np.random.default_rng(3).integers(0, 256, (5, 1 + 7 * channels * 2), np.uint8)
    rows[:, 0] = 0  # the filter
    path = tmp_path / "photo.png"
    path.write_bytes(png_bytes(7, 5, 16, colour, rows.tobytes()))
    assert (_opened(path) == read_photo(path)).all()


def test_grey_photos_are_taken(files):
    pixels, inside = _photo()
    photo, mask, output = files(pixels[..., 0], inside)
    refine_file(REFINER, photo, mask, output)
    assert np.array_equal(read_mask(output) > 0.5, _expected(photo, mask).mask)


def test_a_smaller_mask_is_enlarged_as_in_memory():
    mask = np.random.default_rng(4).random((33, 47), np.float32)
    plane = Enlarged(mask, SHAPE, "mask")
    expected = fit_mask(mask, SHAPE) * 255
    found = plane.read(Box(7, 0, 200, 471))
    assert np.abs(found - expected[7:200]).max() <= 1


def test_indices_are_levels(files):
    _, mask, _ = files(*_photo())
    Image.fromarray(disc(SHAPE, (50, 60), 9).astype(np.uint8)).save(mask)
    with ExitStack() as stack:
        plane = open_mask(mask, SHAPE, stack)
        assert set(np.unique(plane.read(Box(0, 0, *SHAPE)))) == {0, 255}


def test_an_empty_mask_comes_back_with_a_warning(files):
    photo, mask, output = files(_photo()[0], np.zeros(SHAPE, np.uint8))
    with pytest.warns(EdgewiseWarning, match="empty"):
        refine_file(REFINER, photo, mask, output)
    assert not read_mask(output).any()


FORMS = {
    "RGB": lambda inside: Image.fromarray(inside).convert("RGB"),
    "LA": lambda inside: Image.merge("LA", 2 * [Image.fromarray(inside).convert("L")]),
    "palette": lambda inside: Image.fromarray(inside).convert("P"),
    "16 bits": lambda inside: Image.fromarray(inside.astype(np.uint16) * 65535),
}


@pytest.mark.parametrize("form", FORMS)
def test_a_mask_of_another_form_is_read_whole_or_refused(files, form):
    photo, mask, output = files(*_photo())
    FORMS[form](_photo()[1]).save(mask)
    with pytest.raises(InputError, match=r"mask\.png: is not grey of 1 or 8 bits.* --memory"):
        refine_file(REFINER, photo, mask, output)
    refine_file(REFINER, photo, mask, output, any_mask=True)
    assert np.array_equal(read_mask(output) > 0.5, _expected(photo, mask).mask)


def test_a_mask_in_webp_is_read_whole(files):
    _, mask, _ = files(*_photo(), mask_name="mask.webp")
    with ExitStack() as stack:
        plane = open_mask(mask, SHAPE, stack, any_form=True)
    assert np.array_equal(plane.read(Box(0, 0, *SHAPE)), levels_of(read_mask(mask)))


def test_a_mask_larger_than_the_photo_is_read_whole_or_refused(files):
    photo, mask, output = files(_photo()[0], _photo()[1].repeat(2, 0).repeat(2, 1))
    with pytest.raises(InputError, match=r"is larger than the photo, 471x330 pixels.* --memory"):
        refine_file(REFINER, photo, mask, output)
    refine_file(REFINER, photo, mask, output, any_mask=True)
    assert np.array_equal(read_mask(output) > 0.5, _expected(photo, mask).mask)


def test_a_small_object_in_a_jpeg_mask_is_no_label(files):
    _, mask, _ = files(_photo()[0], disc(SHAPE, (50, 60), 3), mask_name="mask.jpg")
    with ExitStack() as stack:
        plane = open_mask(mask, SHAPE, stack)
        assert np.array_equal(plane.read(Box(0, 0, *SHAPE)), levels_of(read_mask(mask)))


def test_labels_and_photos_are_refused(files):
    labels = np.arange(SHAPE[0] * SHAPE[1], dtype=np.uint8).reshape(SHAPE) % 5
    photo, mask, output = files(_photo()[0], labels)
    with pytest.raises(InputError, match="label map"):
        refine_file(REFINER, photo, mask, output)
    with pytest.raises(InputError, match="looks like a photo"):
        refine_file(REFINER, photo, photo, output, any_mask=True)


def test_a_format_that_is_not_read_by_region_is_told(files):
    photo, mask, output = files(*_photo(), photo_name="photo.webp")
    photo = photo.rename(photo.with_suffix(".jpg"))
    with pytest.raises(InputError, match=r"photo\.jpg: is WEBP .* give more with --memory"):
        refine_file(REFINER, photo, mask, output)


@pytest.mark.parametrize("compression", ["zstd", "lzma"])
def test_a_tiff_that_libvips_may_not_unpack_is_read_in_memory(files, monkeypatch, compression):
    monkeypatch.setattr("edgewise.large.DEFAULT_MEMORY", BASE)
    photo, mask, output = files(*_photo(), photo_name="photo.tif", compression=compression)
    assert not by_region(photo, output, None)
    with pytest.raises(InputError, match=f"TIFF of compression {compression} .*more with --memory"):
        refine_file(REFINER, photo, mask, output)


def test_a_tiff_of_12_bits_is_read_in_memory(tmp_path, monkeypatch):
    monkeypatch.setattr("edgewise.large.DEFAULT_MEMORY", BASE)
    photo = tmp_path / "photo.tif"
    photo.write_bytes(tiff(2, 1, 12, 1, bytes(3)))
    assert not by_region(photo, tmp_path / "out.png", None)
    with pytest.raises(InputError, match="TIFF of 12 bits"):
        _opened(photo)


@pytest.mark.parametrize(("mode", "colours"), [("YCbCr", "YCbCr"), ("LAB", r"CIE L\*a\*b\*")])
def test_a_tiff_whose_colours_libvips_misreads_is_read_in_memory(save, monkeypatch, mode, colours):
    monkeypatch.setattr("edgewise.large.DEFAULT_MEMORY", BASE)
    photo = save(Image.new(mode, (4, 4)), "photo.tif")
    assert not by_region(photo, photo.with_name("out.png"), None)
    with pytest.raises(InputError, match=f"TIFF of {colours} colours"):
        _opened(photo)


def test_a_tiff_of_jpeg_s_colours_is_read_by_region(save, monkeypatch):
    monkeypatch.setattr("edgewise.large.DEFAULT_MEMORY", BASE)
    photo = save(Image.new("YCbCr", (4, 4)), "jpeg.tif", compression="jpeg")
    assert by_region(photo, photo.with_name("out.tif"), None)


def test_a_mask_that_libvips_may_not_unpack_is_read_whole(files):
    _, mask, _ = files(*_photo())
    packed = mask.with_suffix(".tif")
    Image.open(mask).save(packed, compression="zstd")
    with ExitStack() as stack:
        plane = open_mask(packed, SHAPE, stack, any_form=True)
    assert np.array_equal(plane.read(Box(0, 0, *SHAPE)), levels_of(read_mask(mask)))


@pytest.mark.parametrize("name", ["photo.png", "photo.jpg", "photo.tif"])
def test_a_photo_cut_off_is_told_and_nothing_is_written(files, name):
    photo, mask, output = files(*_photo(), photo_name=name)
    data = photo.read_bytes()
    photo.write_bytes(data[: len(data) // 2])
    with pytest.raises(InputError, match="cut off"):
        refine_file(REFINER, photo, mask, output)
    assert not output.exists()


@pytest.mark.parametrize("compression", ["tiff_lzw", "tiff_adobe_deflate"])
def test_damage_within_a_photo_is_told_once(files, compression):
    photo, mask, output = files(*_photo(), photo_name="photo.tif", compression=compression)
    data = bytearray(photo.read_bytes())
    data[1000:200_000] = bytes(199_000)
    photo.write_bytes(data)
    with pytest.raises(InputError, match="is damaged") as caught:
        refine_file(REFINER, photo, mask, output)
    assert len(str(caught.value)) < 300
    assert not output.exists()


def test_other_outputs_are_refused(files):
    photo, mask, output = files(*_photo())
    with pytest.raises(OutputError, match=r"\.png, \.tif"):
        refine_file(REFINER, photo, mask, output.with_suffix(".webp"))


def test_no_temporary_file_stays(files):
    photo, mask, output = files(*_photo())
    refine_file(REFINER, photo, mask, output)
    held = Path("/proc/self/fd")
    assert not [link for link in held.glob("*") if str(output.parent) in os.path.realpath(link)]
    assert sorted(path.name for path in output.parent.iterdir()) == [
        "mask.png",
        "out.png",
        "photo.png",
    ]


def test_memory_decides(files):
    photo, _, output = files(*_photo())
    assert picture_size(photo) == SHAPE[::-1]
    assert by_region(photo, output, BASE)
    assert not by_region(photo, output, None)
    with pytest.raises(InputError, match="memory 0: expected at least"):
        by_region(photo, output, 0)
    assert fits((2304, 3456), 1_000_000_000)
    assert not fits((10_000, 20_000), 1_000_000_000)
    with pytest.raises(InputError, match="at least"):
        fits((1, 1), BASE - 1)


@pytest.mark.parametrize(("form", "large"), [("JPEG", True), ("WEBP", False)])
def test_the_format_decides_and_not_the_suffix(tmp_path, monkeypatch, form, large):
    monkeypatch.setattr("edgewise.large.DEFAULT_MEMORY", BASE)
    for name in ("photo.jpg", "photo.webp"):
        Image.new("RGB", (7, 6)).save(tmp_path / name, format=form)
        assert by_region(tmp_path / name, tmp_path / "out.png", None) == large


@pytest.mark.parametrize(
    ("text", "size"), [("1GB", 10**9), ("1.5 gb", 1_500_000_000), ("800MB", 8 * 10**8), ("7", 7)]
)
def test_sizes_are_read(text, size):
    assert bytes_of(text) == size


@pytest.mark.parametrize("text", ["", "GB", "1.2.3GB", "-1GB", "1 PB", 400 * "9"])
def test_what_is_no_size_is_told(text):
    with pytest.raises(InputError, match="expected a size such as"):
        bytes_of(text)


def test_the_command_keeps_to_the_memory_given(tmp_path):
    from typer.testing import CliRunner

    from edgewise.cli import build
    from edgewise.demo import pairs

    pair = pairs()[0]
    results = []
    for options in ([], ["--memory", "500MB"]):
        output = tmp_path / f"{len(options)}.tif"
        arguments = ["refine", str(pair.photo), str(pair.coarse), "-o", str(output), *options]
        assert CliRunner().invoke(build(), arguments).exit_code == 0
        results.append(output)
    with Image.open(results[0]) as whole, Image.open(results[1]) as tiled:
        assert 322 not in whole.tag_v2
        assert 322 in tiled.tag_v2
        assert np.array_equal(np.asarray(whole), np.asarray(tiled))


def test_the_command_takes_any_mask_where_no_memory_is_given(tmp_path, monkeypatch):
    from typer.testing import CliRunner

    from edgewise.cli import build

    monkeypatch.setattr("edgewise.large.DEFAULT_MEMORY", BASE)
    truth = disc((90, 120), (45, 60), 28)
    photo, mask, output = (tmp_path / name for name in ("photo.png", "mask.png", "out.tif"))
    Image.fromarray(red_on_blue(truth)).save(photo)
    Image.fromarray(truth).convert("RGB").save(mask)
    arguments = ["refine", str(photo), str(mask), "-o", str(output), "--overview-only"]
    assert CliRunner().invoke(build(), arguments).exit_code == 0
    with Image.open(output) as tiled:
        assert 322 in tiled.tag_v2
    error = CliRunner().invoke(build(), [*arguments, "--memory", "500MB"]).exception
    assert "give more with --memory" in str(error)
