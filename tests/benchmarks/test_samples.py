"""Samples are found in the published layouts and read in the package's forms."""

import numpy as np
import pytest

from edgewise.benchmarks import ade20k, big, load, load_scenes, pascal
from edgewise.errors import InputError
from tests.benchmarks import miniature


@pytest.fixture
def root(tmp_path):
    """A store with everything that the tests load."""
    miniature.big(tmp_path / "big")
    miniature.pascal(tmp_path / "pascal")
    miniature.ade20k(tmp_path / "ade20k")
    miniature.masks(tmp_path / "big-fcn8s", miniature.BIG_NAMES["test"])
    miniature.masks(tmp_path / "pascal-refinenet", miniature.PASCAL_NAMES)
    for name in miniature.ADE_NAMES:
        labels = np.full(miniature.SIZE, 150, np.uint8)
        miniature.save(labels, tmp_path / "ade20k-encnet" / f"{name}.png")
    miniature.ade_split(tmp_path / "ade20k-encnet-split")
    return tmp_path


def test_big_has_its_objects_by_split(root):
    assert [one.name for one in load("big", split="val", root=root)] == ["001_cat"]
    assert [(one.name, one.label) for one in load("big", root=root)] == [
        ("002_person", 15),
        ("003_tv", 20),
    ]


def test_a_sample_reads_its_files(root):
    sample = load("big", inputs="fcn8s", root=root)[0]
    assert sample.photo().shape == (*miniature.SIZE, 3)
    assert sample.photo().dtype == np.uint8
    np.testing.assert_array_equal(sample.truth(), miniature.disc())
    assert sample.truth().dtype == bool
    np.testing.assert_array_equal(sample.coarse(), miniature.disc(radius=0.3).astype(np.float32))
    assert sample.coarse().dtype == np.float32


def test_truth_is_what_is_above_128(root):
    levels = np.array([[0, 128, 129, 255]], dtype=np.uint8)
    miniature.save(levels, root / "pascal" / "2007_000033_01_gt.png")
    truth = load("pascal", root=root)[0].truth()
    assert truth.tolist() == [[False, False, True, True]]


def test_pascal_has_the_class_in_the_name(root):
    found = load("pascal", inputs="refinenet", root=root)
    assert [(one.name, one.label) for one in found] == [
        ("2007_000033_01", 1),
        ("2007_000042_19", 19),
    ]
    assert pascal.voc_id("2007_000033_01") == "2007_000033"


@pytest.mark.parametrize("name", ["2007_000033_00", "2007_000033_21", "2007_000033_1", "cat"])
def test_pascal_names_without_a_class_are_refused(name):
    with pytest.raises(InputError, match=name):
        pascal.label_of(name)


def test_coarse_masks_beside_the_photos_are_taken_without_an_input_set(root):
    assert load("big", root=root)[0].coarse_path is None
    miniature.masks(root / "big" / "test", miniature.BIG_NAMES["test"])
    assert load("big", root=root)[0].coarse_path == root / "big" / "test" / "002_person_seg.png"


def test_a_sample_without_a_coarse_mask_says_so(root):
    with pytest.raises(InputError, match="002_person: loaded without coarse masks"):
        load("big", root=root)[0].coarse()


def test_scenes_read_label_maps(root):
    scenes = load_scenes(inputs="encnet", root=root)
    assert [scene.name for scene in scenes] == miniature.ADE_NAMES
    truth = scenes[0].truth()
    assert np.issubdtype(truth.dtype, np.integer)
    assert np.unique(truth).tolist() == [0, 3, 13]
    assert (scenes[0].coarse() == 150).all()
    assert scenes[0].photo().shape == (*miniature.SIZE, 3)
    with pytest.raises(InputError, match="without coarse"):
        load_scenes(root=root)[0].coarse()


def test_components_share_their_scenes_photo(root):
    parts = load("ade20k", inputs="encnet", root=root)
    assert [part.name for part in parts[:2]] == [
        "ADE_val_00000001_13.1",
        "ADE_val_00000001_3.2",
    ]
    assert [part.label for part in parts[:2]] == [13, 3]
    assert parts[0].photo_path == parts[1].photo_path
    np.testing.assert_array_equal(parts[0].coarse() > 0, miniature.disc())


def test_names_of_components_are_image_label_and_component():
    assert ade20k.part_of("ADE_val_00000001_17.2") == ("ADE_val_00000001", 17, 2)
    for name in ("ADE_val_00000001", "a_17", "a_0.1", "a_151.1"):
        with pytest.raises(InputError, match=name.replace(".", r"\.")):
            ade20k.part_of(name)


@pytest.mark.parametrize(
    ("gone", "asked", "words"),
    [
        ("big/test/003_tv_gt.png", {"dataset": "big"}, r"no 003_tv_gt\.png"),
        ("big-fcn8s/003_tv_seg.png", {"dataset": "big", "inputs": "fcn8s"}, "no 003_tv_seg"),
        ("ade20k-encnet-split/ADE_val_00000001_im.jpg", {"dataset": "ade20k", "inputs": "encnet"},
         "no ADE_val_00000001_im"),
    ],
)  # fmt: skip
def test_a_missing_partner_is_told_by_name(root, gone, asked, words):
    (root / gone).unlink()
    with pytest.raises(InputError, match=words):
        load(asked.pop("dataset"), root=root, **asked)


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (("big-fcn8s", {}), "is no dataset; give inputs='fcn8s' with big"),
        (("big", {"split": "train"}), "no split 'train'"),
        (("big", {"inputs": "encnet"}), "no network 'encnet' for big"),
        (("big", {"inputs": "pspnet"}), "fetch big-pspnet"),
        (("ade20k", {}), "give inputs=NETWORK"),
    ],
)
def test_what_cannot_be_loaded_is_told(root, asked, words):
    with pytest.raises(InputError, match=words):
        load(asked[0], root=root, **asked[1])


def test_a_folder_without_photos_is_told(tmp_path):
    with pytest.raises(InputError, match=r"no photo in it; expected names that end in _im\.jpg"):
        big.samples(tmp_path)
    with pytest.raises(InputError, match="cannot be listed"):
        big.samples(tmp_path / "none")
