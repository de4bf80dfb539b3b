"""Relabeled PASCAL VOC 2012: 500 objects, `<voc id>_<CC>_im.png`, `_gt.png`, `_seg.png`.

CC is the two-digit label, 01..20, of the one object.
"""

import re
from pathlib import Path

from edgewise.benchmarks.samples import Sample, objects
from edgewise.benchmarks.voc import CLASSES
from edgewise.errors import InputError

PHOTO = "_im.png"

_NAME = re.compile(r"(?P<photo>.+)_(?P<label>\d\d)")


def label_of(name: str) -> int:
    """The label 1..20 that an object's name ends with.

    Raises:
        InputError: the name ends otherwise.
    """
    label = int(_parsed(name)["label"])
    if not 1 <= label <= len(CLASSES):
        raise InputError(f"{name}: the class {label:02} is none of PASCAL VOC; expected 01 to 20")
    return label


def voc_id(name: str) -> str:
    """The name that PASCAL VOC has for the object's photo, such as 2007_000033.

    Raises:
        InputError: the name does not end with a label.
    """
    return _parsed(name)["photo"]


def samples(folder: Path, *, inputs: Path | None = None) -> list[Sample]:
    """The objects of a folder; coarse masks from `inputs`, else from the folder itself.

    Raises:
        InputError: a photo lacks its truth, its coarse mask or a class, or there is no photo.
    """
    return objects(folder, PHOTO, label_of, inputs=inputs)


def _parsed(name: str) -> re.Match[str]:
    found = _NAME.fullmatch(name)
    if found is None:
        raise InputError(f"{name}: expected <voc id>_<class>, such as 2007_000033_01")
    return found
