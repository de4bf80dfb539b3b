"""Label Studio: brush and polygon regions of tasks in one JSON file.

The format: https://labelstud.io/guide/task_format and /tags/brushlabels, /tags/polygonlabels. A
task has data (the photo's address), annotations and predictions, and each of these a result: a
list of regions. Brushes are packed masks (`edgewise.formats.brush`); polygons have one ring with
points in percent of the photo's width and height.
"""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, unquote, urlsplit

from edgewise.errors import InputError
from edgewise.files import SUFFIXES
from edgewise.formats import brush
from edgewise.formats.annotation import Rle, crowd_losses
from edgewise.formats.document import Item, Scene, dataset_of
from edgewise.formats.json_files import parse_json, read_bytes, whole, write_json
from edgewise.formats.polygons import check_inside, check_simple, filled, one_ring, ring_of

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator
    from pathlib import Path

    from edgewise.formats.annotation import Dataset, Form, Instance, Size

_EXPECTED = "expected Label Studio's JSON export: a list of tasks with data and annotations"
_UPLOAD = re.compile(r"^[0-9a-f]{8}-(?=.)")  # Label Studio puts it before uploaded files' names


class LabelStudioDocument:
    """An export in memory; see `edgewise.formats.document.Document`.

    Each annotator's result is a scene of its own: objects compete with those of one result only.
    """

    def __init__(self, data: bytes, name: str) -> None:
        self._tasks = _checked(parse_json(data, name), name)
        self.problems: list[str] = []
        self.categories: list[str] = []
        self._regions: list[dict[str, Any]] = []
        self.others = 0
        """Regions that are no masks: boxes, points, choices."""
        self.scenes = [scene for task in self._tasks for scene in self._scenes(task)]

    def mask(self, item: Item, size: Size, *, strict: bool = True) -> Rle:
        """See `Document.mask`."""
        region = self._regions[item.key]
        value = region["value"]
        if "rle" in value:
            stated = (whole(region.get("original_height")), whole(region.get("original_width")))
            if stated != size:
                raise InputError(
                    f"its region is of {stated[1]}x{stated[0]} pixels and the photo of "
                    f"{size[1]}x{size[0]}; they must agree"
                )
            numbers = value["rle"]
            mask = Rle.of(brush.decoded(numbers if isinstance(numbers, list) else [], size))
        else:
            mask = _fill(value.get("points"), size, strict=strict)
        if not mask.area:
            raise InputError("empty region: no pixel is inside")
        return mask

    def replace(self, item: Item, mask: Rle, form: Form) -> None:
        """See `Document.replace`.

        A region changes its type with its form: the labelling interface must have a control of
        that type under the name in from_name, or Label Studio does not show it.
        """
        region = self._regions[item.key]
        was = "rle" if "rle" in region["value"] else "polygon"
        kind = form.kind or was
        if kind == was:
            region["value"].update(_shape(mask, kind, form.tolerance))
        else:
            _change(region, kind, _shape(mask, kind, form.tolerance))

    def save(self, path: Path) -> None:
        """See `Document.save`."""
        write_json(path, self._tasks)

    def _scenes(self, task: dict[str, Any]) -> Iterator[Scene]:
        """A scene for each annotation and each prediction of a task that has masks."""
        key = task.get("id", "without id")
        address = _address(task["data"])
        for result in _results(task):
            regions = [region for region in result if _has_mask(region)]
            self.others += len(result) - len(regions)
            if not regions:
                continue
            items = tuple(self._item(key, region) for region in regions)
            names = _file_names(address or "")
            yield Scene(
                name=f"task {key} ({names[0]})",
                photo=names[0],
                aliases=tuple(names[1:]),
                size=_size(regions[0]),
                items=items,
                problem=None if address else "its data names no picture",
            )

    def _item(self, task: Any, region: dict[str, Any]) -> Item:
        label = _label(region["value"])
        if label not in self.categories:
            self.categories.append(label)
        self._regions.append(region)
        rotation = region.get("image_rotation", 0)
        return Item(
            key=len(self._regions) - 1,
            name=f"task {task}, region {region.get('id', 'without id')}",
            category=label,
            problem=f"its photo is turned by {rotation} degrees in the tool" if rotation else None,
        )


def _checked(data: Any, name: str) -> list[dict[str, Any]]:
    if not isinstance(data, list) or not data:
        raise InputError(f"{name}: {_EXPECTED}")
    for task in data:
        if not isinstance(task, dict) or not isinstance(task.get("data"), dict):
            raise InputError(f"{name}: a task has no data (JSON-MIN leaves it out); {_EXPECTED}")
    return data


def _results(task: dict[str, Any]) -> Iterator[list[Any]]:
    for key in ("annotations", "predictions"):
        entries = task.get(key)
        for entry in entries if isinstance(entries, list) else []:
            result = entry.get("result") if isinstance(entry, dict) else None
            yield result if isinstance(result, list) else []


def _has_mask(region: Any) -> bool:
    """Whether a region is a brush's or a polygon's."""
    value = region.get("value") if isinstance(region, dict) else None
    if not isinstance(value, dict):
        return False
    return "rle" in value or ("points" in value and "polygon" in str(region.get("type")))


def _address(data: dict[str, Any]) -> str | None:
    """The photo's address: under "image", else the first that ends as a picture does."""
    image = data.get("image")
    if isinstance(image, str) and image:
        return image
    texts = (value for value in data.values() if isinstance(value, str))
    return next((text for text in texts if _names_picture(text)), None)


def _names_picture(address: str) -> bool:
    return PurePosixPath(_file_names(address)[0]).suffix.lower() in SUFFIXES


def _file_names(address: str) -> list[str]:
    """The names under which the file at an address may lie, the likeliest first.

    Uploads are /data/upload/7/0a1b2c3d-name.jpg, local files /data/local-files/?d=folder/name.jpg,
    and cloud storage s3://bucket/folder/name.jpg.
    """
    parts = urlsplit(address.replace("\\", "/"))
    local = parse_qs(parts.query).get("d")
    path = local[0] if local else unquote(parts.path)
    name = path.rsplit("/", 1)[-1]
    names = [name, _UPLOAD.sub("", name), path.lstrip("/")]
    return list(dict.fromkeys(names))


def _size(region: dict[str, Any]) -> Size | None:
    height, width = whole(region.get("original_height")), whole(region.get("original_width"))
    return (height, width) if height and width else None


def _label(value: dict[str, Any]) -> str:
    for key in ("brushlabels", "polygonlabels", "labels"):
        labels = value.get(key)
        if isinstance(labels, list) and labels:
            return str(labels[0])
    return "object"


def _fill(points: Any, size: Size, *, strict: bool) -> Rle:
    height, width = size
    if not isinstance(points, list) or not all(
        isinstance(point, list) and len(point) == 2 for point in points
    ):
        raise InputError("its points are no list of [x, y]")
    ring = ring_of([number for point in points for number in point]) * (width / 100, height / 100)
    if strict:
        check_inside(ring, size)
        check_simple(ring)
    return filled([ring], size)


def _shape(mask: Rle, kind: str, tolerance: float) -> dict[str, Any]:
    """The fields of a region's value that hold its shape."""
    if kind == "rle":
        return {"format": "rle", "rle": brush.encoded(mask.mask())}
    ring = one_ring(mask, tolerance)
    if not filled([ring], mask.size).area:
        ring = one_ring(mask, 0)
    return {"points": (ring * (100 / mask.width, 100 / mask.height)).tolist(), "closed": True}


def _change(region: dict[str, Any], kind: str, shape: dict[str, Any]) -> None:
    """Turn a region from a brush's into a polygon's or back, its labels kept."""
    value = region["value"]
    for key in ("format", "rle", "points", "closed"):
        value.pop(key, None)
    before, after = ("brush", "polygon") if kind == "polygon" else ("polygon", "brush")
    if f"{before}labels" in value:
        value[f"{after}labels"] = value.pop(f"{before}labels")
    region["type"] = str(region.get("type", "")).replace(before, after)
    value.update(shape)


def open_label_studio(path: str | os.PathLike[str]) -> LabelStudioDocument:
    """The export at `path`.

    Raises:
        InputError: the file cannot be read or is no list of tasks.
    """
    return LabelStudioDocument(read_bytes(path), str(path))


def read(path: Path) -> Dataset:
    """An export in the common form; see `open_label_studio` for errors.

    Results of several annotators on a task all become objects of its photo.
    """
    document = open_label_studio(path)
    if document.others:
        document.problems.append(f"{path}: {document.others} regions are no masks; left out")
    return dataset_of(document)


def write(dataset: Dataset, path: Path, form: Form) -> list[str]:
    """Write tasks with one annotation each; gives a line on what is lost."""
    tasks = []
    for photo in dataset.photos:
        regions = [
            _region(instance, number, form) for number, instance in enumerate(photo.instances, 1)
        ]
        tasks.append({"data": {"image": photo.name}, "annotations": [{"result": regions}]})
    write_json(path, tasks)
    return crowd_losses(dataset)


def _region(instance: Instance, number: int, form: Form) -> dict[str, Any]:
    kind = form.kind or "rle"
    labels = "brushlabels" if kind == "rle" else "polygonlabels"
    return {
        "id": f"object{number}",
        "from_name": "label",
        "to_name": "image",
        "type": labels,
        "original_width": instance.mask.width,
        "original_height": instance.mask.height,
        "image_rotation": 0,
        "value": {**_shape(instance.mask, kind, form.tolerance), labels: [instance.category]},
    }
