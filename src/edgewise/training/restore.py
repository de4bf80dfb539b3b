"""Make a checkpoint to train on from an ONNX file that export.py wrote.

In the file every norm is folded into the convolution before it. Here they are taken apart again:
the network computes what the file does, and its norms know the means and variances of what they
see, so that training goes on where it ended, but for the optimiser's memory and the two coarser
heads, which serve the training loss alone.

    python -m edgewise.training.restore MODEL.onnx DATA RUN
    python -m edgewise.training.train DATA --run RUN --minutes 100
"""

import argparse
import math
from collections.abc import Iterable
from pathlib import Path
from typing import cast

import numpy as np
import onnx
import torch
from onnx import helper, numpy_helper
from torch import Tensor, nn

from edgewise.errors import InputError, ModelError
from edgewise.files import make_folder
from edgewise.training import command, kernels, loop, train
from edgewise.training.data import Library
from edgewise.training.model import RefinementNet

PREFIX = "network."  # of most names in the file
TRAINING_ONLY = ("head4", "head8")
VIEWS = 240  # views of which the norms' means and variances are taken


def folded_weights(path: Path) -> dict[str, Tensor]:
    """The convolutions' weights and biases, float32 under `RefinementNet`'s names.

    Raises:
        ModelError: not a file of export.py's.
    """
    try:
        graph = onnx.load(str(path)).graph
    except Exception as error:  # protobuf's own types
        raise ModelError(f"{path}: is no ONNX file ({error})") from error
    known = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    for node in graph.node:
        if node.op_type == "Cast" and node.input[0] in known:
            kind = helper.tensor_dtype_to_np_dtype(node.attribute[0].i)
            known[node.output[0]] = known[node.input[0]].astype(kind)
    found = {}
    for node in graph.node:
        if node.op_type != "Conv":
            continue
        if len(node.input) != 3 or any(name not in known for name in node.input[1:]):
            raise ModelError(f"{path}: {node.input[1]} is not kept as export.py keeps weights")
        name = node.input[1].removeprefix(PREFIX).removesuffix("weight")
        for part, key in zip(("weight", "bias"), node.input[1:], strict=True):
            found[name + part] = torch.from_numpy(known[key].astype(np.float32))
    return found


def _own(name: str, weight: Tensor, bias: Tensor) -> tuple[Tensor, Tensor]:
    """A convolution's weight and bias as the network has them."""
    if name == "head":
        return kernels.gathered(weight, bias)
    laid_out = {"fine.0": kernels.folded, "encoder._conv_stem": kernels.of_means}
    return laid_out[name](weight) if name in laid_out else weight, bias


def _pairs(network: nn.Module) -> list[tuple[str, nn.Conv2d, nn.BatchNorm2d | None]]:
    """Every convolution's name, it, and the norm behind it where there is one."""
    modules = dict(network.named_modules())
    behind = {"_conv_stem": "_bn0", "_expand_conv": "_bn0"}
    behind |= {"_depthwise_conv": "_bn1", "_project_conv": "_bn2", "0": "1"}
    pairs = []
    for name, module in modules.items():
        if not isinstance(module, nn.Conv2d):
            continue
        parent, _, own = name.rpartition(".")
        norm = modules.get(f"{parent}.{behind[own]}") if own in behind else None
        pairs.append((name, module, cast(nn.BatchNorm2d | None, norm)))
    return pairs


@torch.no_grad()
def restore(path: Path, views: Iterable[Tensor]) -> RefinementNet:
    """The network of a file, in evaluation mode.

    Args:
        path: a file of export.py's.
        views: batches (N, 5, H, W) as `RefinementNet.forward` takes them, of which the norms'
            means and variances are taken.

    Raises:
        ModelError: not a file of export.py's.
    """
    network, folded = RefinementNet().eval(), folded_weights(path)
    pairs = _pairs(network)
    for name, convolution, norm in pairs:
        if name in TRAINING_ONLY:
            continue
        if f"{name}.weight" not in folded:
            raise ModelError(f"{path}: lacks {name}, is another network's file")
        weight, bias = _own(name, folded[f"{name}.weight"], folded[f"{name}.bias"])
        if weight.shape != convolution.weight.shape:
            raise ModelError(f"{path}: {name} is {tuple(weight.shape)}, is another network's file")
        convolution.weight.copy_(weight)
        if norm is None:
            cast(Tensor, convolution.bias).copy_(bias)
        else:
            cast(Tensor, norm.running_var).fill_(1 - norm.eps)
            norm.bias.copy_(bias)
    _measure(network, views)
    for _, convolution, norm in pairs:
        if norm is not None:
            _rescale(convolution, norm)
    return network


def _measure(network: nn.Module, views: Iterable[Tensor]) -> None:
    """Give norms that do nothing the statistics of what they see, and let them still do nothing."""
    sums: dict[nn.BatchNorm2d, list[Tensor]] = {}

    def look(norm: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        x = inputs[0].double().transpose(0, 1).flatten(1)
        mean, square = x.mean(1), x.square().mean(1)
        found = sums.setdefault(cast(nn.BatchNorm2d, norm), [])
        found.append(torch.stack([mean, square]))

    norms = [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)]
    hooks = [norm.register_forward_pre_hook(look) for norm in norms]
    for batch in views:
        network(batch)
    for hook in hooks:
        hook.remove()
    for norm, found in sums.items():
        mean, square = torch.stack(found).mean(0)
        variance = (square - mean.square()).clamp_min(0)
        cast(Tensor, norm.running_mean).copy_(mean)
        cast(Tensor, norm.running_var).copy_(variance)
        norm.weight.copy_(torch.sqrt(variance + norm.eps))
        norm.bias.add_(mean)


def _rescale(convolution: nn.Conv2d, norm: nn.BatchNorm2d) -> None:
    """Bring a convolution's channels to the size that they are started with, as steps fit that."""
    weight = convolution.weight
    size = weight.square().mean((1, 2, 3)).sqrt().clamp_min(1e-8)
    scale = 1 / math.sqrt(3 * weight[0].numel()) / size
    weight.mul_(scale[:, None, None, None])
    mean, variance = cast(Tensor, norm.running_mean), cast(Tensor, norm.running_var)
    mean.mul_(scale)
    variance.mul_(scale.square())
    norm.weight.copy_(torch.sqrt(variance + norm.eps) / scale)


def main() -> None:
    """Command line: see --help."""
    parser = argparse.ArgumentParser(description="Make a checkpoint of an ONNX file.")
    parser.add_argument("model", type=Path, help="an .onnx file that export.py wrote")
    parser.add_argument("data", type=Path, help="the training folder (docs/training.md)")
    parser.add_argument("run", type=Path, help="folder of the run, for last.pt")
    options = parser.parse_args()
    last = options.run / loop.CHECKPOINT
    if last.exists():
        raise InputError(f"{last}: is there already; give a new folder, or remove it")
    config = train.Config()
    state = train.start(config, torch.device("cpu"))
    drawn = train.batches(Library(options.data), config, seed=config.seed, workers=0)
    batches = (train.first_views(next(drawn)) for _ in range(VIEWS // config.batch))
    network = restore(options.model, batches)
    state.model.load_state_dict(network.state_dict())
    state.average.load_state_dict(network.state_dict())
    make_folder(options.run)
    state.save(last, config)
    print(f"{last}: goes on from {options.model}")


if __name__ == "__main__":
    command.run(main)
