"""The network has the shapes, the start and the cost that its docstrings promise."""

import pytest

torch = pytest.importorskip("torch", reason="training needs the extra edgewise[train]")

from torch.nn import functional as F

from edgewise.errors import ModelError
from edgewise.training.losses import _sobel, edge_emphasis, refinement_loss
from edgewise.training.model import RefinementNet, load_encoder, parameter_groups


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    return RefinementNet().eval()


@pytest.mark.parametrize("size", [(64, 64), (128, 192)])
def test_logits_have_the_input_s_size(network, size):
    views = torch.rand(2, 5, *size)
    at1, at4, at8 = network.features(views)
    assert at1.shape == (2, 1, *size)
    assert at4.shape == (2, 1, size[0] // 4, size[1] // 4)
    assert at8.shape == (2, 1, size[0] // 8, size[1] // 8)


def test_it_is_small(network):
    assert sum(p.numel() for p in network.parameters()) < 4_000_000


def test_pretrained_weights_start_with_the_masks_ignored(network, tmp_path):
    state = {
        key: torch.rand_like(value.float()) for key, value in network.encoder.state_dict().items()
    }
    state["_conv_stem.weight"] = torch.rand(32, 3, 3, 3)
    torch.save(state | {"_fc.weight": torch.zeros(1)}, tmp_path / "encoder.pth")
    fresh = RefinementNet()
    load_encoder(fresh, tmp_path / "encoder.pth")
    stem = fresh.encoder._conv_stem.weight
    assert torch.equal(stem[:, :3], state["_conv_stem.weight"])
    assert (stem[:, 3:] == 0).all()


def test_a_file_of_another_network_is_refused(tmp_path):
    torch.save({"_conv_stem.weight": torch.zeros(32, 3, 3, 3)}, tmp_path / "other.pth")
    with pytest.raises(ModelError, match="not an EfficientNet-Lite0 state_dict"):
        load_encoder(RefinementNet(), tmp_path / "other.pth")


def test_every_parameter_is_in_one_group(network):
    groups = parameter_groups(network, rate=1.0, encoder_share=0.5, decay=0.1)
    grouped = [id(p) for group in groups for p in group["params"]]
    assert sorted(grouped) == sorted(id(p) for p in network.parameters())


def _loss(logit, truth):
    sizes = (64, 16, 8)
    outputs = tuple(torch.nn.functional.interpolate(logit, (s, s)) for s in sizes)
    return float(refinement_loss(outputs, truth, torch.ones_like(truth)))


def test_the_loss_prefers_the_truth():
    truth = torch.zeros(1, 1, 64, 64)
    truth[..., 16:48, 16:48] = 1
    right, shifted = (truth * 2 - 1) * 8, (truth.roll(4, -1) * 2 - 1) * 8
    assert _loss(right, truth) < _loss(shifted, truth) < _loss(-right, truth)


def test_where_the_truth_is_not_trusted_nothing_is_learned():
    truth = torch.zeros(1, 1, 64, 64)
    logits = torch.zeros(1, 1, 64, 64, requires_grad=True)
    small = [torch.zeros(1, 1, s, s) for s in (16, 8)]
    refinement_loss((logits, *small), truth, torch.zeros_like(truth)).backward()
    assert (logits.grad == 0).all()


def test_the_loss_pulls_a_contour_no_way():
    """Both sides of an unsure straight edge are pulled alike: else contours would move outwards."""
    truth = torch.zeros(1, 1, 64, 64)
    truth[..., :32] = 1
    logits = torch.zeros(1, 1, 64, 64, requires_grad=True)
    small = [torch.zeros(1, 1, s, s) for s in (16, 8)]
    refinement_loss((logits, *small), truth, torch.ones_like(truth)).backward()
    inside, outside = logits.grad[..., 28:32], logits.grad[..., 32:36]
    assert (inside < 0).all()
    assert torch.allclose(inside, -outside.flip(-1))


def test_the_edge_s_emphasis_is_a_window_s_greatest_and_least_value():
    truth = torch.rand(2, 1, 23, 31)
    expected = F.max_pool2d(truth, 9, 1, 4) + F.max_pool2d(-truth, 9, 1, 4)
    assert torch.equal(edge_emphasis(truth), 1 + 3 * expected)


def test_the_edge_loss_is_that_of_sobel_s_kernels():
    across = torch.tensor([[-1.0, 0, 1], [-2, 0, 2], [-1, 0, 1]])[None, None] / 4
    mask = torch.rand(2, 1, 12, 17)
    found = _sobel(mask)
    for response, kernel in zip(found, (across, across.transpose(2, 3)), strict=True):
        assert torch.allclose(response, F.conv2d(mask, kernel, padding=1), atol=1e-6)
