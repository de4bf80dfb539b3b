"""A file that ships can be trained on: it is taken apart into the network that gave it."""

import sys

import numpy as np
import onnx
import pytest

torch = pytest.importorskip("torch", reason="training needs the extra edgewise[train]")

from edgewise.errors import InputError, ModelError
from edgewise.training.restore import folded_weights, main, restore


@pytest.fixture
def views(exported):
    return [exported.views, exported.views.flip(3)]


@pytest.fixture
def file(exported):
    return exported.path


pytestmark = pytest.mark.filterwarnings("ignore")  # torch's exporter warns of its own calls


def test_the_network_of_a_file_answers_as_it_did(exported, views):
    again = restore(exported.path, views)
    for batch in views:
        with torch.no_grad():
            # half floats are kept
            assert torch.allclose(again(batch), exported.network(batch), atol=2e-2)


def test_its_norms_know_what_they_see(file, views):
    again = restore(file, views)
    both = torch.cat(views)
    for norm in (again.encoder._bn0, again.merge2.second[1]):
        seen = []
        hook = norm.register_forward_pre_hook(lambda _, inputs, seen=seen: seen.append(inputs[0]))
        with torch.no_grad():
            again(both)
        hook.remove()
        mean, variance = seen[0].mean((0, 2, 3)), seen[0].var((0, 2, 3), correction=0)
        assert torch.allclose(norm.running_mean, mean, atol=1e-3)
        assert torch.allclose(norm.running_var, variance, rtol=1e-2, atol=1e-5)


def test_a_step_of_training_starts_from_the_same_answers(file, views):
    again = restore(file, views)
    with torch.no_grad():
        settled = again(torch.cat(views))
        learning = again.train()(torch.cat(views))
    assert torch.allclose(settled, learning, atol=5e-2)


def test_another_network_s_file_is_told(file, tmp_path):
    model = onnx.load(str(file))
    del model.graph.node[:]
    onnx.save(model, str(tmp_path / "empty.onnx"))
    with pytest.raises(ModelError, match=r"lacks encoder\._conv_stem"):
        restore(tmp_path / "empty.onnx", [])


def test_what_is_no_onnx_file_is_told(tmp_path):
    path = tmp_path / "no.onnx"
    path.write_bytes(b"not a network")
    with pytest.raises(ModelError, match="is no ONNX file"):
        folded_weights(path)


def test_channels_come_back_at_the_size_that_training_starts_with(file, views):
    weight = restore(file, views).merge4.first[0].weight
    size = weight.square().mean((1, 2, 3)).sqrt()
    assert np.allclose(size.detach(), 1 / np.sqrt(3 * weight[0].numel()), rtol=1e-3)


def test_a_run_that_is_there_is_not_written_over(file, tmp_path, monkeypatch):
    (tmp_path / "last.pt").write_bytes(b"hours of training")
    monkeypatch.setattr(sys, "argv", ["restore", str(file), str(tmp_path), str(tmp_path)])
    with pytest.raises(InputError, match="is there already"):
        main()
    assert (tmp_path / "last.pt").read_bytes() == b"hours of training"
