"""labelme: one JSON file a photo, with polygons and masks.

The format is what labelme (https://github.com/wkentaro/labelme) saves. A polygon has one ring; a
mask is a PNG of its box, in base64, and the box's first and last pixel. Shapes of one label and
one group_id are one object, which is how an object of several parts is kept.
"""

from __future__ import annotations

import base64
import io
import math
import posixpath
from dataclasses import replace
from pathlib import PurePosixPath, PureWindowsPath
from typing import TYPE_CHECKING, Any

import numpy as np

from edgewise.errors import InputError
from edgewise.formats.annotation import (
    Dataset,
    Instance,
    Photo,
    Rle,
    check_size,
    crowd_losses,
)
from edgewise.formats.document import joined, names_of_several
from edgewise.formats.folders import inner_name, new_folder, unique_stems
from edgewise.formats.json_files import read_json, whole, write_json
from edgewise.formats.polygons import filled, ring_of, rings

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from edgewise.formats.annotation import Form, Size

_VERSION = "5.5.0"  # of labelme, whose fields these are


def read(path: Path) -> Dataset:
    """A labelme file, or a folder of them, in the common form.

    Photos are called by their places in the folder where the files say so, else by name alone, or
    where photos of several places have this name, by as much of the place as a name can hold. The
    objects of several files of one photo are that photo's.

    Raises:
        InputError: no files, or none that can be read and is labelme's.
    """
    files = sorted(path.rglob("*.json")) if path.is_dir() else [path]
    if not files:
        raise InputError(f"{path}: has no .json files")
    problems: list[str] = []
    photos = []
    for file in files:
        folder = file.relative_to(path).parent.as_posix() if path.is_dir() else ""
        try:
            photos.append(_read_photo(file, folder, problems))
        except InputError as error:
            if not path.is_dir():
                raise
            problems.append(f"{error}; left out")
    if not photos:
        raise InputError(f"{path}: has no labelme files; {problems[0]}")
    of_several = names_of_several((photo.name, inner_name(photo.name)) for photo in photos)
    named = [replace(photo, name=_name(photo.name, of_several)) for photo in photos]
    categories = {one.category for photo in photos for one in photo.instances}
    return Dataset(
        photos=joined(named), categories=tuple(sorted(categories)), problems=tuple(problems)
    )


def _name(place: str, of_several: set[str]) -> str:
    """What a photo at a place, which may lie out of the folder, is called."""
    name = inner_name(place)
    if name not in of_several:
        return name
    parts = PurePosixPath(place).parts
    return "/".join(part for part in parts if part not in ("/", "//", "..") and part[-1] != ":")


def _read_photo(file: Path, folder: str, problems: list[str]) -> Photo:
    """The photo of a file, called by its place, relative to the folder that is read or not."""
    data = read_json(file)
    if not isinstance(data, dict) or not isinstance(data.get("shapes"), list):
        raise InputError(f"{file}: is no labelme file: it has no list named shapes")
    height, width = whole(data.get("imageHeight")), whole(data.get("imageWidth"))
    if not (height and width):
        raise InputError(f"{file}: has no imageHeight and imageWidth")
    try:
        check_size((height, width))
    except InputError as error:
        raise InputError(f"{file}: {error}") from error
    stated = str(data.get("imagePath") or file.stem).replace("\\", "/")
    beside = "" if PureWindowsPath(stated).drive else folder
    name = posixpath.normpath(posixpath.join(beside, stated))
    groups: dict[Any, tuple[str, Rle]] = {}
    for index, shape in enumerate(data["shapes"]):
        try:
            label, key, mask = _read_shape(shape, (height, width))
        except InputError as error:
            problems.append(f"{file}, shapes[{index}]: {error}; left out")
            continue
        key = index if key is None else (label, str(key))
        if key in groups:
            mask = Rle.of(mask.mask() | groups[key][1].mask())
        groups[key] = (label, mask)
    instances = [Instance(category=label, mask=mask) for label, mask in groups.values()]
    return Photo(name=name, height=height, width=width, instances=tuple(instances))


def _read_shape(shape: Any, size: Size) -> tuple[str, Any, Rle]:
    """The label, the group and the mask of one shape."""
    if not isinstance(shape, dict) or not isinstance(shape.get("points"), list):
        raise InputError("has no list named points")
    kind = shape.get("shape_type", "polygon")
    if kind not in ("polygon", "mask"):
        raise InputError(f"is a {kind}, no polygon or mask")
    numbers = [number for point in shape["points"] for number in _pair(point)]
    if kind == "polygon":
        mask = filled([ring_of(numbers)], size)
    else:
        mask = Rle.of(_placed(shape.get("mask"), numbers, size))
    if not mask.area:
        raise InputError("is empty: no pixel is inside")
    return str(shape.get("label")), shape.get("group_id"), mask


def _pair(point: Any) -> list[Any]:
    if not isinstance(point, list) or len(point) != 2:
        raise InputError(f"has the point {point!r}; expected [x, y]")
    return point


def _placed(text: Any, numbers: list[Any], size: Size) -> NDArray[np.bool_]:
    """A mask shape's PNG at its box on an empty mask."""
    if len(numbers) != 4 or not all(
        type(number) in (int, float) and abs(number) < math.inf for number in numbers
    ):
        raise InputError("has a mask without two points of numbers")
    left, top, right, bottom = (int(number) for number in numbers)
    if not (0 <= left <= right < size[1] and 0 <= top <= bottom < size[0]):
        raise InputError(
            f"has a mask at x {left} to {right}, y {top} to {bottom}: outside the photo of "
            f"{size[1]}x{size[0]} pixels"
        )
    mask = np.zeros(size, dtype=bool)
    mask[top : bottom + 1, left : right + 1] = _png(text, (bottom - top + 1, right - left + 1))
    return mask


def _png(text: Any, size: Size) -> NDArray[np.bool_]:
    """The mask in a PNG of a known size, which is checked before decoding."""
    from PIL import Image

    try:
        data = base64.b64decode(text, validate=True)
        with Image.open(io.BytesIO(data), formats=["PNG"]) as png:
            if png.size != (size[1], size[0]):
                raise InputError(f"has a mask of another size, {png.size}, than its points'")
            return np.asarray(png.convert("L")) > 0
    except InputError:
        raise
    except Exception as error:  # Pillow raises nearly anything on damaged data
        raise InputError("has a mask that is no PNG in base64") from error


def write(dataset: Dataset, path: Path, form: Form) -> list[str]:
    """Write a folder with a file a photo; gives a line on what is lost."""
    stems = unique_stems(photo.name for photo in dataset.photos)
    with new_folder(path) as folder:
        for stem, photo in zip(stems, dataset.photos, strict=True):
            file = folder / f"{stem}.json"
            file.parent.mkdir(parents=True, exist_ok=True)
            write_json(file, _fields(photo, form), indent=2)
    return crowd_losses(dataset)


def _fields(photo: Photo, form: Form) -> dict[str, Any]:
    """A photo's file, which names the photo as if it lay beside it."""
    shapes = [
        shape
        for number, instance in enumerate(photo.instances, start=1)
        for shape in _shapes(instance, number, form)
    ]
    name = PurePosixPath(photo.name.replace("\\", "/")).name
    size = {"imageHeight": photo.height, "imageWidth": photo.width}
    about = {"imagePath": name, "imageData": None, **size}
    return {"version": _VERSION, "flags": {}, "shapes": shapes, **about}


def _shapes(instance: Instance, group: int, form: Form) -> list[dict[str, Any]]:
    about: dict[str, Any] = {"label": instance.category, "description": "", "flags": {}}
    if form.kind == "polygon":
        found = rings(instance.mask, form.tolerance)
        one = {**about, "shape_type": "polygon", "group_id": group if len(found) > 1 else None}
        return [{**one, "points": ring.tolist(), "mask": None} for ring in found]
    left, top, width, height = instance.mask.box
    crop = instance.mask.mask()[top : top + height, left : left + width]
    points = [[left, top], [left + width - 1, top + height - 1]]
    one = {**about, "shape_type": "mask", "group_id": None}
    return [{**one, "points": points, "mask": _base64_png(crop)}]


def _base64_png(crop: NDArray[np.bool_]) -> str:
    from PIL import Image

    stream = io.BytesIO()
    Image.fromarray(crop).save(stream, format="PNG")
    return base64.b64encode(stream.getvalue()).decode("ascii")
