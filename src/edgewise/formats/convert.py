"""Any format to any other: the table of formats, and how a file's format is told."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgewise.errors import InputError
from edgewise.formats import coco, cvat, label_studio, labelme, voc, yolo
from edgewise.formats.json_files import read_json

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from edgewise.formats.annotation import Dataset, Form

_MODULES = {
    "coco": coco,
    "cvat": cvat,
    "label-studio": label_studio,
    "labelme": labelme,
    "voc": voc,
    "yolo": yolo,
}
FORMATS = tuple(_MODULES)
"""The formats' names."""


def read(path: Path, source: str, photos: Path | None = None) -> Dataset:
    """A file or folder of the format `source` in the common form.

    Args:
        path: the file, or the folder of those formats that have a file a photo.
        source: one of FORMATS.
        photos: the folder of the photos, which YOLO's sizes and VOC's names' endings come from.

    Raises:
        InputError: it cannot be read, or is not of that format.
    """
    if source == "voc":
        return voc.read(path, photos)
    if source == "yolo":
        return yolo.read(path, photos)
    reader: Callable[[Path], Dataset] = _MODULES[_known(source)].read
    return reader(path)


def write(dataset: Dataset, path: Path, target: str, form: Form) -> list[str]:
    """Write a data set in the format `target`; gives a line on each thing that is lost.

    Raises:
        InputError: the format has no room for it.
        OutputError: it cannot be written, or the folder has files.
    """
    writer: Callable[[Dataset, Path, Form], list[str]] = _MODULES[_known(target)].write
    return writer(dataset, path, form)


def _known(name: str) -> str:
    if name not in FORMATS:
        raise InputError(f"no format {name!r}; there is: {', '.join(FORMATS)}")
    return name


def format_of(path: Path) -> str:
    """The format of what is at `path`, by its name and its content.

    Raises:
        InputError: nothing there, or no format that is known.
    """
    if not path.exists():
        raise InputError(f"{path}: no such file or folder")
    if path.is_dir():
        return _folder_format(path)
    suffix = path.suffix.lower()
    if suffix in (".yaml", ".yml"):
        return "yolo"
    if suffix == ".xml":
        return "cvat"
    if suffix == ".json":
        return _json_format(path)
    raise InputError(f"{path}: of no known format; name it with --from: {', '.join(FORMATS)}")


def _folder_format(path: Path) -> str:
    if (path / "SegmentationClass").is_dir():
        return "voc"
    if any((path / name).exists() for name in ("data.yaml", "data.yml", "labels", "classes.txt")):
        return "yolo"
    if next(path.rglob("*.json"), None):
        return "labelme"
    raise InputError(
        f"{path}: has neither SegmentationClass (voc) nor data.yaml (yolo) nor .json files "
        "(labelme)"
    )


def _json_format(path: Path) -> str:
    data = read_json(path)
    if isinstance(data, list):
        return "label-studio"
    if isinstance(data, dict) and "shapes" in data:
        return "labelme"
    if isinstance(data, dict) and "images" in data:
        return "coco"
    raise InputError(f"{path}: is JSON, but neither of COCO nor of Label Studio nor of labelme")


def format_for(path: Path) -> str:
    """The format to write at `path` where its name says it: .xml is CVAT's.

    Raises:
        InputError: the name fits several formats.
    """
    if path.suffix.lower() == ".xml":
        return "cvat"
    fitting = "coco or label-studio" if path.suffix.lower() == ".json" else "voc, yolo or labelme"
    raise InputError(f"{path}: name the format with --to: {fitting}")
