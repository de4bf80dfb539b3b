"""COCO keeps every field it is not asked to change, in both forms of masks, and names bad ones."""

import copy
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pycocotools.coco import COCO

from edgewise.errors import InputError
from edgewise.formats.annotation import Form, Rle
from edgewise.formats.coco import CocoDocument, open_coco, read, rle_of, write

from .shapes import dataset, iou, masks_of, noise, ring_shape, square

POLYGON = [2.0, 3.0, 12.0, 3.0, 12.0, 13.0, 2.0, 13.0]


def annotation(number, **fields):
    return {"id": number, "image_id": 7, "category_id": 18, "iscrowd": 0, **fields}


def coco_of(*annotations, **fields):
    image = {"id": 7, "file_name": "a.jpg", "width": 30, "height": 20, "licence": "CC"}
    categories = [{"id": 18, "name": "dog", "supercategory": "animal"}]
    return {
        "info": {"year": 2026, "é": [1e-7, None]},
        "images": [image],
        "annotations": list(annotations),
        "categories": categories,
        **fields,
    }


def document(data):
    return CocoDocument(json.dumps(data).encode(), "in.json")


def saved(opened, tmp_path):
    opened.save(tmp_path / "out.json")
    return json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))


def forms_of(mask):
    rle = Rle.of(mask)
    size = [rle.height, rle.width]
    return [
        {"size": size, "counts": rle.counts.decode()},
        {"size": size, "counts": rle.runs},
    ]


@given(noise)
def test_both_kinds_of_run_lengths_are_read(mask):
    for segmentation in forms_of(mask):
        np.testing.assert_array_equal(rle_of(segmentation, mask.shape, strict=True).mask(), mask)


def test_polygons_are_united():
    both = rle_of([POLYGON, [10, 3, 20, 3, 20, 13, 10, 13]], (20, 30), strict=True)
    assert both.box == (2, 3, 18, 10)
    assert both.area == 180


@pytest.mark.parametrize("kind", [None, "rle", "polygon"])
@pytest.mark.parametrize("before", ["polygon", "compressed", "uncompressed"])
def test_only_mask_area_and_box_change(tmp_path, kind, before):
    compressed, uncompressed = forms_of(square(3, 2, 10))
    old = {"polygon": [POLYGON], "compressed": compressed, "uncompressed": uncompressed}[before]
    given_ = coco_of(
        annotation(5, segmentation=old, area=100.5, bbox=[2, 3, 10, 10], score=0.123456789012),
        annotation(6, segmentation=[POLYGON], note={"by": "Zoë"}),
    )
    opened = document(given_)
    (scene,) = opened.scenes
    assert opened.mask(scene.items[0], scene.size).area == 100
    opened.replace(scene.items[0], Rle.of(ring_shape()), Form(kind=kind, tolerance=0))
    result = saved(opened, tmp_path)

    expected = copy.deepcopy(given_)
    changed = result["annotations"][0]
    assert changed["area"] == ring_shape().sum()
    assert changed["bbox"] == [2, 2, 26, 16]
    expected["annotations"][0].update(
        {key: changed[key] for key in ("segmentation", "area", "bbox")}
    )
    assert result == expected
    assert list(result["annotations"][0]) == list(expected["annotations"][0])

    segmentation = changed["segmentation"]
    form = "list" if isinstance(segmentation, list) else type(segmentation["counts"]).__name__
    kept = {"polygon": "list", "compressed": "str", "uncompressed": "list"}[before]
    assert form == {None: kept, "rle": "str", "polygon": "list"}[kind]
    assert isinstance(segmentation, list) == ((kind or before) == "polygon")
    mask = rle_of(segmentation, (20, 30), strict=True).mask()
    np.testing.assert_array_equal(mask, ring_shape())


def test_a_crowd_stays_run_lengths():
    (coded, _) = forms_of(square(3, 2, 10))
    opened = document(coco_of(annotation(5, segmentation=coded, iscrowd=1)))
    (item,) = opened.scenes[0].items
    assert item.crowd
    opened.replace(item, Rle.of(ring_shape()), Form(kind="polygon"))
    assert opened.mask(item, (20, 30)) == Rle.of(ring_shape())


def test_area_and_box_are_those_of_the_polygon_that_is_written(tmp_path):
    opened = document(coco_of(annotation(5, segmentation=[POLYGON])))
    opened.replace(opened.scenes[0].items[0], Rle.of(ring_shape()), Form(tolerance=2))
    written = saved(opened, tmp_path)["annotations"][0]
    mask = rle_of(written["segmentation"], (20, 30), strict=True)
    assert written["area"] == mask.area
    assert tuple(written["bbox"]) == mask.box


@pytest.mark.parametrize(
    ("segmentation", "wrong"),
    [
        ([], "empty segmentation"),
        (None, "empty segmentation"),
        ([[2, 2, 2, 8, 2, 5]], "empty segmentation"),
        ([[1, 2, 3, 4]], "4 coordinates"),
        ([1, 2, 3, 4, 5, 6], "neither a list of polygons"),
        ([[2, 2, 8, 8, 8, 2, 2, 8]], "crosses itself"),
        ([[2, 2, 48, 2, 8, 8]], "outside the photo of 30x20"),
        ({"size": [30, 20], "counts": [600]}, "of 20x30 pixels and the photo of 30x20"),
        ({"size": [20, 30], "counts": [600]}, "empty segmentation"),
        ({"size": [20, 30], "counts": [5, 6]}, "add up to 11 pixels; 30x20 are 600"),
        ({"size": [20, 30], "counts": "52"}, "add up"),
        ({"size": "20x30", "counts": "52"}, "has the size"),
        ({"size": [20, 30]}, "no counts"),
    ],
)
def test_what_is_wrong_with_a_mask_is_said(segmentation, wrong):
    opened = document(coco_of(annotation(5, segmentation=segmentation)))
    (item,) = opened.scenes[0].items
    assert item.name == "annotation 5"
    with pytest.raises(InputError, match=wrong):
        opened.mask(item, (20, 30))


def test_ids_that_are_missing_doubled_or_unknown_are_named():
    opened = document(
        coco_of(
            annotation(5),
            annotation(5),
            annotation(6, image_id=8),
            annotation(7, category_id=1),
            annotation(None),
            "annotation",
        )
    )
    problems = [item.problem for item in opened.scenes[0].items]
    assert problems == [
        "its id is that of 2 annotations (this is annotations[0])",
        "its id is that of 2 annotations (this is annotations[1])",
        "its category_id 1 is not among the categories",
        "has no id",
    ]
    assert opened.problems == [
        "annotation 6: its image_id 8 is not among the images",
        "annotations[5]: has no id",
    ]


def test_images_that_share_an_id_or_have_no_name_are_named():
    image = {"id": 7, "file_name": "a.jpg", "width": 30, "height": 20}
    opened = document(coco_of(images=[image, image, {"id": 8}, {"file_name": "c.jpg"}]))
    assert [scene.problem for scene in opened.scenes] == [
        "its id is that of 2 images",
        "has no file_name",
    ]
    assert opened.problems == ["1 images have no id"]


@pytest.mark.parametrize(
    ("data", "wrong"),
    [
        (b'{"images": [], "annotations": [1 2]}', "malformed JSON at byte 33"),
        ('{"é": [1 2]}'.encode(), "malformed JSON at byte 10"),
        ('\ufeff{"é": [1 2]}'.encode(), "malformed JSON at byte 13"),
        (b'{"images": "\xff"}', "is no UTF-8 text at byte 12"),
        (b"", "malformed JSON at byte 0"),
        (b"[" * 100_000, "no JSON that can be read"),
        (b"[]", "is a list, as of detection results"),
        (b"3", "is no COCO data set"),
        (b'{"images": []}', "no list named annotations"),
    ],
)
def test_files_that_are_no_coco_are_refused_with_the_place(data, wrong):
    with pytest.raises(InputError, match=f"in.json: .*{wrong}"):
        CocoDocument(data, "in.json")


def test_a_file_that_is_missing_is_named(tmp_path):
    with pytest.raises(InputError, match=r"none.json: cannot be read: No such file"):
        open_coco(tmp_path / "none.json")


@given(st.lists(noise.filter(np.any), min_size=1, max_size=3))
def test_run_lengths_come_back_exactly(tmp_path_factory, masks):
    size = np.max([mask.shape for mask in masks], axis=0)
    padded = [np.pad(mask, [(0, size[i] - mask.shape[i]) for i in (0, 1)]) for mask in masks]
    path = tmp_path_factory.mktemp("coco") / "out.json"
    before = dataset(*padded)
    assert write(before, path, Form()) == []
    assert read(path) == before


def test_crowds_come_back_and_polygons_within_their_tolerance(tmp_path):
    before = dataset(ring_shape(), square(1, 1, 9), crowd=True)
    write(before, tmp_path / "out.json", Form(kind="polygon"))
    assert read(tmp_path / "out.json") == before
    masks = ring_shape(), square(1, 1, 9)
    write(dataset(*masks), tmp_path / "out.json", Form(kind="polygon", tolerance=1))
    after = masks_of(read(tmp_path / "out.json"))
    assert min(iou(*pair) for pair in zip(after, masks, strict=True)) > 0.9


@pytest.mark.parametrize("kind", ["rle", "polygon"])
def test_pycocotools_reads_what_is_written(tmp_path, capsys, kind):
    write(dataset(ring_shape(), square(1, 1, 9)), tmp_path / "o.json", Form(kind=kind, tolerance=0))
    coco = COCO(tmp_path / "o.json")
    for number, mask in ((1, ring_shape()), (2, square(1, 1, 9))):
        (loaded,) = coco.loadAnns([number])
        counts = coco.annToRLE(loaded)["counts"]
        assert counts in (Rle.of(mask).counts, Rle.of(mask).counts.decode())
        assert loaded["area"] == mask.sum()


@pytest.mark.parametrize("far", [1e8, 1e12, 1e300, 10**400])
def test_converting_leaves_out_what_lies_absurdly_far_away(tmp_path, far):
    data = coco_of(
        annotation(5, segmentation=[[far, 2, 9, 2, 9, 9]]), annotation(6, segmentation=[POLYGON])
    )
    (tmp_path / "in.json").write_text(json.dumps(data))
    result = read(tmp_path / "in.json")
    (problem,) = result.problems
    assert problem.startswith("annotation 5: its polygon ")
    assert len(result.photos[0].instances) == 1


@pytest.mark.parametrize("sides", [(10**6, 10**7), (10**30, 10**30), (0, 20)])
def test_photos_that_are_stated_without_a_usable_size_are_left_out(tmp_path, sides):
    image = {"id": 8, "file_name": "b.jpg", "width": sides[0], "height": sides[1]}
    data = coco_of(annotation(5, segmentation=[POLYGON], image_id=8))
    data["images"].append(image)
    (tmp_path / "in.json").write_text(json.dumps(data))
    result = read(tmp_path / "in.json")
    (problem,) = result.problems
    assert "stated as" in problem or "not stated in pixels" in problem
    assert [photo.name for photo in result.photos] == ["a.jpg"]


def test_half_a_surrogate_pair_comes_back_and_the_rest_stays_readable(tmp_path):
    data = coco_of(annotation(5, segmentation=[POLYGON], note="cut \ud83d off", by="Zoë"))
    assert saved(document(data), tmp_path) == data
    assert "Zoë" in (tmp_path / "out.json").read_text(encoding="utf-8")


def test_converting_leaves_out_what_cannot_be_read_and_takes_what_crosses_itself(tmp_path):
    data = coco_of(
        annotation(5, segmentation=[]), annotation(6, segmentation=[[2, 2, 8, 8, 8, 2, 2, 8]])
    )
    (tmp_path / "in.json").write_text(json.dumps(data))
    result = read(tmp_path / "in.json")
    assert result.problems == ("annotation 5: empty segmentation",)
    assert len(result.photos[0].instances) == 1


@pytest.mark.parametrize(
    ("image", "category", "used"),
    [("i7", "animals/dog", ("i7", "animals/dog")), (7, 18, (7.0, 18.0)), (7.0, 18.0, (7, 18))],
)
def test_ids_may_be_texts_or_numbers_of_a_data_frame(tmp_path, image, category, used):
    before = coco_of(
        {"id": used[0], "image_id": used[0], "category_id": used[1], "segmentation": [POLYGON]},
        images=[{"id": image, "file_name": "a.jpg", "width": 30, "height": 20}],
        categories=[{"id": category, "name": "dog"}],
    )
    opened = document(before)
    assert opened.problems == []
    (item,) = opened.scenes[0].items
    assert (item.problem, item.category) == (None, "dog")
    opened.replace(item, Rle.of(ring_shape()), Form())
    (after,) = saved(opened, tmp_path)["annotations"]
    assert [repr(after[key]) for key in ("id", "category_id")] == [repr(one) for one in used]


def test_categories_of_one_name_are_one_when_converted(tmp_path):
    entry = {"segmentation": [POLYGON]}
    categories = [{"id": 18, "name": "dog"}, {"id": 19, "name": "dog"}]
    data = coco_of(
        annotation(1, **entry), annotation(2, **entry | {"category_id": 19}), categories=categories
    )
    (tmp_path / "in.json").write_text(json.dumps(data))
    result = read(tmp_path / "in.json")
    assert result.categories == ("dog",)
    assert [one.category for one in result.photos[0].instances] == ["dog", "dog"]
