"""YOLO segmentation: a text file a photo, a line an object.

The format is that of Ultralytics (https://docs.ultralytics.com/datasets/segment/): a folder with
`data.yaml`, whose `names` are the classes, and `labels/<stem>.txt` with lines of a class's index
and x1 y1 x2 y2 ... in shares of the photo's width and height. A line has one ring: holes and parts
are joined by seams, as Ultralytics' own converter joins parts. The files do not say how large the
photos are, so that reading takes the photos as well. Roboflow has `<split>/images` and
`<split>/labels` instead of `images` and `labels`.
"""

from __future__ import annotations

import json
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import numpy as np

from edgewise.errors import EdgewiseError, InputError, missing_extra
from edgewise.files import atomic_path, find_images
from edgewise.formats.annotation import Dataset, Instance, Photo, crowd_losses
from edgewise.formats.folders import find_photo, new_folder, photo_names, text_of, unique_stems
from edgewise.formats.polygons import filled, one_ring, ring_of
from edgewise.images import photo_size

if TYPE_CHECKING:
    from edgewise.formats.annotation import Form, Size

_DIGITS = 8  # of a share: 1e-8 of 20000 px is far below the 1/5 px to which polygons are filled


def read(path: Path, photos: Path | None = None) -> Dataset:
    """A YOLO folder in the common form.

    Args:
        path: the folder with `data.yaml` or `classes.txt`, or that `data.yaml`.
        photos: the folder of the photos; by default `images` in the folder. Photos of the folder
            itself that have no file beside others that have one are photos without objects.

    Raises:
        InputError: no labels, no class names, or no folder of photos.
    """
    folder = path.parent if path.is_file() else path
    names = _class_names(folder)
    stems, pictures = _stems(folder)
    if not stems:
        raise InputError(f"{folder}: has no .txt files of labels")
    pictures = photos or pictures
    if not pictures.is_dir():
        raise InputError(f"{pictures}: is no folder; name the photos' folder with --photos")
    problems: list[str] = []
    files: dict[Path, Path | None] = {}
    for file, stem in stems.items():
        picture = find_photo(pictures, photo_names(stem))
        if picture is None:
            problems.append(f"{file}: no photo {stem}.* in {pictures}; left out")
        elif picture in files:
            name = picture.relative_to(pictures).as_posix()
            problems.append(f"{file}: another file is of its photo {name} too; left out")
        else:
            files[picture] = file
    if pictures.resolve().is_relative_to(folder.resolve()):
        for place in sorted({picture.parent for picture in files}):
            files = dict.fromkeys(find_images(place)) | files
    found = []
    for picture, lines in sorted(files.items()):
        try:
            found.append(_read_photo(picture, pictures, lines, names, problems))
        except EdgewiseError as error:
            problems.append(f"{error}; left out")
    categories = tuple(dict.fromkeys(names))
    return Dataset(photos=tuple(found), categories=categories, problems=tuple(problems))


def _stems(folder: Path) -> tuple[dict[Path, str], Path]:
    """The files of labels with their photos' names less suffix, and the folder of these."""
    labels = folder / "labels"
    splits = [] if labels.is_dir() else sorted(folder.glob("*/labels"))
    if splits:  # whose names of photos begin with <split>/images
        found = [file for split in splits for file in sorted(split.rglob("*.txt"))]
        inner = {file: file.relative_to(folder).parts for file in found}
        return {
            file: PurePosixPath(parts[0], "images", *parts[2:]).with_suffix("").as_posix()
            for file, parts in inner.items()
        }, folder
    labels = labels if labels.is_dir() else folder
    found = [file for file in sorted(labels.rglob("*.txt")) if file.name != "classes.txt"]
    stems = {file: file.relative_to(labels).with_suffix("").as_posix() for file in found}
    return stems, folder / "images"


def _class_names(folder: Path) -> list[str]:
    listed = folder / "classes.txt"
    for file in (folder / "data.yaml", folder / "data.yml"):
        if not file.is_file():
            continue
        data = _yaml(file)
        if isinstance(data, dict) and "kpt_shape" in data:
            raise InputError(f"{file}: has kpt_shape: its lines are boxes with points, no polygons")
        return _names_of(data.get("names") if isinstance(data, dict) else None, file)
    if listed.is_file():
        names = [line.strip() for line in text_of(listed).rstrip().splitlines()]
        if "" in names:
            raise InputError(f"{listed} line {names.index('') + 1}: is empty; expected a class")
        return names
    raise InputError(f"{folder}: has neither data.yaml nor classes.txt, which name the classes")


def _yaml(file: Path) -> Any:
    try:
        import yaml
    except ImportError as error:
        raise missing_extra("yaml", "formats") from error
    text = text_of(file)
    try:
        return yaml.safe_load(text)
    except Exception as error:  # PyYAML raises nearly anything on dates and numbers that are none
        raise InputError(f"{file}: malformed YAML: {' '.join(str(error).split())}") from error


def _names_of(names: Any, file: Path) -> list[str]:
    if isinstance(names, list) and names:
        return [str(name) for name in names]
    if isinstance(names, dict) and names and set(names) == set(range(len(names))):
        return [str(names[index]) for index in range(len(names))]
    raise InputError(f"{file}: names is neither a list nor numbered from 0: {str(names)[:80]}")


def _read_photo(
    picture: Path, pictures: Path, file: Path | None, names: list[str], problems: list[str]
) -> Photo:
    """A photo with the objects of its file of labels, or with none."""
    width, height = photo_size(picture)
    lines = text_of(file).splitlines() if file else []
    instances = []
    for number, line in enumerate(lines, start=1):
        try:
            instances += [_instance(line.split(), (height, width), names)] if line.strip() else []
        except InputError as error:
            problems.append(f"{file} line {number}: {error}; left out")
    name = picture.relative_to(pictures).as_posix()
    return Photo(name=name, height=height, width=width, instances=tuple(instances))


def _instance(words: list[str], size: Size, names: list[str]) -> Instance:
    try:
        index, *shares = (float(word) for word in words)
    except ValueError:
        raise InputError("is not all numbers") from None
    if index not in range(len(names)):
        raise InputError(f"class {words[0]} is not one of 0 to {len(names) - 1}")
    if len(shares) in (4, 5):
        raise InputError("is a box, no polygon")
    mask = filled([ring_of(shares, (size[1], size[0]))], size)
    if not mask.area:
        raise InputError("its polygon is empty: no pixel is inside")
    return Instance(category=names[int(index)], mask=mask)


def write(dataset: Dataset, path: Path, form: Form) -> list[str]:
    """Write a YOLO folder; gives a line on what is lost. The tolerance is `form`'s."""
    stems = unique_stems(photo.name for photo in dataset.photos)
    indices = {name: index for index, name in enumerate(dict.fromkeys(dataset.categories))}
    with new_folder(path) as folder:
        for stem, photo in zip(stems, dataset.photos, strict=True):
            lines = [_line(indices[one.category], one, form.tolerance) for one in photo.instances]
            file = folder / "labels" / f"{stem}.txt"
            file.parent.mkdir(parents=True, exist_ok=True)
            with atomic_path(file) as temporary:
                temporary.write_text("".join(lines), encoding="utf-8")
        names = "".join(f"  {index}: {_quoted(name)}\n" for name, index in indices.items())
        with atomic_path(folder / "data.yaml") as temporary:
            about = "path: .\ntrain: images\nval: images\nnames:\n"
            temporary.write_text(about + names, encoding="utf-8")
    return crowd_losses(dataset)


def _quoted(name: str) -> str:
    """A text in YAML: that in JSON, but for a pair of escapes, which YAML does not join."""
    escaped = (one if one > "\uffff" else json.dumps(one)[1:-1] for one in name)
    return f'"{"".join(escaped)}"'


def _line(index: int, instance: Instance, tolerance: float) -> str:
    mask = instance.mask
    ring = one_ring(mask, tolerance)
    if not filled([ring], mask.size).area:
        ring = one_ring(mask, 0)
    shares = np.asarray(ring / (mask.width, mask.height)).ravel()
    texts = (f"{share:.{_DIGITS}f}".rstrip("0").rstrip(".") for share in shares)
    return f"{index} {' '.join(texts)}\n"
