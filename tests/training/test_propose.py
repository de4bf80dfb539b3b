"""Proposals are made for real coarse masks and met in training as the first view's prior."""

import sys

import cv2
import numpy as np
import pytest

from edgewise.errors import InputError
from edgewise.training import data
from edgewise.training.data import Library, draw, proposal_path
from edgewise.training.propose import main, proposed


class Echo:
    """A proposal network that gives the prompt back."""

    stride = 224

    def __call__(self, photo, mask, places):
        return mask[None]


@pytest.fixture
def coarse():
    levels = np.zeros((120, 200), np.uint8)
    levels[30:90, 60:150] = 255
    return levels


@pytest.fixture
def photo():
    return np.random.default_rng(2).integers(0, 256, (120, 200, 3), np.uint8)


def test_a_proposal_lies_where_its_mask_lies(photo, coarse):
    levels = proposed(Echo(), photo, coarse, np.random.default_rng(0))
    assert levels.shape == coarse.shape
    both = (levels > 127) & (coarse > 127)
    assert both.sum() / ((levels > 127) | (coarse > 127)).sum() > 0.95


def test_an_empty_mask_has_none(photo, coarse):
    assert proposed(Echo(), photo, coarse * 0, np.random.default_rng(0)) is None


def test_a_library_finds_them_and_first_views_start_from_them(tmp_path, monkeypatch, photo, coarse):
    root, made = tmp_path / "data", tmp_path / "proposals"
    (root / "davis").mkdir(parents=True)
    cv2.imwrite(str(root / "davis" / "a_im.jpg"), photo)
    for name in ("a_gt", "a_seg_net"):
        cv2.imwrite(str(root / "davis" / f"{name}.png"), coarse)
    target = proposal_path(root / "davis" / "a_seg_net.png", root, made)
    target.parent.mkdir(parents=True)
    cv2.imwrite(str(target), np.full_like(coarse, 77))
    monkeypatch.setattr(data, "REAL_SHARE", 1.0)
    monkeypatch.setattr(data, "PROPOSAL_SHARE", 1.0)
    monkeypatch.setattr(data, "WHOLE_SHARE", 1.0)
    library = Library(root, [made])
    library.sources = [source for source in library.sources if source.name == "davis"]
    sample = draw(library, 64, np.random.default_rng(0))
    assert (sample["prior"] == 77).all()
    assert 77 not in sample["coarse"]


@pytest.fixture
def library(tmp_path, photo, coarse):
    """One photo, its coarse mask far from the truth, and two proposals of it."""
    root = tmp_path / "data"
    (root / "davis").mkdir(parents=True)
    cv2.imwrite(str(root / "davis" / "a_im.jpg"), photo)
    cv2.imwrite(str(root / "davis" / "a_gt.png"), coarse)
    cv2.imwrite(str(root / "davis" / "a_seg_net.png"), np.roll(coarse, 25, 1))
    folders = [tmp_path / "one", tmp_path / "two"]
    for folder, level in zip(folders, (77, 99), strict=True):
        target = proposal_path(root / "davis" / "a_seg_net.png", root, folder)
        target.parent.mkdir(parents=True)
        cv2.imwrite(str(target), np.full_like(coarse, level))
    return Library(root, folders)


def test_of_several_proposals_each_is_drawn(library, monkeypatch):
    for name in ("REAL_SHARE", "PROPOSAL_SHARE"):
        monkeypatch.setattr(data, name, 1.0)
    random, item = np.random.default_rng(0), library.items["davis"][0]
    scenes = [data.real_scene(item, random) for _ in range(24)]
    assert {int(scene.proposal[0, 0]) for scene in scenes} == {77, 99}


def test_a_folder_without_masks_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["propose", str(tmp_path / "nosuch"), str(tmp_path / "out")])
    with pytest.raises(InputError, match="no folders with"):
        main()
