"""YOLO's lines come back as masks once the photos tell their sizes."""

import sys
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from PIL import Image

from edgewise.errors import DependencyError, InputError, OutputError
from edgewise.formats.annotation import Form
from edgewise.formats.yolo import read, write

from .shapes import dataset, iou, masks_of, noise, ring_shape, square

EXACT = Form(tolerance=0)


@pytest.fixture
def folder(tmp_path):
    """An empty YOLO folder with a photo a.jpg, 30x20."""
    (tmp_path / "set" / "images").mkdir(parents=True)
    (tmp_path / "set" / "labels").mkdir()
    Image.new("RGB", (30, 20)).save(tmp_path / "set" / "images" / "a.jpg")
    return tmp_path / "set"


def labelled(folder, text, names="names: [cat, dog]"):
    (folder / "labels" / "a.txt").write_text(text)
    (folder / "data.yaml").write_text(names)
    return folder


@given(noise.filter(np.any))
def test_without_tolerance_masks_come_back_exactly(tmp_path_factory, mask):
    path = tmp_path_factory.mktemp("yolo")
    images = path / "images"
    images.mkdir()
    before = dataset(mask, np.ones_like(mask))
    for photo in before.photos:
        Image.new("RGB", (photo.width, photo.height)).save(images / photo.name)
    assert write(before, path / "out", EXACT) == []
    assert read(path / "out", images) == before


def test_with_a_tolerance_masks_come_back_nearly(folder, tmp_path):
    masks = ring_shape(), square(1, 1, 9)
    write(dataset(*masks), tmp_path / "out", Form(tolerance=1))
    after = masks_of(read(tmp_path / "out", folder / "images"))
    assert min(iou(*pair) for pair in zip(after, masks, strict=True)) > 0.9


@pytest.mark.parametrize(
    "names",
    ["names: [cat, dog]", "names: {0: cat, 1: dog}", "names:\n  - cat\n  - dog\nnc: 2"],
)
def test_class_names_are_read_in_each_form(folder, names):
    result = read(labelled(folder, "1 0 0 0.5 0 0.5 0.5 0 0.5\n\n", names))
    assert result.categories == ("cat", "dog")
    (photo,) = result.photos
    assert (photo.name, photo.width, photo.height) == ("a.jpg", 30, 20)
    (instance,) = photo.instances
    assert instance.category == "dog"
    assert instance.mask.box == (0, 0, 15, 10)


def test_class_names_may_be_lines_and_folders_may_nest(folder):
    (folder / "labels" / "train").mkdir()
    (folder / "labels" / "train" / "a.txt").write_text("0 0 0 1 0 1 1\n")
    (folder / "images" / "train").mkdir()
    Image.new("RGB", (4, 4)).save(folder / "images" / "train" / "a.png")
    (folder / "classes.txt").write_text("cat\n")
    assert [photo.name for photo in read(folder).photos] == ["train/a.png"]


def test_photos_of_the_folder_without_a_file_or_lines_have_no_objects(folder, tmp_path):
    labelled(folder, "0 0 0 1 0 1 1")
    for name in ("b", "c", "test/d"):
        (folder / "images" / name).parent.mkdir(exist_ok=True)
        Image.new("RGB", (7, 5)).save(folder / "images" / f"{name}.jpg")
    (folder / "labels" / "c.txt").write_text("")
    counts = {photo.name: len(photo.instances) for photo in read(folder).photos}
    assert counts == {"a.jpg": 1, "b.jpg": 0, "c.jpg": 0}
    # A folder of photos elsewhere may hold others than the set's.
    (folder / "images").rename(tmp_path / "photos")
    found = [photo.name for photo in read(folder, tmp_path / "photos").photos]
    assert found == ["a.jpg", "c.jpg"]


def test_splits_with_photos_and_labels_of_their_own_are_read(tmp_path):
    (tmp_path / "data.yaml").write_text("names: [cat]\ntrain: ../train/images\n")
    (tmp_path / "README.roboflow.txt").write_text("about\n")
    for split, lines in (("train", "0 0 0 1 0 1 1"), ("valid", "")):
        for kind in ("images", "labels"):
            (tmp_path / split / kind).mkdir(parents=True)
        Image.new("RGB", (4, 4)).save(tmp_path / split / "images" / "a.png")
        (tmp_path / split / "labels" / "a.txt").write_text(lines)
    result = read(tmp_path)
    counts = {photo.name: len(photo.instances) for photo in result.photos}
    assert counts == {"train/images/a.png": 1, "valid/images/a.png": 0}
    assert result.problems == ()


@pytest.mark.parametrize(
    ("line", "wrong"),
    [
        ("0 0.5 0.5 0.2 0.2", "is a box, no polygon"),
        ("2 0 0 1 0 1 1", "class 2 is not one of 0 to 1"),
        ("0.5 0 0 1 0 1 1", "class 0.5 is not"),
        ("-1 0 0 1 0 1 1", "class -1 is not"),
        ("0 0 0 1 0 1", "5 coordinates|is a box"),
        ("0 0 0 1 0 1 1 1", "7 coordinates"),
        ("0 a b c d e f", "is not all numbers"),
        ("0 nan 0 1 0 1 1", "not finite"),
        ("0 2 2 3 2 3 3", "is empty"),
        ("0 0 0 1e300 0 1 1", "too far outside"),
        ("0 0 0 1e308 0 1 1", "not finite"),
    ],
)
def test_bad_lines_are_named_and_the_rest_is_read(folder, line, wrong):
    result = read(labelled(folder, f"0 0 0 1 0 1 1\n{line}\n1 0 0 1 0 1 1\n"))
    assert [one.category for one in result.photos[0].instances] == ["cat", "dog"]
    (problem,) = result.problems
    assert problem.startswith(f"{folder / 'labels' / 'a.txt'} line 2: ")
    assert any(part in problem for part in wrong.split("|"))


def test_a_missing_and_a_damaged_photo_are_named(folder):
    labelled(folder, "0 0 0 1 0 1 1")
    (folder / "labels" / "c.txt").write_text("0 0 0 1 0 1 1")
    (folder / "images" / "d.jpg").write_bytes(b"no picture")
    (folder / "labels" / "d.txt").write_text("0 0 0 1 0 1 1")
    result = read(folder)
    assert [photo.name for photo in result.photos] == ["a.jpg"]
    missing, damaged = result.problems
    assert "no photo c.* in" in missing
    assert "d.jpg: is not a picture" in damaged


@pytest.mark.parametrize(
    ("names", "wrong"),
    [
        ("names: [", "malformed YAML"),
        ("names: {1: cat}", "neither a list nor numbered from 0"),
        ("names: {0: cat, x: dog}", "neither a list nor numbered from 0"),
        ("names: [2024-13-45]", "malformed YAML: month must be in 1..12"),
        ("names: [!!int '']", "malformed YAML"),
        ("nc: 2", "neither a list"),
        ("- a", "neither a list"),
        ("names: [cat]\nkpt_shape: [4, 3]", "boxes with points, no polygons"),
    ],
)
def test_class_names_that_cannot_be_read_are_refused(folder, names, wrong):
    with pytest.raises(InputError, match=wrong):
        read(labelled(folder, "0 0 0 1 0 1 1", names))


def test_without_the_extra_the_message_names_it(folder, monkeypatch):
    monkeypatch.setitem(sys.modules, "yaml", None)
    with pytest.raises(DependencyError, match=r"pip install 'edgewise\[formats\]'"):
        read(labelled(folder, "0 0 0 1 0 1 1"))


def test_folders_without_names_labels_or_photos_are_refused(folder, tmp_path):
    with pytest.raises(InputError, match=r"neither data.yaml nor classes.txt"):
        read(folder)
    (folder / "classes.txt").write_text("cat\n")
    with pytest.raises(InputError, match=r"has no .txt files of labels"):
        read(folder)
    labelled(folder, "")
    with pytest.raises(InputError, match="name the photos' folder with --photos"):
        read(folder, tmp_path / "none")


def test_class_names_come_back_whatever_is_in_them(folder, tmp_path):
    names = ("cat \U0001f431", "Zoë", "a\x01\x7f\x85\u2028\ufeffb", '"\\#: ', "", "cat \U0001f431")
    data = replace(dataset(ring_shape()), categories=("cat", *names, "dog"))
    write(data, tmp_path / "out", EXACT)
    result = read(tmp_path / "out", folder / "images")
    assert result.categories == ("cat", *names[:-1], "dog")
    assert result.photos[0].instances[0].category == "cat"


def test_a_folder_that_cannot_be_written_whole_is_not_left_behind(tmp_path):
    before = dataset(ring_shape())
    long = replace(before.photos[0], name="x" * 300 + ".jpg")
    data = replace(before, photos=(*before.photos, long))
    with pytest.raises(OutputError, match="cannot be written: File name too long"):
        write(data, tmp_path / "out", EXACT)
    assert not (tmp_path / "out").exists()


def test_files_that_are_there_are_not_overwritten(folder):
    with pytest.raises(OutputError, match="is not empty"):
        write(dataset(ring_shape()), folder, EXACT)


def test_two_files_that_find_one_photo_are_told(folder):
    labelled(folder, "0 0 0 0.5 0 0.5 0.5 0 0.5\n")
    (folder / "labels" / "val").mkdir()
    (folder / "labels" / "val" / "a.txt").write_text("1 0 0 1 0 1 1 0 1\n")
    result = read(folder)
    assert [photo.name for photo in result.photos] == ["a.jpg"]
    other = folder / "labels" / "val" / "a.txt"
    assert result.problems == (f"{other}: another file is of its photo a.jpg too; left out",)


def test_an_empty_line_among_classes_is_refused_and_one_behind_them_is_none(folder):
    labelled(folder, "1 0 0 0.5 0 0.5 0.5 0 0.5\n")
    (folder / "data.yaml").unlink()
    (folder / "classes.txt").write_text("cat\ndog\n\n")
    assert read(folder).categories == ("cat", "dog")
    (folder / "classes.txt").write_text("cat\n\ndog\n")
    with pytest.raises(InputError, match=r"classes.txt line 2: is empty; expected a class"):
        read(folder)
