"""Label Studio: brush and polygon regions of tasks in one JSON file.

The format: https://labelstud.io/guide/task_format and /tags/brushlabels, /tags/polygonlabels. A
task has data (the photo's address), annotations and predictions, and each of these a result: a
list of regions. Brushes are packed masks (`edgewise.formats.brush`); polygons have one ring with
points in percent of the photo's width and height.
"""

from __future__ import annotations

import re
from contextlib import suppress
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, quote, unquote, urlsplit

from edgewise.errors import InputError
from edgewise.files import SUFFIXES
from edgewise.formats import brush
from edgewise.formats.annotation import Rle, crowd_losses
from edgewise.formats.document import Item, Scene, dataset_of, names_of_several
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

    Each annotator's result on a picture is a scene of its own: objects compete with those of one
    result only. Predictions, and annotations that an annotator skipped, are none and stay.
    """

    def __init__(self, data: bytes, name: str) -> None:
        self._tasks = _checked(parse_json(data, name), name)
        self.problems: list[str] = []
        self.categories: list[str] = []
        self._regions: list[list[dict[str, Any]]] = []
        self.others = 0
        """Regions that are no masks: boxes, points, choices."""
        results = [result for task in self._tasks for result in _results(task, "annotations")]
        targets = {_target(entry) for result in results for entry in result if _has_mask(entry)}
        self._one_target = len(targets) == 1
        self._of_several = names_of_several(
            (_host(text) if _is_picture(text) else text, _file_names(text)[0])
            for task in self._tasks
            for text in task["data"].values()
            if isinstance(text, str)
        )
        self.scenes = [scene for task in self._tasks for scene in self._scenes(task)]

    def mask(self, item: Item, size: Size, *, strict: bool = True) -> Rle:
        """See `Document.mask`."""
        entries = self._regions[item.key]
        value = entries[0]["value"]
        if "rle" in value:
            stated = _size(entries)
            if stated is None:
                raise InputError("its original_width and original_height are not stated")
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
        entries = self._regions[item.key]
        was = "rle" if "rle" in entries[0]["value"] else "polygon"
        kind = form.kind or was
        shape = _shape(mask, kind, form.tolerance)
        for entry in entries:
            if kind != was:
                _change(entry, kind)
            entry["value"].update(shape)

    def save(self, path: Path) -> None:
        """See `Document.save`."""
        write_json(path, self._tasks)

    def _scenes(self, task: dict[str, Any]) -> Iterator[Scene]:
        """A scene for each annotation of a task and each picture on which that has masks."""
        name = f"task {task.get('id', 'without id')}"
        results = list(_results(task, "annotations"))
        predicted = (entry for result in _results(task, "predictions") for entry in result)
        if not results and any(_has_mask(entry) for entry in predicted):
            self.problems.append(f"{name}: has predictions only; expected annotations")
        for result in results:
            regions = _regions(result)
            masks = [region for region in regions if any(_has_mask(entry) for entry in region)]
            self.others += len(regions) - len(masks)
            if bitmasks := sum(any(map(_is_bitmask, region)) for region in regions):
                self.others -= bitmasks
                self.problems.append(
                    f"{name}: {bitmasks} regions are bitmasks; expected brushes or polygons"
                )
            for target in dict.fromkeys(_target(region[0]) for region in masks):
                yield self._scene(
                    name, task["data"], [one for one in masks if _target(one[0]) == target]
                )

    def _scene(self, task: str, data: dict[str, Any], regions: list[list[dict[str, Any]]]) -> Scene:
        problem = None
        try:
            address = _address(data, regions[0][0], one_target=self._one_target)
            names = _file_names(address)
            if names[0] in self._of_several:
                if not _is_picture(address):
                    raise InputError(f"its address {address} names no file of its own")
                names = [f"{_host(address)}/{names[0]}".lstrip("/")]
        except InputError as error:
            names, problem = [""], str(error)
        return Scene(
            name=f"{task} ({names[0]})" if names[0] else task,
            photo=names[0],
            aliases=tuple(names[1:]),
            size=_size([entry for region in regions for entry in region]),
            items=tuple(self._item(task, region) for region in regions),
            problem=problem,
        )

    def _item(self, task: str, region: list[dict[str, Any]]) -> Item:
        values = [entry["value"] for entry in region if isinstance(entry.get("value"), dict)]
        labels = _labels(values)
        self.categories += [label for label in labels if label not in self.categories]
        shaped = [entry for entry in region if _has_shape(entry)]
        self._regions.append(shaped)
        rotation = next((turn for entry in region if (turn := entry.get("image_rotation"))), 0)
        problem = f"its photo is turned by {rotation} degrees in the tool" if rotation else None
        if any(_shape_of(entry) != _shape_of(shaped[0]) for entry in shaped):
            problem = f"its id is that of {len(shaped)} results with different shapes"
        return Item(
            key=len(self._regions) - 1,
            name=f"{task}, region {region[0].get('id', 'without id')}",
            category=labels[0],
            further=tuple(labels[1:]),
            problem=problem,
        )


def _checked(data: Any, name: str) -> list[dict[str, Any]]:
    if not isinstance(data, list) or not data:
        raise InputError(f"{name}: {_EXPECTED}")
    for task in data:
        if not isinstance(task, dict) or not isinstance(task.get("data"), dict):
            raise InputError(f"{name}: a task has no data (JSON-MIN leaves it out); {_EXPECTED}")
    return data


def _results(task: dict[str, Any], key: str) -> Iterator[list[Any]]:
    """The results of a task's annotations or predictions, but those that were skipped."""
    entries = task.get(key)
    for entry in entries if isinstance(entries, list) else []:
        skipped = isinstance(entry, dict) and entry.get("was_cancelled") is True
        result = entry.get("result") if isinstance(entry, dict) and not skipped else None
        yield result if isinstance(result, list) else []


def _regions(result: list[Any]) -> list[list[Any]]:
    """A result's entries, those of one region together: each control adds one of the same id."""
    regions: dict[Any, list[Any]] = {}
    for place, entry in enumerate(result):
        number = entry.get("id") if isinstance(entry, dict) else None
        key = (_target(entry), number) if type(number) in (int, str) else place
        regions.setdefault(key, []).append(entry)
    return list(regions.values())


def _target(entry: Any) -> str:
    """What a labelling interface calls the picture on which an entry lies."""
    return str(entry.get("to_name", ""))


def _has_mask(entry: Any) -> bool:
    """Whether an entry is a brush's or a polygon's."""
    if not _has_shape(entry):
        return False
    return "rle" in entry["value"] or "polygon" in str(entry.get("type"))


def _is_bitmask(entry: Any) -> bool:
    """Whether an entry's mask is a picture, as <BitmaskLabels> makes it."""
    value = entry.get("value") if isinstance(entry, dict) else None
    return isinstance(value, dict) and "imageDataURL" in value


def _has_shape(entry: Any) -> bool:
    """Whether an entry has a region's shape, which entries of labels or texts repeat."""
    value = entry.get("value") if isinstance(entry, dict) else None
    return isinstance(value, dict) and ("rle" in value or "points" in value)


def _shape_of(entry: dict[str, Any]) -> tuple[Any, Any]:
    return entry["value"].get("rle"), entry["value"].get("points")


def _address(data: dict[str, Any], entry: dict[str, Any], *, one_target: bool) -> str:
    """The address of the photo on which an entry lies.

    It is under the entry's source or to_name; else, where all entries of the export lie on one
    picture, under "image"; else it is the only one that ends as a picture does.

    Raises:
        InputError: there is none, it cannot be told from others, or is no file's.
    """
    texts = {key: text for key, text in data.items() if isinstance(text, str) and text}
    pictures = {key: text for key, text in texts.items() if key == "image" or _is_picture(text)}
    source = str(entry.get("source", "")).removeprefix("$")
    address = texts.get(source) or pictures.get(_target(entry))
    if address is None and one_target:
        address = pictures.get("image")
    if address is None and len(pictures) > 1:
        raise InputError(
            f"its task has several pictures ({', '.join(pictures)}); which of them "
            f"{_target(entry)!r} is cannot be told"
        )
    address = address or next(iter(pictures.values()), None)
    if address is None:
        raise InputError("its data names no picture")
    if address.startswith("data:"):
        raise InputError(
            f"its picture is in the task itself ({address[:22]}...); expected a file's address"
        )
    return address


def _is_picture(address: str) -> bool:
    return PurePosixPath(_file_names(address)[0]).suffix.lower() in SUFFIXES


def _file_names(address: str) -> list[str]:
    """The names under which the file at an address may lie, the likeliest first.

    Uploads are /data/upload/7/0a1b2c3d-name.jpg, local files /data/local-files/?d=folder/name.jpg,
    and cloud storage s3://bucket/folder/name.jpg. An upload's name alone tells it from others.
    """
    path = address.replace("\\", "/")
    with suppress(ValueError):  # a name with a bracket can be no URL
        parts = urlsplit(path)
        local = parse_qs(parts.query).get("d")
        path = local[0] if local else unquote(parts.path)
    path = path.lstrip("/")
    name = path.rsplit("/", 1)[-1]
    names = [name, _UPLOAD.sub("", name)]
    names.insert(2 if path.startswith("data/upload/") else 0, path)
    return list(dict.fromkeys(names))


def _host(address: str) -> str:
    """The bucket, or the server, of an address; of none, an empty text."""
    try:
        return urlsplit(address.replace("\\", "/")).netloc
    except ValueError:
        return ""


def _size(entries: list[dict[str, Any]]) -> Size | None:
    """Height and width of the first entry that states them, or None."""
    for entry in entries:
        height, width = whole(entry.get("original_height")), whole(entry.get("original_width"))
        if height and width:
            return height, width
    return None


def _labels(values: list[dict[str, Any]]) -> list[str]:
    """The labels of a region, each once."""
    for key in ("brushlabels", "polygonlabels", "labels"):
        found = [value[key] for value in values if isinstance(value.get(key), list)]
        if labels := list(dict.fromkeys(str(label) for labels in found for label in labels)):
            return labels
    return ["object"]


def _fill(points: Any, size: Size, *, strict: bool) -> Rle:
    height, width = size
    if not isinstance(points, list) or not all(
        isinstance(point, list) and len(point) == 2 for point in points
    ):
        raise InputError("its points are no list of [x, y]")
    numbers = [number for point in points for number in point]
    ring = ring_of(numbers, (width / 100, height / 100))
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


def _change(entry: dict[str, Any], kind: str) -> None:
    """Turn a brush's entry, its shape taken out, into a polygon's or back, its labels kept."""
    value = entry["value"]
    for key in ("format", "rle", "points", "closed"):
        value.pop(key, None)
    before, after = ("brush", "polygon") if kind == "polygon" else ("polygon", "brush")
    if f"{before}labels" in value:
        value[f"{after}labels"] = value.pop(f"{before}labels")
    entry["type"] = str(entry.get("type", "")).replace(before, after)


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
        address = quote(photo.name, errors="surrogatepass")
        tasks.append({"data": {"image": address}, "annotations": [{"result": regions}]})
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
