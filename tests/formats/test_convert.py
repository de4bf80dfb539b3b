"""Any format becomes any other, and each is told by its content."""

import itertools

import numpy as np
import pytest
from PIL import Image

from edgewise.errors import InputError
from edgewise.formats.annotation import Form
from edgewise.formats.convert import FORMATS, format_for, format_of, read, write

from .shapes import dataset, masks_of, ring_shape, square

ENDINGS = {"coco": ".json", "cvat": ".xml", "label-studio": ".json"}


@pytest.mark.parametrize(("first", "second"), list(itertools.permutations(FORMATS, 2)))
def test_masks_pass_from_each_format_to_each_other(tmp_path, first, second):
    photos = tmp_path / "photos"
    photos.mkdir()
    Image.new("RGB", (30, 20)).save(photos / "a.jpg")
    Image.new("RGB", (7, 5)).save(photos / "b.jpg")
    masks = [ring_shape(), square(5, 20, 4)]
    data = dataset(*masks)
    for name in (first, second):
        path = tmp_path / f"{name}{ENDINGS.get(name, '')}"
        assert write(data, path, name, Form(tolerance=0)) == []
        assert format_of(path) == name
        data = read(path, name, photos)
        assert data.problems == ()
    np.testing.assert_array_equal(masks_of(data), masks)
    assert [one.category for one in data.photos[0].instances] == ["cat", "dog"]
    assert data.photos[0].name == "a.jpg"


def test_what_cannot_be_told_is_said(tmp_path):
    for name, wrong in (("none", "no such file"), ("", "has neither"), ("a.txt", "of no known")):
        (tmp_path / "a.txt").write_text("")
        path = tmp_path / name if name else tmp_path
        with pytest.raises(InputError, match=wrong):
            format_of(path)
    (tmp_path / "a.json").write_text("{}")
    with pytest.raises(InputError, match="neither of COCO nor"):
        format_of(tmp_path / "a.json")


def test_the_target_is_told_by_its_name_where_that_says_it(tmp_path):
    assert format_for(tmp_path / "a.xml") == "cvat"
    for name, wrong in (("a.json", "coco or label-studio"), ("out", "voc, yolo or labelme")):
        with pytest.raises(InputError, match=f"with --to: {wrong}"):
            format_for(tmp_path / name)


def test_unknown_formats_are_refused(tmp_path):
    with pytest.raises(InputError, match="no format 'xyz'; there is: coco, cvat"):
        read(tmp_path, "xyz")
    with pytest.raises(InputError, match="no format 'xyz'"):
        write(dataset(ring_shape()), tmp_path / "o", "xyz", Form())
