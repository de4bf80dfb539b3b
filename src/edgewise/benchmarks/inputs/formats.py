"""The table of native outputs: how each network's files are read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from edgewise.benchmarks import voc
from edgewise.benchmarks.inputs.fcn8s import read_caffe
from edgewise.benchmarks.inputs.labels import check_labels, read_labels, voc_labels
from edgewise.benchmarks.inputs.refinenet import read_mat

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """How a network writes its label maps for a dataset.

    Attributes:
        suffixes: of its files, in the order in which they are looked for.
        read: gives the label map of a file, int32 HxW.
        masks: binary masks of 0 and 255 occur in place of label maps.
        counts_from_0: some of its versions write classes from 0 on, where others write 1.
        bilinear: the reference resized its labels as if they were levels (a quirk).
        coloured: pictures in ADE20K's colours occur in place of label maps.
    """

    suffixes: tuple[str, ...]
    read: Callable[[Path], NDArray[np.int32]]
    masks: bool = False
    counts_from_0: bool = False
    bilinear: bool = False
    coloured: bool = False


def _voc_mat(path: Path) -> NDArray[np.int32]:
    labels = read_mat(path)
    check_labels(labels, voc.LABELS, str(path))
    return labels


_VOC_PICTURE = Format(suffixes=(".png",), read=voc_labels)
_ADE_PICTURE = Format(suffixes=(".png",), read=read_labels, counts_from_0=True, coloured=True)

OBJECTS = {
    "deeplabv3plus": _VOC_PICTURE,
    "pspnet": _VOC_PICTURE,
    "refinenet": Format(suffixes=(".mat",), read=_voc_mat),
    "fcn8s": Format(suffixes=(".npy", ".png"), read=read_caffe, masks=True),
}
"""For BIG and PASCAL: labels of PASCAL VOC."""

SCENES = {
    "refinenet": Format(suffixes=(".mat",), read=read_mat, bilinear=True),
    "encnet": _ADE_PICTURE,
    "pspnet": _ADE_PICTURE,
}
"""For ADE20K: labels 1..150, or 0..149 where `counts_from_0`."""
