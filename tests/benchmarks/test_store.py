"""Rows appear in the store whole, and what was there is not lost."""

import os
from pathlib import Path, PurePath

import pytest

from edgewise.benchmarks.catalog import find
from edgewise.benchmarks.layouts import Plan
from edgewise.benchmarks.store import ENVIRONMENT, Store, default_root, need, photos_of
from edgewise.errors import InputError, OutputError
from tests.benchmarks import miniature

ROW = find("big-pspnet")


def names(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.png"))


def plan_of(folder, *targets, text="new"):
    folder.mkdir(exist_ok=True)
    files = {}
    for target in targets:
        source = folder / PurePath(target).name
        source.write_text(text)
        files[PurePath(target)] = source
    return Plan(files=files)


def test_the_environment_names_the_folder(monkeypatch, tmp_path):
    monkeypatch.setenv(ENVIRONMENT, str(tmp_path))
    assert default_root() == tmp_path
    assert Store().root == tmp_path


def test_else_it_is_in_the_platforms_cache(monkeypatch, tmp_path):
    monkeypatch.delenv(ENVIRONMENT, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert default_root().parts[-2:] == ("edgewise", "benchmarks")


@pytest.mark.parametrize("mode", ["copy", "link", "move"])
def test_files_are_copied_linked_or_moved(store, tmp_path, mode):
    plan = plan_of(tmp_path / "have", "a_seg.png")
    store.install(ROW, plan, mode=mode)
    there = store.folder(ROW) / "a_seg.png"
    assert there.read_text() == "new"
    assert there.is_symlink() == (mode == "link")
    assert (tmp_path / "have" / "a_seg.png").exists() == (mode != "move")


def test_a_second_part_is_added_to_the_first(store, tmp_path):
    store.install(ROW, plan_of(tmp_path / "1", "a_seg.png", "b_seg.png", text="1"), mode="copy")
    store.install(ROW, plan_of(tmp_path / "2", "b_seg.png", "c_seg.png", text="2"), mode="copy")
    texts = {path.name[0]: path.read_text() for path in store.folder(ROW).iterdir()}
    assert texts == {"a": "1", "b": "2", "c": "2"}


def test_links_stay_links_when_a_part_is_added(store, tmp_path):
    store.install(ROW, plan_of(tmp_path / "1", "a_seg.png"), mode="link")
    store.install(ROW, plan_of(tmp_path / "2", "b_seg.png"), mode="copy")
    assert (store.folder(ROW) / "a_seg.png").is_symlink()
    assert names(store.folder(ROW)) == ["a_seg.png", "b_seg.png"]


def test_replace_throws_the_old_away(store, tmp_path):
    store.install(ROW, plan_of(tmp_path / "1", "a_seg.png"), mode="copy")
    store.install(ROW, plan_of(tmp_path / "2", "b_seg.png"), mode="copy", replace=True)
    assert names(store.folder(ROW)) == ["b_seg.png"]


def test_a_failed_install_leaves_what_was_there(store, tmp_path):
    store.install(ROW, plan_of(tmp_path / "1", "a_seg.png"), mode="copy")
    plan = plan_of(tmp_path / "2", "b_seg.png", "c_seg.png")
    (tmp_path / "2" / "c_seg.png").unlink()
    with pytest.raises(OutputError, match="cannot be made"):
        store.install(ROW, plan, mode="copy")
    assert names(store.folder(ROW)) == ["a_seg.png"]
    assert os.listdir(store.root) == ["big-pspnet"]


@pytest.mark.parametrize(("mode", "replace"), [("link", False), ("link", True), ("copy", True)])
def test_a_rows_own_files_are_not_linked_to_or_thrown_away(store, tmp_path, mode, replace):
    folder = store.folder(ROW)
    folder.mkdir(parents=True)
    plan = plan_of(folder, "a_seg.png", "b_seg.png")
    with pytest.raises(InputError, match=r"a_seg\.png: the data lie there already, .* big-pspnet"):
        store.install(ROW, plan, mode=mode, replace=replace)
    (tmp_path / "have").symlink_to(folder)
    through = Plan(files={PurePath("x_seg.png"): tmp_path / "have" / "a_seg.png"})
    with pytest.raises(InputError, match="lie there already"):
        store.install(ROW, through, mode=mode, replace=replace)
    texts = {path.name: path.read_text() for path in folder.iterdir() if not path.is_symlink()}
    assert texts == {"a_seg.png": "new", "b_seg.png": "new"}


def test_a_rows_own_files_may_be_laid_out_anew_by_copy(store):
    folder = store.folder(ROW) / "as unpacked"
    folder.mkdir(parents=True)
    source = folder / "1.png"
    source.write_text("1")
    store.install(ROW, Plan(files={PurePath("a_seg.png"): source}), mode="copy")
    assert names(store.folder(ROW)) == ["a_seg.png", "as unpacked/1.png"]
    assert (store.folder(ROW) / "a_seg.png").read_text() == "1"


def test_a_root_that_is_a_file_is_told(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(OutputError, match="cannot be written"):
        Store(tmp_path / "file").install(ROW, Plan(), mode="copy")


def test_complete_means_as_many_as_published(store):
    miniature.big(store.folder(find("big")))
    assert store.is_complete(miniature.small("big"))
    assert not store.is_complete(find("big"))
    assert store.counts(find("big")) == {"val": 1, "test": 2}


def test_without_a_published_number_any_are_complete(store):
    row = find("ade20k-encnet-split")
    assert not store.is_complete(row)
    miniature.ade_split(store.folder(row))
    assert store.is_complete(row)


def test_what_is_not_here_is_told_with_the_command_that_brings_it():
    with pytest.raises(InputError, match="benchmark fetch big"):
        need(Path("nowhere"), "big")


def test_photos_of_a_split_are_found(store):
    miniature.big(store.folder(find("big")))
    assert photos_of(store, "big", "val").name == "val"
    with pytest.raises(InputError, match="no split 'train'"):
        photos_of(store, "big", "train")
    with pytest.raises(InputError, match="is no dataset"):
        photos_of(store, "big-pspnet", "test")


def test_input_sets_are_those_of_the_benchmark(store):
    assert store.input_set("big", "pspnet", "test") == store.root / "big-pspnet"
    with pytest.raises(InputError, match="no inputs of val"):
        store.input_set("big", "pspnet", "val")
