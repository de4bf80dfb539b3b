"""The pairs of data/pairs.npz with the values that PySODMetrics and scikit-image gave for them.

`reference_values.py` made both.
"""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

DATA = Path(__file__).parent / "data"


@dataclass(frozen=True)
class Pair:
    """A soft mask, a truth, its skeleton and the values of the reference."""

    number: int
    soft: np.ndarray
    truth: np.ndarray
    skeleton: np.ndarray
    values: dict

    @property
    def mask(self):
        return self.soft * 255 > 128.5

    def __str__(self):
        return f"pair{self.number}"


def _load():
    values = json.loads((DATA / "pysodmetrics.json").read_text())["values"]
    with np.load(DATA / "pairs.npz") as arrays:
        for number, value in enumerate(values):
            grey = arrays[f"grey_{number}"]
            truth, skeleton = (
                np.unpackbits(arrays[f"{name}_{number}"], axis=1, count=grey.shape[1]).astype(bool)
                for name in ("truth", "skeleton")
            )
            yield Pair(number, grey / 255, truth, skeleton, value)


REFERENCE = list(_load())
