"""CVAT for images 1.1: shapes of photos in one XML file.

The format: https://docs.cvat.ai/docs/other/xml_format/. A `<polygon>` has one ring of points; a
`<mask>` has a box and the run lengths of its rows, of background first. Boxes, points, lines and
other shapes are no masks: refining leaves them as they are, converting leaves them out.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from xml.etree import ElementTree

import numpy as np

from edgewise.errors import InputError
from edgewise.files import atomic_path
from edgewise.formats.annotation import Rle, crowd_losses
from edgewise.formats.document import Item, Scene, dataset_of, names_of_several
from edgewise.formats.json_files import read_bytes
from edgewise.formats.polygons import check_inside, check_simple, filled, one_ring, ring_of

if TYPE_CHECKING:
    import os
    from pathlib import Path
    from xml.etree.ElementTree import Element

    from edgewise.formats.annotation import Dataset, Form, Instance, Size

_SHAPES = ("polygon", "mask")
_OTHERS = ("box", "polyline", "points", "ellipse", "cuboid", "skeleton")
_UNHELD = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_MASK_ONLY = ("rle", "left", "top", "width", "height")


class _Builder(ElementTree.TreeBuilder):
    """Builds a tree with its comments and refuses what declares entities: CVAT never does."""

    def __init__(self) -> None:
        super().__init__(insert_comments=True, insert_pis=True)

    def doctype(self, name: str, *_: str | None) -> None:
        """Called by the parser before any entity is declared, let alone expanded."""
        raise InputError(f"has a document type declaration ({name}), which CVAT does not write")


class CvatDocument:
    """A CVAT file in memory; see `edgewise.formats.document.Document`."""

    def __init__(self, data: bytes, name: str) -> None:
        self._root = _parsed(data, name)
        self.categories = [
            label.findtext("name", "")
            for label in self._root.iterfind("meta/*/labels/label")
            if label.find("parent") is None  # a skeleton's points have labels of their own
        ]
        self._shapes: list[Element] = []
        self.problems: list[str] = []
        images = self._root.findall("image")
        self._of_several = names_of_several((one.get("subset", ""), _name(one)) for one in images)
        self.scenes = [self._scene(image) for image in images]
        self._count_others()

    def mask(self, item: Item, size: Size, *, strict: bool = True) -> Rle:
        """See `Document.mask`."""
        shape = self._shapes[item.key]
        mask = _mask_of(shape, size) if shape.tag == "mask" else _fill(shape, size, strict=strict)
        if not mask.area:
            raise InputError(f"empty {shape.tag}: no pixel is inside")
        return mask

    def replace(self, item: Item, mask: Rle, form: Form) -> None:
        """See `Document.replace`. Label, attributes, order and groups stay as they are."""
        _put(self._shapes[item.key], mask, form)

    def save(self, path: Path) -> None:
        """See `Document.save`."""
        _save(self._root, path)

    def _scene(self, image: Element) -> Scene:
        name = f"image {image.get('id', '?')} ({image.get('name')})"
        shapes = [shape for shape in image if shape.tag in _SHAPES]
        items = tuple(self._item(name, place, shape) for place, shape in enumerate(shapes, start=1))
        size = (_number(image.get("height")), _number(image.get("width")))
        # In a project's export, photos lie in folders of their subsets, in which names are unique.
        inner = f"{image.get('subset', '')}/{_name(image)}".lstrip("/")
        names = [inner] if _name(image) in self._of_several else [_name(image), inner]
        return Scene(
            name=name,
            photo=names[0],
            aliases=tuple(names[1:]),
            size=size if all(size) else None,
            items=items,
            problem=None if image.get("name") else "has no name",
        )

    def _item(self, image: str, place: int, shape: Element) -> Item:
        """One shape; CVAT gives shapes no ids, so that messages name their places."""
        label = shape.get("label", "")
        if label not in self.categories:
            self.categories.append(label)
        self._shapes.append(shape)
        return Item(
            key=len(self._shapes) - 1, name=f"{image}, shape {place} ({label})", category=label
        )

    def _count_others(self) -> None:
        """Note shapes that are neither polygons nor masks."""
        self.others = {
            tag: count for tag in _OTHERS if (count := len(self._root.findall(f"image/{tag}")))
        }


def _parsed(data: bytes, name: str) -> Element:
    # The stdlib's parser fetches nothing from outside; _Builder refuses entities before expansion.
    parser = ElementTree.XMLParser(target=_Builder())  # noqa: S314
    try:
        parser.feed(data)
        root: Element = parser.close()
    except ElementTree.ParseError as error:
        line, column = error.position
        raise InputError(f"{name}: malformed XML at line {line}, column {column + 1}") from error
    except InputError as error:
        raise InputError(f"{name}: {error}") from error
    except (ValueError, LookupError) as error:  # an encoding that Python does not know
        raise InputError(f"{name}: is no XML that can be read: {error}") from error
    if root.tag != "annotations":
        raise InputError(f"{name}: is no CVAT file: its root is <{root.tag}>, not <annotations>")
    if root.find("track") is not None:
        raise InputError(f"{name}: is of the format CVAT for video; export CVAT for images 1.1")
    return root


def _name(image: Element) -> str:
    return image.get("name", "").replace("\\", "/")


def _number(text: str | None) -> int:
    """A whole number from 1 to 10^18 in an attribute, or 0."""
    return int(text) if text and text.isascii() and text.isdigit() and len(text) <= 18 else 0


def _fill(shape: Element, size: Size, *, strict: bool) -> Rle:
    try:
        numbers = [float(n) for pair in shape.get("points", "").split(";") for n in pair.split(",")]
    except ValueError:
        raise InputError("its points are not numbers as x1,y1;x2,y2;...") from None
    ring = ring_of(numbers)
    if strict:
        check_inside(ring, size)
        check_simple(ring)
    return filled([ring], size)


def _mask_of(shape: Element, size: Size) -> Rle:
    """The mask of run lengths along the rows of a box."""
    try:
        runs = [int(run) for run in shape.get("rle", "").split(",")]
        left, top, width, height = (int(shape.get(key, "")) for key in _MASK_ONLY[1:])
    except ValueError:
        raise InputError("its rle, left, top, width or height are no whole numbers") from None
    if not (0 <= left < left + width <= size[1] and 0 <= top < top + height <= size[0]):
        raise InputError(
            f"its mask spans x {left} to {left + width}, y {top} to {top + height}: outside the "
            f"photo of {size[1]}x{size[0]} pixels"
        )
    columns_first = Rle.from_runs(runs, (width, height))  # the transposed crop
    mask = np.zeros(size, dtype=bool)
    mask[top : top + height, left : left + width] = columns_first.mask().T
    return Rle.of(mask)


def _put(shape: Element, mask: Rle, form: Form) -> None:
    """Make an element a polygon or a mask; attributes of neither kind stay."""
    kind = form.kind or ("polygon" if shape.tag == "polygon" else "rle")
    for key in ("points", *_MASK_ONLY):
        shape.attrib.pop(key, None)
    if kind == "polygon":
        shape.tag = "polygon"
        ring = one_ring(mask, form.tolerance)
        if not filled([ring], mask.size).area:
            ring = one_ring(mask, 0)
        shape.set("points", ";".join(f"{x:.2f},{y:.2f}" for x, y in ring))
        return
    shape.tag = "mask"
    left, top, width, height = mask.box
    crop = mask.mask()[top : top + height, left : left + width]
    shape.set("rle", ", ".join(str(run) for run in Rle.of(crop.T).runs))
    for key, value in zip(_MASK_ONLY[1:], mask.box, strict=True):
        shape.set(key, str(value))


def _save(root: Element, path: Path) -> None:
    with atomic_path(path) as temporary:
        ElementTree.ElementTree(root).write(temporary, encoding="utf-8", xml_declaration=True)


def open_cvat(path: str | os.PathLike[str]) -> CvatDocument:
    """The CVAT file at `path`.

    Raises:
        InputError: the file cannot be read, is malformed, or is no CVAT for images file.
    """
    return CvatDocument(read_bytes(path), str(path))


def read(path: Path) -> Dataset:
    """A CVAT file in the common form; see `open_cvat` for errors."""
    document = open_cvat(path)
    for tag, count in document.others.items():
        document.problems.append(f"{path}: {count} shapes of type {tag} are no masks; left out")
    return dataset_of(document)


def write(dataset: Dataset, path: Path, form: Form) -> list[str]:
    """Write a CVAT file; gives a line on what is lost."""
    for name in (*dataset.categories, *(photo.name for photo in dataset.photos)):
        if _UNHELD.search(name):
            raise InputError(f"{name!r}: has a character that XML cannot hold; rename it")
    root = ElementTree.Element("annotations")
    ElementTree.SubElement(root, "version").text = "1.1"
    task = ElementTree.SubElement(ElementTree.SubElement(root, "meta"), "task")
    labels = ElementTree.SubElement(task, "labels")
    for name in dataset.categories:
        label = ElementTree.SubElement(labels, "label")
        ElementTree.SubElement(label, "name").text = name
        ElementTree.SubElement(label, "attributes")
    for index, photo in enumerate(dataset.photos):
        size = {"width": str(photo.width), "height": str(photo.height)}
        about = {"id": str(index), "name": photo.name, **size}
        image = ElementTree.SubElement(root, "image", about)
        for order, instance in enumerate(photo.instances):
            _add(image, instance, order, form)
    ElementTree.indent(root)
    _save(root, path)
    return crowd_losses(dataset)


def _add(image: Element, instance: Instance, order: int, form: Form) -> None:
    about = {"label": instance.category, "source": "file", "occluded": "0", "z_order": str(order)}
    shape = ElementTree.SubElement(image, "mask", about)
    _put(shape, instance.mask, form)
