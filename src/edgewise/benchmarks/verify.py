"""Checking what lies on this machine against what was published."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edgewise.benchmarks import ade20k, big, layouts, pascal
from edgewise.benchmarks.inputs.labels import read_labels
from edgewise.benchmarks.samples import COARSE, REFINED, TRUTH, by_name
from edgewise.benchmarks.store import need
from edgewise.errors import InputError
from edgewise.files import load_picture, picture_size

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from edgewise.benchmarks.catalog import Row
    from edgewise.benchmarks.store import Store

    Check = Callable[[Path], "str"]
    Compare = Callable[[Path, Path], Iterator["Problem"]]

PHOTOS = {"big": big.PHOTO, "pascal": pascal.PHOTO}
_LABEL_OF = {"big": big.label_of, "pascal": pascal.label_of}
_FEW = 16


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that is not as published: where, and what."""

    where: str
    what: str


def verify(row: Row, store: Store) -> Iterator[Problem]:
    """Each thing about a row that is not as published, as it is found: every file is read.

    A dataset: numbers of samples, photos and truths in pairs of one size, sizes, truths of 0 and
    255 alone or of ADE20K's labels, classes in names. Inputs and results: numbers, a photo of the
    dataset to each mask and of its size, forms. The dataset must be here for that.

    Raises:
        InputError: the row, or the dataset that it belongs to, is not on this machine.
    """
    folder = need(store.folder(row), row.name)
    yield from _counts(row, folder)
    if row.role == "dataset":
        yield from _dataset(row, folder)
    elif row.role == "split":
        yield from _parts(folder)
    else:
        dataset = need(store.root / row.dataset, row.dataset)
        yield from _results(row, folder, dataset)


def _counts(row: Row, folder: Path) -> Iterator[Problem]:
    for split, number in layouts.count(row, folder).items():
        wanted = row.counts.get(split)
        if wanted is not None and number != wanted:
            yield Problem(f"{row.name}, {split}", f"{number} samples; {wanted} were published")


def _dataset(row: Row, folder: Path) -> Iterator[Problem]:
    if row.dataset == "ade20k":
        photos = _names(ade20k.photos_folder(folder), ade20k.PHOTO)
        truths = _names(ade20k.truths_folder(folder), ade20k.LABEL_MAP)
        yield from _photos(photos)
        yield from _pairs(photos, truths, "photo", "truth", _label_problem)
        return
    for split in _splits(row):
        photos = _names(folder / split, PHOTOS[row.dataset])
        truths = _names(folder / split, TRUTH)
        yield from _photos(photos)
        yield from _classes(row, photos)
        yield from _sizes(row, photos)
        yield from _pairs(photos, truths, "photo", "truth", _binary_problem)
        coarse = _names(folder / split, COARSE)
        if coarse:
            yield from _pairs(photos, coarse, "photo", "coarse mask", _binary_problem)


def _results(row: Row, folder: Path, dataset: Path) -> Iterator[Problem]:
    if row.dataset == "ade20k" and row.role == "inputs":
        photos = _names(ade20k.photos_folder(dataset), ade20k.PHOTO)
        found = _names(folder, ade20k.LABEL_MAP)
        yield from _pairs(photos, found, "photo", "label map", _label_problem)
    elif row.dataset == "ade20k":
        photos = _names(ade20k.photos_folder(dataset), ade20k.PHOTO)
        yield from _part_results(_names(folder, REFINED), photos, _within, _grey_problem)
    else:
        (split,) = row.counts
        photos = _names(dataset / (split if row.dataset == "big" else ""), PHOTOS[row.dataset])
        soft = row.role == "refined"
        found = _names(folder, REFINED if soft else COARSE)
        check = _grey_problem if soft else _binary_problem
        yield from _pairs(photos, found, "photo", "mask", check)


def _parts(folder: Path) -> Iterator[Problem]:
    """Components: each has a coarse mask, a truth and a photo, all of one size."""
    photos = _names(folder, ade20k.PART_PHOTO)
    coarse, truths = _names(folder, COARSE), _names(folder, TRUTH)
    yield from _photos(photos)
    yield from _pairs(coarse, truths, "coarse mask", "truth", _binary_problem)
    yield from _part_results(coarse, photos, _same_size, _binary_problem)


def _part_results(
    found: dict[str, Path], photos: dict[str, Path], size: Compare, check: Check
) -> Iterator[Problem]:
    """Masks of components against the photos that their names name."""
    for name, path in found.items():
        try:
            image = ade20k.part_of(name)[0]
        except InputError as error:
            yield Problem(path.name, str(error))
            continue
        if image not in photos:
            yield Problem(path.name, f"there is no photo {image}")
            continue
        yield from size(photos[image], path)
        yield from _found(path, check(path))


def _pairs(
    first: dict[str, Path], second: dict[str, Path], one: str, other: str, check: Check
) -> Iterator[Problem]:
    """Files without a partner, pairs of two sizes, and what is wrong with the second files."""
    for name, path in first.items():
        if name not in second:
            yield Problem(path.name, f"this {one} has no {other}")
    for name, path in second.items():
        if name not in first:
            yield Problem(path.name, f"this {other} has no {one}")
            continue
        yield from _same_size(first[name], path)
        yield from _found(path, check(path))


def _same_size(first: Path, second: Path) -> Iterator[Problem]:
    for photo, mask in _sizes_of(first, second):
        if photo != mask:
            yield Problem(
                second.name, f"has {_shown(mask)} pixels, and {first.name} {_shown(photo)}"
            )


def _within(first: Path, second: Path) -> Iterator[Problem]:
    """A mask larger than its photo: refined components are as large as their boxes."""
    for photo, mask in _sizes_of(first, second):
        if mask[0] > photo[0] or mask[1] > photo[1]:
            size = f"{_shown(mask)} pixels, more than {first.name} with {_shown(photo)}"
            yield Problem(second.name, f"has {size}")


def _sizes_of(first: Path, second: Path) -> Iterator[tuple[tuple[int, int], tuple[int, int]]]:
    """The sizes of two pictures; nothing where one has none, which is told where it is read."""
    try:
        yield picture_size(first), picture_size(second)
    except InputError:
        return


def _shown(size: tuple[int, int]) -> str:
    return f"{size[0]}x{size[1]}"


def _photos(photos: dict[str, Path]) -> Iterator[Problem]:
    """Photos that cannot be decoded to their last pixel."""
    for path in photos.values():
        try:
            load_picture(path)
        except InputError as error:
            yield Problem(path.name, str(error))


def _sizes(row: Row, photos: dict[str, Path]) -> Iterator[Problem]:
    if row.pixels is None:
        return
    fewest, most = row.pixels
    for path in photos.values():
        try:
            width, height = picture_size(path)
        except InputError:
            continue  # told by `_photos`
        if not fewest <= width * height <= most:
            yield Problem(
                path.name,
                f"has {width}x{height} pixels; published are {fewest / 1e6:.1f} to "
                f"{most / 1e6:.1f} million",
            )


def _classes(row: Row, photos: dict[str, Path]) -> Iterator[Problem]:
    for name, path in photos.items():
        try:
            _LABEL_OF[row.dataset](name)
        except InputError as error:
            yield Problem(path.name, str(error))


def _found(path: Path, what: str) -> Iterator[Problem]:
    if what:
        yield Problem(path.name, what)


def _binary_problem(path: Path) -> str:
    """What keeps a file from being a mask of 0 and 255 alone."""
    try:
        picture = load_picture(path)
    except InputError as error:
        return str(error)
    if picture.mode in ("1", "L"):
        histogram = picture.convert("L").histogram()
        levels = [level for level, number in enumerate(histogram) if number]
        strange = [str(level) for level in levels if level not in (0, 255)]
    else:
        colours = picture.convert("RGB").getcolors(_FEW) or []
        plain = [colour for _, colour in colours if colour in ((0, 0, 0), (255, 255, 255))]
        strange = [] if colours and len(plain) == len(colours) else [f"colours ({picture.mode})"]
    if not strange:
        return ""
    shown = ", ".join(strange[:5]) + (", ..." if len(strange) > 5 else "")
    return f"is no mask of 0 and 255: it also holds {shown}"


def _grey_problem(path: Path) -> str:
    """What keeps a file from being a soft mask."""
    try:
        picture = load_picture(path)
    except InputError as error:
        return str(error)
    return "" if picture.mode in ("1", "L") else f"is of mode {picture.mode}; expected 8-bit grey"


def _label_problem(path: Path) -> str:
    """What keeps a file from being a label map of ADE20K."""
    try:
        labels = read_labels(path)
    except InputError as error:
        return str(error)
    lowest, highest = int(labels.min()), int(labels.max())
    if lowest < 0 or highest > ade20k.CLASSES:
        return f"holds labels from {lowest} to {highest}; expected 0 to {ade20k.CLASSES}"
    return ""


def _splits(row: Row) -> Iterable[str]:
    return row.counts if row.dataset == "big" else ("",)


def _names(folder: Path, ending: str) -> dict[str, Path]:
    return by_name(folder, ending) if folder.is_dir() else {}
