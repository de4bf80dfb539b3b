"""Pairs: what a folder in the published layouts holds, found by file name."""

import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from edgewise.errors import InputError
from edgewise.files import SUFFIXES

Key = tuple[str, str, str]

_MASK = re.compile(r"_(seg|mask)(?=_|\d|$)")
KEPT = ".masks"
"""What is put behind a results file's name for the folder of its refined masks."""

_LAYOUT = "<id>_gt.png with <id>_seg*.png and <id>_im.*, or with <id>_mask.png"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """One mask to score against one truth, by the files that make it.

    Attributes:
        set: name of the set: its folder's path below the folder searched, or that one's name.
        id: what the names of its files begin with.
        source: what follows `_seg_` (or `_mask_`) in the file's name: which network made the
            coarse mask; "" where nothing does.
        truth: the ground truth.
        coarse: the mask to refine; None where only a refined one is given.
        photo: the photo; None where a refined mask is given and no photo.
        refined: the refined mask to score; None where the photo is to be refined.
    """

    set: str
    id: str
    source: str
    truth: Path
    coarse: Path | None = None
    photo: Path | None = None
    refined: Path | None = None

    @property
    def key(self) -> Key:
        """What tells pairs of one evaluation apart."""
        return self.set, self.id, self.source

    @property
    def name(self) -> str:
        """The key in words."""
        return f"{self.set}/{self.id}" + (f" ({self.source})" if self.source else "")

    @property
    def files(self) -> dict[str, Path]:
        """The pair's files by their part."""
        parts = ("photo", "truth", "coarse", "refined")
        return {part: getattr(self, part) for part in parts if getattr(self, part) is not None}


@dataclass(frozen=True, slots=True)
class Found:
    """The pairs of some folders, and what kept other files from being pairs, a line each."""

    pairs: list[Pair]
    problems: list[str]


@dataclass(slots=True)
class _Files:
    """What a folder holds of one id."""

    truth: list[Path] = field(default_factory=list)
    photo: list[Path] = field(default_factory=list)
    coarse: dict[str, Path] = field(default_factory=dict)
    refined: dict[str, Path] = field(default_factory=dict)
    doubled: list[str] = field(default_factory=list)
    """Masks that there are two of, in words."""


def find_pairs(folders: Iterable[Path], *, refine_all: bool = False) -> Found:
    """The pairs below some folders, sorted by set, id and source.

    A folder that holds pairs is a set. A pair is `<id>_gt.png` and

    - `<id>_mask.png`, a refined mask to score, with `<id>_seg.png` as the mask before, if there
      is one; `<id>_mask_<source>.png` goes with `<id>_seg_<source>.png`; or else
    - `<id>_im.*` and `<id>_seg.png` or `<id>_seg_<source>.png`, each of which is a pair to refine.

    Masks may have any suffix of `edgewise.files.SUFFIXES`. Files of other names are left alone.

    Args:
        folders: where to look, at any depth; hidden folders are left out, and those of masks that
            were kept beside a results file (`KEPT`).
        refine_all: refine where there is a photo, even beside a refined mask.

    Raises:
        InputError: a folder cannot be listed, holds no pair, or two folders have a set of one
            name.
    """
    pairs: list[Pair] = []
    problems: list[str] = []
    homes: dict[str, Path] = {}
    for top in folders:
        for folder, paths in _walk(top):
            found, wrong = _pairs_of(_set_name(folder, top), paths, folder, refine_all=refine_all)
            if found:
                _claim(homes, found[0].set, folder)
            pairs += found
            problems += wrong
    if not pairs:
        shown = "".join(f"; {problem}" for problem in problems[:3])
        raise InputError(f"no pairs in {_named(folders)}; expected {_LAYOUT}{shown}")
    return Found(sorted(pairs, key=lambda pair: pair.key), problems)


def _named(folders: Iterable[Path]) -> str:
    return ", ".join(str(folder) for folder in folders)


def _claim(homes: dict[str, Path], name: str, folder: Path) -> None:
    if name in homes:
        raise InputError(
            f"{homes[name]} and {folder} would both be the set {name!r}; give the folder above"
            " both, or one at a time"
        )
    homes[name] = folder


def _set_name(folder: Path, top: Path) -> str:
    return top.resolve().name if folder == top else folder.relative_to(top).as_posix()


def _walk(top: Path) -> Iterator[tuple[Path, list[Path]]]:
    """Each folder at or below `top` with its pictures, following links once."""
    if not top.is_dir():
        raise InputError(f"{top}: is not a folder")

    def fail(error: OSError) -> None:
        raise InputError(f"{error.filename}: cannot be listed: {error.strerror}") from error

    seen = set()
    for here, below, names in os.walk(top, followlinks=True, onerror=fail):
        real = os.path.realpath(here)
        if real in seen:  # a link back up
            below.clear()
            continue
        seen.add(real)
        kept = {f"{name}{KEPT}" for name in names}
        below[:] = sorted(name for name in below if not name.startswith(".") and name not in kept)
        visible = sorted(name for name in names if not name.startswith("."))
        yield Path(here), [Path(here, name) for name in visible]


def _pairs_of(
    set_name: str, paths: list[Path], folder: Path, *, refine_all: bool
) -> tuple[list[Pair], list[str]]:
    """The pairs of one folder and its problems."""
    pairs: list[Pair] = []
    problems: list[str] = []
    groups = _grouped(paths)
    for id_, files in groups.items():
        try:
            _check_single(files)
            if files.refined and not (refine_all and files.photo and files.coarse):
                pairs += _given(set_name, id_, files)
            else:
                pairs += _to_refine(set_name, id_, files)
        except InputError as error:
            problems.append(f"{folder / id_}: {error}")
    return pairs, problems


def _grouped(paths: list[Path]) -> dict[str, _Files]:
    """The files of a folder by id."""
    pictures = [path for path in paths if path.suffix.lower() in SUFFIXES]
    truths = {path.stem.removesuffix("_gt") for path in pictures if path.stem.endswith("_gt")}
    groups: dict[str, _Files] = {}
    for path in pictures:
        cut = _cut(path.stem, truths)
        if cut is not None:
            id_, part, source = cut
            _put(groups.setdefault(id_, _Files()), part, source, path)
    return groups


def _cut(stem: str, truths: set[str]) -> tuple[str, str, str] | None:
    """A name as (id, part, source); None where it is of another form.

    Where it can be cut in several places (`a_seg_b_seg`), the longest id wins that has a truth;
    where none has one, the shortest.
    """
    for part in ("gt", "im"):
        if stem.endswith(f"_{part}"):
            return stem.removesuffix(f"_{part}"), part, ""
    cuts = [
        (stem[: mark.start()], mark[1], stem[mark.end() :].removeprefix("_"))
        for mark in _MASK.finditer(stem)
    ]
    known = [cut for cut in cuts if cut[0] in truths]
    return known[-1] if known else cuts[0] if cuts else None


def _put(files: _Files, part: str, source: str, path: Path) -> None:
    if part == "gt":
        files.truth.append(path)
    elif part == "im":
        files.photo.append(path)
    else:
        kind, masks = ("coarse", files.coarse) if part == "seg" else ("refined", files.refined)
        first = masks.setdefault(source, path)
        if first != path:
            files.doubled.append(f"two {kind} masks: {first.name} and {path.name}")


def _check_single(files: _Files) -> None:
    """Raise InputError unless there is one truth, at most one photo, and one mask a source."""
    if not files.truth:
        raise InputError("no truth (<id>_gt.png)")
    for what, paths in (("truths", files.truth), ("photos", files.photo)):
        if len(paths) > 1:
            raise InputError(f"two {what}: {paths[0].name} and {paths[1].name}")
    if files.doubled:
        raise InputError(files.doubled[0])


def _to_refine(set_name: str, id_: str, files: _Files) -> list[Pair]:
    if not files.coarse:
        raise InputError("no mask to score (<id>_seg*.png or <id>_mask.png)")
    if not files.photo:
        raise InputError("neither a photo (<id>_im.*) nor a refined mask (<id>_mask.png)")
    return [
        _pair(set_name, id_, source, files, coarse=path) for source, path in files.coarse.items()
    ]


def _given(set_name: str, id_: str, files: _Files) -> list[Pair]:
    return [
        _pair(set_name, id_, source, files, coarse=_before(files, source), refined=path)
        for source, path in files.refined.items()
    ]


def _pair(
    set_name: str,
    id_: str,
    source: str,
    files: _Files,
    *,
    coarse: Path | None,
    refined: Path | None = None,
) -> Pair:
    return Pair(
        set=set_name,
        id=id_,
        source=source,
        truth=files.truth[0],
        coarse=coarse,
        photo=files.photo[0] if files.photo else None,
        refined=refined,
    )


def _before(files: _Files, source: str) -> Path | None:
    """The coarse mask that a refined one was made from."""
    if source in files.coarse or not files.coarse:
        return files.coarse.get(source)
    if source == "" and len(files.coarse) == 1:
        return next(iter(files.coarse.values()))
    raise InputError(
        f"it is unclear of which coarse mask {files.refined[source].name} is made:"
        f" {', '.join(path.name for path in files.coarse.values())};"
        " name it <id>_mask_<source>.png"
    )
