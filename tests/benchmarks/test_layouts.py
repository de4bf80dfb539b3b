"""Files of a row are found by name in any folders, and no others."""

from pathlib import PurePath

import pytest

from edgewise.benchmarks.catalog import find
from edgewise.benchmarks.layouts import count, plan
from edgewise.errors import InputError
from tests.benchmarks import miniature


def touch(folder, *names):
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    return folder


def targets(row, folder, **options):
    return {target.as_posix() for target in plan(find(row), folder, **options).files}


def test_big_is_sorted_by_the_split_that_a_folder_names(tmp_path):
    touch(tmp_path, "BIG/BIG_val/1_cat_im.jpg", "BIG/BIG_val/1_cat_gt.png")
    touch(tmp_path, "BIG/Test/2_dog_im.jpg", "BIG/Test/2_dog_gt.png", "BIG/Test/2_dog_seg.png")
    assert targets("big", tmp_path) == {
        "val/1_cat_im.jpg",
        "val/1_cat_gt.png",
        "test/2_dog_im.jpg",
        "test/2_dog_gt.png",
        "test/2_dog_seg.png",
    }


def test_big_without_such_folders_needs_the_split(tmp_path):
    touch(tmp_path, "mine/1_cat_im.jpg")
    with pytest.raises(InputError, match=r"mine/1_cat_im\.jpg: no folder says .* --split val"):
        plan(find("big"), tmp_path)
    assert targets("big", tmp_path, split="val") == {"val/1_cat_im.jpg"}
    with pytest.raises(InputError, match="no split 'train'; there is: val, test"):
        plan(find("big"), tmp_path, split="train")


def test_what_systems_leave_about_is_passed_over(tmp_path):
    touch(tmp_path, "x/2007_000033_01_im.png", "__MACOSX/x/._2007_000033_01_im.png", ".DS_Store")
    found = plan(find("pascal"), tmp_path)
    assert set(found.files) == {PurePath("2007_000033_01_im.png")}
    assert found.others == 0


def test_other_files_are_counted_and_left(tmp_path):
    touch(tmp_path, "1_cat_seg.png", "1_cat_mask.png", "readme.txt")
    found = plan(find("big-pspnet"), tmp_path)
    assert set(found.files) == {PurePath("1_cat_seg.png")}
    assert found.others == 2


def test_another_networks_files_are_left(tmp_path):
    touch(tmp_path, "DeepLabV3+/1_cat_seg.png", "CascadePSP/PSPNet/1_cat_seg.png")
    found = plan(find("big-pspnet"), tmp_path)
    assert found.files[PurePath("1_cat_seg.png")].parent.name == "PSPNet"
    found = plan(find("big-deeplabv3plus"), tmp_path)
    assert found.files[PurePath("1_cat_seg.png")].parent.name == "DeepLabV3+"
    with pytest.raises(InputError, match="no file of big-fcn8s"):
        plan(find("big-fcn8s"), tmp_path)


@pytest.mark.parametrize("folder", ["CascadePSP", "cascade_psp_refined", "results"])
def test_the_refiners_name_is_none_of_a_network(tmp_path, folder):
    touch(tmp_path, f"{folder}/1_cat_mask.png")
    assert targets("big-fcn8s-refined", tmp_path) == {"1_cat_mask.png"}


def test_two_files_for_one_place_are_told(tmp_path):
    touch(tmp_path, "old/1_cat_seg.png", "new/1_cat_seg.png")
    with pytest.raises(InputError, match=r"two files for big-pspnet's 1_cat_seg\.png: .*new.*old"):
        plan(find("big-pspnet"), tmp_path)


def test_ade20k_takes_the_validation_set_alone(tmp_path):
    top = "ADEChallengeData2016"
    touch(tmp_path, f"{top}/images/validation/ADE_val_1.jpg", f"{top}/objectInfo150.txt")
    touch(tmp_path, f"{top}/annotations/validation/ADE_val_1.png")
    touch(tmp_path, f"{top}/images/training/ADE_train_1.jpg")
    touch(tmp_path, f"{top}/annotations/training/ADE_train_1.png")
    assert targets("ade20k", tmp_path) == {
        "images/validation/ADE_val_1.jpg",
        "annotations/validation/ADE_val_1.png",
    }


def test_ade20k_results_are_known_by_their_names(tmp_path):
    names = ["A_im.jpg", "A_13.1_seg.png", "A_13.1_gt.png", "A_13.1_mask.png", "A.png"]
    touch(tmp_path, *names)
    assert targets("ade20k-encnet-split", tmp_path) == set(names[:3])
    assert targets("ade20k-encnet-refined", tmp_path) == {"A_13.1_mask.png"}
    assert "A.png" in targets("ade20k-encnet", tmp_path)


def test_an_archive_within_is_told(tmp_path):
    touch(tmp_path, "deeplab.zip")
    with pytest.raises(InputError, match=r"archives \(deeplab\.zip\): import these"):
        plan(find("big-pspnet"), tmp_path)


def test_samples_are_counted_by_split(tmp_path):
    miniature.big(tmp_path / "big")
    miniature.pascal(tmp_path / "pascal")
    miniature.ade20k(tmp_path / "ade20k")
    miniature.ade_split(tmp_path / "split")
    assert count(find("big"), tmp_path / "big") == {"val": 1, "test": 2}
    assert count(find("pascal"), tmp_path / "pascal") == {"all": 2}
    assert count(find("ade20k"), tmp_path / "ade20k") == {"validation": 2}
    assert count(find("ade20k-encnet-split"), tmp_path / "split") == {"all": 4}
    assert count(find("big"), tmp_path / "none") == {"val": 0, "test": 0}
