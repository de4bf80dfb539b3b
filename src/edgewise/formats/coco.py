"""COCO: instances in one JSON file, as polygons or run lengths.

The format: https://cocodataset.org/#format-data (object detection). A segmentation is a list of
polygons [x1, y1, x2, y2, ...], whose union is the object, or run lengths down the columns,
compressed (a text) or not (a list of numbers). Polygons cannot state holes; they are written as
one ring with seams (`edgewise.formats.polygons.one_ring`), which every even-odd filler, pycocotools
among them, fills as it should.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from edgewise.errors import InputError
from edgewise.formats.annotation import Rle
from edgewise.formats.document import Item, Scene, dataset_of
from edgewise.formats.json_files import parse_json, read_bytes, whole, write_json
from edgewise.formats.polygons import check_inside, check_simple, filled, ring_of, rings

if TYPE_CHECKING:
    import os
    from pathlib import Path

    from edgewise.formats.annotation import Dataset, Form, Instance, Size

_NO_IMAGES = (
    "is a list, as of detection results, not a COCO data set; expected an object with images, "
    "annotations and categories"
)


class CocoDocument:
    """A COCO file in memory; see `edgewise.formats.document.Document`."""

    def __init__(self, data: bytes, name: str) -> None:
        self._data = _checked(parse_json(data, name), name)
        self.problems: list[str] = []
        self._categories = _category_names(self._data.get("categories"))
        self.categories = list(self._categories.values())
        self._annotations: list[Any] = self._data["annotations"]
        self.scenes = self._scenes()

    def mask(self, item: Item, size: Size, *, strict: bool = True) -> Rle:
        """See `Document.mask`."""
        mask = rle_of(self._annotations[item.key].get("segmentation"), size, strict=strict)
        if not mask.area:
            raise InputError("empty segmentation: no pixel is inside")
        return mask

    def replace(self, item: Item, mask: Rle, form: Form) -> None:
        """See `Document.replace`. Area and box are those of what is written."""
        annotation = self._annotations[item.key]
        segmentation = _segmentation(mask, _form_of(annotation, form))
        if form.kind is None and _is_uncompressed(annotation.get("segmentation")):
            segmentation["counts"] = mask.runs
        written = rle_of(segmentation, mask.size, strict=False)
        annotation["segmentation"] = segmentation
        annotation["area"] = float(written.area)
        annotation["bbox"] = [float(side) for side in written.box]

    def save(self, path: Path) -> None:
        """See `Document.save`."""
        write_json(path, self._data)

    def _scenes(self) -> list[Scene]:
        images = {key: image for image in self._data["images"] if (key := _key(image)) is not None}
        ids = Counter(_key(image) for image in self._data["images"])
        items: dict[int | str, list[Item]] = {key: [] for key in images}
        names = Counter(_key(annotation) for annotation in self._annotations)
        for index, annotation in enumerate(self._annotations):
            item = self._item(index, annotation, names)
            image = annotation.get("image_id") if isinstance(annotation, dict) else None
            if (key := _id(image)) in items:
                items[key].append(item)
            else:
                wrong = item.problem or f"its image_id {image!r} is not among the images"
                self.problems.append(f"{item.name}: {wrong}")
        if ids[None]:
            self.problems.append(f"{ids[None]} images have no id")
        return [_scene(image, ids[key], items[key]) for key, image in images.items()]

    def _item(self, index: int, annotation: Any, ids: Counter[int | str | None]) -> Item:
        name = f"annotations[{index}]"
        key = _key(annotation)
        if key is None:
            return Item(key=index, name=name, category="", problem="has no id")
        number = annotation.get("category_id")
        category = self._categories.get(_id(number))
        problem = None
        if ids[key] > 1:
            problem = f"its id is that of {ids[key]} annotations (this is {name})"
        elif category is None:
            problem = f"its category_id {number!r} is not among the categories"
        return Item(
            key=index,
            name=f"annotation {key}",
            category=category or "",
            crowd=annotation.get("iscrowd") == 1,
            problem=problem,
        )


def _checked(data: Any, name: str) -> dict[str, Any]:
    if isinstance(data, list):
        raise InputError(f"{name}: {_NO_IMAGES}")
    if not isinstance(data, dict):
        raise InputError(f"{name}: is no COCO data set; expected an object with images")
    for key in ("images", "annotations"):
        if not isinstance(data.get(key), list):
            raise InputError(f"{name}: is no COCO data set: it has no list named {key}")
    return data


def _key(entry: Any) -> int | str | None:
    """The id of an image or an annotation, or None where it has none."""
    return _id(entry.get("id")) if isinstance(entry, dict) else None


def _id(value: Any) -> int | str | None:
    """An id, which data frames turn into 1.0, or None where a value is none."""
    if type(value) is float and value.is_integer():
        return int(value)
    return value if type(value) in (int, str) else None


def _category_names(categories: Any) -> dict[int | str | None, str]:
    entries = categories if isinstance(categories, list) else []
    return {
        key: str(entry.get("name", key)) for entry in entries if (key := _key(entry)) is not None
    }


def _scene(image: dict[str, Any], uses: int, items: list[Item]) -> Scene:
    file = image.get("file_name")
    width, height = whole(image.get("width")), whole(image.get("height"))
    problem = None
    if uses > 1:
        problem = f"its id is that of {uses} images"
    elif not isinstance(file, str) or not file:
        problem = "has no file_name"
    return Scene(
        name=f"image {image['id']} ({file})",
        photo=str(file).replace("\\", "/"),
        size=(height, width) if height and width else None,
        items=tuple(items),
        problem=problem,
    )


def rle_of(segmentation: Any, size: Size, *, strict: bool) -> Rle:
    """The mask of a COCO segmentation of any form; see `Document.mask` for `strict` and errors."""
    if isinstance(segmentation, dict):
        return _decoded(segmentation, size)
    if not segmentation:
        raise InputError("empty segmentation")
    if not isinstance(segmentation, list) or not all(isinstance(one, list) for one in segmentation):
        raise InputError("its segmentation is neither a list of polygons nor run lengths")
    found = [ring_of(numbers) for numbers in segmentation]
    for ring in found if strict else ():
        check_inside(ring, size)
        check_simple(ring)
    return filled(found, size)


def _decoded(coded: dict[str, Any], size: Size) -> Rle:
    stated, counts = coded.get("size"), coded.get("counts")
    if not (isinstance(stated, list) and len(stated) == 2 and all(whole(n) for n in stated)):
        raise InputError(f"its RLE has the size {stated!r}; expected [height, width]")
    if tuple(stated) != size:
        raise InputError(
            f"its RLE is of {stated[1]}x{stated[0]} pixels and the photo of {size[1]}x{size[0]}; "
            "they must agree"
        )
    if isinstance(counts, str):
        return Rle.from_counts(counts, size)
    if isinstance(counts, list):
        return Rle.from_runs(counts, size)
    raise InputError("its RLE has no counts; expected a text or a list of numbers")


def _form_of(annotation: dict[str, Any], form: Form) -> Form:
    """The form asked for, else the one that the annotation has; a crowd's is always "rle"."""
    if annotation.get("iscrowd") == 1:
        return replace(form, kind="rle")
    was_list = isinstance(annotation.get("segmentation"), list)
    return form if form.kind else replace(form, kind="polygon" if was_list else "rle")


def _is_uncompressed(segmentation: Any) -> bool:
    return isinstance(segmentation, dict) and isinstance(segmentation.get("counts"), list)


def _segmentation(mask: Rle, form: Form) -> Any:
    if form.kind == "polygon":
        polygons = [ring.ravel().tolist() for ring in rings(mask, form.tolerance)]
        if filled([ring_of(polygon) for polygon in polygons], mask.size).area:
            return polygons
        return [ring.ravel().tolist() for ring in rings(mask, 0)]
    return {"size": [mask.height, mask.width], "counts": mask.counts.decode()}


def open_coco(path: str | os.PathLike[str]) -> CocoDocument:
    """The COCO file at `path`.

    Raises:
        InputError: the file cannot be read or is no COCO data set.
    """
    return CocoDocument(read_bytes(path), str(path))


def read(path: Path) -> Dataset:
    """A COCO file in the common form; see `open_coco` for errors."""
    return dataset_of(open_coco(path))


def write(dataset: Dataset, path: Path, form: Form) -> list[str]:
    """Write a COCO file; ids count from 1. Gives no lines, as nothing is lost."""
    numbers = {name: number for number, name in enumerate(dataset.categories, start=1)}
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for image_id, photo in enumerate(dataset.photos, start=1):
        size = {"width": photo.width, "height": photo.height}
        images.append({"id": image_id, "file_name": photo.name, **size})
        for instance in photo.instances:
            found = _annotation(instance, form)
            key = {"id": len(annotations) + 1, "image_id": image_id}
            annotations.append({**key, "category_id": numbers[instance.category], **found})
    categories = [{"id": number, "name": name} for name, number in numbers.items()]
    write_json(path, {"images": images, "annotations": annotations, "categories": categories})
    return []


def _annotation(instance: Instance, form: Form) -> dict[str, Any]:
    wanted = replace(form, kind="rle") if instance.crowd else form
    segmentation = _segmentation(instance.mask, wanted)
    written = rle_of(segmentation, instance.mask.size, strict=False)
    return {
        "segmentation": segmentation,
        "area": float(written.area),
        "bbox": [float(side) for side in written.box],
        "iscrowd": int(instance.crowd),
    }
