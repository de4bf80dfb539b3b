"""Label Studio exports keep all but the regions that are replaced."""

import copy
import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given

from edgewise.errors import InputError
from edgewise.formats import brush
from edgewise.formats.annotation import Dataset, Form, Rle
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
    return region("polygon", {"points": points, "closed": True}, **{"id": "Dx_pO", **fields})


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
    both = task(outlined())
    both["annotations"].append({"result": [outlined()]})
    assert len(document(both).scenes) == 2


def test_predictions_are_no_annotations():
    predictions = [{"result": [outlined()]}]
    both = document(task(outlined(), predictions=predictions))
    assert (len(both.scenes), both.problems, both.others) == (1, [], 0)
    only = document({**task(predictions=predictions), "annotations": []})
    assert only.scenes == []
    assert only.problems == ["task 5: has predictions only; expected annotations"]
    empty = document(task(predictions=predictions))  # somebody has seen that nothing is there
    assert empty.problems == []


def note(one, **value):
    """The entry of another control about a region, which repeats its shape."""
    shape = {key: one["value"][key] for key in ("format", "rle", "points") if key in one["value"]}
    return {**one, "type": "textarea", "from_name": "note", "value": {**shape, **value}}


def bare(one, kind):
    """A region as a brush or polygon without labels draws it."""
    value = {key: item for key, item in one["value"].items() if not key.endswith("labels")}
    return {**one, "type": kind, "value": value}


@pytest.mark.parametrize("kind", [None, "rle", "polygon"])
@pytest.mark.parametrize(
    "entries",
    [
        [bare(brushed(square(1, 1, 9)), "brush"), note(brushed(square(1, 1, 9)), labels=["cat"])],
        [brushed(square(1, 1, 9)), note(brushed(square(1, 1, 9)), text=["hello"])],
        [note(outlined(), labels=["cat"]), bare(outlined(), "polygon")],
        [outlined(), {**outlined(), "type": "choices", "value": {"choices": ["good"]}}],
    ],
)
def test_entries_of_one_id_are_one_region(tmp_path, entries, kind):
    opened = document(task(*entries))
    assert (opened.categories, opened.others) == (["cat"], 0)
    (item,) = opened.scenes[0].items
    assert item.problem is None
    opened.replace(item, Rle.of(ring_shape()), Form(kind=kind, tolerance=0))
    opened.save(tmp_path / "out.json")

    (after,) = json.loads((tmp_path / "out.json").read_text())
    result = after["annotations"][0]["result"]
    keys = ("rle", "points")
    shapes = [[one["value"].get(key) for key in keys] for one in result]
    assert [any(shape) for shape in shapes] == [
        any(key in one["value"] for key in keys) for one in entries
    ]
    assert len({json.dumps(shape) for shape in shapes if any(shape)}) == 1
    for key in ("labels", "text", "choices"):
        assert [one["value"].get(key) for one in result] == [
            one["value"].get(key) for one in entries
        ]
    again = document(after)
    (item,) = again.scenes[0].items
    np.testing.assert_array_equal(again.mask(item, (20, 30)).mask(), ring_shape())
    assert item.category == "cat"


def test_entries_of_one_id_with_different_shapes_are_left_alone():
    opened = document(task(brushed(square(1, 1, 9)), brushed(ring_shape())))
    (item,) = opened.scenes[0].items
    assert item.problem == "its id is that of 2 results with different shapes"


def test_a_photos_size_is_that_of_the_first_region_that_states_it():
    first = outlined(id="a", original_width=None)
    (scene,) = document(task(first, outlined(id="b"))).scenes
    assert scene.size == (20, 30)
    opened = document(task(brushed(ring_shape(), original_height=None)))
    with pytest.raises(InputError, match="original_width and original_height are not stated"):
        opened.mask(opened.scenes[0].items[0], (20, 30))


def test_regions_of_two_pictures_are_scenes_of_their_own():
    one = task(outlined(id="a", to_name="before"), outlined(id="b", to_name="after"))
    one["data"] = {"before": "/data/upload/1/a.png", "after": "/data/upload/1/b.png"}
    scenes = document(one).scenes
    assert [(scene.photo, len(scene.items), scene.problem) for scene in scenes] == [
        ("a.png", 1, None),
        ("b.png", 1, None),
    ]


@pytest.mark.parametrize(
    ("data", "fields", "photo"),
    [
        ({"image": "a.png", "thumb": "b.png"}, {"to_name": "img"}, "a.png"),
        ({"image": "a.png", "thumb": "b.png"}, {"to_name": "thumb"}, "b.png"),
        ({"x": "a.png", "y": "/id/7"}, {"to_name": "img", "source": "$y"}, "id/7"),
        ({"image": "note", "x": "a.png"}, {"to_name": "x"}, "a.png"),
        ({"image": "/id/7"}, {"to_name": "img"}, "id/7"),
        ({"title": "cat", "x": "a.png"}, {"to_name": "title"}, "a.png"),
    ],
)
def test_the_picture_of_a_region_is_told_by_source_name_or_use(data, fields, photo):
    (scene,) = document({**task(outlined(**fields)), "data": data}).scenes
    assert (scene.photo, scene.problem) == (photo, None)


def test_a_picture_that_cannot_be_told_from_others_is_a_problem():
    wrong = "its task has several pictures (x, y); which of them 'img' is cannot be told"
    one = {**task(outlined(to_name="img")), "data": {"x": "a.png", "y": "b.png"}}
    assert [scene.problem for scene in document(one).scenes] == [wrong]
    two = task(outlined(id="a", to_name="img"), outlined(id="b", to_name="img2"))
    two["data"] = {"image": "a.png", "image2": "b.png"}
    problems = [scene.problem for scene in document(two).scenes]
    assert all("several pictures (image, image2)" in problem for problem in problems)


def test_a_picture_inside_of_the_task_is_a_problem_of_one_short_line():
    (scene,) = document(task(outlined(), image="data:image/png;base64," + "A" * 5000)).scenes
    assert scene.name == "task 5"
    assert scene.problem == (
        "its picture is in the task itself (data:image/png;base64,...); expected a file's address"
    )


@pytest.mark.parametrize(
    ("address", "names"),
    [
        ("/data/upload/7/0a1b2c3d-my%20cat.jpg", ["0a1b2c3d-my cat.jpg", "my cat.jpg"]),
        ("/data/local-files/?d=set%2Fcat.jpg", ["set/cat.jpg", "cat.jpg"]),
        ("s3://bucket/deep/cat.jpg", ["deep/cat.jpg", "cat.jpg"]),
        ("https://x.example/cat.jpg?token=1", ["cat.jpg"]),
        ("C:\\photos\\cat.jpg", ["photos/cat.jpg", "cat.jpg"]),
        ("http://[abc/cat.jpg", ["http://[abc/cat.jpg", "cat.jpg"]),
    ],
)
def test_the_photos_name_is_found_in_its_address(address, names):
    (scene,) = document(task(outlined(), image=address)).scenes
    assert [scene.photo, *scene.aliases][: len(names)] == names


def test_photos_of_two_buckets_are_told_apart_by_these(tmp_path):
    addresses = ("s3://one/cam/1.jpg", "s3://two/cam/1.jpg", "/cam/1.jpg", "s3://two/cam/2.jpg")
    names = ["one/cam/1.jpg", "two/cam/1.jpg", "cam/1.jpg", "cam/2.jpg"]
    tasks = [task(outlined(), image=address) for address in addresses]
    scenes = document(*tasks).scenes
    assert [scene.photo for scene in scenes] == names
    assert [scene.aliases for scene in scenes[:2]] == [(), ()]
    (tmp_path / "in.json").write_text(json.dumps(tasks))
    assert [photo.name for photo in read(tmp_path / "in.json").photos] == names


def test_photos_that_only_a_query_tells_apart_are_no_one_photo(tmp_path):
    tasks = [task(outlined(), image=f"https://x.example/view?id={number}") for number in (1, 2)]
    (tmp_path / "in.json").write_text(json.dumps(tasks))
    result = read(tmp_path / "in.json")
    assert result.photos == ()
    assert result.problems[1] == (
        "task 5: its address https://x.example/view?id=2 names no file of its own"
    )
    signed = [task(outlined(), image=f"https://x.example/a.jpg?key={number}") for number in (1, 2)]
    assert [scene.photo for scene in document(*signed).scenes] == ["a.jpg", "a.jpg"]


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
    assert item.name == f"task 5, region {bad['id']}"
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


def test_names_of_photos_come_back_whatever_is_in_them(tmp_path):
    names = ("a#1.jpg", "50%25off?.jpg", "train/1.png", "val/1.png", "Zoë [2]:.jpg", "&d=3")
    photos = tuple(replace(dataset(square(1, 1, 9)).photos[0], name=name) for name in names)
    write(Dataset(photos=photos, categories=("cat",)), tmp_path / "o.json", Form())
    assert [photo.name for photo in read(tmp_path / "o.json").photos] == list(names)


def test_a_polygon_that_lies_absurdly_far_away_is_left_out(tmp_path):
    far = outlined([[10, 10], [1e300, 10], [50, 50]], id="far")
    (tmp_path / "in.json").write_text(json.dumps([task(far, outlined())]))
    result = read(tmp_path / "in.json")
    assert len(result.photos[0].instances) == 1
    assert result.problems[0].startswith("task 5, region far: its polygon spans x 3 to 3e+299")


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


def test_a_region_of_several_labels_becomes_an_object_of_each(tmp_path):
    several = brushed(ring_shape())
    several["value"]["brushlabels"] = ["cat", "wet", "cat"]
    (tmp_path / "in.json").write_text(json.dumps([task(several, outlined())]))
    result = read(tmp_path / "in.json")
    found = [(one.category, one.mask.area) for one in result.photos[0].instances]
    assert found == [("cat", ring_shape().sum()), ("wet", ring_shape().sum()), ("cat", 90)]
    assert result.categories == ("cat", "wet")


def test_what_an_annotator_skipped_is_no_annotation(tmp_path):
    one = task(outlined())
    one["annotations"].append({"result": [brushed(ring_shape())], "was_cancelled": True})
    (tmp_path / "in.json").write_text(json.dumps([one]))
    assert [mask.sum() for mask in masks_of(read(tmp_path / "in.json"))] == [90]


def test_bitmasks_are_told(tmp_path):
    bitmask = region("bitmask", {"imageDataURL": "data:image/png;base64,AAAA"}, id="b")
    (tmp_path / "in.json").write_text(json.dumps([task(bitmask, outlined())]))
    result = read(tmp_path / "in.json")
    assert result.problems == ("task 5: 1 regions are bitmasks; expected brushes or polygons",)
