"""ADE20K: scenes with label maps, and the components that label maps are split into.

Scenes lie as in ADEChallengeData2016: `images/validation/<image>.jpg` and
`annotations/validation/<image>.png`. Components lie as the published split inputs:
`<image>_<label>.<component>_seg.png` and `_gt.png` beside `<image>_im.jpg`.
"""

from pathlib import Path

from edgewise.benchmarks.samples import COARSE, TRUTH, Sample, Scene, by_name, partner, some
from edgewise.errors import InputError
from edgewise.scenes import split

PHOTO = ".jpg"
LABEL_MAP = ".png"
PART_PHOTO = "_im.jpg"
CLASSES = 150
"""Labels are 1 to this; 0 is void."""


def photos_folder(folder: Path) -> Path:
    """Where the dataset in `folder` has its photos."""
    return folder / "images" / "validation"


def truths_folder(folder: Path) -> Path:
    """Where the dataset in `folder` has its true label maps."""
    return folder / "annotations" / "validation"


def scenes(folder: Path, *, inputs: Path | None = None) -> list[Scene]:
    """The scenes of a dataset's folder, in the order of names; coarse label maps from `inputs`.

    Raises:
        InputError: a photo lacks its truth or its coarse label map, or there is no photo.
    """
    photos = some(by_name(photos_folder(folder), PHOTO), photos_folder(folder), PHOTO)
    truths = by_name(truths_folder(folder), LABEL_MAP)
    coarse = {} if inputs is None else by_name(inputs, LABEL_MAP)
    return [
        Scene(
            name=name,
            photo_path=path,
            truth_path=partner(truths, name, LABEL_MAP, truths_folder(folder)),
            coarse_path=None if inputs is None else partner(coarse, name, LABEL_MAP, inputs),
        )
        for name, path in photos.items()
    ]


def parts(folder: Path) -> list[Sample]:
    """The components in a folder of split inputs, in the order of names.

    A sample's name is `<image>_<label>.<component>`; several have one photo.

    Raises:
        InputError: a component lacks its truth or photo, or its name has no label.
    """
    photos = by_name(folder, PART_PHOTO)
    truths = by_name(folder, TRUTH)
    return [
        Sample(
            name=name,
            label=part_of(name)[1],
            photo_path=partner(photos, part_of(name)[0], PART_PHOTO, folder),
            truth_path=partner(truths, name, TRUTH, folder),
            coarse_path=path,
        )
        for name, path in some(by_name(folder, COARSE), folder, COARSE).items()
    ]


def part_of(name: str) -> tuple[str, int, int]:
    """Image, label 1..150 and component of a component's name.

    Raises:
        InputError: the name has another form, or the label is out of range.
    """
    image, label, component = split.part_of(name)
    if not 1 <= label <= CLASSES:
        raise InputError(f"{name}: the label {label} is none of ADE20K; expected 1 to {CLASSES}")
    return image, label, component
