"""`edgewise scene`: one label map, folders in the published layouts, and what users get wrong."""

import json
import shutil
import sys

import numpy as np
import pytest
from PIL import Image

from edgewise.cli import main
from edgewise.masks import read_mask
from edgewise.scenes import refine as scene_refine
from edgewise.scenes.labels import read_labels

from ..fakes import disc, red_on_blue

TRUTH = np.where(disc((90, 120), (45, 60), 30), 20, 1).astype(np.uint8)
TRUTH[:4] = 0
COARSE = np.roll(TRUTH, 3, 1)
PALETTE = bytes(range(63))


def run(capsys, *arguments):
    """Exit status, standard output and standard error."""
    sys_argv, sys.argv = sys.argv, ["edgewise", "scene", *map(str, arguments)]
    try:
        main()
        status = 0
    except SystemExit as stop:
        status = stop.code or 0
    finally:
        sys.argv = sys_argv
    printed = capsys.readouterr()
    return status, printed.out, printed.err


def save_map(path, labels):
    picture = Image.fromarray(labels)
    picture.putpalette(PALETTE)
    picture.save(path)


@pytest.fixture
def data(tmp_path):
    for folder in ("photos", "coarse", "truths"):
        (tmp_path / folder).mkdir()
    for name in "ab":
        Image.fromarray(red_on_blue(TRUTH == 20)).save(tmp_path / "photos" / f"{name}.jpg")
        save_map(tmp_path / "coarse" / f"{name}.png", COARSE)
        save_map(tmp_path / "truths" / f"{name}.png", TRUTH)
    return tmp_path


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_one_map_keeps_size_palette_and_void(data, capsys):
    out = data / "out.png"
    one = (data / "photos" / "a.jpg", data / "coarse" / "a.png")
    assert run(capsys, "refine", *one, "-o", out, "--threads", 1) == (0, "", "")
    with Image.open(out) as picture:
        assert picture.mode == "P"
        assert bytes(picture.getpalette())[: len(PALETTE)] == PALETTE
    refined, _ = read_labels(out)
    np.testing.assert_array_equal(refined == 0, COARSE == 0)
    assert set(np.unique(refined)) == {0, 1, 20}


def test_a_folder_is_refined_once(data, capsys):
    folders = ("--photos", data / "photos", "--labels", data / "coarse", "-o", data / "out")
    status, _, error = run(capsys, "refine", *folders)
    assert (status, error) == (0, f"2 refined, 0 failed: {data / 'out'}\n")
    assert names(data / "out") == ["a.png", "b.png"]
    (data / "out" / "b.png").unlink()
    error = run(capsys, "refine", *folders)[2]
    assert error == f"1 refined, 1 there already (--again), 0 failed: {data / 'out'}\n"


@pytest.mark.parametrize("again", [(), ("--again",)])
@pytest.mark.parametrize("command", ["refine", "merge"])
def test_coarse_maps_are_never_written_over(data, capsys, command, again):
    before = {path.name: path.read_bytes() for path in (data / "coarse").iterdir()}
    split(data, capsys)
    others = {
        "refine": ("--photos", data / "photos"),
        "merge": ("--parts", data / "parts", "--refined", data / "parts"),
    }
    words = ("--labels", data / "coarse", "-o", data / "coarse", *again)
    status, _, error = run(capsys, command, *others[command], *words)
    assert status == 2
    assert error.endswith("a.png: is an input, which is never changed; give another name\n")
    assert {path.name: path.read_bytes() for path in (data / "coarse").iterdir()} == before


def test_one_map_is_never_written_over(data, capsys):
    one = (data / "photos" / "a.jpg", data / "coarse" / "a.png")
    status, _, error = run(capsys, "refine", *one, "-o", one[1])
    assert status == 2
    assert "a.png: is an input" in error


def test_a_map_that_could_not_be_written_is_not_refined(data, capsys, monkeypatch):
    monkeypatch.setattr("edgewise.refiner.Refiner", None)  # what would be opened next
    one = (data / "photos" / "a.jpg", data / "coarse" / "a.png")
    status, _, error = run(capsys, "refine", *one, "-o", data / "none" / "a.png")
    assert status == 2
    assert f"a.png: cannot be written: there is no folder {data / 'none'}" in error


def test_a_bad_scene_is_told_and_the_rest_go_on(data, capsys):
    (data / "photos" / "a.jpg").unlink()
    folders = ("--photos", data / "photos", "--labels", data / "coarse", "-o", data / "out")
    status, _, error = run(capsys, "refine", *folders)
    assert status == 1
    assert "no file of the image a" in error
    assert names(data / "out") == ["b.png"]


def split(data, capsys):
    return run(
        capsys,
        *("split", "--photos", data / "photos", "--labels", data / "coarse"),
        *("--truths", data / "truths", "-o", data / "parts"),
    )


def test_split_writes_the_published_layout(data, capsys):
    assert split(data, capsys)[0] == 0
    expected = [
        f"{image}{rest}"
        for image in "ab"
        for rest in ("_1.1_gt.png", "_1.1_seg.png", "_20.1_gt.png", "_20.1_seg.png", "_im.jpg")
    ]
    assert names(data / "parts") == expected
    seg = read_mask(data / "parts" / "a_20.1_seg.png", soft=True)
    assert seg.shape == TRUTH.shape
    assert not (seg > 0.5)[COARSE != 20].any()
    photo = (data / "photos" / "a.jpg").read_bytes()
    assert (data / "parts" / "a_im.jpg").read_bytes() == photo


def test_pieces_of_an_earlier_split_are_told(data, capsys):
    split(data, capsys)
    assert split(data, capsys)[0] == 0
    shutil.copy(data / "parts" / "a_20.1_seg.png", data / "parts" / "a_21.1_seg.png")
    status, _, error = run(
        capsys,
        "split",
        "--photos",
        data / "photos",
        "--labels",
        data / "coarse",
        "-o",
        data / "parts",
    )
    assert status == 1
    assert f"{data / 'parts' / 'a_21.1_seg.png'}: is of an earlier split" in error
    assert "a_21.1_seg.png" in names(data / "parts")


def test_pieces_are_refined_each_in_its_box_and_merged(data, capsys):
    split(data, capsys)
    status, _, error = run(capsys, "refine", "--parts", data / "parts", "-o", data / "refined")
    assert (status, error) == (0, f"2 photos' pieces refined, 0 failed: {data / 'refined'}\n")
    # 60 rows and columns (the published closing takes two of the disc's four tips) from the 17th
    # and 35th on, grown by 59 / 8 at both ends, and the end left out.
    # rows 16..75: int(8.6) to int(82.4); columns 34..93 (moved by 3): int(26.6) to int(100.4)
    assert read_mask(data / "refined" / "a_20.1_mask.png", soft=True).shape == (74, 74)
    status, _, _ = run(
        capsys,
        *("merge", "--labels", data / "coarse", "--parts", data / "parts"),
        *("--refined", data / "refined", "-o", data / "merged"),
    )
    assert status == 0
    merged, form = read_labels(data / "merged" / "a.png")
    assert form.mode == "P"
    assert set(np.unique(merged)) <= {0, 1, 20}


def test_a_missing_result_is_told_when_merging(data, capsys):
    split(data, capsys)
    (data / "none").mkdir()
    status, _, error = run(
        capsys,
        *("merge", "--labels", data / "coarse", "--parts", data / "parts"),
        *("--refined", data / "none", "-o", data / "merged"),
    )
    assert status == 1
    assert "a_1.1_mask.png" in error
    assert names(data / "merged") == []


def test_pieces_of_none_of_the_maps_are_refused_when_merging(data, capsys):
    for folder in ("wrong", "none"):
        (data / folder).mkdir()
    Image.fromarray(TRUTH == 20).save(data / "wrong" / "c_20.1_seg.png")
    for parts in ("photos", "wrong"):
        status, _, error = run(
            capsys,
            *("merge", "--labels", data / "coarse", "--parts", data / parts),
            *("--refined", data / "none", "-o", data / "merged"),
        )
        assert (status, error.count("\n")) == (2, 1)
        assert f"{data / parts}: no pieces of the maps in {data / 'coarse'}" in error
        assert not (data / "merged").exists()


def test_a_map_without_pieces_is_named_when_merging(data, capsys):
    split(data, capsys)
    run(capsys, "refine", "--parts", data / "parts", "-o", data / "refined")
    for path in (data / "parts").glob("b_*"):
        path.unlink()
    status, _, error = run(
        capsys,
        *("merge", "--labels", data / "coarse", "--parts", data / "parts"),
        *("--refined", data / "refined", "-o", data / "merged"),
    )
    assert status == 0
    assert f"{data / 'coarse' / 'b.png'}: has no pieces in {data / 'parts'}; it stays\n" in error
    np.testing.assert_array_equal(read_labels(data / "merged" / "b.png")[0], COARSE)


def test_a_merged_map_that_could_not_be_written_is_told_before_pieces_are_read(data, capsys):
    split(data, capsys)
    with Image.open(data / "coarse" / "b.png") as picture:
        picture.save(data / "coarse" / "b.gif")
    (data / "coarse" / "b.png").unlink()
    (data / "coarse" / "a.png").unlink()
    status, _, error = run(
        capsys,
        *("merge", "--labels", data / "coarse", "--parts", data / "parts"),
        *("--refined", data / "none", "-o", data / "merged"),
    )
    assert status == 1
    assert error.startswith(f"edgewise: {data / 'merged' / 'b.gif'}: labels cannot be kept so;")


def test_unrefined_pieces_merge_to_the_scene(data, capsys):
    from edgewise.masks import write_mask
    from edgewise.scenes.folders import read_coarse_part

    split(data, capsys)
    (data / "refined").mkdir()
    for path in (data / "parts").glob("*_seg.png"):
        name = path.name.removesuffix("_seg.png")
        mask, box = read_coarse_part(data / "parts", name)
        write_mask(data / "refined" / f"{name}_mask.png", mask[box.slices], soft=True)
    run(
        capsys,
        *("merge", "--labels", data / "coarse", "--parts", data / "parts"),
        *("--refined", data / "refined", "-o", data / "merged"),
    )
    np.testing.assert_array_equal(read_labels(data / "merged" / "b.png")[0], COARSE)


def evaluate(data, capsys, *options):
    return run(
        capsys, "evaluate", "--labels", data / "coarse", "--truths", data / "truths", *options
    )


def test_scores_are_printed_and_as_json(data, capsys):
    status, out, _ = evaluate(data, capsys, "--before", data / "truths")
    assert status == 0
    assert "2 scenes, harmed 100.0 %" in out
    assert "before" in out
    values = json.loads(evaluate(data, capsys, "--json")[1])
    assert values["scenes"] == 2
    seen = TRUTH > 0
    assert values["after"]["accuracy"] == pytest.approx((TRUTH == COARSE)[seen].mean())
    assert "before" not in values


def test_a_scene_that_cannot_be_scored_ends_with_status_one(data, capsys):
    (data / "truths" / "b.png").unlink()
    status, out, error = evaluate(data, capsys)
    assert status == 1
    assert "1 scenes" in out
    assert "no file of the image b" in error


BAD = {
    "nothing given": ((), "give PHOTO LABELS"),
    "two ways": (("{0}/photos/a.jpg", "{0}/coarse/a.png", "--parts", "{0}"), "give PHOTO LABELS"),
    "photo alone": (("{0}/photos/a.jpg",), "give PHOTO LABELS"),
    "photo and folder": (("{0}/photos/a.jpg", "--labels", "{0}/coarse"), "give PHOTO LABELS"),
    "no such map": (("{0}/photos/a.jpg", "{0}/gone.png"), "gone.png"),
    "photo as map": (("{0}/photos/a.jpg", "{0}/photo.png"), "colour"),
    "JPEG as map": (("{0}/photos/a.jpg", "{0}/photos/b.jpg"), "with loss (JPEG)"),
    "another size": (("{0}/photos/a.jpg", "{0}/small.png"), "5x5 pixels and the photo 120x90"),
    "no pieces": (("--parts", "{0}/photos"), "no pieces"),
    "no folder": (("--photos", "{0}/gone", "--labels", "{0}/coarse"), "cannot be listed"),
    "lossy": (("{0}/photos/a.jpg", "{0}/coarse/a.png", "-o", "{0}/o.jpg"), ".png, .tif or .npy"),
}


@pytest.mark.parametrize("kind", BAD)
def test_bad_input_is_one_line_and_leaves_nothing(data, capsys, kind):
    arguments, words = BAD[kind]
    noise = np.random.default_rng(0).integers(0, 256, (90, 120, 3), dtype=np.uint8)
    if kind == "photo as map":
        Image.fromarray(noise).save(data / "photo.png")
    Image.new("L", (5, 5)).save(data / "small.png")
    given = [argument.format(data) for argument in arguments]
    before = names(data)
    status, _, error = run(capsys, "refine", "-o", data / "out.png", *given)
    assert status == 2
    assert error.startswith("edgewise: ")
    assert error.count("\n") == 1
    assert words in error
    assert names(data) == before


def test_what_cannot_be_written_is_told_before_the_work(data, capsys, monkeypatch):
    def refined(*_, **__):
        raise AssertionError("refined")

    monkeypatch.setattr(scene_refine, "refine_labels", refined)
    one = (data / "photos" / "a.jpg", data / "coarse" / "a.png")
    assert run(capsys, "refine", *one, "-o", data / "out.jpg")[::2] == (
        2,
        f"edgewise: {data / 'out.jpg'}: labels cannot be kept so; expected .png, .tif or .npy\n",
    )
    (data / "maps").mkdir()
    Image.fromarray(COARSE).save(data / "maps" / "a.bmp")
    folders = ("--photos", data / "photos", "--labels", data / "maps", "-o", data / "out")
    status, _, error = run(capsys, "refine", *folders)
    assert status == 1
    assert "a.bmp: labels cannot be kept so" in error
    assert names(data / "out") == []
