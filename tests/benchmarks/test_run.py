"""A run makes the masks of input sets, scores them and given ones, and goes on where it ended."""

import numpy as np
import pytest

from edgewise.benchmarks import run
from edgewise.benchmarks.catalog import find
from edgewise.benchmarks.run import InputSet, given_job, input_sets, own_job, published_jobs, work
from edgewise.benchmarks.store import Store
from edgewise.errors import InputError, OutputError
from edgewise.evaluation import Failure, Header, Row
from edgewise.masks import read_mask
from edgewise.metrics import score
from tests.benchmarks import miniature
from tests.benchmarks.engines import Fails, Grey, Moves, Never, moved

PSPNET = InputSet(dataset="big", network="pspnet")
COARSE = miniature.disc(radius=0.3)


@pytest.fixture
def store(tmp_path):
    """A store with BIG and two of its input sets, and one of PASCAL."""
    root = tmp_path / "store"
    miniature.big(root / "big")
    miniature.pascal(root / "pascal")
    for network in ("pspnet", "fcn8s"):
        miniature.masks(root / f"big-{network}", miniature.BIG_NAMES["test"])
    miniature.masks(root / "pascal-refinenet", miniature.PASCAL_NAMES)
    return Store(root)


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "run"


def header(engine=None):
    return Header(engine=(engine or Moves()).describe(), fast=True)


def done(job, engine=None, **options):
    engine = engine or Moves()
    return sorted(work(job, engine, header(engine), **options), key=lambda one: one.id)


def lines(job):
    return len(job.results.read_text().splitlines())


# Which input sets


def test_input_sets_are_those_that_are_here(store):
    assert [one.name for one in input_sets(store, "big")] == ["big-pspnet", "big-fcn8s"]
    assert [one.name for one in input_sets(store, "pascal")] == ["pascal-refinenet"]


def test_input_sets_asked_for_must_be_here(store):
    assert [one.name for one in input_sets(store, "big", ["fcn8s"])] == ["big-fcn8s"]
    with pytest.raises(InputError, match="fetch big-refinenet"):
        input_sets(store, "big", ["fcn8s", "refinenet"])
    with pytest.raises(InputError, match="no network 'encnet' for big"):
        input_sets(store, "big", ["encnet"])
    with pytest.raises(InputError, match="no dataset 'voc'; there is: big, pascal, ade20k"):
        input_sets(store, "voc")


def test_as_many_masks_were_published_as_the_catalog_says():
    assert PSPNET.published == find("big-pspnet").count == 100


# Refining


@pytest.mark.parametrize("workers", [1, 2])
def test_a_row_is_the_score_of_the_mask_that_is_kept(store, folder, workers):
    rows = done(own_job(PSPNET, store, folder), workers=workers)
    assert [row.key for row in rows] == [
        ("big-pspnet", "002_person", ""),
        ("big-pspnet", "003_tv", ""),
    ]
    truth = miniature.disc()
    for row in rows:
        kept = read_mask(folder / "big-pspnet" / f"{row.id}_mask.png", soft=True)
        np.testing.assert_array_equal(kept, moved(COARSE).astype(np.float32))
        for before, after in ((COARSE, row.before), (moved(COARSE), row.after)):
            expected = score(before, truth)
            assert (after.iou, after.mba) == (expected.iou, expected.mba)
            assert (after.intersection, after.union) == (expected.intersection, expected.union)
        assert row.refined
        assert row.seconds >= 0


@pytest.mark.parametrize(("level", "object_"), [(128.4 / 255, False), (128.6 / 255, True)])
def test_a_soft_answer_scores_as_its_file_does(store, folder, level, object_):
    row = done(own_job(PSPNET, store, folder), Grey(level))[0]
    kept = read_mask(folder / "big-pspnet" / "002_person_mask.png", soft=True)
    assert (np.rint(kept * 255) > 128).all() == object_
    assert (row.after.intersection > 0) == object_


def test_a_failed_object_leaves_no_mask_and_the_others_are_done(store, folder):
    white = np.full((*miniature.SIZE, 3), 250, np.uint8)
    miniature.save(white, store.root / "big" / "test" / "003_tv_im.jpg")
    bad, good = done(own_job(PSPNET, store, folder), Fails(below=200))
    assert isinstance(bad, Failure)
    assert bad.error == "too dark"
    assert isinstance(good, Row)
    assert not (folder / "big-pspnet" / "002_person_mask.png").exists()
    assert (folder / "big-pspnet" / "003_tv_mask.png").exists()


def test_a_limit_takes_the_first(store, folder):
    job = own_job(PSPNET, store, folder)
    assert [row.id for row in done(job, limit=1)] == ["002_person"]
    assert len(done(job)) == 2


# Going on


def test_what_is_done_is_taken_up(store, folder):
    job = own_job(PSPNET, store, folder)
    next(work(job, Moves(), header()))
    assert lines(job) == 2
    first = job.results.read_text()
    rows = done(job)
    assert [row.id for row in rows] == ["002_person", "003_tv"]
    assert job.results.read_text().startswith(first)
    assert done(job) == rows
    assert lines(job) == 3


def test_a_mask_that_is_gone_is_made_again(store, folder):
    job = own_job(PSPNET, store, folder)
    rows = done(job)
    (folder / "big-pspnet" / "003_tv_mask.png").unlink()
    again = done(job)
    assert [row.after for row in again] == [row.after for row in rows]
    assert (folder / "big-pspnet" / "003_tv_mask.png").exists()


def test_the_folder_of_another_engine_is_refused(store, folder):
    job = own_job(PSPNET, store, folder)
    done(job)
    with pytest.raises(InputError, match="engine's engine is moves, not grey"):
        done(job, Grey(0.0))


def test_a_folder_that_cannot_be_made_is_told(store, folder):
    folder.write_text("a file")
    with pytest.raises(OutputError, match="cannot be made"):
        done(own_job(PSPNET, store, folder))


# Masks that others made


def test_given_masks_are_scored_and_no_engine_is_opened(store, folder, tmp_path):
    masks = miniature.masks(tmp_path / "crm", ["003_tv"], "_mask.png")
    job = given_job(PSPNET, "CRM", masks, store, folder)
    (row,) = done(job, Never())
    assert row.after.iou == score(COARSE, miniature.disc()).iou
    assert row.before.iou == row.after.iou
    assert not row.refined
    assert job.results.name == "CRM.jsonl"
    assert sorted(path.name for path in job.folder.iterdir()) == ["CRM.jsonl"]


def test_given_masks_count_as_object_above_128(store, folder, tmp_path):
    levels = np.where(miniature.disc(), 129, 128).astype(np.uint8)
    miniature.save(levels, tmp_path / "crm" / "003_tv_mask.png")
    (row,) = done(given_job(PSPNET, "CRM", tmp_path / "crm", store, folder))
    assert row.after.iou == 1


def test_published_results_are_scored_where_they_are_here(store, folder):
    refined = miniature.masks(store.root / "big-fcn8s-refined", ["002_person"], "_mask.png")
    (job,) = published_jobs(input_sets(store, "big"), store, folder)
    assert (job.inputs.network, job.method) == ("fcn8s", "CascadePSP")
    assert job.pairs[0].refined == refined / "002_person_mask.png"


@pytest.mark.parametrize("name", ["edgewise", "coarse", "", "../x", "a/b", ".hidden"])
def test_given_masks_need_a_name_of_their_own(store, folder, tmp_path, name):
    miniature.masks(tmp_path / "crm", ["003_tv"], "_mask.png")
    with pytest.raises(InputError, match="cannot name masks"):
        given_job(PSPNET, name, tmp_path / "crm", store, folder)


def test_a_folder_without_masks_of_the_set_is_told(store, folder, tmp_path):
    masks = miniature.masks(tmp_path / "crm", ["2007_000033_01"], "_mask.png")
    with pytest.raises(InputError, match="no mask of big-pspnet in it; expected <name>_mask"):
        given_job(PSPNET, "CRM", masks, store, folder)


def test_every_dataset_of_one_object_a_photo_can_be_run():
    assert {find(name).role for name in run.BINARY} == {"dataset"}
