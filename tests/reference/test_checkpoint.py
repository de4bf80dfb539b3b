"""Weights load by their published names, all of them or none, and a wrong file is told once."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the reference needs the extra edgewise[reference]")

from edgewise.errors import ModelError
from edgewise.reference import checkpoint
from edgewise.reference.network import CascadeNetwork

PUBLISHED = {
    "encoder.stem.": "feats.conv1.",
    "encoder.stem_norm.": "feats.bn1.",
    "reduce.": "conv1.",
    "reduce_norm.": "bn1.",
    "spatial.": "conv2.",
    "spatial_norm.": "bn2.",
    "expand.": "conv3.",
    "expand_norm.": "bn3.",
    "match.": "downsample.0.",
    "match_norm.": "downsample.1.",
    "encoder.stage": "feats.layer",
    "pyramid.fuse": "psp.bottleneck",
    "rise4.first": "up_1.conv",
    "rise4.second": "up_1.conv2",
    "rise4.shortcut": "up_1.shortcut",
    "rise2.first": "up_2.conv",
    "rise2.second": "up_2.conv2",
    "rise2.shortcut": "up_2.shortcut",
    "rise1.first": "up_3.conv",
    "rise1.second": "up_3.conv2",
    "rise1.shortcut": "up_3.shortcut",
    "head8": "final_28",
    "head4": "final_56",
    "head1.0": "final_11",
    "head1.2": "final_21",
}


def published_name(name):
    """The way back, written by itself."""
    for own, other in PUBLISHED.items():
        name = name.replace(own, other)
    if name.startswith("pyramid.levels."):
        level = name.split(".")[2]
        name = name.replace(f"pyramid.levels.{level}", f"psp.stages.{level}.1")
    return name


@pytest.fixture
def small(monkeypatch):
    """A network of tiny widths, for which checkpoints are taken here."""
    monkeypatch.setattr(checkpoint, "WIDTH", 4)
    torch.manual_seed(1)
    return CascadeNetwork(4)


def saved(state, path, prefix="module."):
    torch.save({prefix + published_name(key): value for key, value in state.items()}, path)
    return path


def test_the_published_width_has_67_7_million_parameters():
    with torch.device("meta"):
        network = CascadeNetwork()
    assert sum(p.numel() for p in network.parameters()) == 67_683_433


@pytest.mark.parametrize("prefix", ["module.", ""])
def test_every_published_name_has_its_place(small, tmp_path, prefix):
    path = saved(small.state_dict(), tmp_path / "model", prefix)
    loaded = checkpoint.load_network(path)
    assert not loaded.training
    for key, value in small.state_dict().items():
        assert torch.equal(loaded.state_dict()[key], value), key


def test_counters_of_norms_may_be_missing(small, tmp_path):
    state = {k: v for k, v in small.state_dict().items() if not k.endswith(checkpoint.COUNTER)}
    assert checkpoint.load_network(saved(state, tmp_path / "model")).width == 4


def test_missing_and_surplus_keys_and_shapes_are_named(small, tmp_path):
    state = small.state_dict()
    state["head8.9.weight"] = state.pop("head8.0.weight")
    state["head4.0.bias"] = torch.zeros(7)
    path = saved(state, tmp_path / "model")
    with pytest.raises(ModelError) as caught:
        checkpoint.load_network(path)
    message = str(caught.value)
    assert "1 keys missing (head8.0.weight)" in message
    assert "1 keys too many (head8.9.weight)" in message
    assert "head4.0.bias (7,), not (2,)" in message
    assert checkpoint.checksum(path) in message
    assert "\n" not in message


@pytest.mark.parametrize("data", [b"", b"<html>Quota exceeded</html>", b"PK\x03\x04" + bytes(100)])
def test_a_file_that_is_no_checkpoint_is_told_with_its_checksum(tmp_path, data):
    path = tmp_path / "model"
    path.write_bytes(data)
    with pytest.raises(ModelError, match=r"is no checkpoint of PyTorch's.*sha256 [0-9a-f]{64}"):
        checkpoint.load_network(path)


def test_a_cut_off_checkpoint_is_told(small, tmp_path):
    path = saved(small.state_dict(), tmp_path / "model")
    path.write_bytes(path.read_bytes()[:-2000])
    with pytest.raises(ModelError, match="is no checkpoint"):
        checkpoint.load_network(path)


def test_code_in_a_checkpoint_is_not_run(tmp_path):
    class Evil:
        def __reduce__(self):
            return (pytest.fail, ("ran",))

    torch.save({"a": Evil()}, tmp_path / "model")
    with pytest.raises(ModelError, match="is no checkpoint"):
        checkpoint.load_network(tmp_path / "model")


def test_other_things_in_a_file_are_told(tmp_path):
    torch.save([1, 2], tmp_path / "list")
    with pytest.raises(ModelError, match="holds no weights by name"):
        checkpoint.load_network(tmp_path / "list")
    torch.save({"a": 1}, tmp_path / "other")
    with pytest.raises(ModelError, match=r"keys missing .* and 3"):
        checkpoint.load_network(tmp_path / "other")
    with pytest.raises(ModelError, match="gone: cannot be read"):
        checkpoint.load_network(tmp_path / "gone")


@pytest.mark.parametrize("config", [{}, {"config": {"batch": 8}}, {"config": None}])
def test_a_run_of_another_network_is_told(small, tmp_path, config):
    """As of edgewise's own training, whose checkpoint has the same name."""
    torch.save({"average": small.state_dict(), **config}, tmp_path / "last.pt")
    with pytest.raises(ModelError, match=r"last\.pt: is of a run of another network; expected"):
        checkpoint.load_network(tmp_path / "last.pt")


def test_an_encoder_of_imagenet_starts_with_the_masks_ignored(small, tmp_path):
    state = {
        published_name(key).removeprefix("feats."): value
        for key, value in small.state_dict().items()
        if key.startswith("encoder.")
    }
    state["conv1.weight"] = state["conv1.weight"][:, :3] + 1
    state["fc.weight"] = torch.zeros(2, 2)
    torch.save(state, tmp_path / "resnet50.pth")
    fresh = CascadeNetwork(4)
    checkpoint.load_encoder(fresh, tmp_path / "resnet50.pth")
    stem = fresh.encoder.stem.weight.detach()
    assert torch.equal(stem[:, :3], state["conv1.weight"])
    assert np.all(stem[:, 3:].numpy() == 0)
    last = "encoder.stage4.2.expand_norm.running_var"
    assert torch.equal(fresh.state_dict()[last], small.state_dict()[last])
