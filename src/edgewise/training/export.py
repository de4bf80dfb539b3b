"""Write a checkpoint's network as the ONNX file that the product ships.

The file takes uint8 views (N, 5, H, W): photo RGB, prior mask and coarse mask in 0..255, H and W
multiples of 64, and gives float32 soft masks (N, H, W) in 0..1. N, H and W are dynamic.
"""

import argparse
import hashlib
from pathlib import Path

import torch
from torch import Tensor, nn

from edgewise.training.model import RefinementNet

STRIDE = 64


class Deployed(nn.Module):
    """The network behind its file's interface: bytes in, probabilities out."""

    def __init__(self, network: RefinementNet) -> None:
        super().__init__()
        self.network = network

    def forward(self, views: Tensor) -> Tensor:
        """uint8 (N, 5, H, W) to float32 (N, H, W)."""
        floats = views.to(torch.float32)
        inputs = torch.cat([floats[:, :3], floats[:, 3:] / 255], 1)
        return torch.sigmoid(self.network(inputs))[:, 0]


def load(checkpoint: Path) -> RefinementNet:
    """The averaged network of a checkpoint that train.py wrote, in evaluation mode."""
    data = torch.load(checkpoint, map_location="cpu", weights_only=True)
    network = RefinementNet()
    network.load_state_dict(data["average"])
    return network.eval()


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
    if program is None:
        raise RuntimeError("torch.onnx.export gave no program")
    program.save(str(path), external_data=False)
    return hashlib.sha256(path.read_bytes()).hexdigest()


def main() -> None:
    """Command line: see --help."""
    parser = argparse.ArgumentParser(description="Export a checkpoint to ONNX.")
    parser.add_argument("checkpoint", type=Path, help="last.pt of a run")
    parser.add_argument("output", type=Path, help="the .onnx file to write")
    options = parser.parse_args()
    digest = export(load(options.checkpoint), options.output)
    print(f"{options.output}: {options.output.stat().st_size} bytes, sha256 {digest}")


if __name__ == "__main__":
    main()
