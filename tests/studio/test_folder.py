"""Folder mode: which files belong together, what is kept when a server dies, what is handed on."""

import json
from contextlib import closing

import numpy as np
import pytest
from PIL import Image

from edgewise.errors import InputError
from edgewise.masks import read_mask
from edgewise.studio import edits
from edgewise.studio.folder import HOME, Queue, scan
from edgewise.studio.limits import Limits, RefusedError
from edgewise.studio.store import Store
from tests.studio.serving import COARSE, PHOTO


@pytest.fixture
def put(tmp_path):
    """Write a photo or a mask below the folder."""

    def write(name, picture=PHOTO):
        path = tmp_path / "photos here" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(picture).save(path)
        return path

    return write


@pytest.fixture
def folder(tmp_path, put):
    """A folder of three photos, one of them without a mask."""
    for id_ in ("a", "b"):
        put(f"{id_}_im.jpg")
        put(f"{id_}_seg.png", COARSE)
    put("c_im.jpg")
    return tmp_path / "photos here"


@pytest.fixture
def store():
    store = Store(Limits(documents=1))
    yield store
    store.close()


def found(folder):
    """Photos with their masks, by names below the folder."""
    return {
        (entry.photo.relative_to(folder).as_posix(), entry.source): entry.coarse
        and entry.coarse.relative_to(folder).as_posix()
        for entry in scan(folder).entries
    }


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["a_im.png", "a_seg.png", "a_gt.png"], {("a_im.png", ""): "a_seg.png"}),
        (
            ["a_im.jpg", "a_seg_x.png", "a_seg_y.png"],
            {("a_im.jpg", "x"): "a_seg_x.png", ("a_im.jpg", "y"): "a_seg_y.png"},
        ),
        (["a_im.jpg", "a_seg.png", "a_mask.png"], {("a_im.jpg", ""): "a_seg.png"}),
        (["a.jpg", "a.png"], {("a.jpg", ""): "a.png"}),
        (["a.jpg", "a_mask.png"], {("a.jpg", ""): "a_mask.png"}),
        (["a.png", "masks/a.png"], {("a.png", ""): "masks/a.png"}),
        (["photos/a.jpg", "masks/a.png"], {("photos/a.jpg", ""): "masks/a.png"}),
        (["images/a.jpg", "masks/b.png"], {("images/a.jpg", ""): None}),
        (["a.jpg", "b.png"], {("a.jpg", ""): None, ("b.png", ""): None}),
        (["a_im.jpg", "masks/a.png"], {("a_im.jpg", ""): "masks/a.png"}),
    ],
)
def test_photos_find_their_masks_by_name(put, names, expected):
    for name in names:
        is_mask = name.startswith("masks/") or name.endswith(("_seg.png", "_mask.png", "_gt.png"))
        path = put(name, COARSE if is_mask else PHOTO)
    folder = next(parent for parent in path.parents if parent.name == "photos here")
    assert found(folder) == expected


def test_a_folder_without_photos_is_refused_and_damaged_ones_are_told(folder, tmp_path):
    (folder / "d_im.jpg").write_bytes(b"no picture")
    assert len(scan(folder).entries) == 3
    assert "d_im.jpg" in scan(folder).problems[0]
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="no photos"):
        scan(tmp_path / "empty")


def test_decisions_are_there_again_after_the_server_was_killed(folder):
    queue = Queue(folder)
    first, second, third = queue.entries
    queue.decide(first, "accepted", 12.34)
    queue.decide(second, "flagged", 1)
    queue.note_mask(third, True)
    journal = folder / HOME / "queue.jsonl"
    journal.write_bytes(journal.read_bytes() + b'{"key": "cut o')
    queue.close()  # as the system does for a process that has died
    again = Queue(folder)
    assert [entry.status for entry in again.entries.values()] == ["accepted", "flagged", "new"]
    assert again.entries[first].seconds == 12.3
    assert again.entries[third].has_mask
    assert again.counts() == {"new": 1, "accepted": 1, "fixed": 0, "skipped": 0, "flagged": 1}
    again.decide(first, "skipped", 13)
    again.close()
    Queue(folder).close()
    lines = journal.read_text().splitlines()
    assert all(json.loads(line) for line in lines)


def test_one_studio_has_a_folder_at_a_time(folder):
    queue = Queue(folder)
    with pytest.raises(InputError, match="another studio"):
        Queue(folder)
    queue.close()
    Queue(folder).close()


def test_nothing_is_accepted_without_a_mask(folder):
    queue = Queue(folder)
    key = next(key for key, entry in queue.entries.items() if not entry.has_mask)
    with pytest.raises(RefusedError, match="has no mask"):
        queue.decide(key, "accepted", 0)
    queue.decide(key, "skipped", 0)
    with pytest.raises(RefusedError, match="no photo"):
        queue.decide("../a", "skipped", 0)
    queue.close()


@pytest.mark.parametrize("status", ["accepted", "fixed"])
def test_what_was_accepted_is_new_again_when_its_mask_is_taken_back(folder, store, status):
    queue = Queue(folder)
    key = next(key for key, entry in queue.entries.items() if not entry.has_mask)
    queue.note_mask(key, True)
    queue.decide(key, status, 2)
    queue.note_mask(key, False)
    with pytest.raises(RefusedError, match="nothing is accepted"):
        queue.export(store)
    queue.close()
    again = Queue(folder)
    assert (again.entries[key].status, again.entries[key].seconds) == ("new", 2)
    again.decide(key, "flagged", 3)
    again.note_mask(key, True)
    again.note_mask(key, False)
    assert again.entries[key].status == "flagged"
    again.close()


def test_an_entry_accepted_without_a_mask_by_an_older_journal_is_not_exported(folder, store):
    (folder / HOME).mkdir()
    queue = Queue(folder)
    a, _, c = queue.entries
    queue.close()
    events = [{"key": key, "status": "accepted", "seconds": 1} for key in (a, c)]
    lines = [json.dumps(line) + "\n" for line in ({"edgewise-studio-queue": 1}, *events)]
    (folder / HOME / "queue.jsonl").write_text("".join(lines))
    queue = Queue(folder)
    target, count = queue.export(store)
    assert count == 1
    assert not (target / "c_gt.png").exists()
    queue.close()


def test_names_that_are_no_utf8_are_shown_and_their_files_opened(put, store):
    folder = put("b\udcffr_im.png").parent
    put("b\udcffr_seg.png", COARSE)
    queue = Queue(folder)
    ((key, entry),) = queue.entries.items()
    assert entry.name == "b\ufffdr_im.png"
    with store.using(store.open(queue.source(key))) as document:
        assert document.name == "b\ufffdr_im.png"
    queue.decide(key, "accepted", 1)
    target, _ = queue.export(store)
    assert (target / "b\udcffr_im.png").is_file()
    queue.close()


def test_the_accepted_set_is_exported_and_the_originals_stay_as_they_are(folder, store):
    before = {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    queue = Queue(folder)
    a, b, _ = queue.entries
    with pytest.raises(RefusedError, match="nothing is accepted"):
        queue.export(store)
    with store.using(store.open(queue.source(b))) as document:
        edits.paint(document, "add", [(5, 5)], 3)
        painted = document.layers["current"] > 127
    queue.decide(a, "accepted", 1)
    queue.decide(b, "fixed", 1)
    target, count = queue.export(store)
    assert (target.parent, count) == (folder, 2)
    assert sorted(path.name for path in target.iterdir()) == [
        f"{id_}_{part}" for id_ in "ab" for part in ("gt.png", "im.jpg", "seg.png")
    ]
    for id_, mask in (("a", COARSE), ("b", painted)):
        np.testing.assert_array_equal(read_mask(target / f"{id_}_gt.png") > 0.5, mask)
        np.testing.assert_array_equal(read_mask(target / f"{id_}_seg.png") > 0.5, COARSE)
        assert (target / f"{id_}_im.jpg").read_bytes() == before[f"{id_}_im.jpg"]
    assert painted[5, 5]
    assert queue.export(store)[0] != target
    assert {p.name: p.read_bytes() for p in folder.iterdir() if p.is_file()} == before
    assert len(scan(folder).entries) == 3  # what was exported is no new entry
    queue.close()


def test_a_failed_export_leaves_no_folder(folder, store):
    queue = Queue(folder)
    a = next(iter(queue.entries))
    queue.decide(a, "accepted", 1)
    queue.entries[a].photo.unlink()
    with pytest.raises(RefusedError):
        queue.export(store)
    queue.close()
    assert [path.name for path in folder.iterdir() if path.is_dir()] == [HOME]


def test_two_masks_of_one_photo_are_exported_under_two_names(put, store):
    folder = put("a_im.jpg").parent
    put("a_seg_x.png", COARSE)
    put("a_seg_y.png", ~COARSE)
    queue = Queue(folder)
    for key in queue.entries:
        queue.decide(key, "accepted", 0)
    target, _ = queue.export(store)
    queue.close()
    stems = sorted(path.stem.split("_")[0] for path in target.iterdir())
    assert len(set(stems)) == 2
    assert len(stems) == 6


def test_work_on_a_photo_that_was_replaced_meanwhile_is_not_mixed_up(folder, store, put):
    queue = Queue(folder)
    key = next(iter(queue.entries))
    with store.using(store.open(queue.source(key))) as document:
        edits.paint(document, "add", [(5, 5)], 3)
    queue.close()
    put(queue.entries[key].photo.name, PHOTO[:, ::-1])
    with closing(Store(Limits())) as fresh, pytest.raises(InputError, match="another photo"):
        fresh.open(queue.source(key))


def test_a_photo_replaced_while_it_is_open_is_not_exported_with_the_old_mask(folder, store, put):
    with closing(Queue(folder)) as queue:
        entry = next(iter(queue.entries.values()))
        key = store.open(queue.source(entry.key))
        assert store.open(queue.source(entry.key)) == key
        with store.using(key) as document:
            edits.paint(document, "add", [(5, 5)], 3)
        queue.decide(entry.key, "accepted", 1.0)
        put("a_im.jpg", PHOTO[::-1].copy())
        with pytest.raises(InputError, match="another photo or mask"):
            queue.export(store)
        assert not list(folder.glob("edgewise-export-*"))


@pytest.mark.parametrize("opened", [1, 2], ids=["in memory", "on the disk"])
def test_a_photo_replaced_while_it_is_open_without_work_is_read_anew(folder, store, put, opened):
    with closing(Queue(folder)) as queue:
        entries = list(queue.entries.values())
        entry = entries[0]
        before, *_ = [store.open(queue.source(one.key)) for one in entries[:opened]]
        put("a_im.jpg", 255 - PHOTO)
        after = store.open(queue.source(entry.key))
        assert after != before  # what a browser keeps of the old one is not shown for the new one
        with store.using(after) as document:
            assert document.photo[0, 0, 0] > 128 > PHOTO[0, 0, 0]


def test_a_page_of_a_photo_that_was_replaced_does_not_go_on_with_the_new_one(folder, store, put):
    with closing(Queue(folder)) as queue:
        first, second, *_ = [queue.source(key) for key in queue.entries]
        key = store.open(first)
        store.open(second)
        put("a_im.jpg", 255 - PHOTO)
        with pytest.raises(InputError, match="was replaced"), store.using(key):
            pass
        assert store.open(first) != key


def test_time_is_noted_without_a_verdict(folder):
    with closing(Queue(folder)) as queue:
        key = next(iter(queue.entries))
        queue.decide(key, "flagged", 1.0)
        entry = queue.decide(key, None, 2.0)
        assert (entry.status, entry.seconds) == ("flagged", 2.0)
