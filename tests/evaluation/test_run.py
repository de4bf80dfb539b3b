"""Scoring pairs: what is measured, and what a bad pair does to a run."""

import hashlib
import math
import os
import warnings
from dataclasses import dataclass

import numpy as np
import pytest

from edgewise.errors import EdgewiseError, EdgewiseWarning, InputError, ModelError
from edgewise.evaluation import Failure, Row, evaluate, find_pairs
from edgewise.evaluation.run import score_pair
from edgewise.metrics import score
from tests.evaluation.folders import Harm, Orange, disc, write, write_pair


def run(folder, engine=None, **options):
    found = find_pairs([folder])
    return sorted(
        evaluate(found.pairs, engine or Orange(), **options), key=lambda of: (of.set, of.id)
    )


def test_a_row_holds_the_scores_before_and_after(tmp_path):
    write_pair(tmp_path, "cat")
    (row,) = run(tmp_path)
    assert row.before == score(disc(9), disc(12))
    assert row.after == score(disc(12), disc(12))
    assert (row.width, row.height) == (48, 40)
    assert row.refined
    assert row.seconds >= 0


def test_a_row_holds_checksums_of_the_files(tmp_path):
    write_pair(tmp_path, "cat")
    (row,) = run(tmp_path)
    assert row.sha256.keys() == {"photo", "truth", "coarse"}
    data = (tmp_path / "cat_gt.png").read_bytes()
    assert row.sha256["truth"] == hashlib.sha256(data).hexdigest()


def test_a_file_that_changes_while_it_is_scored_has_the_checksum_of_what_was_scored(tmp_path):
    write_pair(tmp_path, "cat")
    truth = tmp_path / "cat_gt.png"
    before = hashlib.sha256(truth.read_bytes()).hexdigest()

    def refine(photo, mask):
        write(truth, disc(5))
        return mask

    row = score_pair(find_pairs([tmp_path]).pairs[0], refine)
    assert row.before == row.after == score(disc(9), disc(12))
    assert row.sha256["truth"] == before


def test_a_given_mask_is_scored_without_an_engine(tmp_path):
    write_pair(tmp_path, "cat", refined=disc(11), photo=False)
    (row,) = run(tmp_path, engine=Broken())
    assert row.after == score(disc(11), disc(12))
    assert not row.refined
    assert row.seconds is None


def test_a_given_soft_mask_is_scored_soft_and_at_the_published_threshold(tmp_path):
    levels = np.where(disc(12), 129, 128).astype(np.uint8)
    write_pair(tmp_path, "cat", refined=levels, photo=False)
    (row,) = run(tmp_path)
    assert row.after.iou == 1
    assert row.after.mae == pytest.approx((126 + (128 - 126) * (~disc(12)).mean()) / 255, abs=1e-4)


@pytest.mark.parametrize(("level", "scored"), [(1, False), (128, False), (129, True), (0, True)])
def test_a_given_mask_of_one_level_that_does_not_count_is_a_failure(tmp_path, level, scored):
    write_pair(tmp_path, "cat", refined=disc(11).astype(np.uint8) * np.uint8(level), photo=False)
    (of,) = run(tmp_path)
    assert isinstance(of, Row) == scored
    assert scored or f"cat_mask.png: holds 0 and the level {level} of 255 alone" in of.error


def test_a_given_soft_mask_that_is_nowhere_sure_scores_as_empty(tmp_path):
    levels = disc(11).astype(np.uint8) + disc(9)
    write_pair(tmp_path, "cat", refined=levels, photo=False)
    (row,) = run(tmp_path)
    assert row.after.iou == 0


def test_a_soft_truth_counts_above_128(tmp_path):
    levels = np.where(disc(12), 255, 0).astype(np.uint8)
    levels[disc(14) & ~disc(12)] = 128
    levels[disc(12) & ~disc(11)] = 129
    write_pair(tmp_path, "cat", truth=levels)
    (row,) = run(tmp_path)
    assert row.after.iou == 1


def test_a_truth_with_a_void_label_is_a_failure_that_says_so(tmp_path):
    labels = disc(12).astype(np.uint8)
    labels[disc(13) & ~disc(12)] = 255
    write_pair(tmp_path, "cat", truth=labels)
    (failure,) = run(tmp_path)
    assert "label map" in failure.error
    assert "cat_gt.png" in failure.error


def test_a_truth_of_zeros_and_ones_is_a_mask(tmp_path):
    write_pair(tmp_path, "cat", truth=disc(12).astype(np.uint8), photo=False, refined=disc(12))
    (row,) = run(tmp_path)
    assert row.after.iou == 1


def test_an_empty_truth_leaves_mba_undefined_and_the_rest_scored(tmp_path):
    write_pair(tmp_path, "cat", truth=~disc(99), refined=disc(3), photo=False)
    (row,) = run(tmp_path)
    assert math.isnan(row.after.mba)
    assert row.after.iou == 0
    assert sum(row.rings.pixels) == 0


def test_fast_measures_the_same_values_and_no_others(tmp_path):
    write_pair(tmp_path, "cat", refined=disc(11))
    (whole,) = run(tmp_path)
    (fast,) = run(tmp_path, fast=True)
    for name in ("iou", "mba", "boundary_iou", "boundary_iou_fine", "pixels", "union"):
        assert getattr(fast.after, name) == getattr(whole.after, name)
        assert getattr(fast.before, name) == getattr(whole.before, name)
    assert math.isnan(fast.after.hd95)
    assert not math.isnan(whole.after.hd95)


def test_rings_count_errors_by_distance_from_the_truths_edge(tmp_path):
    truth = np.zeros((40, 48), bool)
    truth[:, 24:] = True
    coarse = np.zeros_like(truth)
    coarse[:, 27:] = True  # wrong in the columns at 0.5, 1.5 and 2.5 pixels from the edge
    write_pair(tmp_path, "cat", truth=truth, coarse=coarse)
    (row,) = run(tmp_path)
    assert row.rings.wrong_before == [40, 40, 40, 0, 0, 0, 0]
    assert row.rings.wrong_after == [0] * 7
    assert row.rings.pixels == [80, 80, 160, 320, 640, 640, 0]


@pytest.mark.parametrize("part", ["seg", "im"])
def test_a_pair_whose_sizes_differ_names_both(tmp_path, part):
    write_pair(tmp_path, "cat")
    write(tmp_path / f"cat_{part}.png", disc(9, size=(30, 50)))
    (failure,) = run(tmp_path)
    assert failure.error == (
        f"cat_{part}.png has 50x30 pixels and cat_gt.png 48x40; they must agree"
    )


def test_a_file_that_is_no_picture_fails_its_pair_alone(tmp_path):
    write_pair(tmp_path, "bad")
    write_pair(tmp_path, "good")
    (tmp_path / "bad_seg.png").write_text("no picture")
    failure, row = run(tmp_path)
    assert isinstance(failure, Failure)
    assert "bad_seg.png" in failure.error
    assert isinstance(row, Row)


@dataclass(frozen=True)
class Broken:
    """An engine that cannot be opened."""

    def __call__(self):
        raise ModelError("no weights")


@dataclass(frozen=True)
class Raises:
    """An engine that has a fault."""

    def __call__(self):
        def refine(photo, mask):
            raise ZeroDivisionError("inside")

        return refine


@dataclass(frozen=True)
class Warns:
    """An engine with a word to say, that answers at another size."""

    shape: tuple[int, int]

    def __call__(self):
        def refine(photo, mask):
            warnings.warn("mind the gap", EdgewiseWarning, stacklevel=1)
            return np.zeros(self.shape, bool)

        return refine


@dataclass(frozen=True)
class Dies:
    """An engine that takes its worker down, as the kernel does when memory ends."""

    parent: int

    def __call__(self):
        def refine(photo, mask):
            os._exit(9)

        return refine if os.getpid() != self.parent else Orange()()


def test_an_engine_that_cannot_be_opened_ends_the_run(tmp_path):
    write_pair(tmp_path, "cat")
    with pytest.raises(ModelError, match="no weights"):
        run(tmp_path, engine=Broken())


def test_a_fault_of_an_engine_fails_its_pair_by_name(tmp_path):
    write_pair(tmp_path, "cat")
    (failure,) = run(tmp_path, engine=Raises())
    assert failure.error == "ZeroDivisionError: inside"


def test_warnings_of_an_engine_are_kept_with_the_row(tmp_path):
    write_pair(tmp_path, "cat")
    (row,) = run(tmp_path, engine=Warns((40, 48)))
    assert row.warnings == ["mind the gap"]


def test_an_answer_of_another_size_fails_the_pair(tmp_path):
    write_pair(tmp_path, "cat")
    (failure,) = run(tmp_path, engine=Warns((10, 10)))
    assert "10x10" in failure.error


def test_workers_give_the_rows_that_one_process_gives(tmp_path):
    write_pair(tmp_path, "a")
    write_pair(tmp_path, "b", coarse=disc(5))
    write_pair(tmp_path, "c")
    (tmp_path / "c_seg.png").write_text("no picture")
    alone, together = run(tmp_path, Harm()), run(tmp_path, Harm(), workers=2)
    assert [type(of) for of in together] == [Row, Row, Failure]
    for one, other in zip(alone[:2], together[:2], strict=True):
        assert (one.before, one.after, one.sha256) == (other.before, other.after, other.sha256)
    assert alone[2] == together[2]


def test_a_worker_that_dies_is_an_error_with_advice(tmp_path):
    write_pair(tmp_path, "a")
    write_pair(tmp_path, "b")
    with pytest.raises(EdgewiseError, match="fewer workers"):
        run(tmp_path, Dies(os.getpid()), workers=2)


def test_refining_without_an_engine_is_refused(tmp_path):
    write_pair(tmp_path, "cat")
    (pair,) = find_pairs([tmp_path]).pairs
    with pytest.raises(InputError, match="an engine"):
        score_pair(pair, None)
