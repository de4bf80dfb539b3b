"""Files appear whole or not at all; folders are listed; damaged and hostile files are refused."""

import os
import resource
import struct
import threading
import warnings
import zlib
from contextlib import contextmanager

import numpy as np
import pytest
from PIL import Image

from edgewise.errors import InputError, OutputError
from edgewise.files import (
    MAX_PIXELS,
    _opened,
    atomic_path,
    find_images,
    load_picture,
    lossy_format,
    orientation,
    picture_format,
    picture_size,
    save_picture,
    stored_size,
)


@contextmanager
def file_size_limit(size):
    """No file of this process grows past `size` bytes: the nearest thing to a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


# Writing


def test_the_file_appears_only_when_the_block_has_ended(tmp_path):
    target = tmp_path / "out.png"
    with atomic_path(target) as temporary:
        temporary.write_bytes(b"new")
        assert not target.exists()
    assert target.read_bytes() == b"new"
    assert os.listdir(tmp_path) == ["out.png"]


def test_the_temporary_name_keeps_the_suffix_and_the_folder(tmp_path):
    with atomic_path(tmp_path / "a.b.TIFF") as temporary:
        assert temporary.parent == tmp_path
        assert temporary.suffix == ".TIFF"
        assert temporary.name.startswith(".")


def test_who_reads_the_old_file_goes_on_reading_it(tmp_path):
    """The file is replaced by name; writing into the old one would show half of each."""
    target = tmp_path / "out.png"
    target.write_bytes(b"old")
    with target.open("rb") as reader:
        with atomic_path(target) as temporary:
            temporary.write_bytes(b"new")
        assert reader.read() == b"old"
    assert target.read_bytes() == b"new"


@pytest.mark.parametrize("error", [RuntimeError("bug"), KeyboardInterrupt(), InputError("bad")])
def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path, error):
    def write_half():
        with atomic_path(target) as temporary:
            temporary.write_bytes(b"half of the n")
            raise error

    target = tmp_path / "out.png"
    target.write_bytes(b"old")
    with pytest.raises(type(error)):
        write_half()
    assert target.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["out.png"]


def test_a_full_disk_is_an_output_error_and_leaves_the_old_file(tmp_path):
    target = tmp_path / "out.png"
    target.write_bytes(b"old")
    with (
        pytest.raises(OutputError, match=r"out\.png: cannot be written: File too large$"),
        file_size_limit(1000),
        atomic_path(target) as temporary,
    ):
        temporary.write_bytes(bytes(2000))
    assert target.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["out.png"]


@pytest.mark.parametrize("size", [0, 1000])
@pytest.mark.parametrize(
    "options",
    [
        {"format": "PNG"},
        {"format": "TIFF", "compression": "tiff_adobe_deflate"},
        {"format": "WEBP", "lossless": True},
    ],
    ids=["PNG", "TIFF", "WebP"],
)
def test_a_picture_on_a_full_disk_is_an_output_error_that_says_so(tmp_path, options, size):
    picture = Image.effect_noise((64, 64), 50)
    with (
        pytest.raises(OutputError, match=r"out: cannot be written: File too large$"),
        file_size_limit(size),
    ):
        save_picture(tmp_path / "out", picture, **options)
    assert os.listdir(tmp_path) == []


def test_a_new_file_gets_the_permissions_of_any_new_file(tmp_path):
    (tmp_path / "plain").write_bytes(b"")
    with atomic_path(tmp_path / "out.png") as temporary:
        temporary.write_bytes(b"new")
    modes = {(tmp_path / name).stat().st_mode for name in ("plain", "out.png")}
    assert len(modes) == 1


def test_a_link_stays_a_link(tmp_path):
    (tmp_path / "store").mkdir()
    link = tmp_path / "out.png"
    link.symlink_to(tmp_path / "store" / "real.png")
    with atomic_path(link) as temporary:
        temporary.write_bytes(b"new")
    assert link.is_symlink()
    assert (tmp_path / "store" / "real.png").read_bytes() == b"new"


def test_a_name_of_the_greatest_length_can_be_written(tmp_path):
    target = tmp_path / ("n" * 251 + ".png")
    with atomic_path(target) as temporary:
        temporary.write_bytes(b"new")
    assert target.read_bytes() == b"new"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("missing/out.png", "there is no folder"),
        ("file/out.png", "there is no folder"),
        ("folder", "is a folder"),
        ("pipe", "not a regular file"),
        ("n" * 300 + ".png", "File name too long"),
    ],
)
def test_a_place_that_cannot_be_written_is_refused_before_the_work(tmp_path, name, message):
    (tmp_path / "file").write_bytes(b"")
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    before = sorted(os.listdir(tmp_path))
    with pytest.raises(OutputError, match=message), atomic_path(tmp_path / name) as temporary:
        temporary.write_bytes(b"new")
    assert sorted(os.listdir(tmp_path)) == before


def test_a_device_is_never_replaced_by_a_file():
    with pytest.raises(OutputError, match="not a regular file"), atomic_path("/dev/full"):
        pytest.fail("the block must not run")


def test_a_write_protected_file_is_not_replaced(tmp_path, monkeypatch):
    target = tmp_path / "out.png"
    target.write_bytes(b"old")
    monkeypatch.setattr(os, "access", lambda path, mode: False)  # root may write everything
    with pytest.raises(OutputError, match="write-protected"), atomic_path(target):
        pytest.fail("the block must not run")
    assert target.read_bytes() == b"old"


# Listing


def test_images_of_a_folder_are_found_by_suffix_in_order(tmp_path):
    for name in ("b.JPG", "a.png", "c.tiff", ".edgewise-1.png", "notes.txt", "png"):
        (tmp_path / name).touch()
    (tmp_path / "folder.png").mkdir()
    (tmp_path / "d.png").symlink_to(tmp_path / "nowhere.png")
    assert [path.name for path in find_images(tmp_path)] == ["a.png", "b.JPG", "c.tiff", "d.png"]


@pytest.mark.parametrize("name", ["missing", "a.png"])
def test_what_is_no_folder_cannot_be_listed(tmp_path, name):
    (tmp_path / "a.png").touch()
    with pytest.raises(InputError, match=rf"{name}: cannot be listed"):
        find_images(tmp_path / name)


def test_a_folder_that_lets_nobody_in_cannot_be_listed(tmp_path, monkeypatch):
    (tmp_path / "a.png").touch()

    def refuse(_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pathlib.Path.is_dir", refuse)  # root may look at everything
    with pytest.raises(InputError, match="cannot be listed: Permission denied"):
        find_images(tmp_path)


# Opening


def bad_files(folder):
    """Files that are no pictures, by what is wrong with them."""
    good = folder / "good.png"
    Image.effect_noise((64, 64), 50).save(good)
    Image.effect_noise((64, 64), 50).save(folder / "good.jpg")
    jpeg = (folder / "good.jpg").read_bytes()
    (folder / "empty.png").touch()
    (folder / "text.jpg").write_text("<html>404 not found</html>")
    (folder / "cut.png").write_bytes(good.read_bytes()[:1000])
    (folder / "cut.jpg").write_bytes(jpeg[: len(jpeg) // 2])
    (folder / "head.png").write_bytes(good.read_bytes()[:20])
    (folder / "head.jpg").write_bytes(jpeg[:20])
    (folder / "big.tif").write_bytes(b"II+\0\x08\0\0\0" + bytes(12))
    (folder / "program.eps").write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n")
    (folder / "folder.png").mkdir()
    os.mkfifo(folder / "pipe.png")
    return folder


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("missing.png", "cannot be read: No such file or directory"),
        ("good.png/x.png", "cannot be read: Not a directory"),
        ("nul\0.png", "cannot be read: embedded null byte"),
        ("folder.png", "is not a file"),
        ("pipe.png", "is not a file"),
        ("empty.png", "is empty; expected a picture: JPEG, PNG"),
        ("text.jpg", "is not a picture that can be read; expected JPEG, PNG"),
        ("program.eps", "is not a picture that can be read"),
        ("cut.png", "is damaged or cut off: image file is truncated"),
        ("cut.jpg", "is damaged or cut off: image file is truncated"),
        ("head.png", "is a damaged or cut off PNG file"),
        ("head.jpg", "is a damaged or cut off JPEG file"),
        ("big.tif", "is a damaged or cut off TIFF file, or of samples that are not read"),
    ],
)
def test_a_file_that_is_no_picture_is_refused_in_one_line(tmp_path, name, message):
    with pytest.raises(InputError, match=message) as caught:
        load_picture(bad_files(tmp_path) / name)
    assert str(caught.value).startswith(str(tmp_path))
    assert "\n" not in str(caught.value)


def test_a_file_without_permission_is_refused(tmp_path, monkeypatch):
    path = tmp_path / "secret.png"
    path.write_bytes(b"x")

    def refuse(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pathlib.Path.open", refuse)  # root may read everything
    with pytest.raises(InputError, match=r"secret\.png: cannot be read: Permission denied"):
        load_picture(path)


def test_a_decompression_bomb_is_refused_by_its_header(tmp_path, png_bytes):
    path = tmp_path / "bomb.png"
    path.write_bytes(png_bytes(60_000, 60_000, 8, 2, b"\0"))
    with pytest.raises(InputError, match=r"has 60000x60000 pixels, more than the limit of 500000"):
        load_picture(path)


def test_a_text_bomb_is_refused(tmp_path, png_bytes):
    path = tmp_path / "bomb.png"
    text = b"k\0\0" + zlib.compress(bytes(100_000_000))
    path.write_bytes(png_bytes(1, 1, 8, 0, b"\0\0", (b"zTXt", text)))
    with pytest.raises(InputError, match=r"damaged or cut off PNG file: Decompressed data too"):
        load_picture(path)


def test_the_limit_is_on_pixels_and_inclusive(tmp_path, save):
    path = save(np.zeros((6, 7), np.uint8))
    assert load_picture(path, max_pixels=42).size == (7, 6)
    with pytest.raises(InputError, match="has 7x6 pixels, more than the limit of 41"):
        load_picture(path, max_pixels=41)


def test_the_default_limit_lets_photos_of_200_megapixels_pass(save):
    """Pillow's own limit refuses them: 179 megapixels are an error and 89 a warning there."""
    path = save(Image.new("1", (20_000, 10_000)), "large.tif", compression="group4")
    assert load_picture(path).size == (20_000, 10_000)
    assert MAX_PIXELS > 2 * 200_000_000


def test_pillows_own_limit_is_back_after_reading(save):
    path = save(np.zeros((6, 7), np.uint8))
    before = Image.MAX_IMAGE_PIXELS
    load_picture(path)
    with pytest.raises(InputError):
        load_picture(path, max_pixels=1)
    assert Image.MAX_IMAGE_PIXELS == before > 0


def test_the_end_of_one_reading_leaves_another_unlimited(save):
    path = save(np.zeros((6, 7), np.uint8))
    before = Image.MAX_IMAGE_PIXELS
    with _opened(path, None):
        load_picture(path)
        assert Image.MAX_IMAGE_PIXELS is None
    assert before == Image.MAX_IMAGE_PIXELS


def test_reading_in_threads_leaves_warnings_and_limit_as_they_were(save):
    path = save(np.zeros((300, 300), np.uint8))
    filters, limit = list(warnings.filters), Image.MAX_IMAGE_PIXELS
    threads = [
        threading.Thread(target=lambda: [load_picture(path) for _ in range(20)]) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert list(warnings.filters) == filters
    assert limit == Image.MAX_IMAGE_PIXELS


def jpeg_with_exif(path, exif):
    """A JPEG file of 7x6 pixels with raw bytes as its EXIF block."""
    Image.new("RGB", (7, 6)).save(path)
    data = path.read_bytes()
    block = b"Exif\0\0" + exif
    path.write_bytes(data[:2] + b"\xff\xe1" + struct.pack(">H", len(block) + 2) + block + data[2:])
    return path


@pytest.mark.parametrize(
    "exif",
    [
        b"garbage",
        b"II*\0\x08\0\0\0\x01\0\x0f\x01\x02\0\xff\xff\0\0\xff\xff\0\0",  # data past the end
        b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x63\0\0\0\0\0\0",  # orientation 99
        b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x02\0\0\0\x02six\0\0\0\0\0",  # orientation "six"
    ],
)
def test_a_damaged_exif_block_counts_as_none_and_warns_nobody(tmp_path, exif):
    path = jpeg_with_exif(tmp_path / "photo.jpg", exif)
    assert load_picture(path).size == (7, 6)
    assert picture_size(path) == (7, 6)


def test_a_size_is_read_from_the_header_alone(tmp_path, png_bytes):
    path = tmp_path / "header.png"
    path.write_bytes(png_bytes(60_000, 40_000, 8, 2, b""))
    assert picture_size(path) == (60_000, 40_000)


def _chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


TURNED = b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0"  # orientation 6


def test_how_a_png_lies_is_read_without_decoding_where_it_is_noted_first(
    png_bytes, tmp_path, monkeypatch
):
    def decode(_):
        raise AssertionError("decoded")

    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", decode)
    path = tmp_path / "photo.png"
    path.write_bytes(png_bytes(7, 6, 8, 2, b"", (b"eXIf", TURNED)))
    assert picture_size(path) == (6, 7)
    path.write_bytes(png_bytes(7, 6, 8, 2, b""))
    assert picture_size(path) == (7, 6)


def test_how_a_png_lies_may_be_noted_behind_its_pixels(tmp_path, monkeypatch):
    path = tmp_path / "photo.png"
    Image.new("RGB", (7, 6)).save(path)
    data = path.read_bytes()
    path.write_bytes(data[:-12] + _chunk(b"eXIf", TURNED) + data[-12:])
    assert load_picture(path).size == (6, 7)

    def decode(_):
        raise AssertionError("decoded")

    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", decode)
    assert picture_size(path) == (6, 7)


def test_how_a_png_lies_stays_noted_where_a_text_follows_the_pixels(png_bytes, tmp_path):
    path = tmp_path / "photo.png"
    data = png_bytes(7, 6, 8, 2, bytes(6 * 22), (b"eXIf", TURNED))
    path.write_bytes(data[:-12] + _chunk(b"tEXt", b"Comment\0late") + data[-12:])
    assert picture_size(path) == load_picture(path).size == (6, 7)


@pytest.mark.parametrize("name", ["photo.jpg", "photo.png", "photo.tif"])
def test_the_orientation_is_what_a_picture_is_turned_by(save, name):
    exif = Image.Exif()
    exif[0x0112] = 6
    path = save(Image.new("RGB", (7, 6)), name, exif=exif)
    assert orientation(path) == 6
    assert load_picture(path).size == (6, 7)
    assert orientation(save(Image.new("RGB", (7, 6)), name)) == 1


def test_the_format_is_told_by_the_content(save):
    assert picture_format(save(Image.new("RGB", (7, 6)), "photo.jpg", format="WEBP")) == "WEBP"


def test_the_stored_size_is_read_without_decoding_however_large_a_file_says_it_is(
    png_bytes, tmp_path, monkeypatch
):
    path = tmp_path / "bomb.png"
    path.write_bytes(png_bytes(60_000, 40_000, 8, 2, b""))

    def decode(_):
        raise AssertionError("decoded")

    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", decode)
    assert stored_size(path) == (60_000, 40_000)
    path.write_bytes(b"no picture")
    with pytest.raises(InputError, match="not a picture"):
        stored_size(path)


@pytest.mark.parametrize(
    ("name", "options", "loss"),
    [
        ("p.jpg", {}, "JPEG"),
        ("p.tif", {"compression": "jpeg"}, "JPEG"),
        ("p.tif", {"compression": "tiff_adobe_deflate"}, None),
        ("p.png", {}, None),
        ("p.webp", {}, "WebP"),
        ("p.webp", {"lossless": True}, None),
        ("p.webp", {"lossless": True, "icc_profile": b"odd"}, None),
        ("p.webp", {"save_all": True, "append_images": [Image.new("RGB", (9, 7))]}, "WebP"),
    ],
)
def test_what_is_compressed_with_loss_is_known(tmp_path, name, options, loss):
    Image.radial_gradient("L").resize((9, 7)).convert("RGB").save(tmp_path / name, **options)
    assert lossy_format(tmp_path / name) == loss
