"""Training sets of the reference: MSRA-10K, DUTS, ECSSD and FSS-1000, as a user has them.

A photo `<name>.jpg` goes with the truth `<name>.png`: in one folder, or in folders of their own
below it, as some archives have them. FSS-1000 has a folder a class.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from edgewise.errors import InputError, OutputError
from edgewise.images import read_photo
from edgewise.masks import read_mask
from edgewise.metrics import binarise

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy as np
    from numpy.typing import NDArray

    Key = tuple[str, str]
    """Class ("" where a set has none) and name."""

PHOTO = ".jpg"
TRUTH = ".png"


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingSet:
    """A set of photos with one object each.

    Attributes:
        title: as its authors write it.
        count: how many photos were published.
        has_classes: whether there is a folder a class.
    """

    title: str
    count: int
    has_classes: bool = False


SETS = {
    "msra10k": TrainingSet(title="MSRA-10K", count=10_000),
    "duts-tr": TrainingSet(title="DUTS-TR", count=10_553),
    "duts-te": TrainingSet(title="DUTS-TE", count=5_019),
    "ecssd": TrainingSet(title="ECSSD", count=1_000),
    "fss1000": TrainingSet(title="FSS-1000", count=10_000, has_classes=True),
}
"""The sets by name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A photo of one object with its truth.

    Attributes:
        set: a key of `SETS`.
        name: of its files, without suffix.
        kind: the class of the object, as its folder is called; "" where the set has none.
        photo_path, truth_path: its files.
    """

    set: str
    name: str
    kind: str = ""
    photo_path: Path
    truth_path: Path

    @property
    def id(self) -> str:
        """What tells it from the others of its set."""
        return f"{self.kind}_{self.name}" if self.kind else self.name

    def photo(self) -> NDArray[np.uint8]:
        """The photo, uint8 HxWx3 RGB."""
        return read_photo(self.photo_path)

    def truth(self) -> NDArray[np.bool_]:
        """The truth, bool HxW: level > 128."""
        return binarise(read_mask(self.truth_path, soft=True))


def load_training(name: str, folder: Path) -> list[Example]:
    """The examples of a set, in the order of classes and names; files are read when asked for.

    Args:
        name: a key of `SETS`.
        folder: holds them, at any depth.

    Raises:
        InputError: no such set or folder, no photo in it, a photo without truth, or two files for
            one place.
    """
    if name not in SETS:
        raise InputError(f"no training set {name!r}; there is: {', '.join(SETS)}")
    if not folder.is_dir():
        raise InputError(f"{folder}: is not a folder; expected {SETS[name].title} unpacked")
    photos = _by_key(folder, PHOTO, has_classes=SETS[name].has_classes)
    truths = _by_key(folder, TRUTH, has_classes=SETS[name].has_classes)
    if not photos:
        raise InputError(f"{folder}: no photo in it; expected <name>{PHOTO} with <name>{TRUTH}")
    for key, path in photos.items():
        if key not in truths:
            raise InputError(f"{path}: has no truth {key[1]}{TRUTH}")
    return [
        Example(set=name, kind=key[0], name=key[1], photo_path=path, truth_path=truths[key])
        for key, path in photos.items()
    ]


def link_for_training(examples: Iterable[Example], root: Path) -> int:
    """Lay examples out as the training reads them, `<root>/<set>/<id>_im.jpg` and `_gt.png`.

    Files are links to the examples' own, and stay where there are such already.

    Returns:
        how many examples were laid out.

    Raises:
        OutputError: a link cannot be made.
    """
    done = 0
    for done, example in enumerate(examples, start=1):  # noqa: B007
        folder = root / example.set
        try:
            folder.mkdir(parents=True, exist_ok=True)
            _link(example.photo_path, folder / f"{example.id}_im{PHOTO}")
            _link(example.truth_path, folder / f"{example.id}_gt{TRUTH}")
        except OSError as error:
            raise OutputError(f"{folder}: cannot be written: {error.strerror}") from error
    return done


def _by_key(folder: Path, suffix: str, *, has_classes: bool) -> dict[Key, Path]:
    """The files of a suffix below a folder, sorted by class and name."""
    found: dict[Key, Path] = {}
    for path in folder.rglob("*"):
        hidden = any(part.startswith((".", "__")) for part in path.relative_to(folder).parts)
        if hidden or path.suffix.lower() != suffix or not path.is_file():
            continue
        key = (path.parent.name if has_classes else "", path.stem)
        if key in found:
            raise InputError(f"{folder}: {found[key]} and {path} have one name; give one set alone")
        found[key] = path
    return dict(sorted(found.items()))


def _link(file: Path, link: Path) -> None:
    if not link.is_symlink():
        link.symlink_to(file.resolve())
