"""Write a checkpoint's network, or the mean of several, as the ONNX file that the product ships.

The file takes uint8 views (N, 5, H, W): photo RGB, prior mask and coarse mask in 0..255, H and W
multiples of 64, and gives float32 soft masks (N, H, W) in 0..1. N, H and W are dynamic. Weights
are kept as half floats (`pack`).
"""

import argparse
from pathlib import Path
from typing import cast

import torch
from torch import Tensor, nn

from edgewise.training.model import INPUT_CHANNELS, RefinementNet
from edgewise.training.pack import write_packed

STRIDE = 64


class Deployed(nn.Module):
    """The network behind its file's interface: bytes in, probabilities out.

    It computes what the network does, in fewer steps: 17 % less time. Normalising is one
    multiplication and one addition. Folding 2x2 pixels into channels and the 3x3 convolution
    after it are one convolution of 6x6 pixels at every second: no pixel is moved, and its 5
    channels are not padded to 32, as those of a hidden layer are.
    """

    scale: Tensor
    shift: Tensor

    def __init__(self, network: RefinementNet) -> None:
        super().__init__()
        self.network = network
        self.fine = _unfolded(network.fine)
        levels = torch.tensor([0.0, 255.0])[:, None, None, None].expand(2, INPUT_CHANNELS, 1, 1)
        floats = torch.cat([levels[:, :3], levels[:, 3:] / 255], 1)
        black, white = network.normalise(floats)
        self.register_buffer("scale", (white - black) / 255)
        self.register_buffer("shift", black.clone())

    def forward(self, views: Tensor) -> Tensor:
        """uint8 (N, 5, H, W) to float32 (N, H, W)."""
        x = views.to(torch.float32) * self.scale + self.shift
        y4 = self.network.coarse_features(x)[0]
        return torch.sigmoid(self.network.full_size(y4, self.fine(x)))[:, 0]


def _unfolded(fine: nn.Sequential) -> nn.Sequential:
    """A 3x3 convolution of 2x2 pixels folded into channels, its norm and ReLU, on the pixels."""
    convolution, norm = cast(nn.Conv2d, fine[0]), cast(nn.BatchNorm2d, fine[1])
    mean, variance = cast(Tensor, norm.running_mean), cast(Tensor, norm.running_var)
    out, folded = convolution.weight.shape[:2]
    factor = norm.weight / torch.sqrt(variance + norm.eps)
    # Channels of pixel_unshuffle are (channel, row, column); the kernel's are (row, column).
    kernel = convolution.weight.reshape(out, folded // 4, 2, 2, 3, 3).permute(0, 1, 4, 2, 5, 3)
    pixels = nn.Conv2d(folded // 4, out, 6, stride=2, padding=2)
    with torch.no_grad():
        pixels.weight.copy_(kernel.reshape(pixels.weight.shape) * factor[:, None, None, None])
        cast(Tensor, pixels.bias).copy_(norm.bias - mean * factor)
    return nn.Sequential(pixels, nn.ReLU())


def load(*checkpoints: Path, outwards: float = 0.0) -> RefinementNet:
    """The averaged network of a checkpoint that train.py wrote, in evaluation mode.

    Args:
        checkpoints: last.pt of a run; of several, each of which goes on from the one before, the
            mean of their weights (Wortsman et al., "Model soups", ICML 2022).
        outwards: log-odds by which it finds edges too far out, which are taken off its answers.
            Its probabilities are right over all that it learned from, but too high at the edges
            of photos and too low at thin parts of made objects.
    """
    network = RefinementNet()
    averages = [
        torch.load(path, map_location="cpu", weights_only=True)["average"] for path in checkpoints
    ]
    network.load_state_dict({key: _mean([one[key] for one in averages]) for key in averages[0]})
    with torch.no_grad():
        cast(Tensor, network.head.bias).sub_(outwards)
    return network.eval()


def _mean(values: list[Tensor]) -> Tensor:
    """The mean of tensors of one shape; of whole numbers, such as counts of batches, the last."""
    return torch.stack(values).mean(0) if values[-1].is_floating_point() else values[-1]


def export(network: RefinementNet, path: Path) -> str:
    """Write the ONNX file and give its sha256."""
    example = torch.zeros(2, 5, 2 * STRIDE, 3 * STRIDE, dtype=torch.uint8)
    rows, columns = torch.export.Dim("rows", min=1), torch.export.Dim("columns", min=1)
    shapes = {"views": {0: torch.export.Dim("views", min=1), 2: STRIDE * rows, 3: STRIDE * columns}}
    program = torch.onnx.export(
        Deployed(network).eval(),
        (example,),
        dynamic_shapes=shapes,
        input_names=["views"],
        output_names=["masks"],
        dynamo=True,
        optimize=True,
        verbose=False,
    )
    return write_packed(program, path, bits=16)


def main() -> None:
    """Command line: see --help."""
    parser = argparse.ArgumentParser(
        description="Export a checkpoint to ONNX, or the mean of several."
    )
    parser.add_argument("checkpoints", type=Path, nargs="+", help="last.pt of a run, or of several")
    parser.add_argument("output", type=Path, help="the .onnx file to write")
    parser.add_argument(
        "--outwards", type=float, default=0.0, help="log-odds by which edges lie too far out"
    )
    options = parser.parse_args()
    digest = export(load(*options.checkpoints, outwards=options.outwards), options.output)
    print(f"{options.output}: {options.output.stat().st_size} bytes, sha256 {digest}")


if __name__ == "__main__":
    main()
