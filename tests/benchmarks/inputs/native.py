"""Files as the networks write them, and resizing worked out from its definition."""

import h5py
import numpy as np
from PIL import Image

from tests.benchmarks.miniature import save

MATLAB = b"MATLAB 7.3 MAT-file, Platform: GLNXA64, Created on: Mon Mar  2 2020 HDF5 schema 1.00 ."


def write_mat(path, labels, name="data_obj", field="mask_data"):
    """A MATLAB v7.3 file: HDF5 behind a block of 512 bytes, matrices column by column."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with h5py.File(path, "w", userblock_size=512) as file:
        group = file.create_group(name)
        group.create_dataset(field, data=np.ascontiguousarray(labels.T))
        group.create_dataset("class_info", data=np.zeros(3))
    with path.open("r+b") as stream:
        stream.write(MATLAB.ljust(116) + bytes(8) + b"\x00\x02IM")
    return path


def write_palette(path, labels, palette):
    path.parent.mkdir(parents=True, exist_ok=True)
    picture = Image.fromarray(labels.astype(np.uint8))
    picture.putpalette([level for colour in palette for level in colour])
    picture.save(path)
    return path


def write_grey(path, labels):
    return save(labels.astype(np.uint8), path)


def _weights(there, here):
    """Cubic convolution's weights (Keys, a = -0.75) of every old pixel for every new one."""
    table = np.zeros((there, here))
    for new in range(there):
        centre = (new + 0.5) * here / there - 0.5
        for old in range(int(np.floor(centre)) - 1, int(np.floor(centre)) + 3):
            away, a = abs(centre - old), -0.75
            if away <= 1:
                weight = (a + 2) * away**3 - (a + 3) * away**2 + 1
            else:
                weight = a * away**3 - 5 * a * away**2 + 8 * a * away - 4 * a
            table[new, min(max(old, 0), here - 1)] += weight
    return table


def bicubic(plane, shape):
    """A plane resized to (height, width), edges repeated."""
    height, width = shape
    rows = _weights(height, plane.shape[0])
    return rows @ plane.astype(float) @ _weights(width, plane.shape[1]).T


def selected(labels, label, shape):
    """The mask that the published conversion makes of a label map, by its definition."""
    levels = bicubic(labels == label, shape)
    assert np.abs(levels - 0.5).min() > 1e-5  # no pixel hangs on rounding
    return levels > 0.5


def nearest(labels, shape):
    """A label map resized so that each pixel takes the label under its centre."""
    rows = np.floor((np.arange(shape[0]) + 0.5) * labels.shape[0] / shape[0]).astype(int)
    columns = np.floor((np.arange(shape[1]) + 0.5) * labels.shape[1] / shape[1]).astype(int)
    return labels[rows][:, columns]


def blocks(labels, shape=(13, 19), seed=0):
    """A label map of blobs of some labels."""
    rng = np.random.default_rng(seed)
    coarse = rng.choice(labels, (4, 5))
    return nearest(coarse, shape).astype(np.int32)
