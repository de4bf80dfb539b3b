"""Verification lists each thing that is not as published, and nothing else."""

import numpy as np
import pytest
from PIL import Image

from edgewise.benchmarks.catalog import find
from edgewise.benchmarks.verify import verify
from edgewise.errors import InputError
from tests.benchmarks import miniature

BIG_TEST = miniature.BIG_NAMES["test"]


@pytest.fixture
def root(store):
    """Where a store has one of each kind, all as published."""
    miniature.big(store.root / "big")
    miniature.pascal(store.root / "pascal")
    miniature.ade20k(store.root / "ade20k")
    miniature.masks(store.root / "big-pspnet", BIG_TEST)
    miniature.masks(store.root / "big-pspnet-refined", BIG_TEST, "_mask.png")
    miniature.masks(store.root / "pascal-fcn8s", miniature.PASCAL_NAMES)
    for name in miniature.ADE_NAMES:
        labels = np.full(miniature.SIZE, 150, np.uint8)
        miniature.save(labels, store.root / "ade20k-encnet" / f"{name}.png")
    parts = [f"{name}_13.1" for name in miniature.ADE_NAMES]
    miniature.masks(store.root / "ade20k-encnet-refined", parts, "_mask.png")
    miniature.ade_split(store.root / "ade20k-encnet-split")
    return store.root


def problems(name, store):
    return [f"{one.where}: {one.what}" for one in verify(miniature.small(name), store)]


ROWS = [
    "big",
    "pascal",
    "ade20k",
    "big-pspnet",
    "big-pspnet-refined",
    "pascal-fcn8s",
    "ade20k-encnet",
    "ade20k-encnet-split",
    "ade20k-encnet-refined",
]


@pytest.mark.parametrize("name", ROWS)
def test_nothing_is_wrong_with_what_is_as_published(root, store, name):
    assert problems(name, store) == []


def test_refined_components_may_be_as_large_as_their_boxes(root, store):
    box = np.zeros((7, 9), np.uint8)
    miniature.save(box, root / "ade20k-encnet-refined" / "ADE_val_00000001_13.1_mask.png")
    assert problems("ade20k-encnet-refined", store) == []


def test_numbers_are_compared_with_those_published(root, store):
    found = [f"{one.where}: {one.what}" for one in verify(find("big"), store)]
    assert found[:2] == [
        "big, val: 1 samples; 50 were published",
        "big, test: 2 samples; 100 were published",
    ]
    assert found[2] == "001_cat_im.jpg: has 36x24 pixels; published are 3.3 to 18.0 million"


def broken(root):
    """Each way to break a file, with where it is and the words that tell it."""
    half = np.full(miniature.SIZE, 128, np.uint8)
    turned = miniature.grey(miniature.disc()).T
    return {
        "no truth": ("big/val/001_cat_gt.png", None, "big", "this photo has no truth"),
        "no photo": ("big/val/001_cat_im.jpg", None, "big", "this truth has no photo"),
        "level": ("big/val/001_cat_gt.png", half, "big", "holds 128"),
        "turned": ("big/val/001_cat_gt.png", turned, "big", "has 24x36 pixels, and 001_cat_im.jpg"),
        "cut": ("pascal/2007_000033_01_gt.png", b"\x89PNG\r\n\x1a\n", "pascal", "damaged"),
        "photo": ("big/test/003_tv_im.jpg", b"\xff\xd8\xff", "big", "damaged or cut off JPEG"),
        "indices": (
            "pascal-fcn8s/2007_000033_01_seg.png",
            miniature.disc().astype(np.uint8),
            "pascal-fcn8s",
            "no mask of 0 and 255: it also holds 1",
        ),
        "colours": ("big-pspnet/003_tv_seg.png", miniature.photo(), "big-pspnet", "colours (RGB)"),
        "extra": ("big-pspnet/009_cow_seg.png", half, "big-pspnet", "this mask has no photo"),
        "soft": (
            "big-pspnet-refined/003_tv_mask.png",
            miniature.photo(),
            "big-pspnet-refined",
            "mode RGB; expected 8-bit grey",
        ),
        "label": (
            "ade20k-encnet/ADE_val_00000001.png",
            half + 30,
            "ade20k-encnet",
            "labels from 158 to 158; expected 0 to 150",
        ),
        "component": (
            "ade20k-encnet-split/ADE_val_00000001_13.1_seg.png",
            half,
            "ade20k-encnet-split",
            "holds 128",
        ),
        "part's photo": (
            "ade20k-encnet-split/ADE_val_00000001_im.jpg",
            None,
            "ade20k-encnet-split",
            "there is no photo ADE_val_00000001",
        ),
        "part's size": (
            "ade20k-encnet-refined/ADE_val_00000001_13.1_mask.png",
            np.zeros((25, 36), np.uint8),
            "ade20k-encnet-refined",
            "has 36x25 pixels, more than ADE_val_00000001.jpg with 36x24",
        ),
        "part's name": (
            "ade20k-encnet-refined/some_mask.png",
            half,
            "ade20k-encnet-refined",
            "expected <image>_<label>.<component>",
        ),
    }


@pytest.mark.parametrize("kind", broken(None))
def test_what_is_wrong_is_told_with_its_file(root, store, kind):
    where, content, name, words = broken(root)[kind]
    path = root / where
    if content is None:
        path.unlink()
    elif isinstance(content, bytes):
        path.write_bytes(content)
    else:
        miniature.save(content, path)
    found = problems(name, store)
    assert any(words in problem for problem in found), found
    assert any(path.name[:7] in problem for problem in found)


def test_a_soft_mask_may_hold_every_level(root, store):
    ramp = np.arange(24 * 36, dtype=np.uint8).reshape(miniature.SIZE)
    miniature.save(ramp, root / "big-pspnet-refined" / "003_tv_mask.png")
    assert problems("big-pspnet-refined", store) == []


def test_masks_of_one_bit_and_of_black_and_white_rgb_pass(root, store):
    mask = miniature.disc()
    miniature.save(mask, root / "big-pspnet" / "003_tv_seg.png")
    white = np.repeat(miniature.grey(mask)[..., None], 3, axis=2)
    miniature.save(white, root / "big-pspnet" / "002_person_seg.png")
    assert problems("big-pspnet", store) == []


def test_a_class_that_no_name_holds_is_told(root, store):
    for ending in ("_im.jpg", "_gt.png"):
        path = root / "big" / "val" / f"001_cat{ending}"
        path.rename(path.with_name(f"001_yak{ending}"))
    assert problems("big", store) == [
        f"001_yak_im.jpg: {problem}"
        for problem in ["001_yak: no class in this name; expected one of " + _classes()]
    ]


def _classes():
    from edgewise.benchmarks.voc import CLASSES

    return ", ".join(CLASSES)


def test_coarse_masks_beside_the_photos_are_looked_at(root, store):
    miniature.masks(root / "big" / "test", BIG_TEST[:1])
    assert problems("big", store) == ["003_tv_im.jpg: this photo has no coarse mask"]


def test_a_palette_mask_is_judged_by_its_colours(root, store):
    picture = Image.fromarray(miniature.disc().astype(np.uint8))
    picture.putpalette([0, 0, 0, 255, 255, 255])
    picture.save(root / "big-pspnet" / "003_tv_seg.png")
    assert problems("big-pspnet", store) == []


def test_without_the_dataset_inputs_cannot_be_verified(store):
    miniature.masks(store.root / "big-pspnet", BIG_TEST)
    with pytest.raises(InputError, match="big is not on this machine"):
        problems("big-pspnet", store)


def test_a_photo_that_breaks_off_is_told_though_its_header_is_whole(root, store):
    path = root / "big" / "test" / "003_tv_im.jpg"
    path.write_bytes(path.read_bytes()[:-300])
    (problem,) = problems("big", store)
    assert problem.startswith("003_tv_im.jpg: ")
    assert "damaged or cut off" in problem
