"""BIG: 50 validation and 100 test objects, `<name>_im.jpg`, `<name>_gt.png`, `<name>_seg.png`."""

from pathlib import Path

from edgewise.benchmarks import voc
from edgewise.benchmarks.samples import Sample, objects

PHOTO = "_im.jpg"


def label_of(name: str) -> int:
    """The PASCAL VOC label 1..20 of the class that an object's name holds."""
    return voc.label_in(name)


def samples(folder: Path, *, inputs: Path | None = None) -> list[Sample]:
    """The objects of a split's folder; coarse masks from `inputs`, else from the folder itself.

    Raises:
        InputError: a photo lacks its truth, its coarse mask or a class, or there is no photo.
    """
    return objects(folder, PHOTO, label_of, inputs=inputs)
