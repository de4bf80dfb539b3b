"""Changes are told apart piece by piece, described alike wherever they lie, and taken or not."""

import numpy as np
import pytest

from edgewise.passes.answers import Known, whole
from edgewise.passes.changes import (
    FEATURES,
    PIXELS,
    SUMMED_UP,
    Kept,
    Seen,
    described,
    pieces,
    seen_at,
    summed_up,
    taken_back,
)
from edgewise.passes.planes import Held, Pyramid, power_within
from edgewise.passes.settle import Agreement
from edgewise.passes.view import Box
from tests.fakes import disc, red_on_blue

SHAPE = (120, 160)
COARSE = disc(SHAPE, (60, 70), 30)


def _limb(mask, *, seam=False):
    """The mask with a limb at its right, which a seam of a pixel along the edge may join."""
    changed = mask.copy()
    changed[54:68, 90:125] = True
    if seam:
        changed |= disc(SHAPE, (60, 70), 31.5)
    return changed


def _seen(coarse, refined, photo=None):
    return Seen(
        photo=red_on_blue(refined) if photo is None else photo,
        coarse=coarse.astype(np.uint8) * 255,
        refined=np.where(refined, 230, 20).astype(np.uint8),
        proposed=refined.astype(np.float32),
        overview=refined.astype(np.float32),
        found=Agreement(0.5, 0.9),
        trust=6.0,
    )


def test_masks_that_are_the_same_have_no_pieces():
    labels, count, _ = pieces(COARSE, COARSE)
    assert (count, labels.any()) == (0, False)
    assert described(_seen(COARSE, COARSE))[1].shape == (0, FEATURES)


def test_pieces_are_the_difference_and_nothing_else():
    refined = _limb(COARSE, seam=True)
    refined[50:58, 60:70] = False
    labels, count, depth = pieces(COARSE, refined)
    assert np.array_equal(depth > 0, labels > 0)
    assert np.array_equal(labels > 0, refined != COARSE)
    assert set(np.unique(labels)) == set(range(count + 1))


def test_a_limb_and_the_seam_that_it_hangs_on_are_different_pieces():
    refined = _limb(COARSE, seam=True)
    labels, *_ = pieces(COARSE, refined)
    limb, seam = labels[60, 110], labels[60, 39]
    assert limb
    assert seam
    assert limb != seam


def test_what_is_said_of_a_piece_tells_what_it_is():
    refined = _limb(COARSE)
    refined[50:62, 60:72] = False
    labels, rows = described(_seen(COARSE, refined))
    assert np.isfinite(rows).all()
    added, removed = rows[labels[60, 110] - 1], rows[labels[55, 65] - 1]
    assert (added[0], removed[0]) == (1, 0)
    size = np.sqrt(COARSE.sum())
    assert added[1] == pytest.approx(np.log(np.sum(refined & ~COARSE) / size**2), abs=0.1)
    assert added[7] == pytest.approx(0.5)  # the proposal has it
    assert added[16] > 90  # it has the object's colour, which is far from the background's
    assert rows[0, 18] == pytest.approx(0.9)


@pytest.mark.parametrize("turn", [np.flipud, np.fliplr, np.rot90])
def test_a_turned_picture_has_the_same_pieces(turn):
    refined = _limb(COARSE, seam=True)
    rng = np.random.default_rng(0)
    photo = rng.integers(0, 256, (*SHAPE, 3), np.uint8)
    turned = [np.ascontiguousarray(turn(x)) for x in (COARSE, refined, photo)]
    straight, other = (
        rows[np.lexsort(rows[:, :3].round(3).T)]
        for rows in (
            described(_seen(COARSE, refined, photo))[1],
            described(_seen(*turned))[1],
        )
    )
    assert np.allclose(straight, other, rtol=0.02, atol=0.02)


def _judge_of_size(rows):
    """Believes in large pieces only."""
    return (rows[:, 2] > np.log(100)).astype(np.float32)


def test_pieces_without_a_gain_are_taken_back():
    refined = _limb(COARSE)
    refined[55:59, 60:64] = False
    back = taken_back(_judge_of_size, _seen(COARSE, refined), least=0.5)
    assert np.array_equal(back & (refined != COARSE), COARSE & ~refined)
    assert not taken_back(_judge_of_size, _seen(COARSE, COARSE), least=0.5).any()


class _Judge:
    """Says 0.75 of every piece and 0.6 of all that is taken, and keeps what it was told of that."""

    told = None

    def __call__(self, rows):
        return np.full(len(rows), 0.75, np.float32)

    def verdict(self, rows):
        self.told = rows
        return np.full(len(rows), 0.6, np.float32)


def test_a_mask_stays_where_no_piece_is_taken_or_all_that_is_are_not_worth_it():
    seen, judge = _seen(COARSE, _limb(COARSE)), _Judge()
    assert taken_back(judge, seen, least=0.8, verdict=0.1) is None
    assert not taken_back(judge, seen, least=0.5).any()
    assert judge.told is None  # not asked
    assert taken_back(judge, seen, least=0.5, verdict=0.65) is None
    assert not taken_back(judge, seen, least=0.5, verdict=0.55).any()
    assert judge.told.shape == (1, SUMMED_UP)


def test_what_is_said_of_all_that_is_taken_sums_up_its_pieces():
    refined = _limb(COARSE)
    refined[55:59, 60:64] = False
    seen = _seen(COARSE, refined)
    labels, rows = described(seen)
    limb, hole = labels[60, 110] - 1, labels[56, 61] - 1
    gains = np.full(len(rows), 0.9, np.float32)
    gains[hole] = 0.2
    told = summed_up(seen.coarse, seen.refined, rows, gains, gains > 0.5)
    assert np.isfinite(told).all()
    share = np.sum(refined & ~COARSE) / COARSE.sum()
    hollow = 16 / COARSE.sum()
    assert np.array_equal(told[:10], rows[limb, -10:])
    assert told[10] == pytest.approx(0.8 * share, rel=1e-3)  # expected of what is taken
    assert told[11] == pytest.approx(0.8 * share - 0.6 * hollow, rel=1e-3)  # and of all
    assert told[12:14] == pytest.approx([share, share + hollow], rel=1e-3)
    assert told[15] == pytest.approx(0.9)
    assert told[16:18] == pytest.approx([0, share], abs=1e-5)  # removed and added
    assert told[20] == pytest.approx(hollow / (share + hollow), rel=1e-3)  # left out


def test_a_polygon_has_few_corners_and_a_mask_of_pixels_many():
    polygon = np.zeros(SHAPE, bool)
    polygon[20:100, 30:130] = True
    rough = polygon ^ (np.add.outer(np.arange(120), np.arange(160)) // 4 % 2 == 0) & disc(
        SHAPE, (20, 60), 25
    )
    corners = [
        summed_up(
            *(mask.astype(np.uint8) * 255 for mask in (coarse, _limb(coarse))),
            *(np.zeros((1, FEATURES), np.float32), np.ones(1, np.float32), np.ones(1, bool)),
        )[-2:]
        for coarse in (polygon, rough)
    ]
    assert (corners[0] + 1 < corners[1]).all()


def test_the_coarse_masks_side_is_kept_there_and_the_answer_elsewhere():
    refined = _limb(COARSE)
    refined[55:59, 60:64] = False
    soft = np.where(refined, 0.8, 0.1).astype(np.float32)
    back = COARSE & ~refined
    kept = Kept(Known(soft), Held(COARSE.astype(np.uint8) * 255), back)
    assert np.array_equal(whole(kept), np.where(back, np.float32(0.9), soft))
    box = Box(50, 55, 70, 130)
    assert np.array_equal(kept.read(box), whole(kept)[box.slices])
    assert np.array_equal(kept.read(Box(-2, -3, 4, 5))[2:, 3:], whole(kept)[:4, :5])


def test_large_views_are_judged_at_a_smaller_size():
    shape = (1001, 1203)
    coarse = disc(shape, (500, 600), 300)
    refined = coarse.copy()
    refined[481:560, 880:1001] = True
    refined[401:440, 501:542] = False
    planes = Pyramid(Held(red_on_blue(refined))), Pyramid(Held(coarse.astype(np.uint8) * 255))
    soft = refined.astype(np.float32)
    found = Agreement(0.5, 0.9)
    seen = seen_at(
        *planes, Known(soft), proposed=None, overview=soft, found=found, trust=-1, threads=2
    )
    assert power_within(shape, PIXELS) == 1
    assert seen.refined.shape == (501, 602)
    back = taken_back(lambda rows: rows[:, 0], seen, least=0.5)  # additions only
    kept = Kept(Known(soft), planes[1].plane, back)
    assert np.array_equal(whole(kept) > 0.5, coarse | refined)
    for box in (Box(403, 505, 431, 540), Box(7, 3, 1001, 1203), Box(390, 470, 411, 511)):
        assert np.array_equal(kept.read(box), whole(kept)[box.slices])
    assert np.array_equal(soft, refined)  # what the answer holds is left alone


@pytest.mark.parametrize("shape", [(256, 32_000), (768, 9_000)])
def test_a_view_halved_more_often_than_its_strips_have_rows_is_seen_whole(monkeypatch, shape):
    monkeypatch.setattr("edgewise.passes.changes.PIXELS", 500)
    coarse = np.zeros(shape, np.uint8)
    coarse[:64] = coarse[128:192, :9_000] = 255
    soft = coarse.astype(np.float32) / 255
    seen = seen_at(
        Pyramid(Held(np.zeros((*coarse.shape, 3), np.uint8))),
        Pyramid(Held(coarse)),
        Known(soft),
        proposed=None,
        overview=soft,
        found=Agreement(0.5, 0.9),
        trust=-1,
        threads=1,
    )
    assert power_within(coarse.shape, 500) == 7
    assert np.abs(seen.refined.astype(int) - seen.coarse).max() <= 2
