"""Where the benchmark's data lie on this machine, and what of it is there."""

from __future__ import annotations

import os
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from edgewise.benchmarks import layouts
from edgewise.benchmarks.catalog import datasets, find, row_name
from edgewise.benchmarks.ledger import Ledger
from edgewise.errors import InputError, OutputError, missing_extra

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from edgewise.benchmarks.catalog import Row
    from edgewise.benchmarks.layouts import Plan

ENVIRONMENT = "EDGEWISE_BENCHMARKS"
"""The environment variable that names the folder where no other is given."""

Mode = Literal["move", "copy", "link"]


def default_root() -> Path:
    """The folder named by `ENVIRONMENT`, else one in the platform's cache folder.

    Raises:
        DependencyError: the extra `benchmark` is not installed.
    """
    named = os.environ.get(ENVIRONMENT)
    if named:
        return Path(named)
    try:
        from platformdirs import user_cache_path
    except ImportError as error:
        raise missing_extra("platformdirs", "benchmark") from error
    return user_cache_path("edgewise", appauthor=False) / "benchmarks"


class Store:
    """The benchmark's data below one folder, each row of the catalog in a folder of its name.

    Args:
        root: the folder; None for `default_root`. It need not exist.
    """

    def __init__(self, root: Path | None = None) -> None:
        self.root = default_root() if root is None else root
        self.ledger = Ledger(self.root)

    def folder(self, row: Row) -> Path:
        """Where a row lies, or would."""
        return self.root / row.name

    def counts(self, row: Row) -> dict[str, int]:
        """Samples of a row that are there, by split; their quality is not looked at."""
        return layouts.count(row, self.folder(row))

    def is_complete(self, row: Row) -> bool:
        """Whether as many samples are there as were published, or any where nobody said."""
        counts = self.counts(row)
        if not row.counts:
            return sum(counts.values()) > 0
        return all(counts[split] >= number for split, number in row.counts.items())

    def input_set(self, dataset: str, network: str, split: str) -> Path:
        """Where a network's inputs for a dataset lie; InputError for a split not of the benchmark.

        The published input sets of BIG are those of its test objects.
        """
        row = find(row_name(dataset, network, "inputs"))
        if dataset == "big" and split not in row.counts:
            raise InputError(f"the benchmark has no inputs of {split}; name a folder by --output")
        return self.folder(row)

    def downloads(self, key: str) -> Path:
        """Where what was fetched of a link waits until it is whole and installed."""
        return self.root / "downloads" / key

    @contextmanager
    def workspace(self) -> Iterator[Path]:
        """A new folder on the same disk, gone afterwards."""
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            made = Path(tempfile.mkdtemp(prefix=".edgewise-", dir=self.root))
        except OSError as error:
            raise OutputError(f"{self.root}: cannot be written: {error.strerror}") from error
        try:
            yield made
        finally:
            shutil.rmtree(made, ignore_errors=True)

    def install(self, row: Row, plan: Plan, *, mode: Mode, replace: bool = False) -> None:
        """Put a plan's files into the row's folder, which appears or changes only when all is here.

        Args:
            row: what they belong to.
            plan: from `layouts.plan`.
            mode: what becomes of the files that were found.
            replace: throw away what the row's folder had; else files of other names stay.

        Raises:
            InputError: a file that would be linked to or thrown away lies in the row's folder.
            OutputError: a file cannot be put there; what was there stays.
        """
        folder = self.folder(row)
        if mode == "link" or replace:
            self.check_apart(row, plan.files.values())
        with self.workspace() as new:
            try:
                for target, source in plan.files.items():
                    _place(source, new / "new" / target, mode)
                if folder.exists() and not replace:
                    _keep(folder, new / "new")
                if folder.exists():
                    folder.rename(new / "old")
                (new / "new").rename(folder)
            except OSError as error:
                if (new / "old").exists():
                    (new / "old").rename(folder)
                raise OutputError(f"{folder}: cannot be made: {error}") from error

    def check_apart(self, row: Row, paths: Iterable[Path]) -> None:
        """Raise InputError where a path lies in the row's own folder, and would go with it."""
        folder = self.folder(row).resolve()
        for path in paths:
            if path.resolve().is_relative_to(folder):
                raise InputError(
                    f"{path}: the data lie there already, in the folder of {row.name}; "
                    "move them out of it first"
                )


def _place(source: Path, target: Path, mode: Mode) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if mode == "move":
        source.rename(target)
    elif mode == "copy":
        shutil.copyfile(source, target)
    else:
        target.symlink_to(source.resolve())


def _keep(old: Path, new: Path) -> None:
    """Give `new` what `old` has beyond it: as second names of the files, at no cost of space."""
    for path in old.rglob("*"):
        target = new / path.relative_to(old)
        if path.is_dir() or target.exists():
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        if path.is_symlink():
            target.symlink_to(path.readlink())
        else:
            _second_name(path, target)


def _second_name(path: Path, target: Path) -> None:
    try:
        target.hardlink_to(path)
    except OSError:  # a file system without second names
        shutil.copyfile(path, target)


def need(folder: Path, what: str) -> Path:
    """The folder, where it is there; InputError that says how to get it."""
    if not folder.is_dir():
        raise InputError(
            f"{what} is not on this machine: no folder {folder}; run `edgewise benchmark fetch "
            f"{what}`, or `edgewise benchmark import {what} PATH` with what you have"
        )
    return folder


def photos_of(store: Store, dataset: str, split: str) -> Path:
    """The folder of a dataset's photos, of one split of BIG.

    Raises:
        InputError: no such dataset or split, or it is not on this machine.
    """
    row = find(dataset)
    if row.role != "dataset":
        raise InputError(f"{dataset} is no dataset; there is: {', '.join(datasets())}")
    folder = need(store.folder(row), dataset)
    if dataset == "big" and split not in row.counts:
        raise InputError(f"big has no split {split!r}; there is: {', '.join(row.counts)}")
    below = {"big": split, "pascal": "", "ade20k": "images/validation"}[dataset]
    return need(folder / below, dataset)
