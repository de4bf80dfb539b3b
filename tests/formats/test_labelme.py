"""labelme's files come back as objects, parts of a group as one."""

import json
import math
import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given

from edgewise.errors import InputError
from edgewise.formats.annotation import Dataset, Form, Rle
from edgewise.formats.labelme import read, write

from .shapes import dataset, iou, masks_of, noise, ring_shape, square

BOX = [[2, 3], [12, 3], [12, 13], [2, 13]]


def file_of(tmp_path, *shapes, **fields):
    path = tmp_path / "a.json"
    size = {"imageHeight": 20, "imageWidth": 30}
    about = {"version": "5.5.0", "imagePath": "..\\photos\\a.jpg", **size}
    path.write_text(json.dumps({**about, "shapes": list(shapes), **fields}))
    return path


def polygon(points=BOX, label="cat", **fields):
    return {"label": label, "points": points, "shape_type": "polygon", **fields}


@pytest.mark.parametrize("kind", [None, "rle"])
@given(mask=noise.filter(np.any))
def test_masks_come_back_exactly(tmp_path_factory, kind, mask):
    path = tmp_path_factory.mktemp("labelme") / "out"
    before = dataset(mask, np.ones_like(mask))
    assert write(before, path, Form(kind=kind)) == []
    assert read(path) == before


@pytest.mark.parametrize(("tolerance", "least"), [(0, 1), (1, 0.9)])
def test_polygons_come_back_within_their_tolerance_with_their_parts(tmp_path, tolerance, least):
    masks = ring_shape(), square(1, 1, 9)
    write(dataset(*masks), tmp_path / "out", Form(kind="polygon", tolerance=tolerance))
    after = masks_of(read(tmp_path / "out"))
    assert min(iou(*pair) for pair in zip(after, masks, strict=True)) >= least


def test_shapes_of_one_group_are_one_object(tmp_path):
    other = [[20, 3], [25, 3], [25, 8]]
    shapes = [
        polygon(group_id=1),
        polygon(other, group_id=1),
        polygon(other, label="dog", group_id=1),
        polygon(other),
        polygon(other),
    ]
    (photo,) = read(file_of(tmp_path, *shapes)).photos
    assert photo.name == "a.jpg"
    assert [one.category for one in photo.instances] == ["cat", "dog", "cat", "cat"]
    assert photo.instances[0].mask.box == (2, 3, 23, 10)


@pytest.mark.parametrize(
    ("shape", "wrong"),
    [
        (3, "no list named points"),
        (polygon([[1, 2], [3, 4]]), "4 coordinates"),
        (polygon([[1, 2], 3]), r"has the point 3; expected \[x, y\]"),
        (polygon([[50, 2], [60, 2], [60, 9]]), "is empty"),
        (polygon(shape_type="circle"), "is a circle, no polygon or mask"),
        (polygon(BOX[:2], shape_type="mask", mask=None), "no PNG in base64"),
        (polygon(BOX[:2], shape_type="mask", mask="AAAA"), "no PNG in base64"),
        (polygon(BOX[:1], shape_type="mask", mask="AAAA"), "without two points"),
        (polygon([[2, 3], [30, 5]], shape_type="mask", mask="AAAA"), "outside the photo"),
        (polygon([[2, 3], [math.nan, 5]], shape_type="mask", mask="AAAA"), "points of numbers"),
        (polygon([[2, 3], [math.inf, 5]], shape_type="mask", mask="AAAA"), "points of numbers"),
        (polygon([[2, 3], [10**400, 5]], shape_type="mask", mask="AAAA"), "outside the photo"),
        (polygon([[2, 3], [1e300, 3], [12, 13]]), "too far outside the photo of 30x20"),
    ],
)
def test_bad_shapes_are_named_and_the_rest_is_read(tmp_path, shape, wrong):
    path = file_of(tmp_path, shape, polygon())
    result = read(path)
    assert len(result.photos[0].instances) == 1
    (problem,) = result.problems
    assert problem.startswith(f"{path}, shapes[0]: ")
    with pytest.raises(InputError, match=wrong):
        raise InputError(problem)


def test_a_mask_of_another_size_than_its_box_is_named(tmp_path):
    write(dataset(square(1, 1, 9)), tmp_path / "out", Form())
    path = tmp_path / "out" / "a.json"
    data = json.loads(path.read_text())
    data["shapes"][0]["points"][1] = [20, 15]
    path.write_text(json.dumps(data))
    (problem,) = read(path).problems
    assert "has a mask of another size, (9, 9), than its points'" in problem


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"shapes": 3}, "no list named shapes"),
        ({"imageHeight": 0}, "no imageHeight"),
        ({"imageHeight": 10**9}, "is stated as 30x1000000000 pixels; expected 2"),
    ],
)
def test_files_that_are_not_labelmes_are_refused(tmp_path, fields, wrong):
    with pytest.raises(InputError, match=wrong):
        read(file_of(tmp_path, **fields))


def test_other_files_in_a_folder_are_named_and_the_rest_is_read(tmp_path):
    (tmp_path / "b.json").write_text('{"version": "5.5')
    (tmp_path / "c.json").write_text('{"images": []}')
    with pytest.raises(InputError, match=r"has no labelme files; .*b.json: malformed JSON"):
        read(tmp_path)
    file_of(tmp_path, polygon())
    result = read(tmp_path)
    assert [len(photo.instances) for photo in result.photos] == [1]
    cut, foreign = result.problems
    assert cut.startswith(f"{tmp_path / 'b.json'}: malformed JSON")
    assert foreign == (
        f"{tmp_path / 'c.json'}: is no labelme file: it has no list named shapes; left out"
    )


@pytest.mark.parametrize(
    ("stated", "name"),
    [
        ("1.png", "cam1/1.png"),
        ("../images/./1.png", "images/1.png"),
        ("deep\\1.png", "cam1/deep/1.png"),
        ("../../images/1.png", "1.png"),
        ("/data/1.png", "1.png"),
        ("C:\\data\\1.png", "1.png"),
        (None, "cam1/a"),
    ],
)
def test_photos_are_called_by_their_places_in_the_folder(tmp_path, stated, name):
    (tmp_path / "cam1").mkdir()
    file_of(tmp_path / "cam1", polygon(), imagePath=stated)
    assert [photo.name for photo in read(tmp_path).photos] == [name]


def test_photos_of_one_name_in_two_folders_come_back_and_are_found_beside_their_files(tmp_path):
    (photo, _) = dataset(square(1, 1, 9)).photos
    photos = tuple(replace(photo, name=f"{folder}/a.jpg") for folder in ("train", "val"))
    before = Dataset(photos=photos, categories=("cat",))
    write(before, tmp_path / "out", Form())
    assert json.loads((tmp_path / "out/train/a.json").read_text())["imagePath"] == "a.jpg"
    assert read(tmp_path / "out") == before


@pytest.mark.parametrize(
    ("first", "second", "names"),
    [
        ("../../img/cam1/1.png", "../../img/cam2/1.png", ["img/cam1/1.png", "img/cam2/1.png"]),
        ("/img/cam1/1.png", "C:\\img\\cam2\\1.png", ["img/cam1/1.png", "img/cam2/1.png"]),
        ("1.png", "../1.png", ["cam1/1.png", "1.png"]),
        ("/img/1.png", "/img/1.png", ["1.png"]),
    ],
)
def test_photos_of_one_name_out_of_the_folder_are_told_apart_by_places(
    tmp_path, first, second, names
):
    for folder, stated in (("cam1", first), ("cam2", second)):
        (tmp_path / folder).mkdir()
        file_of(tmp_path / folder, polygon(), imagePath=stated)
    result = read(tmp_path)
    assert [photo.name for photo in result.photos] == names
    assert sum(len(photo.instances) for photo in result.photos) == 2


def test_a_folder_without_files_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"has no .json files"):
        read(tmp_path)


def test_the_box_of_a_mask_is_its_first_and_last_pixel(tmp_path):
    """As labelme places it: mask[y1 : y2 + 1, x1 : x2 + 1]."""
    write(dataset(ring_shape()), tmp_path / "out", Form())
    (shape,) = json.loads((tmp_path / "out" / "a.json").read_text())["shapes"]
    left, top, width, height = Rle.of(ring_shape()).box
    assert shape["points"] == [[left, top], [left + width - 1, top + height - 1]]


def test_many_objects_take_no_more_memory_than_a_few(tmp_path):
    size = {"imageHeight": 1000, "imageWidth": 1000}
    peaks = []
    for count in (2, 20):
        file = file_of(tmp_path, *[polygon() for _ in range(count)], **size)
        tracemalloc.start()
        assert len(read(file).photos[0].instances) == count
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < peaks[0] + 2_000_000  # a mask takes a million
