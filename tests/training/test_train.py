"""A run learns, stops in time, goes on where it stopped, and exports what it learned."""

import itertools
import json
import os
import shutil
import socket
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

torch = pytest.importorskip("torch", reason="training needs the extra edgewise[train]")

from edgewise.errors import InputError, ModelError, OutputError
from edgewise.network.runtime import OnnxEngine
from edgewise.training import coarsen, loop, train
from edgewise.training.data import Library, draw, real_scene
from edgewise.training.export import load
from tests.fakes import disc, red_on_blue

CONFIG = train.Config(size=64, batch=2, warmup_steps=1, ema=0.5)
RECIPE = train.recipe(CONFIG)


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """Two sources, a background and a cut-out, in the layout of the training data."""
    folder = tmp_path_factory.mktemp("data")
    truth = disc((150, 180), (75, 90), 45)
    for name in ("davis", "bsds_regions", "_backgrounds", "_cutouts"):
        (folder / name).mkdir()
    photo = Image.fromarray(red_on_blue(truth))
    photo.save(folder / "davis" / "a_im.jpg")
    Image.fromarray(truth).save(folder / "davis" / "a_gt.png")
    Image.fromarray(np.roll(truth, 4, 0)).save(folder / "davis" / "a_seg_net.png")
    photo.save(folder / "bsds_regions" / "b_im.jpg")
    Image.fromarray(truth.astype(np.uint8) + 1).save(folder / "bsds_regions" / "b_labels.png")
    photo.save(folder / "_backgrounds" / "c.jpg")
    photo.putalpha(Image.fromarray(truth.astype(np.uint8) * 255))
    photo.save(folder / "_cutouts" / "d.webp")
    return folder


@pytest.fixture(scope="module")
def batches(root):
    random, library = np.random.default_rng(0), Library(root)
    samples = [draw(library, 64, random) for _ in range(4)]
    stacked = (
        torch.utils.data.default_collate(samples[:2]),
        torch.utils.data.default_collate(samples[2:]),
    )
    return itertools.cycle(stacked)


def test_samples_are_two_views_of_one_object(root):
    random, library = np.random.default_rng(1), Library(root)
    for _ in range(40):
        sample = draw(library, 64, random)
        assert sample["photo"].shape == sample["photo1"].shape == (64, 64, 3)
        for key in ("truth", "weight", "coarse", "prior", "truth1", "weight1", "coarse1"):
            assert sample[key].shape == (64, 64)
            assert sample[key].dtype == np.uint8
        zoom, top, left = sample["place"]
        assert zoom in (1, 2)
        assert 0 <= top <= 64 - 64 // zoom
        assert 0 <= left <= 64 - 64 // zoom


@pytest.mark.parametrize(("source", "unsure"), [("davis", 0), ("sod", 2.5)])
def test_a_truth_teaches_no_edge_nearer_than_it_may_be_off(tmp_path, source, unsure):
    folder, mask = tmp_path / source, disc((120, 120), (60, 60), 30)
    folder.mkdir()
    Image.fromarray(red_on_blue(mask)).save(folder / "a_im.jpg")
    Image.fromarray(mask.astype(np.uint8) * 255).save(folder / "a_gt.png")
    (item,) = Library(tmp_path).items[source]
    scene = real_scene(item, np.random.default_rng(0))
    away = np.abs(coarsen.signed_distance(mask))
    np.testing.assert_array_equal(scene.weight, np.where(away < unsure, 0, 255))


def test_the_second_view_is_the_first_s_window_at_twice_the_zoom(root):
    random, library = np.random.default_rng(2), Library(root)
    zoomed = (draw(library, 64, random) for _ in range(60))
    sample = next(s for s in zoomed if s["place"][0] == 2)
    _, top, left = sample["place"]
    window = sample["truth"][top : top + 32, left : left + 32].astype(float)
    halved = sample["truth1"].reshape(32, 2, 32, 2).mean((1, 3))
    assert np.abs(window - halved).max() <= 1


def test_the_next_prior_is_cut_where_the_second_view_is():
    answer = torch.zeros(2, 1, 64, 64)
    answer[:, :, 10:20, 30:40] = 1
    prior = train.next_prior(answer, torch.tensor([[2, 8, 28], [1, 0, 0]]))
    assert prior.shape == (2, 1, 64, 64)
    assert prior[0, 0, 12, 12] == 1
    assert prior[0, 0, 40, 40] == 0
    assert torch.equal(prior[1], answer[1])


def test_an_empty_folder_is_told(tmp_path):
    with pytest.raises(InputError, match="no folders with"):
        Library(tmp_path)


def test_what_a_folder_lacks_is_not_drawn(root, tmp_path):
    for name in ("davis", "bsds_regions"):
        shutil.copytree(root / name, tmp_path / name)
    (tmp_path / "sod").mkdir()
    names = [source.name for source in Library(tmp_path).sources]
    assert names == ["davis", "bsds_regions", "_composites", "_shapes"]
    shutil.rmtree(tmp_path / "davis")
    assert [source.name for source in Library(tmp_path).sources] == ["bsds_regions", "_shapes"]


def test_photos_of_no_source_are_told(root, tmp_path):
    shutil.copytree(root / "davis", tmp_path / "mine")
    with pytest.raises(InputError, match=r"mine: is no source of sources\.toml"):
        Library(tmp_path)


def test_a_folder_without_proposals_is_told(root, tmp_path):
    with pytest.raises(InputError, match="holds no proposal for the coarse masks"):
        Library(root, [tmp_path])


def test_a_damaged_or_misfitting_file_is_named(root, tmp_path):
    shutil.copytree(root / "davis", tmp_path / "davis")
    Image.new("L", (20, 10)).save(tmp_path / "davis" / "a_gt.png")
    for name, message in (("a_gt.png", r"is \(10, 20\)"), ("a_im.jpg", "is not a picture")):
        if name == "a_im.jpg":
            (tmp_path / "davis" / name).write_bytes(b"no photo")
        item = Library(tmp_path).items["davis"][0]
        with pytest.raises(InputError, match=f"{name}: {message}"):
            real_scene(item, np.random.default_rng(0))


@pytest.mark.parametrize("wrong", [{"size": 100}, {"size": 0}, {"batch": 0}])
def test_sizes_that_the_network_cannot_take_are_told(wrong):
    with pytest.raises(InputError, match="size must be a multiple of 64"):
        train.Config(**wrong)


@pytest.mark.parametrize("option", [["--minutes", "0"], ["--device", "nothing"]])
def test_options_that_cannot_be_are_told(option, capsys):
    parser = loop.run_parser("", train.Config, minutes=None)
    with pytest.raises(SystemExit) as stopped:
        parser.parse_args(["data", "--run", "run", "--minutes", "1", *option])
    assert stopped.value.code == 2
    assert f"argument {option[0]}: " in capsys.readouterr().err


def test_a_checkpoint_of_another_network_is_told(tmp_path):
    torch.save({"model": {}, "average": {}}, tmp_path / "last.pt")
    with pytest.raises(ModelError, match="is of a run of another network"):
        train.start(CONFIG, torch.device("cpu")).load(tmp_path / "last.pt")
    with pytest.raises(ModelError, match="is of no run of"):
        load(tmp_path / "last.pt")


def test_a_full_disk_leaves_the_earlier_checkpoint(tmp_path, monkeypatch):
    state = train.start(CONFIG, torch.device("cpu"))
    state.save(tmp_path / "last.pt", CONFIG)
    before = (tmp_path / "last.pt").read_bytes()

    def half(data, path):
        path.write_bytes(b"half of it")
        raise RuntimeError("unexpected pos 704 vs 598")

    monkeypatch.setattr(torch, "save", half)
    with pytest.raises(OutputError, match="cannot be written"):
        state.save(tmp_path / "last.pt", CONFIG)
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [before]


def test_learning_lowers_the_loss(batches):
    torch.manual_seed(0)
    state = train.start(CONFIG, torch.device("cpu"))
    state.model.train()
    batch = next(batches)
    losses = [train.learn(state, batch, CONFIG) for _ in range(12)]
    assert np.mean(losses[-3:]) < 0.8 * np.mean(losses[:3])


def test_a_run_stops_in_time_and_goes_on_where_it_stopped(batches, tmp_path):
    state = train.start(CONFIG, torch.device("cpu"))
    loop.train(state, batches, RECIPE, minutes=0.005, folder=tmp_path)
    assert state.step > 0
    later = train.start(CONFIG, torch.device("cpu"))
    later.load(tmp_path / "last.pt")
    assert (later.step, later.samples) == (state.step, state.samples)
    for key, value in later.average.state_dict().items():
        assert torch.equal(value, state.average.state_dict()[key])
    loop.train(later, batches, RECIPE, minutes=0.0001, folder=tmp_path)
    assert later.step > state.step
    assert later.seconds > state.seconds


def test_the_curve_is_written(batches, tmp_path):
    state = train.start(CONFIG, torch.device("cpu"))
    state.step = 19
    loop.train(state, batches, RECIPE, minutes=0.001, folder=tmp_path)
    row = json.loads((tmp_path / "curve.jsonl").read_text().splitlines()[0])
    assert row["step"] == 20
    assert row["loss"] > 0


def test_the_rate_rises_then_falls():
    shares = [train.schedule(CONFIG, step, step / 100) for step in range(101)]
    assert shares[0] == pytest.approx(1)
    assert shares[-1] == pytest.approx(CONFIG.final_share)
    assert all(a >= b for a, b in itertools.pairwise(shares))


@pytest.mark.filterwarnings("ignore")  # torch's exporter warns of its own deprecated calls
def test_the_exported_file_answers_like_the_network(exported):
    assert len(exported.digest) == 64
    engine = OnnxEngine(exported.path, threads=1)
    for shape in ((1, 5, 64, 64), (3, 5, 128, 192)):
        views = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
        floats = torch.from_numpy(views).float()
        floats[:, 3:] /= 255
        with torch.no_grad():
            expected = torch.sigmoid(exported.network(floats))[:, 0].numpy()
        assert np.allclose(engine(views), expected, atol=5e-3)  # weights are half floats


def test_edges_that_lie_too_far_out_are_moved_in_by_the_log_odds_given(tmp_path):
    train.start(CONFIG, torch.device("cpu")).save(tmp_path / "last.pt", CONFIG)
    views = torch.rand(1, 5, 64, 64)
    with torch.no_grad():
        before, after = (load(tmp_path / "last.pt", outwards=o)(views) for o in (0.0, 0.25))
    torch.testing.assert_close(after, before - 0.25)


def test_of_several_checkpoints_the_mean_of_their_weights_is_exported(tmp_path):
    paths = [tmp_path / name for name in ("a.pt", "b.pt")]
    for seed, path in enumerate(paths):
        config = replace(CONFIG, seed=seed)
        train.start(config, torch.device("cpu")).save(path, config)
    first, second, mean = (load(*some).state_dict() for some in (paths[:1], paths[1:], paths))
    for key, value in mean.items():
        torch.testing.assert_close(
            value, (first[key] + second[key]) / 2 if value.is_floating_point() else second[key]
        )


def test_samples_are_counted_over_processes_of_different_batches(tmp_path):
    script = (
        "import sys; from torch import distributed; from edgewise.training.loop import"
        " join_processes, over_processes; rank, _ = join_processes(); sums ="
        " [over_processes(3 + 4 * rank)]; distributed.destroy_process_group();"
        " open(sys.argv[1] + str(rank), 'w').write(str(sums[0]))"
    )
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    workers = [
        subprocess.Popen(
            [sys.executable, "-c", script, tmp_path / "sum"],
            env={
                **os.environ,
                "RANK": str(rank),
                "WORLD_SIZE": "2",
                "MASTER_ADDR": "127.0.0.1",
                "MASTER_PORT": str(port),
            },
        )
        for rank in range(2)
    ]
    assert [worker.wait(300) for worker in workers] == [0, 0]
    assert [(tmp_path / f"sum{rank}").read_text() for rank in range(2)] == ["10", "10"]
