"""The judge learns from pieces whose truth is known which changes are gains."""

import sys
from dataclasses import replace

import numpy as np
import onnxruntime
import pytest
import torch
from PIL import Image

from edgewise.errors import InputError
from edgewise.passes.changes import FEATURES, SUMMED_UP, Seen, described
from edgewise.passes.settle import Agreement
from edgewise.training import judge
from edgewise.training.judge import (
    MASKS,
    PIECES,
    Look,
    cases,
    fit,
    fit_both,
    gains,
    look,
    worth,
    write,
)
from tests.fakes import disc, red_on_blue

SHAPE = (96, 128)
TRUTH = disc(SHAPE, (48, 60), 25)


@pytest.fixture
def data(tmp_path):
    """A photo with its truth and a real coarse mask, of a source to judge by and of another."""
    for source in ("davis", "human"):
        (tmp_path / source).mkdir()
        Image.fromarray(red_on_blue(TRUTH)).save(tmp_path / source / "a_im.jpg", quality=95)
        Image.fromarray(TRUTH).save(tmp_path / source / "a_gt.png")
        Image.fromarray(np.roll(TRUTH, 6, axis=1)).save(tmp_path / source / "a_seg_net.png")
    return tmp_path


def test_real_and_made_masks_and_truths_are_looked_at(data, monkeypatch):
    monkeypatch.setattr(judge, "EXACT", {"davis": 1})
    monkeypatch.setattr(judge, "MADE", dict.fromkeys(judge.MADE, 1))
    found = list(cases(data))
    assert [case.kind for case in found] == ["real", "truth", *judge.MADE]
    assert {case.source.name for case in found} == {"davis"}
    assert len({case.name for case in found}) == len(found)
    assert [case.name for case in cases(data)] == [case.name for case in found]


@pytest.mark.parametrize("kind", ["truth", *judge.MADE])
def test_made_masks_are_near_the_truth(kind):
    draw = np.random.default_rng(1)
    several = [judge._made(kind, TRUTH, red_on_blue(TRUTH), draw) for _ in range(4)]
    for made in several:
        assert made.shape == SHAPE
        assert made.dtype == bool
        assert (made & TRUTH).sum() / (made | TRUTH).sum() > 0.5
    assert all(np.array_equal(made, TRUTH) for made in several) == (kind == "truth")


def _seen(coarse, refined):
    return Seen(
        photo=red_on_blue(TRUTH),
        coarse=coarse.astype(np.uint8) * 255,
        refined=refined.astype(np.uint8) * 255,
        proposed=None,
        overview=refined.astype(np.float32),
        found=Agreement(0.5, 0.9),
        trust=-1,
    )


def test_a_piece_gains_what_it_brings_nearer_to_the_truth_where_that_is_sure():
    coarse = TRUTH.copy()
    coarse[40:50, 50:60] = False  # a hole, which is filled: a gain
    refined = TRUTH.copy()
    refined[44:54, 100:120] = True  # and a part that is not there: a loss
    seen = _seen(coarse, refined)
    labels, _ = described(seen)
    sure = np.ones(SHAPE, bool)
    sure[:, 110:] = False
    gained = gains(labels, seen, TRUTH, sure)
    assert gained[labels[45, 55] - 1] == pytest.approx(100 / coarse.sum())
    assert gained[labels[48, 105] - 1] == pytest.approx(-100 / coarse.sum())


def test_a_look_sees_pieces_and_what_they_gain(data):
    found = [case for case in cases(data) if case.kind == "real"]
    (seen,) = look(judge._Onlooker(), found[0])
    assert seen.rows.shape == (len(seen.gained), FEATURES)
    assert np.isfinite(seen.rows).all()
    assert seen.gained.sum() > 0.1  # a disc that is moved back
    assert seen.exact
    seen.write(data / "a.npz")
    assert all(
        np.array_equal(getattr(Look.read(data / "a.npz"), k), v) for k, v in vars(seen).items()
    )


def _look(refined, *, exact=True):
    """The truth was the coarse mask but for a hole, and came back as `refined`."""
    coarse = TRUTH.copy()
    coarse[40:50, 50:60] = False
    seen = _seen(coarse, refined)
    labels, rows = described(seen)
    return Look(
        coarse=seen.coarse,
        refined=seen.refined,
        labels=labels,
        rows=rows,
        gained=gains(labels, seen, TRUTH, np.ones(SHAPE, bool)),
        truth=TRUTH,
        exact=np.array(exact),
    )


def test_a_change_is_worth_the_area_that_it_gains_and_a_share_of_the_edge():
    grown = disc(SHAPE, (48, 60), 28)
    seen, rough = _look(grown), _look(grown, exact=False)
    filled = np.zeros(len(seen.rows), np.float32)
    filled[seen.labels[45, 55] - 1] = 1
    told, value = worth(seen, filled, 0.5)
    assert told.shape == (SUMMED_UP,)
    assert value == pytest.approx(100 / (TRUTH.sum() - 100), rel=0.01)  # no edge moves
    _, value = worth(seen, np.ones_like(filled), 0.5)
    _, area = worth(rough, np.ones_like(filled), 0.5)
    assert area == pytest.approx(rough.gained.sum())
    assert value < area - 0.01  # the contour left the edge by three pixels


@pytest.mark.filterwarnings("ignore")  # torch's exporter warns of its own deprecated calls
def test_both_judges_learn_from_what_was_seen(tmp_path, monkeypatch):
    monkeypatch.setattr(judge, "PIECES", replace(PIECES, steps=60, batch=32))
    monkeypatch.setattr(judge, "MASKS", replace(MASKS, steps=60, batch=32, members=8))
    paths = []
    for number in range(6):
        refined = TRUTH.copy()
        if number % 2:
            refined[40:50, 50:60] = False
            refined[60:70, 100 : 112 + number] = True
        paths.append(tmp_path / f"{number}__0.npz")
        _look(refined).write(paths[-1])
    pieces, masks = fit_both(paths, 0.0)
    looks = [Look.read(path) for path in paths]
    with torch.no_grad():
        said = [pieces(torch.from_numpy(one.rows)).numpy() for one in looks]
        told = np.stack([worth(one, given, 0.0)[0] for one, given in zip(looks, said, strict=True)])
        verdicts = masks(torch.from_numpy(told)).numpy()
    assert [bool(given[0] > 0.5) for given in said] == [True, False] * 3
    assert (verdicts > 0.5).tolist() == [True, False] * 3


@pytest.mark.filterwarnings("ignore")  # torch's exporter warns of its own deprecated calls
def test_the_file_says_what_was_learned(tmp_path):
    rng = np.random.default_rng(0)
    rows = rng.normal(0, 3, (2000, FEATURES)).astype(np.float32)
    gained = np.where(rows[:, 4] > 1, 0.02, -0.01).astype(np.float32)
    net = fit(rows, gained, replace(PIECES, steps=300, batch=32))
    write(net, tmp_path / "judge.onnx", takes="pieces", gives="gains")
    session = onnxruntime.InferenceSession(tmp_path / "judge.onnx")
    for count in (1, 7, 2000):
        (said,) = session.run(None, {"pieces": rows[:count]})
        assert said.shape == (count,)
    assert np.mean((said > 0.5) == (gained > 0)) > 0.95


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["look", "nosuch", "cases"], r"nosuch: no \*_im\.jpg"),
        (["fit", "cases", "o"], r"cases: no"),
    ],
)
def test_a_folder_with_nothing_to_learn_from_is_told(tmp_path, monkeypatch, words, message):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["judge", *words])
    with pytest.raises(InputError, match=message):
        judge.main()


@pytest.mark.parametrize("arrays", [{"rows": np.zeros((2, 27))}, None])
def test_a_file_that_is_not_what_was_seen_is_told(tmp_path, arrays):
    if arrays is None:
        (tmp_path / "a.npz").write_bytes(b"PK\3\4 cut off")
    else:
        np.savez(tmp_path / "a.npz", **arrays)
    with pytest.raises(InputError, match=r"a\.npz: is not what `look` writes"):
        fit_both([tmp_path / "a.npz"], 0.5)


@pytest.mark.parametrize("part", ["2/2", "0/0", "half"])
def test_a_part_that_there_is_not_is_told(monkeypatch, capsys, part):
    monkeypatch.setattr(sys, "argv", ["judge", "look", "data", "cases", "--part", part])
    with pytest.raises(SystemExit):
        judge.main()
    assert "argument --part: " in capsys.readouterr().err
