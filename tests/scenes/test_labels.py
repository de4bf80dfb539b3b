"""What a label map was read from, it is written to: labels, palette, mode and depth."""

import numpy as np
import pytest
from PIL import Image

from edgewise.errors import InputError, OutputError
from edgewise.scenes.labels import as_labels, read_labels, write_labels

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


@pytest.mark.parametrize("content", [b"", b"\x93NUMPY", b"text"])
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
