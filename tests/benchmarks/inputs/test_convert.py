"""Native outputs of each network become the masks that the published conversion makes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from edgewise.benchmarks import voc
from edgewise.benchmarks.inputs import convert
from edgewise.benchmarks.inputs.colours import ade20k_colours
from edgewise.benchmarks.inputs.convert import Options, object_mask, scene_labels
from edgewise.benchmarks.inputs.formats import OBJECTS, SCENES
from edgewise.errors import InputError
from edgewise.masks import read_mask
from tests.benchmarks import miniature
from tests.benchmarks.inputs import native

SIZE = miniature.SIZE
NATIVE = native.blocks([0, 1, 15, 19, 20])
SCENE = native.blocks([0, 2, 12, 149])
PALETTE = [voc.colour(label) for label in range(256)]


@pytest.fixture
def made(tmp_path):
    """Convert native outputs beside a dataset; outcomes and the folder that was made."""

    def made(dataset, network, source, **options):
        photos = {
            "big": lambda folder: miniature.big(folder) / "test",
            "pascal": miniature.pascal,
            "ade20k": lambda folder: miniature.ade20k(folder) / "images" / "validation",
        }[dataset](tmp_path / dataset)
        output = tmp_path / "output"
        output.mkdir(exist_ok=True)
        form = convert.format_of(dataset, network)
        jobs = convert.jobs(dataset, network, source, photos, output)
        settled = convert.settle(jobs, form, Options(**options))
        return [convert.convert(job, form, settled) for job in jobs], output

    return made


def write(path, labels):
    """A label map in the form that the path's suffix says."""
    if path.suffix == ".mat":
        native.write_mat(path, labels.astype(np.uint8))
    elif path.suffix == ".npy":
        path.parent.mkdir(parents=True, exist_ok=True)
        np.save(path, labels[None, None].astype(np.float32))
    else:
        native.write_grey(path, labels)


def mask(path):
    with Image.open(path) as picture:
        assert set(np.unique(picture.convert("L"))) <= {0, 255}
    return read_mask(path, soft=True) > 0.5


def labels_in(path):
    with Image.open(path) as picture:
        assert picture.mode == "L"
        return np.asarray(picture)


# The four networks of BIG and PASCAL


@pytest.mark.parametrize(
    ("network", "ending"),
    [
        ("deeplabv3plus", "_seg.png"),
        ("pspnet", ".png"),
        ("refinenet", ".mat"),
        ("fcn8s", "_im.npy"),
        ("fcn8s", "_seg.png"),
    ],
)
def test_on_big_the_class_of_the_name_is_selected(made, tmp_path, network, ending):
    source = tmp_path / "native"
    for name in miniature.BIG_NAMES["test"]:
        write(source / f"{name}{ending}", NATIVE)
    outcomes, output = made("big", network, source)
    assert [one.problem for one in outcomes] == ["", ""]
    for name, label in (("002_person", 15), ("003_tv", 20)):
        expected = native.selected(NATIVE, label, SIZE)
        assert expected.any()
        np.testing.assert_array_equal(mask(output / f"{name}_seg.png"), expected)


@pytest.mark.parametrize(
    ("network", "endings"),
    [
        ("deeplabv3plus", (".png", ".png")),
        ("pspnet", ("_01_seg.png", "_19_seg.png")),
        ("refinenet", ("_01.mat", "_19.mat")),
        ("fcn8s", (".npy", ".npy")),
    ],
)
def test_on_pascal_files_are_named_after_photo_or_object(made, tmp_path, network, endings):
    source = tmp_path / "native"
    for name, ending in zip(miniature.PASCAL_NAMES, endings, strict=True):
        write(source / f"{name[:-3]}{ending}", NATIVE)
    outcomes, output = made("pascal", network, source)
    assert [one.problem for one in outcomes] == ["", ""]
    for name in miniature.PASCAL_NAMES:
        expected = native.selected(NATIVE, int(name[-2:]), SIZE)
        np.testing.assert_array_equal(mask(output / f"{name}_seg.png"), expected)


def test_colours_and_palettes_give_the_same_masks(made, tmp_path):
    native.write_palette(tmp_path / "native" / "002_person.png", NATIVE, PALETTE)
    miniature.save(np.array(PALETTE, np.uint8)[NATIVE], tmp_path / "native" / "003_tv.png")
    _, output = made("big", "deeplabv3plus", tmp_path / "native")
    for name, label in (("002_person", 15), ("003_tv", 20)):
        expected = native.selected(NATIVE, label, SIZE)
        np.testing.assert_array_equal(mask(output / f"{name}_seg.png"), expected)


def test_published_binary_masks_of_fcn8s_are_taken_as_they_are(made, tmp_path):
    binary = miniature.grey(miniature.disc())
    for name in miniature.BIG_NAMES["test"]:
        miniature.save(binary, tmp_path / "native" / f"{name}_seg.png")
    _, output = made("big", "fcn8s", tmp_path / "native")
    np.testing.assert_array_equal(mask(output / "003_tv_seg.png"), miniature.disc())


def test_binary_masks_of_the_others_are_no_label_maps(made, tmp_path):
    binary = miniature.grey(miniature.disc())
    for name in miniature.BIG_NAMES["test"]:
        miniature.save(binary, tmp_path / "native" / f"{name}_seg.png")
    outcomes, output = made("big", "pspnet", tmp_path / "native")
    assert "is a binary mask, no label map" in outcomes[0].problem
    assert list(output.iterdir()) == []


def test_a_class_that_was_not_found_gives_an_empty_mask(made, tmp_path):
    for name in miniature.BIG_NAMES["test"]:
        native.write_grey(tmp_path / "native" / f"{name}.png", np.zeros((9, 13)))
    outcomes, output = made("big", "pspnet", tmp_path / "native")
    assert [one.problem for one in outcomes] == ["", ""]
    assert not mask(output / "003_tv_seg.png").any()


@given(
    st.integers(2, 15), st.integers(2, 15), st.integers(3, 40), st.integers(3, 40), st.integers()
)
def test_any_resize_is_bicubic_of_0_and_1_above_one_half(rows, columns, height, width, seed):
    labels = np.random.default_rng(abs(seed)).integers(0, 2, (rows, columns)).astype(np.int32)
    levels = native.bicubic(labels, (height, width))
    decided = np.abs(levels - 0.5) > 1e-4
    made = object_mask(labels, 1, (height, width))
    np.testing.assert_array_equal(made[decided], (levels > 0.5)[decided])


# The three networks of ADE20K


def scene(made, tmp_path, network, labels, **options):
    suffix = ".mat" if network == "refinenet" else ".png"
    for name in miniature.ADE_NAMES:
        write(tmp_path / "native" / f"{name}{suffix}", labels)
    outcomes, output = made("ade20k", network, tmp_path / "native", **options)
    assert [one.problem for one in outcomes] == ["", ""]
    return labels_in(output / "ADE_val_00000001.png")


def test_refinenets_labels_are_resized_by_nearest(made, tmp_path):
    found = scene(made, tmp_path, "refinenet", SCENE + 1)
    np.testing.assert_array_equal(found, native.nearest(SCENE + 1, SIZE))


@pytest.mark.parametrize("network", ["encnet", "pspnet"])
def test_classes_that_count_from_0_get_one_more(made, tmp_path, network):
    found = scene(made, tmp_path, network, SCENE)
    np.testing.assert_array_equal(found, native.nearest(SCENE + 1, SIZE))


@pytest.mark.parametrize("network", ["encnet", "pspnet"])
def test_classes_that_count_from_1_stay(made, tmp_path, network):
    found = scene(made, tmp_path, network, SCENE + 1)
    np.testing.assert_array_equal(found, native.nearest(SCENE + 1, SIZE))


def test_void_stays_void_where_classes_count_from_0(made, tmp_path):
    labels = np.where(SCENE == 12, 255, SCENE)
    found = scene(made, tmp_path, "encnet", labels, first_label=0)
    expected = np.where(labels == 255, 0, labels + 1)
    np.testing.assert_array_equal(found, native.nearest(expected, SIZE))


def test_full_size_labels_stay_as_they_are(made, tmp_path):
    labels = native.blocks([1, 7, 150], SIZE)
    np.testing.assert_array_equal(scene(made, tmp_path, "pspnet", labels), labels)


def test_where_counting_starts_is_told_from_all_maps(made, tmp_path):
    write(tmp_path / "native" / "ADE_val_00000001.png", np.array([[0, 5]] * 2))
    write(tmp_path / "native" / "ADE_val_00000002.png", np.array([[5, 150]] * 2))
    _, output = made("ade20k", "pspnet", tmp_path / "native")
    assert set(np.unique(labels_in(output / "ADE_val_00000001.png"))) == {0, 5}


def test_where_it_cannot_be_told_it_must_be_said(made, tmp_path):
    for name in miniature.ADE_NAMES:
        write(tmp_path / "native" / f"{name}.png", np.array([[3, 5]] * 2))
    with pytest.raises(InputError, match=r"neither 0 nor 150.*--first-label"):
        made("ade20k", "encnet", tmp_path / "native")
    _, output = made("ade20k", "encnet", tmp_path / "native", first_label=0)
    assert set(np.unique(labels_in(output / "ADE_val_00000001.png"))) == {4, 6}


def coloured(path, labels):
    colours = {label: colour for colour, label in ade20k_colours().labels.items()}
    picture = np.array([[colours[label] for label in row] for row in labels.tolist()], np.uint8)
    path.parent.mkdir(exist_ok=True)
    Image.fromarray(picture).save(path)


def test_maps_in_colours_count_from_1_whatever_the_others_do(made, tmp_path):
    coloured(tmp_path / "native" / "ADE_val_00000001.png", np.array([[0, 5]] * 2))
    write(tmp_path / "native" / "ADE_val_00000002.png", np.array([[0, 5]] * 2))
    outcomes, output = made("ade20k", "pspnet", tmp_path / "native")
    assert [one.problem for one in outcomes] == ["", ""]
    assert set(np.unique(labels_in(output / "ADE_val_00000001.png"))) == {0, 5}
    assert set(np.unique(labels_in(output / "ADE_val_00000002.png"))) == {1, 6}


def test_maps_in_colours_alone_need_not_say_where_they_count_from(made, tmp_path):
    labels = native.blocks([3, 13, 150], SIZE)
    for name in miniature.ADE_NAMES:
        coloured(tmp_path / "native" / f"{name}.png", labels)
    _, output = made("ade20k", "encnet", tmp_path / "native")
    np.testing.assert_array_equal(labels_in(output / "ADE_val_00000002.png"), labels)


def test_a_map_in_strange_colours_is_told_and_the_others_are_made(made, tmp_path):
    miniature.save(miniature.photo(), tmp_path / "native" / "ADE_val_00000001.png")
    coloured(tmp_path / "native" / "ADE_val_00000002.png", np.array([[3, 5]] * 2))
    bad, good = made("ade20k", "pspnet", tmp_path / "native")[0]
    assert "which is none of ade20k_colours.csv" in bad.problem
    assert good.problem == ""


def test_the_references_quirk_blends_labels(made, tmp_path):
    labels = np.array([[10, 10, 110, 110]] * 4)
    found = scene(made, tmp_path, "refinenet", labels, reference_quirks=True)
    assert set(np.unique(scene(made, tmp_path, "refinenet", labels))) == {10, 110}
    blended = set(np.unique(found)) - {10, 110}
    assert blended
    assert all(10 < label < 110 for label in blended)
    centres = (np.arange(SIZE[1]) + 0.5) * 4 / SIZE[1] - 0.5
    expected = np.interp(centres, range(4), [10, 10, 110, 110])
    assert np.abs(found[0] - expected).max() <= 1


@pytest.mark.parametrize(
    ("dataset", "network", "options", "words"),
    [
        ("big", "refinenet", {"reference_quirks": True}, "quirks change nothing"),
        ("ade20k", "encnet", {"reference_quirks": True}, "quirks change nothing"),
        ("ade20k", "refinenet", {"first_label": 0}, "first-label means nothing"),
        ("ade20k", "refinenet", {"colours": ade20k_colours()}, "--colours mean nothing"),
        ("big", "pspnet", {"colours": ade20k_colours()}, "--colours mean nothing"),
    ],
)
def test_options_that_mean_nothing_are_refused(dataset, network, options, words):
    with pytest.raises(InputError, match=words):
        convert.settle([], convert.format_of(dataset, network), Options(**options))


def test_a_first_label_is_0_or_1():
    with pytest.raises(InputError, match="0 or 1, not 2"):
        Options(first_label=2)


def test_labels_out_of_range_are_told(made, tmp_path):
    for name in miniature.ADE_NAMES:
        write(tmp_path / "native" / f"{name}.png", np.array([[0, 151]] * 2))
    outcomes, _ = made("ade20k", "pspnet", tmp_path / "native")
    assert "holds the labels 151; expected 0..149, 255" in outcomes[0].problem
    with pytest.raises(InputError, match=r"expected 0\.\.150"):
        scene_labels(np.array([[151]], np.int32), (1, 1), SCENES["refinenet"], Options(), "x")


# What is missing or odd


def test_what_is_missing_is_told_with_the_names_tried(made, tmp_path):
    write(tmp_path / "native" / "2007_000033.png", NATIVE)
    outcomes, output = made("pascal", "deeplabv3plus", tmp_path / "native")
    assert outcomes[0].problem == ""
    assert outcomes[1].problem == (
        "missing: none of 2007_000042_19.png, 2007_000042_19_seg.png, 2007_000042_19_im.png, "
        "2007_000042.png"
    )
    assert [path.name for path in output.iterdir()] == ["2007_000033_01_seg.png"]


def test_a_damaged_output_is_told_and_the_others_made(made, tmp_path):
    write(tmp_path / "native" / "002_person.mat", NATIVE)
    (tmp_path / "native" / "003_tv.mat").write_bytes(b"cut")
    outcomes, output = made("big", "refinenet", tmp_path / "native")
    assert outcomes[0].problem == ""
    assert "damaged" in outcomes[1].problem
    assert [path.name for path in output.iterdir()] == ["002_person_seg.png"]


def test_a_folder_of_other_files_is_told_at_once(made, tmp_path):
    write(tmp_path / "native" / "gray" / "ADE_val_00000001.png", SCENE)
    with pytest.raises(InputError, match=r"ADE_val_00000001\.png; perhaps it is .*gray"):
        made("ade20k", "pspnet", tmp_path / "native")
    with pytest.raises(InputError, match="cannot be listed"):
        made("ade20k", "pspnet", tmp_path / "none")


@pytest.mark.parametrize(
    ("shape", "words"), [((19, 13), "turned by 90 degrees"), ((19, 19), "19x19 has not the aspect")]
)
def test_an_output_of_another_aspect_is_made_with_a_note(made, tmp_path, shape, words):
    write(tmp_path / "native" / "002_person.png", native.blocks([0, 15], shape))
    outcomes, output = made("big", "pspnet", tmp_path / "native")
    assert words in outcomes[0].note
    assert mask(output / "002_person_seg.png").shape == SIZE


def test_an_output_of_the_photos_aspect_has_no_note(made, tmp_path):
    write(tmp_path / "native" / "002_person.png", NATIVE)
    outcomes, _ = made("big", "pspnet", tmp_path / "native")
    assert outcomes[0].note == ""


def test_every_network_of_the_catalog_has_a_format():
    from edgewise.benchmarks.catalog import networks

    for name, network in networks().items():
        assert (name in OBJECTS) == ("big" in network.sources)
        assert (name in SCENES) == ("ade20k" in network.sources)
