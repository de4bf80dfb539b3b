"""Makes data/surfaces.json: what MONAI and DAVIS's own code give for the pairs of data/pairs.npz.

Both want more than the tests should (torch; a clone), so run this in an environment of its own:

    python -m venv reference
    reference/bin/pip install monai==1.6.1 scipy scikit-image opencv-python-headless
    git clone https://github.com/davisvideochallenge/davis2017-evaluation   # at 30b698a
    PYTHONPATH=davis2017-evaluation reference/bin/python tests/metrics/reference_surfaces.py
"""

import json
from importlib.metadata import version
from pathlib import Path

import numpy as np
import torch
from davis2017.metrics import f_measure
from monai.metrics import compute_average_surface_distance, compute_hausdorff_distance

DATA = Path(__file__).parent / "data"


def make_pairs():
    """The masks of `reference_values.py` at the published threshold, and their truths."""
    with np.load(DATA / "pairs.npz") as arrays:
        for number in range(sum(name.startswith("grey_") for name in arrays.files)):
            grey, packed = arrays[f"grey_{number}"], arrays[f"truth_{number}"]
            yield grey > 128, np.unpackbits(packed, axis=1, count=grey.shape[1]).astype(bool)


def values(mask, truth):
    """All metrics of one pair; MONAI's are null where a mask is empty: undefined there."""
    found = {"boundary_f": float(f_measure(mask, truth))}
    some = mask.any() and truth.any()
    batch = [torch.as_tensor(array)[None, None].float() for array in (mask, truth)]
    distances = {
        "hausdorff": lambda: compute_hausdorff_distance(*batch),
        "hd95": lambda: compute_hausdorff_distance(*batch, percentile=95),
        "assd": lambda: compute_average_surface_distance(*batch, symmetric=True),
    }
    return found | {name: float(of()) if some else None for name, of in distances.items()}


def main():
    """Write the file."""
    document = {
        "monai": version("monai"),
        "davis2017-evaluation": "30b698a691681588bbcfe0f2a7c7c680d49bb72d",
        "values": [values(*pair) for pair in make_pairs()],
    }
    (DATA / "surfaces.json").write_text(json.dumps(document, indent=1) + "\n")


if __name__ == "__main__":
    main()
