"""The judge learns from pieces whose truth is known which changes are gains."""

import sys

import numpy as np
import onnxruntime
import pytest
from PIL import Image

from edgewise.errors import InputError
from edgewise.passes.changes import FEATURES, Seen, described
from edgewise.passes.settle import Agreement
from edgewise.training import judge
from edgewise.training.judge import cases, fit, gains, look, write
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
    made = judge._made(kind, TRUTH, red_on_blue(TRUTH), np.random.default_rng(1))
    assert made.shape == SHAPE
    assert made.dtype == bool
    assert (made & TRUTH).sum() / (made | TRUTH).sum() > 0.5
    assert np.array_equal(made, TRUTH) == (kind == "truth")


def test_a_piece_gains_what_it_brings_nearer_to_the_truth_where_that_is_sure():
    coarse = TRUTH.copy()
    coarse[40:50, 50:60] = False  # a hole, which is filled: a gain
    refined = TRUTH.copy()
    refined[44:54, 100:120] = True  # and a part that is not there: a loss
    seen = Seen(
        photo=red_on_blue(TRUTH),
        coarse=coarse.astype(np.uint8) * 255,
        refined=refined.astype(np.uint8) * 255,
        proposed=None,
        overview=refined.astype(np.float32),
        found=Agreement(0.5, 0.9),
        trust=-1,
    )
    labels, _ = described(seen)
    sure = np.ones(SHAPE, bool)
    sure[:, 110:] = False
    gained = gains(labels, seen, TRUTH, sure)
    assert gained[labels[45, 55] - 1] == pytest.approx(100 / coarse.sum())
    assert gained[labels[48, 105] - 1] == pytest.approx(-100 / coarse.sum())


def test_a_look_sees_pieces_and_what_they_gain(data):
    found = [case for case in cases(data) if case.kind == "real"]
    rows, gained = look(judge._Onlooker(), found[0])
    assert rows.shape == (len(gained), FEATURES)
    assert np.isfinite(rows).all()
    assert gained.sum() > 0.1  # a disc that is moved back


@pytest.mark.filterwarnings("ignore")  # torch's exporter warns of its own deprecated calls
def test_the_file_says_what_was_learned(tmp_path):
    rng = np.random.default_rng(0)
    rows = rng.normal(0, 3, (2000, FEATURES)).astype(np.float32)
    gained = np.where(rows[:, 4] > 1, 0.02, -0.01).astype(np.float32)
    net = fit(rows, gained, steps=300, batch=32)
    write(net, tmp_path / "judge.onnx")
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


@pytest.mark.parametrize("part", ["2/2", "0/0", "half"])
def test_a_part_that_there_is_not_is_told(monkeypatch, capsys, part):
    monkeypatch.setattr(sys, "argv", ["judge", "look", "data", "cases", "--part", part])
    with pytest.raises(SystemExit):
        judge.main()
    assert "argument --part: " in capsys.readouterr().err
