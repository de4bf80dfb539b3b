"""Pascal VOC segmentation: two palette pictures a photo, of classes and of objects.

The format: `SegmentationClass/<stem>.png` has a class's index a pixel, `SegmentationObject/` that
of an object, from 1; 0 is background and 255 void, both in VOC's palette (VOCdevkit's
VOClabelcolormap). Class names are the lines of `labelmap.txt`, `name:r,g,b:parts:actions`, as CVAT
and Datumaro write it; without it, VOC's own. A pixel has one object: where objects overlap, the
smaller one gets it.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from edgewise.errors import EdgewiseError, InputError
from edgewise.files import atomic_path, load_picture, stored_levels
from edgewise.formats.annotation import Dataset, Instance, Photo, Rle, crowd_losses
from edgewise.formats.folders import (
    find_photo,
    is_text,
    new_folder,
    photo_names,
    text_of,
    unique_stems,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edgewise.formats.annotation import Form

# fmt: off
VOC_CLASSES = (
    "aeroplane", "bicycle", "bird", "boat", "bottle", "bus", "car", "cat", "chair", "cow",
    "diningtable", "dog", "horse", "motorbike", "person", "pottedplant", "sheep", "sofa", "train",
    "tvmonitor",
)
# fmt: on
_BACKGROUND = "background"
_VOID = 255
_MOST = 254  # indices between background and void


def colours() -> NDArray[np.uint8]:
    """VOC's palette, uint8 256x3: the index's bits, in threes, from the channels' highest down."""
    index = np.arange(256)
    palette = np.zeros((256, 3), dtype=np.uint8)
    for bit in range(8):
        for channel in range(3):
            palette[:, channel] |= (((index >> channel) & 1) << (7 - bit)).astype(np.uint8)
        index = index >> 3
    return palette


def read(path: Path, photos: Path | None = None) -> Dataset:
    """A VOC folder in the common form.

    Where a photo has no picture of objects, each of its classes is one object.

    Args:
        path: the folder.
        photos: the folder of the photos, by default `JPEGImages`; one that is not there is called
            <stem>.jpg.

    Raises:
        InputError: no folder SegmentationClass, no pictures in it, or a damaged labelmap.txt.
    """
    files = sorted((path / "SegmentationClass").rglob("*.png"))
    if not files:
        raise InputError(f"{path}: has no pictures in a folder SegmentationClass")
    names, palette = _label_map(path)
    problems: list[str] = []
    found = []
    for file in files:
        try:
            photo = _read_photo(path, file, names, palette, problems)
        except EdgewiseError as error:
            problems.append(f"{error}; left out")
        else:
            name = _photo_name(photo.name, photos or path / "JPEGImages")
            found.append(replace(photo, name=name))
    used = {one.category for photo in found for one in photo.instances}
    categories = [name for index, name in sorted(names.items()) if index]
    extra = sorted(used.difference(categories))
    return Dataset(photos=tuple(found), categories=(*categories, *extra), problems=tuple(problems))


def _photo_name(stem: str, pictures: Path) -> str:
    photo = find_photo(pictures, photo_names(stem))
    return photo.relative_to(pictures).as_posix() if photo else f"{stem}.jpg"


def _label_map(path: Path) -> tuple[dict[int, str], NDArray[np.uint8]]:
    """The classes' names by index, and the palette of their colours."""
    palette = colours()
    file = path / "labelmap.txt"
    if not file.is_file():
        return dict(enumerate([_BACKGROUND, *VOC_CLASSES])), palette
    lines = [line.strip() for line in text_of(file).splitlines()]
    names: dict[int, str] = {}
    for line in lines:
        if not line or line.startswith("#"):
            continue
        name, colour = [*line.rsplit(":", 3), ""][:2]
        if len(names) > _MOST:
            raise InputError(f"{file}: names more than {_MOST} classes")
        if colour:
            palette[len(names)] = _colour(colour, file)
        names[len(names)] = name
    if palette[0].any() and names[0] != _BACKGROUND:
        raise InputError(f"{file}: its first class is {names[0]!r}; expected {_BACKGROUND}:0,0,0::")
    return names, palette


def _colour(text: str, file: Path) -> tuple[int, ...]:
    try:
        colour = tuple(int(level) for level in text.split(","))
    except ValueError:
        colour = ()
    if len(colour) != 3 or not all(0 <= level <= 255 for level in colour):
        raise InputError(f"{file}: {text!r} is no colour; expected name:red,green,blue::")
    return colour


def _read_photo(
    path: Path,
    file: Path,
    names: dict[int, str],
    palette: NDArray[np.uint8],
    problems: list[str],
) -> Photo:
    """The photo of a picture of classes, called by its stem."""
    inner = file.relative_to(path / "SegmentationClass")
    classes = _indices(file, palette)
    other = path / "SegmentationObject" / inner
    objects = _indices(other, colours()) if other.is_file() else classes
    if objects.shape != classes.shape:
        raise InputError(f"{other}: is of another size than {file}")
    instances = []
    for index in np.unique(objects[(objects > 0) & (objects < _VOID)]):
        mask = objects == index
        kinds = np.bincount(classes[mask], minlength=256)
        kinds[[0, _VOID]] = 0
        if not kinds.any():
            problems.append(f"{file}: object {index} has no class; left out")
            continue
        kind = int(kinds.argmax())
        instances.append(Instance(category=names.get(kind, str(kind)), mask=Rle.of(mask)))
    stem = inner.with_suffix("").as_posix()
    height, width = classes.shape
    return Photo(name=stem, height=height, width=width, instances=tuple(instances))


def _indices(file: Path, palette: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The indices of a grey picture, or of one in the palette's colours.

    Those of a picture with a palette are what its colours say, as programs that shrink files put
    them in another order; where they are not the palette's, they are what is stored.
    """
    picture = load_picture(file)
    if picture.mode in ("1", "L"):
        return stored_levels(picture, file)
    pixels = np.asarray(picture)
    if picture.mode == "P":
        own = np.asarray(picture.getpalette("RGB"), dtype=np.uint8).reshape(-1, 3)
        used = np.unique(pixels)
        if used[-1] >= len(own) or (own[used] == palette[used]).all():
            return pixels
        by_colour = np.zeros(256, dtype=np.uint8)
        by_colour[used], known = _by_colour(own[used], palette)
        return by_colour[pixels] if known else pixels
    found, known = _by_colour(np.asarray(picture.convert("RGB")), palette)
    if not known:
        raise InputError(f"{file}: has colours that no class of the palette has")
    return found


def _by_colour(
    pixels: NDArray[np.uint8], palette: NDArray[np.uint8]
) -> tuple[NDArray[np.uint8], bool]:
    """The palette's indices of colours, uint8 ...x3, and whether it has all of them."""
    wanted = pixels.astype(np.int32) @ (1 << 16, 1 << 8, 1)
    keys = palette.astype(np.int32) @ (1 << 16, 1 << 8, 1)
    order = np.argsort(keys, kind="stable")
    found = order[np.searchsorted(keys[order], wanted).clip(max=255)]
    return found.astype(np.uint8), bool((keys[found] == wanted).all())


def write(dataset: Dataset, path: Path, form: Form) -> list[str]:  # noqa: ARG001  # has one form
    """Write a VOC folder; gives a line on each photo of which overlaps are lost."""
    stems = unique_stems(photo.name for photo in dataset.photos)
    if len(dataset.categories) > _MOST:
        raise InputError(f"{len(dataset.categories)} classes; VOC has indices for {_MOST}")
    for photo in dataset.photos:
        if len(photo.instances) > _MOST:
            count = len(photo.instances)
            raise InputError(f"{photo.name} has {count} objects; VOC has indices for {_MOST}")
    for name in dataset.categories:
        _check_name(name)
    indices = {name: index for index, name in enumerate(dataset.categories, start=1)}
    losses = crowd_losses(dataset)
    with new_folder(path) as folder:
        for stem, photo in zip(stems, dataset.photos, strict=True):
            objects, hidden = _painted(photo)
            kinds = [0, *(indices[one.category] for one in photo.instances)]
            _save(folder / "SegmentationObject" / f"{stem}.png", objects)
            _save(folder / "SegmentationClass" / f"{stem}.png", np.array(kinds, np.uint8)[objects])
            losses += [f"{photo.name}: {hidden} px where objects overlap: the smaller has them"] * (
                hidden > 0
            )
        _write_lists(folder, stems, dataset.categories)
    return losses


def _check_name(name: str) -> None:
    """Raise InputError where a line of labelmap.txt would not give a class's name back."""
    if (
        name.startswith("#")
        or name != name.lstrip()
        or name.splitlines() != [name]
        or not is_text(name)
    ):
        raise InputError(
            f"class {name!r}: labelmap.txt cannot hold it; expected one line of text that begins "
            "with neither # nor a space"
        )


def _painted(photo: Photo) -> tuple[NDArray[np.uint8], int]:
    """Object indices HxW, larger objects below smaller ones, and the pixels that were covered."""
    objects = np.zeros((photo.height, photo.width), dtype=np.uint8)
    covered = 0
    order = sorted(enumerate(photo.instances, start=1), key=lambda pair: -pair[1].mask.area)
    for index, instance in order:
        mask = instance.mask.mask()
        covered += int(np.count_nonzero(objects[mask]))
        objects[mask] = index
    return objects, covered


def _save(file: Path, indices: NDArray[np.uint8]) -> None:
    from PIL import Image

    file.parent.mkdir(parents=True, exist_ok=True)
    picture = Image.fromarray(indices)
    picture.putpalette(colours().ravel().tolist())
    with atomic_path(file) as temporary:
        picture.save(temporary, format="PNG")


def _write_lists(folder: Path, stems: list[str], categories: tuple[str, ...]) -> None:
    """labelmap.txt, and the list of photos without which VOC's readers find none."""
    lines = ["# label:color_rgb:parts:actions"]
    for (red, green, blue), name in zip(
        colours().tolist(), (_BACKGROUND, *categories), strict=False
    ):
        lines.append(f"{name}:{red},{green},{blue}::")
    with atomic_path(folder / "labelmap.txt") as temporary:
        temporary.write_text("\n".join(lines) + "\n", encoding="utf-8")
    sets = folder / "ImageSets" / "Segmentation"
    sets.mkdir(parents=True)
    with atomic_path(sets / "default.txt") as temporary:
        temporary.write_text("".join(f"{stem}\n" for stem in stems), encoding="utf-8")
