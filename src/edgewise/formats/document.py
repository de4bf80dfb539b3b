"""Documents: annotation files whose masks are replaced in place, all else kept as it is."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from edgewise.errors import InputError
from edgewise.formats.annotation import Dataset, Instance, Photo, check_size

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from edgewise.formats.annotation import Form, Rle, Size


@dataclass(frozen=True, kw_only=True)
class Item:
    """One annotation with an outline or a mask.

    Args:
        key: its position among the document's annotations, by which the document finds it.
        name: what a message calls it, such as "annotation 17".
        category: the name of its category.
        further: names of further categories that it has, of which most formats know none.
        crowd: whether it marks many objects that are not told apart.
        problem: why it cannot be used, or None.
    """

    key: int
    name: str
    category: str
    further: tuple[str, ...] = ()
    crowd: bool = False
    problem: str | None = None


@dataclass(frozen=True, kw_only=True)
class Scene:
    """The annotations of one photo that belong together.

    Args:
        name: what a message calls the photo, such as "image 42 (a.jpg)".
        photo: the photo's file name, with forward slashes, as the document states it.
        aliases: further names under which its file may lie.
        size: height and width as the document states them, or None.
        items: the annotations, bottom first.
        problem: why none of them can be used, or None.
    """

    name: str
    photo: str
    aliases: tuple[str, ...] = ()
    size: Size | None
    items: tuple[Item, ...]
    problem: str | None = None


class Document(Protocol):
    """An annotation file in memory."""

    scenes: list[Scene]
    categories: list[str]
    problems: list[str]
    """A line on each thing that could not be placed in a scene."""

    def mask(self, item: Item, size: Size, *, strict: bool = True) -> Rle:
        """The mask of an annotation on a photo of `size`.

        Args:
            item: one of a scene's items.
            size: height and width of the photo.
            strict: refuse polygons that leave the photo or cross themselves, whose masks would
                not be what somebody drew.

        Raises:
            InputError: the annotation is damaged, empty, of another size, or not as `strict`.
        """
        ...

    def replace(self, item: Item, mask: Rle, form: Form) -> None:
        """Put another mask in the annotation's place."""
        ...

    def save(self, path: Path) -> None:
        """Write the document.

        Raises:
            OutputError: the file cannot be written.
        """
        ...


def names_of_several(photos: Iterable[tuple[str, str]]) -> set[str]:
    """The names that photos of several places share, given as pairs of place and name."""
    counts = Counter(name for _, name in set(photos))
    return {name for name, count in counts.items() if count > 1}


def dataset_of(document: Document) -> Dataset:
    """A document in the common form; what cannot be read is left out with a line on each.

    An annotation of several categories becomes an object of each.
    """
    problems = list(document.problems)
    photos = [_photo_of(document, scene, problems) for scene in document.scenes]
    found = [photo for photo in photos if photo]
    categories = tuple(dict.fromkeys(document.categories))
    return Dataset(photos=joined(found), categories=categories, problems=tuple(problems))


def _photo_of(document: Document, scene: Scene, problems: list[str]) -> Photo | None:
    try:
        size = _usable_size(scene)
    except InputError as error:
        problems.append(f"{scene.name}: {error}")
        return None
    instances = []
    for item in scene.items:
        try:
            if item.problem:
                raise InputError(item.problem)
            mask = document.mask(item, size, strict=False)
            instances += [
                Instance(category=category, mask=mask, crowd=item.crowd)
                for category in (item.category, *item.further)
            ]
        except InputError as error:
            problems.append(f"{item.name}: {error}")
    height, width = size
    return Photo(name=scene.photo, height=height, width=width, instances=tuple(instances))


def _usable_size(scene: Scene) -> Size:
    if scene.problem or scene.size is None:
        raise InputError(scene.problem or "its width and height are not stated in pixels")
    check_size(scene.size)
    return scene.size


def joined(photos: list[Photo]) -> tuple[Photo, ...]:
    """The photos, those of one name and size made one: a photo may have many annotators."""
    by_name: dict[tuple[str, int, int], Photo] = {}
    for photo in photos:
        key = (photo.name, photo.height, photo.width)
        before = by_name[key].instances if key in by_name else ()
        by_name[key] = Photo(
            name=photo.name,
            height=photo.height,
            width=photo.width,
            instances=before + photo.instances,
        )
    return tuple(by_name.values())
