"""Makes data/pairs.npz and data/pysodmetrics.json: pairs, and what PySODMetrics gives for them.

PySODMetrics asks for older OpenCV and numpy than edgewise allows, so run this in an environment of
its own:

    python -m venv reference
    reference/bin/pip install pysodmetrics==1.6.2 hypothesis
    reference/bin/python tests/metrics/reference_values.py
"""

import json
from importlib.metadata import version
from pathlib import Path

import numpy as np
import py_sod_metrics as reference
from mask_pairs import coarse, drawn_object
from skimage.morphology import skeletonize

DATA = Path(__file__).parent / "data"
SIZES = [(96, 128), (127, 95), (61, 80), (140, 33)]


def make_pairs():
    """Soft masks of 8 bits and truths, drawn; the last truths are full, single pixels, corners."""
    rng = np.random.default_rng(7)
    for number in range(28):
        height, width = SIZES[number % len(SIZES)]
        truth = drawn_object(rng, height, width)
        yield coarse(rng, truth), truth
    for rows, columns in [(slice(None), slice(None)), (5, 9), (slice(0, 9), slice(0, 30))]:
        truth = np.zeros((50, 70), bool)
        truth[rows, columns] = True
        yield coarse(rng, truth), truth


def value(metric, key, mask, truth):
    """One metric of one pair, on levels as they are."""
    metric.step(mask, truth, normalize=False)
    return float(metric.get_results()[key])


def values(grey, truth):
    """All metrics of one pair: soft ones on the levels, effort on the binary mask."""
    soft, hard = grey / 255, (grey > 128).astype(float)
    return {
        "mae": value(reference.MAE(), "mae", soft, truth),
        "s_measure": value(reference.Smeasure(), "sm", soft, truth),
        "weighted_f": value(reference.WeightedFmeasure(), "wfm", soft, truth),
        "s_measure_binary": value(reference.Smeasure(), "sm", hard, truth),
        "weighted_f_binary": value(reference.WeightedFmeasure(), "wfm", hard, truth),
        "hce": value(reference.HumanCorrectionEffortMeasure(), "hce", hard, truth),
    }


def main():
    """Write both files."""
    pairs = list(make_pairs())
    packed = {}
    for number, (grey, truth) in enumerate(pairs):
        packed[f"grey_{number}"] = grey
        packed[f"truth_{number}"] = np.packbits(truth, axis=1)
        packed[f"skeleton_{number}"] = np.packbits(skeletonize(truth), axis=1)
    np.savez_compressed(DATA / "pairs.npz", **packed)
    document = {
        "pysodmetrics": version("pysodmetrics"),
        "scikit-image": version("scikit-image"),
        "values": [values(grey, truth) for grey, truth in pairs],
    }
    (DATA / "pysodmetrics.json").write_text(json.dumps(document, indent=1) + "\n")


if __name__ == "__main__":
    main()
