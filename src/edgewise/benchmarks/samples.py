"""Samples of a dataset: files that belong together, read when asked for."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from edgewise.benchmarks.inputs.labels import read_labels
from edgewise.errors import InputError
from edgewise.images import read_photo
from edgewise.masks import read_mask
from edgewise.metrics import binarise

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray

TRUTH = "_gt.png"
COARSE = "_seg.png"
REFINED = "_mask.png"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One object of a photo.

    Attributes:
        name: common to its files, such as "2007_000033_01".
        label: of its class: 1..20 in PASCAL VOC, 1..150 in ADE20K.
        photo_path, truth_path: its files.
        coarse_path: the mask to refine; None where no input set was asked for.
    """

    name: str
    label: int
    photo_path: Path
    truth_path: Path
    coarse_path: Path | None = None

    def photo(self) -> NDArray[np.uint8]:
        """The photo, uint8 HxWx3 RGB."""
        return read_photo(self.photo_path)

    def truth(self) -> NDArray[np.bool_]:
        """The ground truth, bool HxW, as the published scores see it: level > 128."""
        return binarise(read_mask(self.truth_path, soft=True))

    def coarse(self) -> NDArray[np.float32]:
        """The coarse mask, float32 HxW in [0, 1].

        Raises:
            InputError: the sample was loaded without an input set.
        """
        return read_mask(_given(self.coarse_path, self.name), soft=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """One photo with a label for every pixel.

    Attributes:
        name: common to its files, such as "ADE_val_00000001".
        photo_path, truth_path: its files.
        coarse_path: the label map to refine; None where no input set was asked for.
    """

    name: str
    photo_path: Path
    truth_path: Path
    coarse_path: Path | None = None

    def photo(self) -> NDArray[np.uint8]:
        """The photo, uint8 HxWx3 RGB."""
        return read_photo(self.photo_path)

    def truth(self) -> NDArray[np.int32]:
        """The true label map, int32 HxW: 1..150, 0 for void."""
        return read_labels(self.truth_path)

    def coarse(self) -> NDArray[np.int32]:
        """The coarse label map, int32 HxW: 1..150.

        Raises:
            InputError: the scene was loaded without an input set.
        """
        return read_labels(_given(self.coarse_path, self.name))


def _given(path: Path | None, name: str) -> Path:
    if path is None:
        raise InputError(f"{name}: loaded without coarse masks; load it with inputs=NETWORK")
    return path


def by_name(folder: Path, ending: str) -> dict[str, Path]:
    """The files of a folder that end so, by what is before the ending, sorted by it.

    Raises:
        InputError: the folder cannot be listed.
    """
    try:
        paths = sorted(folder.iterdir())
    except OSError as error:
        raise InputError(f"{folder}: cannot be listed: {error.strerror}") from error
    return {
        path.name[: -len(ending)]: path
        for path in paths
        if path.name.endswith(ending) and len(path.name) > len(ending)
        if not path.name.startswith(".")
    }


def objects(
    folder: Path, photo: str, label: Callable[[str], int], *, inputs: Path | None = None
) -> list[Sample]:
    """The samples of a folder with one object a photo, in the order of names.

    Args:
        folder: holds photos and truths; coarse masks too where `inputs` is None and it has any.
        photo: the ending of photos' names.
        label: the label that a name says.
        inputs: the folder of coarse masks.

    Raises:
        InputError: a photo has no truth, or no coarse mask, or none has the ending.
    """
    photos = some(by_name(folder, photo), folder, photo)
    truths = by_name(folder, TRUTH)
    coarse = by_name(inputs or folder, COARSE)
    has_coarse = inputs is not None or bool(coarse)
    return [
        Sample(
            name=name,
            label=label(name),
            photo_path=path,
            truth_path=partner(truths, name, TRUTH, folder),
            coarse_path=partner(coarse, name, COARSE, inputs or folder) if has_coarse else None,
        )
        for name, path in photos.items()
    ]


def some(files: dict[str, Path], folder: Path, ending: str) -> dict[str, Path]:
    """The files, where there are any; InputError where not."""
    if not files:
        raise InputError(f"{folder}: no photo in it; expected names that end in {ending}")
    return files


def partner(files: dict[str, Path], name: str, ending: str, folder: Path) -> Path:
    """The file of a name; InputError where there is none."""
    if name not in files:
        raise InputError(
            f"{folder}: no {name}{ending} in it; `edgewise benchmark verify` lists all"
        )
    return files[name]
