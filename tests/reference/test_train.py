"""The published recipe on our loop: it learns, and a killed run goes on as if it had not been."""

import itertools
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from PIL import Image

torch = pytest.importorskip("torch", reason="the reference needs the extra edgewise[reference]")

from edgewise.reference import train
from edgewise.reference.checkpoint import load_network
from edgewise.reference.data import Crops, Numbers, sample
from edgewise.training import loop
from edgewise.training.data import Library, Scene
from tests.fakes import disc, red_on_blue
from tests.reference import runs


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    """Sums have one order in this process and in the one that is killed."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Three photos of discs in the layout of the training data."""
    folder = tmp_path_factory.mktemp("data")
    (folder / "davis").mkdir()
    for name, radius in (("a", 20), ("b", 25), ("c", 30)):
        truth = disc((80, 90), (40, 45), radius)
        Image.fromarray(red_on_blue(truth)).save(folder / "davis" / f"{name}_im.jpg")
        Image.fromarray(truth).save(folder / "davis" / f"{name}_gt.png")
    return folder


def test_a_run_that_was_killed_ends_as_one_that_was_not(data, tmp_path):
    killed = tmp_path / "killed"
    killed.mkdir()
    command = [sys.executable, "-m", "tests.reference.runs", data, killed, "100000"]
    process = subprocess.Popen(command)
    while not (killed / "last.pt").exists():
        assert process.poll() is None
        time.sleep(0.02)
    process.kill()
    assert process.wait() == -signal.SIGKILL
    checkpoint = torch.load(killed / "last.pt", weights_only=True)
    reached = checkpoint["step"]
    assert reached >= 1
    # However far it came: the same number of steps, once through and once with the break.
    steps = reached + 2
    resumed = runs.run(data, killed, steps=100000, until=steps)
    straight = runs.run(data, tmp_path / "straight", steps=100000, until=steps)
    assert resumed.step == straight.step == steps
    assert resumed.samples == straight.samples == 2 * steps
    for key, value in straight.model.state_dict().items():
        assert torch.equal(resumed.model.state_dict()[key], value), key


def test_learning_lowers_the_loss(data):
    config = runs.config(rate=1e-2)
    state = train.start(config, torch.device("cpu"))
    state.model.train()
    batch = next(train.batches(data, config, step=0, workers=0))
    losses = [train.learn(state, batch, config) for _ in range(16)]
    assert np.mean(losses[-3:]) < 0.85 * np.mean(losses[:3])


def test_a_run_s_checkpoint_serves_as_weights(data, tmp_path):
    state = runs.run(data, tmp_path, steps=1)
    network = load_network(tmp_path / "last.pt")
    assert network.width == 4
    for key, value in state.model.state_dict().items():
        assert torch.equal(network.state_dict()[key], value)


def test_the_rate_falls_where_it_was_published():
    config = train.Config()
    steps = (0, 22_499, 22_500, 37_499, 37_500, 44_999)
    shares = [train.rate_share(config, step, 0.5) for step in steps]
    assert shares == pytest.approx([1, 1, 0.1, 0.1, 0.01, 0.01])
    assert (config.batch, config.rate, config.size) == (12, 2.25e-4, 224)


def test_nothing_is_averaged_and_nothing_is_kept_twice():
    state = train.start(runs.config(), torch.device("cpu"))
    assert state.average is state.model
    assert isinstance(state.optimiser, torch.optim.Adam)
    assert {group["weight_decay"] for group in state.optimiser.param_groups} == {1e-4}


def test_processes_share_the_numbers_of_samples_without_overlap():
    taken = []
    for rank in range(2):
        numbers = iter(Numbers(step=5, batch=3, rank=rank, processes=2))
        taken += itertools.islice(numbers, 6)
    assert sorted(taken) == list(range(30, 42))


def test_an_epoch_has_each_photo_once(data):
    crops = Crops(Library(data), size=48, seed=0)
    seen = []
    crops._scene = lambda place, random: (
        seen.append(place)
        or Scene(
            photo=np.zeros((60, 60, 3), np.uint8),
            truth=disc((60, 60), (30, 30), 20).astype(np.uint8) * 255,
            weight=np.zeros((60, 60), np.uint8),
            coarse=None,
            proposal=None,
            error=1.0,
        )
    )
    for index in range(9):
        crops[index]
    assert [sorted(seen[start : start + 3]) for start in (0, 3, 6)] == [[0, 1, 2]] * 3


def test_a_sample_is_decided_by_its_number(data):
    crops = Crops(Library(data), size=48, seed=0)
    one, again, other = crops[7], crops[7], crops[8]
    for key, value in one.items():
        assert np.array_equal(value, again[key])
        assert value.shape[:2] == (48, 48)
    assert not np.array_equal(one["photo"], other["photo"])


def test_small_photos_are_padded_with_black():
    truth = np.full((20, 30), 255, np.uint8)
    scene = Scene(
        photo=np.full((20, 30, 3), 200, np.uint8),
        truth=truth,
        weight=truth,
        coarse=None,
        proposal=None,
        error=1.0,
    )
    made = sample(scene, 48, np.random.default_rng(0))
    assert made["truth"].sum() == 255 * 20 * 30
    assert made["photo"][made["truth"] == 0].max() < 10  # but for a change of contrast


def test_photos_without_objects_are_told(tmp_path):
    (tmp_path / "davis").mkdir()
    Image.new("RGB", (40, 40)).save(tmp_path / "davis" / "a_im.jpg")
    Image.new("L", (40, 40)).save(tmp_path / "davis" / "a_gt.png")
    crops = Crops(Library(tmp_path), size=48, seed=0)
    with pytest.raises(ValueError, match="held no object"):
        crops[0]


def test_a_run_ends_at_its_last_step(data, tmp_path):
    state = runs.run(data, tmp_path, steps=2)
    assert state.step == 2
    assert runs.run(data, tmp_path, steps=2).step == 2  # nothing left to do
    assert loop.over_processes(7) == 7
