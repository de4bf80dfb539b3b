"""`edgewise coco|cvat|label-studio refine`: what goes wrong is told and the rest done."""

import copy
import json
import sys

import cv2
import numpy as np
import pytest
from PIL import Image
from pycocotools.coco import COCO

from edgewise.cli import BAD_INPUT, INTERRUPTED, annotations, main
from edgewise.formats import brush
from edgewise.formats.annotation import Form, Rle
from edgewise.formats.coco import open_coco
from edgewise.formats.convert import read, write
from edgewise.network import runtime
from edgewise.scenes import instances

from ..fakes import ColourEngine, NothingProposer, red_on_blue
from ..formats.shapes import masks_of

SIZE = (96, 128)
BOXES = {"left": (20, 10), "right": (30, 70)}  # top and left of squares with sides of 40


class FakeEngine(ColourEngine):
    def __init__(self, model="default", *, threads=None, device="cpu"):
        super().__init__()


@pytest.fixture
def run(monkeypatch, capsys):
    """Run a command with a network that knows red from blue: exit status and error lines."""
    monkeypatch.setattr(runtime, "OnnxEngine", FakeEngine)
    monkeypatch.setattr(runtime, "OnnxProposer", NothingProposer)

    def ran(*arguments):
        monkeypatch.setattr(sys, "argv", ["edgewise", *map(str, arguments)])
        status = 0
        try:
            main()
        except SystemExit as stopped:
            status = stopped.code or 0
        return status, capsys.readouterr().err.splitlines()

    return ran


def truth(which):
    top, left = BOXES[which]
    mask = np.zeros(SIZE, dtype=bool)
    mask[top : top + 40, left : left + 40] = True
    return mask


def coarse(which):
    return np.roll(truth(which), 3, axis=1)


def annotation(number, which="left", image=1, **fields):
    rle = Rle.of(coarse(which))
    coded = {"size": list(SIZE), "counts": rle.counts.decode()}
    area = {"area": float(rle.area), "bbox": list(map(float, rle.box))}
    category = {"left": 3, "right": 9}[which]
    about = {"id": number, "image_id": image, "category_id": category, "iscrowd": 0}
    return {**about, "segmentation": coded, **area, "note": f"n{number}", **fields}


def coco_of(*annotations, images=("a.png", "b.png")):
    size = {"height": SIZE[0], "width": SIZE[1]}
    return {
        "info": {"about": "Zoë"},
        "images": [{"id": n, "file_name": name, **size} for n, name in enumerate(images, 1)],
        "annotations": list(annotations),
        "categories": [{"id": 3, "name": "cat"}, {"id": 9, "name": "dog"}],
    }


@pytest.fixture
def folder(tmp_path):
    """A folder with photos a.png and b.png, each with two red squares, of which masks are off."""
    (tmp_path / "photos").mkdir()
    for name in ("a.png", "b.png"):
        photo = red_on_blue(truth("left") | truth("right"))
        Image.fromarray(photo).save(tmp_path / "photos" / name)
    return tmp_path


def written(folder, data, name="in.json"):
    (folder / name).write_text(json.dumps(data), encoding="utf-8")
    return folder / name


def refine(run, folder, data, *options):
    """The exit status, error lines, and output of refining a COCO data set."""
    source = written(folder, data)
    before = source.read_bytes()
    output = folder / "out.json"
    status, lines = run(
        "coco", "refine", source, "--photos", folder / "photos", "-o", output, *options
    )
    assert source.read_bytes() == before
    return status, lines, json.loads(output.read_text()) if output.exists() else None


def error(mask, which):
    return (mask ^ truth(which)).sum() / (coarse(which) ^ truth(which)).sum()


def without_masks(data):
    data = copy.deepcopy(data)
    for one in data["annotations"]:
        for key in ("segmentation", "area", "bbox"):
            one.pop(key)
    return data


def mask_of(one):
    return Rle.from_counts(one["segmentation"]["counts"], SIZE).mask()


def test_masks_come_closer_to_the_edge_and_all_else_stays(run, folder):
    data = coco_of(annotation(5), annotation(6, "right"), annotation(7, image=2))
    status, lines, result = refine(run, folder, data)
    assert (status, lines) == (0, [f"3 refined, 0 problems: {folder / 'out.json'}"])
    assert without_masks(result) == without_masks(data)
    for one, which in zip(result["annotations"], ("left", "right", "left"), strict=True):
        assert error(mask_of(one), which) < 0.25
        assert one["area"] == mask_of(one).sum()
    assert not list(folder.glob("*.journal"))


def test_polygons_can_be_asked_for(run, folder):
    _, _, result = refine(run, folder, coco_of(annotation(5)), "--as", "polygon", "--tolerance", 0)
    (polygons,) = [one["segmentation"] for one in result["annotations"]]
    assert isinstance(polygons[0][0], float)
    opened = open_coco(folder / "out.json")
    assert error(opened.mask(opened.scenes[0].items[0], SIZE).mask(), "left") < 0.25


def test_only_what_is_chosen_is_refined(run, folder):
    small = np.zeros(SIZE, dtype=bool)
    small[20:25, 10:15] = True
    coded = {"size": list(SIZE), "counts": Rle.of(small).counts.decode()}
    data = coco_of(annotation(5), annotation(6, "right"), annotation(7, segmentation=coded))
    options = ("--only-category", "cat", "--min-area", 100)
    status, lines, result = refine(run, folder, data, *options)
    assert (status, lines[-1][:9]) == (0, "1 refined")
    assert result["annotations"][0] != data["annotations"][0]
    assert result["annotations"][1:] == data["annotations"][1:]


def test_a_mask_that_fills_the_photo_stays_without_a_word(run, folder):
    full = {"size": list(SIZE), "counts": [0, SIZE[0] * SIZE[1]]}
    data = coco_of(annotation(5, segmentation=full))
    status, lines, result = refine(run, folder, data)
    assert (status, len(lines), result) == (0, 1, data)


BAD = {
    11: ({"segmentation": []}, "annotation 11: empty segmentation"),
    12: ({"segmentation": [[2, 2, 8, 8, 8, 2, 2, 8]]}, "annotation 12: its polygon crosses itself"),
    13: ({"segmentation": [[2, 2, 600, 2, 9, 9]]}, "annotation 13: its polygon spans x 2 to 600"),
    14: (
        {"segmentation": {"size": [50, 50], "counts": [2500]}},
        "annotation 14: its RLE is of 50x50 pixels and the photo of 128x96",
    ),
    15: ({"image_id": 99}, "annotation 15: its image_id 99 is not among the images"),
    16: ({"category_id": 1}, "annotation 16: its category_id 1 is not among the categories"),
    17: ({"image_id": 3}, "image 3 (none.png): no such photo in"),
}


def test_each_bad_annotation_is_one_line_with_its_id_and_the_rest_goes_on(run, folder):
    bad = [annotation(number, **fields) for number, (fields, _) in BAD.items()]
    twice = [annotation(20), annotation(20, "right")]
    data = coco_of(*bad, annotation(5), *twice, images=("a.png", "b.png", "none.png"))
    status, lines, result = refine(run, folder, data)
    assert status == 1
    assert lines[-1].startswith("1 refined, 9 problems: ")
    for number, (_, start) in BAD.items():
        (line,) = [line for line in lines if f"annotation {number}" in line]
        assert line.startswith(f"edgewise: {start}")
    assert sum("annotation 20: its id is that of 2 annotations" in line for line in lines) == 2
    refined = result["annotations"].pop(len(bad))
    assert error(mask_of(refined), "left") < 0.25
    assert result["annotations"] == [*bad, *twice]


@pytest.mark.parametrize(
    ("damage", "wrong"),
    [
        (lambda path: path.write_bytes(b"no picture"), "is not a picture"),
        (
            lambda path: Image.new("RGB", (96, 128)).save(path),
            "is stated as 128x96 and .* is 96x128, turned by its EXIF orientation",
        ),
        (lambda path: Image.new("RGB", (9, 9)).save(path), "is stated as 128x96 and .* is 9x9;"),
    ],
)
def test_a_photo_that_does_not_fit_is_named_with_its_annotations(run, folder, damage, wrong):
    damage(folder / "photos" / "a.png")
    data = coco_of(annotation(5), annotation(6, "right"), annotation(7, image=2))
    status, lines, result = refine(run, folder, data)
    assert status == 1
    line, summary = lines
    assert line.startswith("edgewise: image 1 (a.png): ")
    assert line.endswith("; stays as it was: annotation 5, annotation 6")
    with pytest.raises(AssertionError, match=wrong):
        raise AssertionError(line)
    assert summary.startswith("1 refined, 1 problems")
    assert result["annotations"][:2] == data["annotations"][:2]


def test_an_object_that_is_not_in_the_photo_comes_back_as_it_was(run, folder):
    Image.new("RGB", SIZE[::-1], (40, 60, 200)).save(folder / "photos" / "a.png")
    data = coco_of(annotation(5))
    status, lines, result = refine(run, folder, data)
    assert status == 0
    assert lines[-1].startswith("1 refined, 0 problems")
    assert result["annotations"][0]["segmentation"] == data["annotations"][0]["segmentation"]


@pytest.mark.parametrize(("form", "same"), [((), True), (("--as", "polygon"), False)])
def test_a_polygon_of_which_no_pixel_changes_keeps_its_points(run, folder, form, same):
    Image.new("RGB", SIZE[::-1], (40, 60, 200)).save(folder / "photos" / "a.png")
    before = annotation(5, segmentation=[[10.25, 20.5, 49.75, 20.5, 49.5, 60.25]], area=788.9)
    status, lines, result = refine(run, folder, coco_of(before), *form)
    assert (status, lines[-1][:9]) == (0, "1 refined")
    assert (result["annotations"] == [before]) == same


def test_an_object_of_which_nothing_is_left_stays_and_is_named(run, folder, monkeypatch):
    monkeypatch.setattr(instances, "refine_instances", lambda *_, **__: [None])
    data = coco_of(annotation(5))
    status, lines, result = refine(run, folder, data)
    assert status == 1
    assert lines[0] == (
        "edgewise: annotation 5: nothing of it was left after refining; it stays as it was"
    )
    assert result == data


@pytest.mark.parametrize(
    ("content", "wrong"),
    [
        (b'{"images": [1 2]}', "malformed JSON at byte 14"),
        (b"[]", "is a list, as of detection results"),
    ],
)
def test_a_file_that_cannot_be_read_is_one_line_and_status_2(run, folder, content, wrong):
    (folder / "in.json").write_bytes(content)
    arguments = ("--photos", folder / "photos", "-o", folder / "out.json")
    status, (line,) = run("coco", "refine", folder / "in.json", *arguments)
    assert status == BAD_INPUT
    assert wrong in line
    assert not (folder / "out.json").exists()


def test_options_that_do_not_fit_are_refused(run, folder):
    source = written(folder, coco_of(annotation(5)))
    out = folder / "out.json"
    for arguments, wrong in (
        ((source, "--photos", folder / "none", "-o", out), "is no folder of photos"),
        ((source, "--photos", folder / "photos", "-o", source), "is an input"),
        ((source, "--photos", folder / "photos", "-o", folder / "no" / "o.json"), "cannot be"),
        (
            (source, "--photos", folder / "photos", "-o", out, "--only-category", "cow"),
            "has no category 'cow'; there is: cat, dog",
        ),
    ):
        status, lines = run("coco", "refine", *arguments)
        assert status == BAD_INPUT
        assert wrong in lines[0]


def test_a_target_that_cannot_be_written_is_refused_before_anything_is_refined(
    run, folder, monkeypatch
):
    monkeypatch.setattr(annotations, "_refiner", None)  # what would be opened next
    source = written(folder, coco_of(annotation(5)))
    (folder / "taken").mkdir()
    before = source.rename(folder / "j.json.journal").read_bytes()
    for output, wrong in (
        ("taken", "taken: is a folder; give the name of a file"),
        ("no/o.json", "cannot be written: there is no folder"),
        ("j.json", "j.json.journal: is an input, which is never changed"),
    ):
        arguments = ("--photos", folder / "photos", "-o", folder / output)
        status, (line,) = run("coco", "refine", folder / "j.json.journal", *arguments)
        assert status == BAD_INPUT
        assert wrong in line
    assert (folder / "j.json.journal").read_bytes() == before


def test_a_file_that_has_the_journals_name_is_never_touched(run, folder):
    (folder / "out.json.journal").write_text("mine")
    status, (line,), result = refine(run, folder, coco_of(annotation(5)), "--results", "restart")
    assert (status, result) == (BAD_INPUT, None)
    assert "out.json.journal: is no journal" in line
    assert (folder / "out.json.journal").read_text() == "mine"


def test_names_that_no_photo_can_have_are_one_line_each_and_the_rest_goes_on(run, folder):
    names = ("x" * 300 + ".png", "a\0.png", "a.png")
    data = coco_of(*(annotation(n, image=n) for n in range(1, 4)), images=names)
    status, lines, result = refine(run, folder, data)
    assert status == 1
    assert lines[-1].startswith("1 refined, 2 problems")
    assert all("no such photo in" in line for line in lines[:-1])
    assert result["images"] == data["images"]


def test_a_photo_that_could_be_of_several_names_is_of_none_but_its_own(run, folder):
    names = ("cam1/a.png", "/old/a.png", "a.png", "cam3/b.png")
    data = coco_of(*(annotation(n, image=n) for n in range(1, 5)), images=names)
    status, lines, result = refine(run, folder, data)
    assert status == 1
    assert lines[-1].startswith("2 refined, 2 problems")
    wrong = f"{folder / 'photos' / 'a.png'} may be of 3 photos that the file names; put each at its"
    assert lines[0].startswith(f"edgewise: image 1 (cam1/a.png): {wrong}")
    assert lines[1].startswith(f"edgewise: image 2 (/old/a.png): {wrong}")
    assert result["annotations"][:2] == data["annotations"][:2]
    (folder / "photos" / "cam1").mkdir()
    (folder / "photos" / "a.png").rename(folder / "photos" / "cam1" / "a.png")
    _, (*lines, _), _ = refine(run, folder, data)
    assert [line[: line.index(";")] for line in lines] == [
        f"edgewise: image {image}: no such photo in {folder / 'photos'}"
        for image in ("2 (/old/a.png)", "3 (a.png)")
    ]


class Interrupting:
    """Stops the program when the second photo's turn comes, once; counts photos."""

    def __init__(self):
        self.photos = 0
        self.original = instances.soft_masks

    def __call__(self, refiner, photo, masks):
        self.photos += 1
        if self.photos == 2:
            raise KeyboardInterrupt
        return self.original(refiner, photo, masks)


@pytest.mark.parametrize(("results", "photos"), [("resume", 1), ("restart", 2)])
def test_after_an_interruption_finished_photos_are_not_done_again(
    run, folder, monkeypatch, results, photos
):
    data = coco_of(annotation(5), annotation(6, image=2))
    _, _, whole = refine(run, folder, data)
    (folder / "out.json").unlink()

    interrupting = Interrupting()
    monkeypatch.setattr(instances, "soft_masks", interrupting)
    status, _, result = refine(run, folder, data)
    assert (status, result) == (INTERRUPTED, None)
    assert (folder / "out.json.journal").exists()
    before = interrupting.photos
    status, lines, result = refine(run, folder, data, "--results", results)
    assert status == 0
    assert interrupting.photos - before == photos
    assert result == whole
    assert ("edgewise: going on: 1 of 2 photos are done" in lines) == (results == "resume")
    assert not (folder / "out.json.journal").exists()


def test_a_journal_of_another_input_is_not_used(run, folder, monkeypatch):
    interrupting = Interrupting()
    monkeypatch.setattr(instances, "soft_masks", interrupting)
    refine(run, folder, coco_of(annotation(5), annotation(6, image=2)))
    status, lines, _ = refine(run, folder, coco_of(annotation(5, "right"), annotation(6, image=2)))
    assert status == 0
    assert "is of another run; beginning anew" in lines[0]
    assert lines[-1].startswith("2 refined")


def test_a_journal_of_other_photos_is_not_used(run, folder, monkeypatch):
    monkeypatch.setattr(instances, "soft_masks", Interrupting())
    data = coco_of(annotation(5), annotation(6, image=2))
    refine(run, folder, data)
    (folder / "photos").rename(folder / "right")
    arguments = ("--photos", folder / "right", "-o", folder / "out.json")
    status, lines = run("coco", "refine", folder / "in.json", *arguments)
    assert status == 0
    assert "is of another run; beginning anew" in lines[0]
    assert lines[-1].startswith("2 refined")


def test_a_missing_photo_is_looked_for_again_after_an_interruption(run, folder, monkeypatch):
    (folder / "photos" / "a.png").rename(folder / "a.png")
    images = ("a.png", "b.png", "b.png")
    data = coco_of(annotation(5), annotation(6, image=2), annotation(7, image=3), images=images)
    monkeypatch.setattr(instances, "soft_masks", Interrupting())
    assert refine(run, folder, data)[0] == INTERRUPTED
    (folder / "a.png").rename(folder / "photos" / "a.png")
    status, lines, _ = refine(run, folder, data)
    assert status == 0
    assert lines[-1].startswith("3 refined")


def test_cvat_files_are_refined_in_place(run, folder):
    write(read(written(folder, coco_of(annotation(5))), "coco"), folder / "in.xml", "cvat", Form())
    arguments = ("--photos", folder / "photos", "-o", folder / "out.xml")
    status, _ = run("cvat", "refine", folder / "in.xml", *arguments)
    assert status == 0
    (mask,) = masks_of(read(folder / "out.xml", "cvat"))
    assert error(mask, "left") < 0.25


def test_label_studio_exports_are_refined_in_place(run, folder):
    size = {"original_width": SIZE[1], "original_height": SIZE[0], "image_rotation": 0}
    value = {"format": "rle", "rle": brush.encoded(coarse("left")), "brushlabels": ["cat"]}
    region = {"id": "r", "type": "brushlabels", "value": value, **size}
    task = {
        "id": 1,
        "data": {"image": "/data/upload/7/0a1b2c3d-a.png"},
        "annotations": [{"id": 4, "completed_by": 2, "result": [region]}],
    }
    source = written(folder, [task])
    arguments = ("--photos", folder / "photos", "-o", folder / "out.json")
    status, _ = run("label-studio", "refine", source, *arguments)
    assert status == 0
    (after,) = json.loads((folder / "out.json").read_text())
    found = after["annotations"][0]["result"][0]["value"]
    assert error(brush.decoded(found["rle"], SIZE), "left") < 0.25
    found["rle"] = value["rle"]
    assert after == task


def test_a_region_of_several_labels_is_chosen_by_each(run, folder):
    size = {"original_width": SIZE[1], "original_height": SIZE[0], "image_rotation": 0}
    value = {"format": "rle", "rle": brush.encoded(coarse("left")), "brushlabels": ["wet", "cat"]}
    region = {"id": "r", "type": "brushlabels", "value": value, **size}
    source = written(folder, [{"data": {"image": "a.png"}, "annotations": [{"result": [region]}]}])
    arguments = ("--photos", folder / "photos", "-o", folder / "out.json")
    _, lines = run("label-studio", "refine", source, *arguments, "--only-category", "cat")
    assert lines == [f"1 refined, 0 problems: {folder / 'out.json'}"]


def test_label_studios_predictions_stay_and_pictures_are_told_apart(run, folder):
    size = {"original_width": SIZE[1], "original_height": SIZE[0], "image_rotation": 0}
    value = {"format": "rle", "rle": brush.encoded(coarse("left")), "brushlabels": ["cat"]}
    regions = [
        {"id": name, "type": "brushlabels", "to_name": name, "value": dict(value), **size}
        for name in ("before", "after")
    ]
    task = {
        "id": 1,
        "data": {"before": "s3://bucket/cam1/1.png", "after": "s3://bucket/cam2/1.png"},
        "annotations": [{"id": 4, "result": regions}],
        "predictions": [{"id": 5, "result": copy.deepcopy(regions)}],
    }
    for camera, which in (("cam1", "left"), ("cam2", "right")):
        (folder / "photos" / camera).mkdir()
        Image.fromarray(red_on_blue(truth(which))).save(folder / "photos" / camera / "1.png")
    source = written(folder, [task])
    arguments = ("--photos", folder / "photos", "-o", folder / "out.json")
    assert run("label-studio", "refine", source, *arguments)[0] == 0
    (after,) = json.loads((folder / "out.json").read_text())
    assert after["predictions"] == task["predictions"]
    first, second = (one["value"]["rle"] for one in after["annotations"][0]["result"])
    assert error(brush.decoded(first, SIZE), "left") < 0.25
    assert second == value["rle"]  # its photo shows nothing there


def within_reach(_, photo, masks):
    """What a refiner would find: the red pixels up to 3 from each coarse mask."""
    red = photo[..., 0] > photo[..., 2]
    for mask in masks:
        near = cv2.dilate(mask.view(np.uint8), np.ones((7, 7), np.uint8))
        yield (red & (near > 0)).astype(np.float32) * np.float32(0.9)


def loaded(coco, one, size):
    """An annotation's mask by pycocotools, but for its decoding, which warns under numpy 2."""
    counts = coco.annToRLE(one)["counts"]
    return Rle.from_counts(counts if isinstance(counts, str) else counts.decode(), size).mask()


def crowded(folder, photos, rows, columns):
    """Photos with a grid of red squares each, and a polygon of each square, 2 pixels off."""
    (folder / "photos").mkdir()
    truth = np.kron(np.ones((rows, columns), bool), np.pad(np.ones((10, 10), bool), 3))
    images, annotations = [], []
    for image in range(1, photos + 1):
        images.append({"id": image, "file_name": f"{image}.png", "license": 1})
        images[-1] |= {"height": truth.shape[0], "width": truth.shape[1]}
        Image.fromarray(red_on_blue(truth)).save(folder / "photos" / f"{image}.png")
        for top, left in np.ndindex(rows, columns):
            y, x = 16 * top + 5, 16 * left + 3
            polygon = [x, y, x + 10, y, x + 10, y + 10, x, y + 10]
            one = {"id": 7 * len(annotations) + 3, "image_id": image, "iscrowd": 0}
            one |= {"category_id": 1 + left % 3, "segmentation": [polygon], "score": left / 8}
            annotations.append(one | {"area": 100.0, "bbox": [x, y, 10, 10]})
    categories = [{"id": number, "name": f"kind {number}"} for number in (1, 2, 3)]
    data = {"info": {"year": 2024}, "licenses": [{"id": 1, "name": "free"}], "images": images}
    return {**data, "annotations": annotations, "categories": categories}, truth


@pytest.mark.parametrize("form", ["rle", "polygon"])
def test_hundreds_of_polygons_are_refined_in_one_command(run, tmp_path, monkeypatch, form):
    monkeypatch.setattr(instances, "soft_masks", within_reach)
    data, truth = crowded(tmp_path, photos=15, rows=6, columns=10)
    assert len(data["annotations"]) == 900
    status, lines, result = refine(run, tmp_path, data, "--as", form)
    assert (status, lines[-1]) == (0, f"900 refined, 0 problems: {tmp_path / 'out.json'}")
    assert without_masks(result) == without_masks(data)
    coco = COCO(tmp_path / "out.json")
    for image in coco.getImgIds():
        found = [loaded(coco, one, truth.shape) for one in coco.imgToAnns[image]]
        np.testing.assert_array_equal(np.sum(found, axis=0), truth)
        assert {one["area"] for one in coco.imgToAnns[image]} == {100}
