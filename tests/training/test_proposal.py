"""The proposal network's file answers as the network does, and holds nothing but its weights."""

import sys

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="training needs the extra edgewise[train]")
pytest.importorskip("onnxscript", reason="training needs the extra edgewise[train]")

import onnxruntime

from edgewise.errors import ModelError
from edgewise.training import command, proposal


@pytest.fixture(scope="module")
def network():
    """Random weights, those that start at zero too; one block of each kind, to be quick."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(proposal, "DEPTHS", (1, 1, 1, 1))
        torch.manual_seed(0)
        network = proposal.ProposalNet()
        with torch.no_grad():
            for name, tensor in network.state_dict().items():
                if name.endswith(("attention_biases", "gaussian_matrix")):
                    tensor.normal_()
        yield network.eval()


@pytest.mark.filterwarnings("ignore")  # torch's exporter warns of its own deprecated calls
def test_the_file_answers_like_the_network_at_other_sizes_than_it_was_traced_at(
    network, tmp_path, monkeypatch
):
    """But for the packing, of which test_pack.py tells."""
    monkeypatch.setattr("edgewise.training.pack.pack", lambda model, *, bits: model)
    monkeypatch.setattr("edgewise.training.pack.in_integers", lambda model: model)
    written = proposal.export(network, tmp_path)
    assert [len(digest) for digest in written.values()] == [64, 64]
    look, answers = (
        onnxruntime.InferenceSession(str(tmp_path / name), providers=["CPUExecutionProvider"])
        for name in written
    )
    random = np.random.default_rng(0)
    for height, width in ((224, 224), (224, 448)):
        given = {
            "photo": random.integers(0, 256, (3, height, width), np.uint8),
            "mask": random.normal(0, 4, (height // 4, width // 4)).astype(np.float32),
            "places": np.array([[90, 100], [20, 30], [200, 180]], np.float32),
        }
        with torch.no_grad():
            expected = network(*(torch.from_numpy(value) for value in given.values())).numpy()
        (embedding,) = look.run(None, {"photo": given.pop("photo")})
        (found,) = answers.run(None, {"embedding": embedding, **given})
        assert found.shape == (proposal.CANDIDATES, height // 4, width // 4)
        assert np.abs(found - expected).max() < 1e-3 * np.abs(expected).max()


def test_a_checkpoint_is_read_by_name_and_what_it_has_beside_is_left(network, tmp_path):
    path = tmp_path / "net.pt"
    torch.save({**network.state_dict(), "mask_decoder.iou_prediction_head.x": torch.ones(1)}, path)
    loaded = proposal.load(path).state_dict()
    assert all(torch.equal(loaded[name], value) for name, value in network.state_dict().items())


def _lacking(state):
    return {name: value for name, value in state.items() if "iou_token" not in name}


def _misshapen(state):
    return {**state, "mask_decoder.iou_token.weight": torch.zeros(2, 256)}


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        (_lacking, "not MobileSAM's checkpoint, lacks mask_decoder.iou_token.weight"),
        (_misshapen, "not MobileSAM's checkpoint, has another shape of mask_decoder.iou_token"),
        (lambda _: torch.zeros(3), "holds no weights by name"),
    ],
)
def test_another_checkpoint_is_refused_in_a_line(network, tmp_path, changed, message):
    path = tmp_path / "net.pt"
    torch.save(changed(network.state_dict()), path)
    with pytest.raises(ModelError, match=message) as caught:
        proposal.load(path)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_no_checkpoint_is_refused_by_the_command(tmp_path, monkeypatch, capsys):
    path = tmp_path / "net.pt"
    for write, message in (
        (lambda: path.write_bytes(b"no weights"), "is no checkpoint of PyTorch's"),
        (path.unlink, "cannot be read: No such file"),
    ):
        write()
        monkeypatch.setattr(sys, "argv", ["proposal", str(path), str(tmp_path)])
        with pytest.raises(SystemExit) as stopped:
            command.run(proposal.main)
        assert stopped.value.code == 2
        assert message in capsys.readouterr().err.splitlines()[-1]
    assert not list(tmp_path.glob("*.onnx"))
