"""FCN-8s's outputs: label maps or scores from Caffe as .npy, label pictures, or binary masks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from edgewise.benchmarks import voc
from edgewise.benchmarks.inputs.labels import check_labels, voc_labels, whole_numbers
from edgewise.errors import InputError
from edgewise.files import MAX_PIXELS

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray


def read_caffe(path: Path) -> NDArray[np.int32]:
    """The label map in a file, int32 HxW of 0..20 and 255.

    A .npy file holds labels HxW, or a blob of Caffe's: labels 1xHxW or 1x1xHxW, or scores 21xHxW
    or 1x21xHxW, of which the highest a pixel counts. Any other file is read as a picture.

    Raises:
        InputError: as `voc_labels`, or an array of another shape or kind.
    """
    if path.suffix.lower() != ".npy":
        return voc_labels(path)
    try:
        blob = np.lib.format.open_memmap(path, mode="r")  # `load` opens archives of arrays as well
    except (OSError, ValueError, EOFError) as error:
        raise InputError(f"{path}: is no array of NumPy, or is damaged: {error}") from error
    classes = len(voc.CLASSES) + 1
    if blob.ndim == 4 and blob.shape[0] == 1:
        blob = blob[0]
    if blob.ndim == 3 and blob.shape[0] == 1:
        blob = blob[0]
    wanted = blob.ndim == 2 or (blob.ndim == 3 and blob.shape[0] == classes)
    if not wanted or blob.size == 0 or blob.dtype.kind not in "uif":
        raise InputError(
            f"{path}: is {blob.dtype} of shape {blob.shape}; expected labels height x width, or "
            f"scores {classes} x height x width"
        )
    if blob.shape[-1] * blob.shape[-2] > MAX_PIXELS:
        raise InputError(f"{path}: has more than {MAX_PIXELS} pixels")
    if blob.ndim == 3:
        return np.asarray(np.argmax(blob, axis=0), dtype=np.int32)
    labels = whole_numbers(np.asarray(blob), str(path))
    check_labels(labels, voc.LABELS, str(path))
    return labels
