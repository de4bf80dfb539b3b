"""Layouts: which files make up a row of the catalog, and where each lies in its folder.

The layout is that of the published archives. Files are known by their names alone, so that an
archive may have them in any folders, but for what names do not say: the split of BIG, and the
network where several lie together.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePath

from edgewise.benchmarks.catalog import Row, networks
from edgewise.errors import InputError

SPLITS = {
    "val": "val",
    "valid": "val",
    "validation": "val",
    "test": "test",
    "testing": "test",
}
"""The split that a folder's name stands for, by the words in it."""

_ARCHIVES = (".zip", ".tar", ".tgz", ".gz", ".bz2", ".xz", ".7z", ".rar")


@dataclass(frozen=True, kw_only=True)
class Layout:
    """The files of a row.

    Attributes:
        folders: regular expressions of whole file names, with the folder they lie in; in it,
            {split} stands for the split.
        counted: the ending of the files that are counted as samples.
        counted_in: the folder that these lie in.
        skipped: names of folders whose files belong to something else.
    """

    folders: tuple[tuple[str, str], ...]
    counted: str
    counted_in: str = ""
    skipped: frozenset[str] = frozenset()


_COMPONENT = r".+_\d+\.\d+"

LAYOUTS = {
    ("big", "dataset"): Layout(
        folders=((r".+_im\.jpg", "{split}"), (r".+_(gt|seg)\.png", "{split}")),
        counted="_im.jpg",
        counted_in="{split}",
    ),
    ("big", "inputs"): Layout(folders=((r".+_seg\.png", ""),), counted="_seg.png"),
    ("big", "refined"): Layout(folders=((r".+_mask\.png", ""),), counted="_mask.png"),
    ("pascal", "dataset"): Layout(folders=((r".+_\d\d_(im|gt|seg)\.png", ""),), counted="_im.png"),
    ("pascal", "inputs"): Layout(folders=((r".+_\d\d_seg\.png", ""),), counted="_seg.png"),
    ("pascal", "refined"): Layout(folders=((r".+_\d\d_mask\.png", ""),), counted="_mask.png"),
    ("ade20k", "dataset"): Layout(
        folders=((r".+\.jpg", "images/validation"), (r".+\.png", "annotations/validation")),
        counted=".jpg",
        counted_in="images/validation",
        skipped=frozenset({"training"}),
    ),
    ("ade20k", "inputs"): Layout(folders=((r".+(?<!_seg)(?<!_mask)\.png", ""),), counted=".png"),
    ("ade20k", "split"): Layout(
        folders=((r".+_im\.jpg", ""), (_COMPONENT + r"_(seg|gt)\.png", "")), counted="_seg.png"
    ),
    ("ade20k", "refined"): Layout(folders=((r".+_mask\.png", ""),), counted="_mask.png"),
}
"""By dataset and role."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What becomes of the files found.

    Attributes:
        files: path below the row's folder, and the file that belongs there.
        others: how many files were found that are none of the row's.
    """

    files: dict[PurePath, Path] = field(default_factory=dict)
    others: int = 0


def layout_of(row: Row) -> Layout:
    """The layout of a row."""
    return LAYOUTS[row.dataset, row.role]


def count(row: Row, folder: Path) -> dict[str, int]:
    """Samples in a row's folder, by split: how many are there, not whether they are any good."""
    ending = layout_of(row).counted
    splits = row.counts or {"all": 0}
    below = layout_of(row).counted_in
    return {split: _count(folder / below.format(split=split), ending) for split in splits}


def plan(row: Row, folder: Path, *, split: str | None = None, name: str = "") -> Plan:
    """Find a row's files anywhere below `folder`.

    Args:
        row: what they belong to.
        folder: an unpacked archive, or what a user has.
        split: the split that they are of, where folder names don't say.
        name: what to call the folder, where the user knows it by another one.

    Raises:
        InputError: no file of the row, two files for one place, or the split cannot be told.
    """
    if split is not None and split not in row.counts:
        raise InputError(f"{row.name} has no split {split!r}; there is: {', '.join(row.counts)}")
    found = sorted(path for path in _files(folder) if not _hidden(path.relative_to(folder)))
    own = _of_network(row, folder, found)
    name = name or str(folder)
    files: dict[PurePath, Path] = {}
    for path in own:
        target = _target(row, path.relative_to(folder), split)
        if target is None:
            continue
        if target in files:
            raise InputError(
                f"{name}: two files for {row.name}'s {target}: "
                f"{files[target].relative_to(folder)} and {path.relative_to(folder)}; "
                "give the folder that holds the right ones"
            )
        files[target] = path
    if not files:
        raise InputError(f"{name}: no file of {row.name} in it; {_hint(row, found)}")
    return Plan(files=files, others=len(found) - len(files))


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.is_file())


def _hidden(path: PurePath) -> bool:
    """Whether a file is one of those that systems leave about: .DS_Store, __MACOSX/._a.png."""
    return any(part.startswith((".", "__MACOSX")) for part in path.parts)


def _of_network(row: Row, folder: Path, found: list[Path]) -> list[Path]:
    """The files that are not, by their path, another network's than the row's."""
    if row.network is None:
        return found
    patterns = {name: re.compile(one.match, re.IGNORECASE) for name, one in networks().items()}

    def network(path: Path) -> str | None:
        """The network that the last telling part of a path names."""
        for part in reversed(path.relative_to(folder).parts[:-1]):
            for name, pattern in patterns.items():
                if pattern.search(part):
                    return name
        return None

    return [path for path in found if network(path) in (row.network, None)]


def _target(row: Row, path: PurePath, split: str | None) -> PurePath | None:
    """Where a file belongs; None where it is none of the row's."""
    layout = layout_of(row)
    if layout.skipped.intersection(part.lower() for part in path.parts):
        return None
    for pattern, folder in layout.folders:
        if re.fullmatch(pattern, path.name):
            needed = "{split}" in folder
            return PurePath(
                folder.format(split=split or _split_in(path)) if needed else folder, path.name
            )
    return None


def _split_in(path: PurePath) -> str:
    """The split that the last telling folder of a path names."""
    for part in reversed(path.parts[:-1]):
        named = {SPLITS[word] for word in re.split(r"[^a-z]+", part.lower()) if word in SPLITS}
        if len(named) == 1:
            return named.pop()
    raise InputError(
        f"{path}: no folder says whether this is of val or of test; give --split val or "
        "--split test, or put the files into folders of these names"
    )


def _count(folder: Path, ending: str) -> int:
    if not folder.is_dir():
        return 0
    return sum(entry.name.endswith(ending) for entry in folder.iterdir())


def _hint(row: Row, found: Iterable[Path]) -> str:
    archives = [path.name for path in found if path.suffix.lower() in _ARCHIVES]
    if archives:
        return f"it holds archives ({', '.join(archives[:3])}): import these"
    return f"expected {row.layout}"
