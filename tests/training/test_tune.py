"""The prompt half learns from looks that are kept, and what it learned is exported as before."""

import itertools
import sys

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="training needs the extra edgewise[train]")

from edgewise.errors import InputError, ModelError
from edgewise.passes.proposal import prompt_places
from edgewise.training import loop, proposal, tune
from edgewise.training.data import Scene
from tests.fakes import disc, red_on_blue

CONFIG = tune.Config(batch=2, rate=1e-3, warmup_steps=1, ema=0.5)
TRUTH = disc((150, 180), (75, 90), 45)


class Colours:
    """A first half that keeps the photo's colours, in the first channels of its embedding."""

    stride = 224

    def look(self, photo):
        height, width = photo.shape[1] // 16, photo.shape[2] // 16
        embedding = np.zeros((256, height, width), np.float32)
        embedding[:3] = photo.reshape(3, height, 16, width, 16).mean((2, 4)) / 255
        return embedding


def _scene(coarse):
    truth = TRUTH.astype(np.uint8) * 255
    weight = np.full_like(truth, 255)
    return Scene(
        photo=red_on_blue(TRUTH), truth=truth, weight=weight, coarse=coarse, proposal=None, error=1
    )


@pytest.fixture
def looks(tmp_path):
    """Two looks at one disc, one of them with a real coarse mask."""
    folder = tmp_path / "looks"
    folder.mkdir()
    coarse = np.roll(TRUTH, 9, 1).astype(np.uint8) * 255
    for number, rough in enumerate((None, coarse)):
        random = np.random.default_rng(number)
        tune.keep_look(Colours(), _scene(rough), random, folder / f"{number:05}.npz")
    return folder


def _network():
    torch.manual_seed(0)
    network = proposal.ProposalNet()
    matrix = torch.randn(2, 128)
    network.prompt_encoder.pe_layer.positional_encoding_gaussian_matrix.copy_(matrix)
    return network


def test_a_look_holds_the_object_and_its_masks_at_half_its_size(looks):
    with np.load(looks / "00001.npz") as look:
        height, width = look["truth"].shape
        assert max(height, width) == tune.SIDE // tune.HALF
        assert look["photo"].shape == (height, width, 3)
        assert look["coarse"].shape == look["weight"].shape == (height, width)
        assert look["embedding"].shape[1] >= 2 * height / 16
        inside = look["truth"] > 127
        colours = look["photo"]
        assert colours[inside][:, 0].mean() > 150 > colours[~inside][:, 0].mean()
        share = inside[look["coarse"] > 127].mean()
    assert 0.7 < share < 0.95
    with np.load(looks / "00000.npz") as look:
        assert "coarse" not in look


def test_prompts_lie_where_the_object_lies(looks):
    for prompt in itertools.islice(
        itertools.chain.from_iterable(tune.prompts(looks, CONFIG, seed=3)), 20
    ):
        height, width = prompt.truth.shape
        rows, columns = prompt.mask.shape
        assert rows % 56 == columns % 56 == 0
        assert rows >= height
        assert columns >= width
        assert (prompt.mask[height:] < -7.9).all()
        assert (prompt.mask[:, width:] < -7.9).all()
        inside, truth = prompt.mask[:height, :width] > 0, prompt.truth > 0.5
        assert (inside & truth).sum() / (inside | truth).sum() > 0.4
        again = prompt_places(np.kron(inside.numpy(), np.ones((4, 4))) > 0)
        assert np.abs(again[1:] - prompt.places.numpy()[1:]).max() <= 8
        x, y = (prompt.places[0] / 4).round().long().tolist()
        assert prompt.mask[y, x] > 0


def test_prompts_are_decided_by_the_seed(looks):
    first, again, other = (
        next(tune.prompts(looks, CONFIG, seed=seed))[0].mask for seed in (5, 5, 6)
    )
    assert torch.equal(first, again)
    assert first.shape != other.shape or not torch.equal(first, other)


def test_the_loss_is_least_at_the_truth():
    truth = torch.zeros(40, 40)
    truth[10:30, 10:30] = 1
    weight = torch.ones(40, 40)
    right = ((truth * 2 - 1) * 8).expand(3, 40, 40)
    assert tune.proposal_loss(right, truth, weight) < 0.05
    assert tune.proposal_loss(right.roll(4, 2), truth, weight) > 0.5
    weight[:, :20] = 0
    wrong = right.clone()
    wrong[:, :, :18] *= -1
    assert tune.proposal_loss(wrong, truth, weight) < 0.05


def test_only_the_prompt_half_learns_and_it_is_exported(looks, tmp_path, monkeypatch):
    before = _network()
    checkpoint = tmp_path / "published.pt"
    torch.save(before.state_dict(), checkpoint)
    state = tune.start(checkpoint, CONFIG)
    batches = tune.prompts(looks, CONFIG, seed=1)
    fixed = [next(batches) for _ in range(2)]
    losses = [
        tune.learn(state, batch, CONFIG) for batch in itertools.islice(itertools.cycle(fixed), 12)
    ]
    assert sum(losses[-2:]) < 0.8 * sum(losses[:2])
    path = tmp_path / "last.pt"
    loop.follow(state.average, state.model, 0.0)
    state.save(path, CONFIG)
    learned = proposal.load(path)
    for name, value in learned.image_encoder.state_dict().items():
        assert torch.equal(value, before.image_encoder.state_dict()[name])
    changed = learned.mask_decoder.state_dict()
    assert any(
        not torch.equal(value, changed[name])
        for name, value in before.mask_decoder.state_dict().items()
    )
    one = fixed[0][0]
    with torch.no_grad():
        answers = [
            net.answer(one.embedding, one.mask, one.places) for net in (learned, state.model)
        ]
    assert torch.allclose(*answers, atol=1e-4)


def test_the_checkpoint_is_read_before_anything_is_looked_at(tmp_path, monkeypatch):
    words = [str(tmp_path), "--run", str(tmp_path / "run"), "--checkpoint", str(tmp_path / "no.pt")]
    monkeypatch.setattr(sys, "argv", ["tune", *words])
    with pytest.raises(ModelError, match=r"no\.pt: cannot be read"):
        tune.main()


def test_no_looks_are_told():
    with pytest.raises(InputError, match="looks and batch must be at least 1, not 0"):
        tune.Config(looks=0)
