"""The pairs of data/pairs.npz with the values that reference libraries gave for them.

`reference_values.py` made the pairs and what PySODMetrics and scikit-image say of them,
`reference_surfaces.py` what MONAI and DAVIS's own code do.
"""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

DATA = Path(__file__).parent / "data"


@dataclass(frozen=True)
class Pair:
    """A soft mask, a truth, its skeleton and the values of PySODMetrics, and of surfaces."""

    number: int
    soft: np.ndarray
    truth: np.ndarray
    skeleton: np.ndarray
    values: dict
    surfaces: dict

    @property
    def mask(self):
        return self.soft * 255 > 128.5

    def __str__(self):
        return f"pair{self.number}"


def _load():
    files = ("pysodmetrics.json", "surfaces.json")
    regions, surfaces = (json.loads((DATA / name).read_text())["values"] for name in files)
    with np.load(DATA / "pairs.npz") as arrays:
        for number, values in enumerate(zip(regions, surfaces, strict=True)):
            grey = arrays[f"grey_{number}"]
            truth, skeleton = (
                np.unpackbits(arrays[f"{name}_{number}"], axis=1, count=grey.shape[1]).astype(bool)
                for name in ("truth", "skeleton")
            )
            yield Pair(number, grey / 255, truth, skeleton, *values)


REFERENCE = list(_load())
