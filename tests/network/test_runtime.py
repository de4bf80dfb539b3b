"""The engine takes any batch and size of its stride, and always gives the same bytes."""

import numpy as np
import pytest

from edgewise.errors import InputError, ModelError
from edgewise.network.catalog import JUDGE, find
from edgewise.network.runtime import PIECES, OnnxEngine, OnnxJudge, OnnxProposer
from edgewise.passes.changes import FEATURES, SUMMED_UP


@pytest.fixture(scope="module")
def engine():
    return OnnxEngine(threads=1)


@pytest.mark.parametrize("shape", [(1, 64, 64), (3, 64, 128), (2, 192, 64)])
def test_masks_have_the_views_batch_and_size(engine, shape):
    views = np.zeros((shape[0], 5, *shape[1:]), np.uint8)
    masks = engine(views)
    assert masks.shape == shape
    assert masks.dtype == np.float32
    assert masks.min() >= 0
    assert masks.max() <= 1


def test_the_answer_to_a_view_does_not_depend_on_its_batch(engine):
    views = np.random.default_rng(0).integers(0, 256, (3, 5, 64, 64), np.uint8)
    together = engine(views)
    alone = np.concatenate([engine(view[None]) for view in views])
    assert np.allclose(together, alone, atol=1e-4)


def test_the_answer_does_not_depend_on_the_threads(engine):
    views = np.random.default_rng(0).integers(0, 256, (3, 5, 64, 64), np.uint8)
    alone = np.concatenate([engine(view[None]) for view in views])
    assert np.array_equal(OnnxEngine(threads=2)(views), alone)


def test_the_answer_to_a_large_view_does_not_depend_on_the_cores_that_share_it(engine):
    views = np.random.default_rng(0).integers(0, 256, (1, 5, 320, 384), np.uint8)
    assert np.array_equal(OnnxEngine(threads=2)(views), engine(views))


def test_a_second_run_gives_the_same_bytes(engine):
    views = np.random.default_rng(1).integers(0, 256, (2, 5, 128, 64), np.uint8)
    assert engine(views).tobytes() == engine(views).tobytes()


def test_a_file_can_be_named_instead_of_a_model(engine):
    views = np.random.default_rng(2).integers(0, 256, (1, 5, 64, 64), np.uint8)
    assert np.array_equal(OnnxEngine(find("default").path, threads=1)(views), engine(views))


def test_a_file_that_is_no_network_is_told(tmp_path):
    path = tmp_path / "no.onnx"
    path.write_bytes(b"not a network")
    with pytest.raises(ModelError, match="not a network that can be opened"):
        OnnxEngine(path)


def test_a_network_that_takes_something_else_is_told():
    with pytest.raises(
        ModelError, match=r"judge\.onnx: is no network that refines: it takes pieces"
    ):
        OnnxEngine(find(JUDGE, role="judge").path)


def test_a_missing_file_is_told(tmp_path):
    with pytest.raises(ModelError, match="no such file"):
        OnnxEngine(tmp_path / "gone.onnx")


@pytest.mark.parametrize("threads", [0, -1])
def test_less_than_a_core_is_refused(threads):
    with pytest.raises(InputError, match=f"threads {threads}: must be at least 1"):
        OnnxEngine(threads=threads)


def test_an_unknown_device_is_told():
    with pytest.raises(ModelError, match="no device 'tpu'; there is: cpu, cuda"):
        OnnxEngine(device="tpu")


def test_a_photo_is_looked_at_once_however_many_prompts_it_gets():
    random = np.random.default_rng(3)
    photo, other = random.integers(0, 256, (2, 3, 224, 224), np.uint8)
    masks = random.normal(0, 4, (2, 56, 56)).astype(np.float32)
    places = np.array([[90, 100], [20, 30], [200, 180]], np.float32)
    proposer = OnnxProposer(threads=1)
    expected = [OnnxProposer(threads=1)(photo, mask, places) for mask in masks]
    look, looks = proposer._look, []

    class Counted:
        def run(self, *arguments):
            looks.append(arguments)
            return look.run(*arguments)

    proposer._look = Counted()
    found = [proposer(photo, mask, places) for mask in masks]
    assert len(looks) == 1
    assert all(np.array_equal(one, another) for one, another in zip(found, expected, strict=True))
    assert not np.array_equal(proposer(other, masks[1], places), found[1])
    assert len(looks) == 2


def test_however_many_pieces_there_are_each_is_judged_alike():
    judge = OnnxJudge()
    rows = np.random.default_rng(4).normal(0, 2, (PIECES + 3, FEATURES)).astype(np.float32)
    gains = judge(rows)
    assert gains.shape == (PIECES + 3,)
    assert gains.min() >= 0
    assert gains.max() <= 1
    assert np.allclose(gains[-5:], judge(rows[-5:]), atol=1e-5)
    assert judge(rows[:0]).shape == (0,)


def test_a_verdict_is_a_probability_a_mask():
    rows = np.random.default_rng(5).normal(0, 2, (3, SUMMED_UP)).astype(np.float32)
    verdicts = OnnxJudge().verdict(rows)
    assert verdicts.shape == (3,)
    assert verdicts.min() >= 0
    assert verdicts.max() <= 1
    assert np.allclose(OnnxJudge().verdict(rows[1:2]), verdicts[1:2], atol=1e-5)
