"""Label Studio exports keep all but the regions that are replaced."""

import copy
import json

import numpy as np
import pytest
from hypothesis import given

from edgewise.errors import InputError
from edgewise.formats import brush
from edgewise.formats.annotation import Form, Rle
from edgewise.formats.label_studio import LabelStudioDocument, read, write

from .shapes import dataset, iou, masks_of, noise, ring_shape, square

POINTS = [[10, 20], [40, 20], [40, 70], [10, 70]]  # x 3 to 12, y 4 to 14 of 30x20


def region(kind, value, **fields):
    labels = {f"{kind}labels": ["cat"]}
    size = {"original_width": 30, "original_height": 20, "image_rotation": 0}
    about = {"id": "Dx_aB", "from_name": "label", "to_name": "image", "type": f"{kind}labels"}
    return {**about, **size, "value": {**value, **labels}, **fields}


def brushed(mask, **fields):
    return region("brush", {"format": "rle", "rle": brush.encoded(mask)}, **fields)


def outlined(points=POINTS, **fields):
    return region("polygon", {"points": points, "closed": True}, **fields)


def task(*regions, image="/data/upload/7/0a1b2c3d-my%20cat.jpg", **fields):
    annotations = [{"id": 9, "completed_by": 1, "result": list(regions)}]
    return {"id": 5, "data": {"image": image}, "annotations": annotations, "meta": {}, **fields}


def document(*tasks):
    return LabelStudioDocument(json.dumps(tasks).encode(), "in.json")


def test_brushes_and_polygons_are_read():
    opened = document(task(brushed(ring_shape()), outlined()))
    (scene,) = opened.scenes
    assert scene.size == (20, 30)
    assert opened.categories == ["cat"]
    masks = [opened.mask(item, scene.size).mask() for item in scene.items]
    np.testing.assert_array_equal(masks[0], ring_shape())
    assert Rle.of(masks[1]).box == (3, 4, 9, 10)


@pytest.mark.parametrize("kind", [None, "rle", "polygon"])
def test_only_the_regions_change(tmp_path, kind):
    box = {"type": "rectanglelabels", "value": {"x": 1, "y": 2, "rectanglelabels": ["cat"]}}
    choice = {"type": "choices", "value": {"choices": ["good"]}, "id": "c"}
    before = [task(brushed(square(1, 1, 9), score=0.5), box, choice, outlined(origin="manual"))]
    opened = document(*copy.deepcopy(before))
    for item in opened.scenes[0].items:
        opened.replace(item, Rle.of(ring_shape()), Form(kind=kind, tolerance=0))
    opened.save(tmp_path / "out.json")

    after = json.loads((tmp_path / "out.json").read_text())
    again = document(*after)
    for item in again.scenes[0].items:
        np.testing.assert_array_equal(again.mask(item, (20, 30)).mask(), ring_shape())
    results = [tasks[0]["annotations"][0]["result"] for tasks in (before, after)]
    types = {None: ["brush", "polygon"], "rle": ["brush"] * 2, "polygon": ["polygon"] * 2}[kind]
    assert [results[1][place]["type"] for place in (0, 3)] == [f"{one}labels" for one in types]
    for place, type_ in zip((0, 3), types, strict=True):
        assert results[1][place]["value"].pop(f"{type_}labels") == ["cat"]
        for result in results:
            result[place].pop("type")
            result[place].pop("value")
    assert after == before


def test_each_annotators_result_is_a_scene_of_its_own():
    both = task(outlined(), predictions=[{"result": [outlined()]}])
    both["annotations"].append({"result": [outlined()]})
    assert len(document(both).scenes) == 3


@pytest.mark.parametrize(
    ("address", "names"),
    [
        ("/data/upload/7/0a1b2c3d-my%20cat.jpg", ["0a1b2c3d-my cat.jpg", "my cat.jpg"]),
        ("/data/local-files/?d=set%2Fcat.jpg", ["cat.jpg", "set/cat.jpg"]),
        ("s3://bucket/deep/cat.jpg", ["cat.jpg", "deep/cat.jpg"]),
        ("https://x.example/cat.jpg?token=1", ["cat.jpg"]),
        ("C:\\photos\\cat.jpg", ["cat.jpg"]),
    ],
)
def test_the_photos_name_is_found_in_its_address(address, names):
    (scene,) = document(task(outlined(), image=address)).scenes
    assert [scene.photo, *scene.aliases][: len(names)] == names


def test_the_photo_may_lie_under_another_key():
    one = task(outlined())
    one["data"] = {"note": "cat", "picture": "/data/upload/1/cat.png"}
    assert document(one).scenes[0].photo == "cat.png"
    one["data"] = {"note": "cat"}
    assert document(one).scenes[0].problem == "its data names no picture"


@pytest.mark.parametrize(
    ("bad", "wrong"),
    [
        (outlined([[1, 2], [3, 4]]), "4 coordinates"),
        (outlined([1, 2, 3]), r"no list of \[x, y\]"),
        (outlined([[10, 10], [90, 90], [90, 10], [10, 90]]), "crosses itself"),
        (outlined([[10, 10], [190, 10], [50, 50]]), "outside the photo of 30x20"),
        (outlined([[10, 10], [10, 50], [10, 30]]), "empty region"),
        (brushed(np.zeros((20, 30), bool)), "empty region"),
        (brushed(ring_shape(), original_width=20), "of 20x20 pixels and the photo of 30x20"),
        (region("brush", {"rle": "AAAA"}), "0 pixels"),
    ],
)
def test_what_is_wrong_with_a_region_is_said(bad, wrong):
    opened = document(task(bad))
    (item,) = opened.scenes[0].items
    assert item.name == "task 5, region Dx_aB"
    with pytest.raises(InputError, match=wrong):
        opened.mask(item, (20, 30))


def test_a_photo_that_was_turned_in_the_tool_is_left_alone():
    (item,) = document(task(outlined(image_rotation=90))).scenes[0].items
    assert item.problem == "its photo is turned by 90 degrees in the tool"


@pytest.mark.parametrize("data", [b"{}", b"[]", b"[1]", b'[{"image": "a.jpg", "label": []}]'])
def test_files_that_are_no_export_are_refused(data):
    with pytest.raises(InputError, match=r"in.json: .*expected Label Studio's JSON export"):
        LabelStudioDocument(data, "in.json")


def test_damaged_tasks_have_no_regions():
    results = [None, {"result": None}, {"result": [None, {"value": 3}, {"type": "polygon"}]}]
    one = {"data": {"image": "a.jpg"}, "annotations": results, "predictions": "none"}
    opened = document(one)
    assert opened.scenes == []
    assert opened.others == 3


@given(noise.filter(np.any))
def test_brushes_come_back_exactly(tmp_path_factory, mask):
    path = tmp_path_factory.mktemp("ls") / "out.json"
    before = dataset(mask, np.ones_like(mask))
    assert write(before, path, Form()) == []
    after = read(path)
    assert after.photos[0] == before.photos[0]
    assert after.categories == before.categories


def test_polygons_come_back_within_their_tolerance(tmp_path):
    masks = ring_shape(), square(1, 1, 9)
    for tolerance, least in ((0, 1), (1, 0.9)):
        write(dataset(*masks), tmp_path / "o.json", Form(kind="polygon", tolerance=tolerance))
        after = masks_of(read(tmp_path / "o.json"))
        assert min(iou(*pair) for pair in zip(after, masks, strict=True)) >= least


def test_converting_joins_annotators_and_counts_what_is_no_mask(tmp_path):
    one = task(outlined(), {"type": "choices", "value": {"choices": ["good"]}})
    one["annotations"].append({"result": [brushed(ring_shape())]})
    (tmp_path / "in.json").write_text(json.dumps([one]))
    result = read(tmp_path / "in.json")
    (photo,) = result.photos
    assert len(photo.instances) == 2
    assert result.problems == (f"{tmp_path / 'in.json'}: 1 regions are no masks; left out",)
