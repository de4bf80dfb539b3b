"""Torch on one thread, as on pictures this small threads mostly wait for each other; an export."""

from contextlib import suppress
from types import SimpleNamespace

import pytest

with suppress(ImportError):
    import torch

    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def exported(tmp_path_factory):
    """A refinement network whose norms do something, what they have seen, and the network's file.

    `views` float32 (4, 5, 64, 64), `network`, `path`, `digest`. Exporting takes long: once is
    enough.
    """
    from edgewise.training.export import export
    from edgewise.training.model import RefinementNet

    torch.manual_seed(1)
    views = torch.rand(4, 5, 64, 64)
    views[:, :3] *= 255
    torch.manual_seed(0)
    network = RefinementNet().train()
    with torch.no_grad():
        for norm in (m for m in network.modules() if isinstance(m, torch.nn.BatchNorm2d)):
            norm.weight.uniform_(0.5, 1.5)
            norm.bias.uniform_(-0.3, 0.3)
            norm.momentum = 0.5
        for _ in range(4):
            network(views)
    path = tmp_path_factory.mktemp("exported") / "net.onnx"
    digest = export(network.eval(), path)
    return SimpleNamespace(views=views, network=network, path=path, digest=digest)
