"""Make proposals for a training folder's real coarse masks, as the refiner will meet them.

For each `<id>_seg_<network>.png` a `<id>_proposal_<network>.png`: soft 0..255, the photo's size.
"""

import argparse
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from edgewise.errors import InputError
from edgewise.files import make_folder
from edgewise.network.runtime import OnnxProposer, Proposer
from edgewise.passes.proposal import propose
from edgewise.training import command
from edgewise.training.data import proposal_path, surroundings, write_picture

SIDES = (448, 672)  # longer sides of the look, drawn a mask
MARGINS = (0.1, 0.3)  # room around the object, as a share of its longer side, drawn a mask
LEAST = 0.5  # IoU with the coarse mask; the refiner asks for more


def proposed(
    network: Proposer,
    photo: NDArray[np.uint8],
    coarse: NDArray[np.uint8],
    random: np.random.Generator,
) -> NDArray[np.uint8] | None:
    """A proposal for one mask.

    Args:
        network: the proposal network.
        photo: uint8 HxWx3 RGB.
        coarse: uint8 HxW in 0..255; above 127 is object.
        random: draws the look's size and margin.

    Returns:
        uint8 HxW in 0..255; None where the mask is empty or no candidate comes near it.
    """
    if not (coarse > 127).any():
        return None
    rows, columns = surroundings(coarse > 127, random.uniform(*MARGINS))
    view = np.ascontiguousarray(coarse[rows, columns])
    soft = propose(
        network,
        np.ascontiguousarray(photo[rows, columns]),
        view,
        long_side=int(random.choice(SIDES)),
        least=LEAST,
    )
    if soft is None:
        return None
    levels = np.zeros(coarse.shape, np.uint8)
    large = cv2.resize(soft, view.shape[::-1], interpolation=cv2.INTER_LINEAR)
    levels[rows, columns] = cv2.convertScaleAbs(large, alpha=255)
    return levels


def main() -> None:
    """Command line: see --help."""
    parser = argparse.ArgumentParser(description="Make proposals for the real coarse masks.")
    parser.add_argument("data", type=Path, help="the training folder (docs/training.md)")
    parser.add_argument("output", type=Path, help="where the proposals go; continued if it exists")
    parser.add_argument("--prompt", type=Path, help="a prompt.onnx in place of the one that ships")
    options = parser.parse_args()
    network = OnnxProposer(prompt=options.prompt)
    masks = sorted(options.data.glob("*/*_seg_*.png"))
    if not masks:
        raise InputError(f"{options.data}: no folders with *_seg_*.png masks inside")
    for number, path in enumerate(masks):
        target = proposal_path(path, options.data, options.output)
        if target.exists():
            continue
        photo = cv2.imread(str(path).partition("_seg_")[0] + "_im.jpg")
        coarse = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
        if photo is None or coarse is None:
            raise InputError(f"{path}: it or its photo cannot be read")
        random = np.random.default_rng(number)
        colours, mask = np.asarray(photo[..., ::-1], np.uint8), np.asarray(coarse, np.uint8)
        levels = proposed(network, colours, mask, random)
        if levels is not None:
            make_folder(target.parent)
            write_picture(target, levels)


if __name__ == "__main__":
    command.run(main)
