"""Folders of scenes in the published layouts: photos, label maps, pieces and their results.

Photos are `<image>.jpg` (or any picture), or `<image>_im.jpg` beside pieces; label maps are
`<image>.png`; pieces are `<image>_<label>.<number>_seg.png` with the truth `_gt.png` and the
refined result `_mask.png`.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from edgewise.errors import InputError
from edgewise.files import SUFFIXES, atomic_path, find_images
from edgewise.masks import binary, read_mask, write_mask
from edgewise.scenes.labels import read_labels
from edgewise.scenes.merge import Part, part_box
from edgewise.scenes.split import part_name, part_of, split

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from numpy.typing import NDArray

    from edgewise.passes.view import Box

PHOTO = "_im"
COARSE = "_seg.png"
TRUTH = "_gt.png"
REFINED = "_mask.png"


def photos(folder: Path) -> dict[str, Path]:
    """The photos of a folder by image, sorted; `<image>_im.jpg` counts as `<image>`.

    Raises:
        InputError: the folder cannot be listed, holds none, or two of one image.
    """
    return _by_image(find_images(folder), folder, PHOTO)


def label_maps(folder: Path) -> dict[str, Path]:
    """The label maps of a folder by image, sorted.

    Raises:
        InputError: the folder cannot be listed, holds none, or two of one image.
    """
    arrays = sorted(Path(folder).glob("[!.]*.npy"))
    return _by_image(sorted([*find_images(folder), *arrays]), folder, "")


def _by_image(paths: list[Path], folder: Path, ending: str) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for path in paths:
        image = path.stem.removesuffix(ending)
        if image in found:
            raise InputError(
                f"{folder}: two files of one image: {found[image].name}, {path.name}; keep one"
            )
        found[image] = path
    if not found:
        raise InputError(f"{folder}: no pictures in it; expected {', '.join(sorted(SUFFIXES))}")
    return found


def parts(folder: Path, ending: str = COARSE) -> dict[str, list[str]]:
    """The names of a folder's pieces by image, sorted by label and number.

    Raises:
        InputError: the folder cannot be listed, or a name has another form.
    """
    by_image: dict[str, list[tuple[int, int, str]]] = {}
    for path in find_images(folder):
        if path.name.endswith(ending):
            name = path.name.removesuffix(ending)
            image, label, number = part_of(name)
            by_image.setdefault(image, []).append((label, number, name))
    return {
        image: [name for *_, name in sorted(names)] for image, names in sorted(by_image.items())
    }


def write_split(
    image: str,
    files: tuple[Path, Path, Path | None],
    folder: Path,
    *,
    void: int | None = 0,
) -> list[str]:
    """Split one scene into a folder, as published; the names of its pieces.

    Args:
        image: begins the names of the files.
        files: the photo, the coarse label map, and the true one or None. The photo is copied
            where there is a piece; it must be a JPEG file.
        folder: where the files go.
        void: the label that is none.

    Raises:
        InputError: a file cannot be read, or sizes differ.
        OutputError: a file cannot be written.
    """
    photo, coarse, truth = files
    if photo.suffix.lower() not in (".jpg", ".jpeg"):
        raise InputError(f"{photo}: pieces lie beside a JPEG photo; expected .jpg")
    labels, _ = read_labels(coarse)
    true = None if truth is None else read_labels(truth)[0]
    if true is not None and true.shape != labels.shape:
        raise InputError(f"{truth}: is of {true.shape} pixels and {coarse} of {labels.shape}")
    names = []
    for piece in split(labels, void=void):
        name = part_name(image, piece)
        names.append(name)
        write_mask(folder / f"{name}{COARSE}", _whole(piece.mask, piece.box, labels), soft=True)
        if true is not None:
            inside = _whole(piece.truth(true), piece.box, labels)
            write_mask(folder / f"{name}{TRUTH}", inside, soft=True)
    if names:
        with atomic_path(folder / f"{image}{PHOTO}.jpg") as temporary:
            shutil.copyfile(photo, temporary)
    return names


def _whole(inside: NDArray[np.bool_], box: Box, labels: NDArray[Any]) -> NDArray[np.bool_]:
    mask = np.zeros(labels.shape, bool)
    mask[box.slices] = inside
    return mask


def read_coarse_part(folder: Path, name: str) -> tuple[NDArray[np.bool_], Box]:
    """A piece's coarse mask, bool HxW of the photo's size, and the box it is refined in."""
    mask = binary(read_mask(folder / f"{name}{COARSE}", soft=True))
    return mask, part_box(mask)


def refined_parts(
    folder: Path, names: list[str], coarse: Path, shape: tuple[int, ...]
) -> Iterator[Part]:
    """The refined pieces of one image, one at a time.

    Args:
        folder: holds `_mask.png` for each name, as large as its box.
        names: of the pieces.
        coarse: the folder of the pieces' `_seg.png`.
        shape: height and width of the image.

    Raises:
        InputError: a file is missing, is no mask, or is of another image's size.
    """
    for name in names:
        mask, box = read_coarse_part(coarse, name)
        if mask.shape != shape:
            raise InputError(f"{coarse / name}{COARSE}: has not the size of its label map")
        soft = read_mask(folder / f"{name}{REFINED}", soft=True)
        yield Part(part_of(name)[1], box, soft)
