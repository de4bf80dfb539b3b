"""A run of scenes makes label maps, scores them and given ones, and makes none twice."""

from dataclasses import dataclass

import cv2
import numpy as np
import pytest
from PIL import Image

from edgewise.benchmarks.run import InputSet, input_sets
from edgewise.benchmarks.scene_run import (
    PiecesEngine,
    SceneEngine,
    engine_scenes,
    given_scenes,
    measured_scenes,
    own_scenes,
    published_scenes,
    refine_pieces,
    work_scenes,
)
from edgewise.benchmarks.store import Store
from edgewise.errors import InputError
from edgewise.evaluation import Failure, Header, NetworkEngine
from edgewise.masks import read_mask, write_mask
from edgewise.metrics import mba_classes
from edgewise.scenes.folders import parts, read_coarse_part, write_split
from tests.benchmarks import miniature

ENCNET = InputSet(dataset="ade20k", network="encnet")
SIZE = (80, 120)
COARSE = np.where(miniature.disc(SIZE, radius=0.3), 13, 3).astype(np.uint8)


@dataclass(frozen=True)
class Moves:
    """Moves each label map one column to the right."""

    name: str = "moves"

    def __call__(self):
        return lambda photo, labels: np.roll(labels, 1, axis=1)

    def describe(self):
        return {"engine": self.name}


@dataclass(frozen=True)
class Never:
    """Must not be opened."""

    def __call__(self):
        raise AssertionError("opened")

    def describe(self):
        return {"engine": "moves"}


@pytest.fixture
def store(tmp_path):
    root = tmp_path / "store"
    truth = np.where(miniature.disc(SIZE), 13, 3).astype(np.uint8)
    truth[:9] = 0
    for name in miniature.ADE_NAMES:
        dataset = root / "ade20k"
        miniature.save(miniature.photo(size=SIZE), dataset / f"images/validation/{name}.jpg")
        miniature.save(truth, dataset / f"annotations/validation/{name}.png")
        miniature.save(COARSE, root / "ade20k-encnet" / f"{name}.png")
    return Store(root)


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "run"


def done(job, engine=None, **options):
    engine = engine or Moves()
    return list(work_scenes(job, engine, Header(engine=engine.describe()), **options))


def labels_in(path):
    with Image.open(path) as picture:
        return np.asarray(picture)


def scores(labels):
    """mIoU, mBA and accuracy of a label map by their published definitions."""
    truth = np.where(miniature.disc(SIZE), 13, 3)
    truth[:9] = 0
    seen = truth > 0
    ious = [
        (seen & (labels == label) & (truth == label)).sum()
        / ((seen & ((labels == label) | (truth == label))).sum() + 1e-6)
        for label in range(1, 151)
    ]
    return np.mean(ious), mba_classes(labels, truth), (labels == truth)[seen].mean()


def test_maps_are_kept_and_scored_as_published(store, folder):
    job = own_scenes(ENCNET, store, folder)
    coarse, refined = measured_scenes(job, done(job))
    moved = np.roll(COARSE, 1, axis=1)
    for name in miniature.ADE_NAMES:
        np.testing.assert_array_equal(labels_in(folder / f"ade20k-encnet/{name}.png"), moved)
    for figure, labels in ((coarse, COARSE), (refined, moved)):
        found = figure.iou, figure.mba, figure.accuracy
        assert found == pytest.approx(scores(labels.astype(int)))
        assert figure.pairs == 2
    assert (coarse.method, refined.method) == ("coarse", "edgewise")
    assert coarse.seconds is None
    assert refined.seconds >= 0


def test_maps_that_are_there_are_not_made_again(store, folder):
    first = done(own_scenes(ENCNET, store, folder), limit=1)
    assert [one.id for one in first] == miniature.ADE_NAMES[:1]
    job = own_scenes(ENCNET, store, folder)
    assert [pair.refined is None for pair in job.pairs] == [False, True]
    whole = done(job)
    again = done(own_scenes(ENCNET, store, folder), Never())
    assert [one.after for one in again] == [one.after for one in whole]
    assert again[0].seconds is None


def test_a_folder_of_another_engine_is_refused(store, folder):
    done(own_scenes(ENCNET, store, folder))
    with pytest.raises(InputError, match="engine's engine is moves, not other"):
        done(own_scenes(ENCNET, store, folder), Moves("other"))


def test_a_bad_scene_is_told_and_the_others_are_done(store, folder):
    small = np.full((8, 8, 3), 9, np.uint8)
    miniature.save(small, store.root / "ade20k/annotations/validation/ADE_val_00000001.png")
    bad, good = done(own_scenes(ENCNET, store, folder))
    assert isinstance(bad, Failure)
    assert bad.id == "ADE_val_00000001"
    assert good.id == "ADE_val_00000002"


def test_nothing_scored_makes_no_figures(store, folder):
    assert measured_scenes(own_scenes(ENCNET, store, folder), []) == []


def test_given_maps_are_scored_without_an_engine(store, folder, tmp_path):
    truth = labels_in(store.root / "ade20k/annotations/validation/ADE_val_00000002.png")
    miniature.save(truth, tmp_path / "crm" / "ADE_val_00000002.png")
    job = given_scenes(ENCNET, "CRM", tmp_path / "crm", store, folder)
    _, figure = measured_scenes(job, done(job, Never()))
    assert (figure.method, figure.pairs, figure.mba, figure.accuracy) == ("CRM", 1, 1, 1)
    with pytest.raises(InputError, match="no label map of ade20k-encnet in it"):
        given_scenes(ENCNET, "CRM", folder, store, folder)


def split_and_refined(store):
    """Pieces as published, and refined ones that are the coarse ones, of the boxes' size."""
    pieces, refined = (store.root / f"ade20k-encnet-{role}" for role in ("split", "refined"))
    pieces.mkdir()
    refined.mkdir()
    for name in miniature.ADE_NAMES:
        photo = store.root / f"ade20k/images/validation/{name}.jpg"
        write_split(name, (photo, store.root / f"ade20k-encnet/{name}.png", None), pieces)
        for piece in parts(pieces)[name]:
            mask, box = read_coarse_part(pieces, piece)
            write_mask(refined / f"{piece}_mask.png", mask[box.slices], soft=True)
    return refined


def test_published_pieces_are_merged_with_what_they_were_made_of(store, folder):
    assert published_scenes(input_sets(store, "ade20k"), store, folder) == []
    refined = split_and_refined(store)
    (job,) = published_scenes(input_sets(store, "ade20k"), store, folder)
    coarse, figure = measured_scenes(job, done(job, Never()))
    assert figure.method == "CascadePSP"
    assert (figure.iou, figure.mba) == (coarse.iou, coarse.mba)
    next(refined.glob("ADE_val_00000002_*")).unlink()
    assert [type(one) for one in done(job, Never())][1] is Failure


@dataclass(frozen=True)
class Refines:
    """An engine of masks, by a function of photo and mask."""

    function: object

    def __call__(self):
        return self.function

    def describe(self):
        return {"engine": "refines"}


def by_pieces(store, folder, function, method="other"):
    engine = PiecesEngine(engine=Refines(function))
    return engine_scenes(ENCNET, method, store, folder), engine


def test_an_engine_that_changes_nothing_leaves_label_maps_as_they_are(store, folder):
    job, engine = by_pieces(store, folder, lambda photo, mask: mask)
    coarse, figure = measured_scenes(job, done(job, engine))
    assert (figure.method, figure.iou, figure.mba) == ("other", coarse.iou, coarse.mba)
    assert (labels_in(folder / "other/ade20k-encnet/ADE_val_00000001.png") == COARSE).all()


def test_pieces_are_refined_in_their_boxes_and_merged_as_published(store, folder):
    """The same as splitting, refining and merging by folders of files."""

    def grows(photo, mask):
        assert photo.shape == (*mask.shape, 3)
        assert mask.dtype == np.float32
        return cv2.dilate(mask, np.ones((5, 5)))

    job, engine = by_pieces(store, folder, grows)
    (own,) = measured_scenes(job, done(job, engine))[1:]
    refined = split_and_refined(store)
    for path in refined.iterdir():
        write_mask(path, grows(np.zeros((*(mask := read_mask(path)).shape, 3)), mask))
    (published,) = published_scenes(input_sets(store, "ade20k"), store, folder)
    (merged,) = measured_scenes(published, done(published, Never()))[1:]
    assert (own.iou, own.mba) == (merged.iou, merged.mba)
    assert not (labels_in(job.folder / "ADE_val_00000001.png") == COARSE).all()


def test_an_engine_never_sees_pieces_that_it_cannot_change(store, folder):
    labels = np.full(SIZE, 3, np.uint8)

    def never(photo, mask):
        raise AssertionError("was asked")

    photo = miniature.photo(size=SIZE)
    assert (refine_pieces(photo, labels, refine=never) == labels).all()
    with pytest.raises(InputError, match="120x80 pixels and the photo 36x24"):
        refine_pieces(miniature.photo(), labels, refine=never)


def test_the_networks_engine_describes_its_settings_for_scenes():
    described = SceneEngine(network=NetworkEngine()).describe()
    assert described["engine"] == "edgewise"
    assert "SceneSettings" in described["scenes"]
