"""Getting a row of the catalog: from its links, or from what the user has already."""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from edgewise.benchmarks import layouts
from edgewise.benchmarks.catalog import networks
from edgewise.benchmarks.drive import FetchError
from edgewise.benchmarks.extract import Limits, extract, is_archive, no_archive
from edgewise.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from edgewise.benchmarks.catalog import Row
    from edgewise.benchmarks.store import Store
    from edgewise.benchmarks.web import Downloaded, Found, Progress, Web


@dataclass(frozen=True, kw_only=True)
class Options:
    """How to fetch.

    Attributes:
        accept_terms: the user accepts the row's terms.
        again: fetch though the row is here already (from kept downloads where they are).
        new_checksum: take a file whose checksum is another than the last time.
        keep_downloads: leave archives in the store's `downloads` once they are unpacked.
        limits: what an archive may hold.
    """

    accept_terms: bool = False
    again: bool = False
    new_checksum: bool = False
    keep_downloads: bool = False
    limits: Limits = field(default_factory=Limits)


@dataclass(frozen=True, kw_only=True)
class Fetched:
    """What a fetch came to.

    Attributes:
        files: files installed; 0 where the row was here already.
        link: the link that they came from; "" where the row was here already.
        failures: what was wrong with the links that were tried before it.
    """

    files: int
    link: str = ""
    failures: tuple[str, ...] = ()


def terms_to_accept(row: Row, store: Store) -> str:
    """The terms that must still be accepted before a row is fetched; "" where none."""
    return "" if store.ledger.accepted(row.dataset) == row.terms else row.terms


def fetch(
    row: Row,
    store: Store,
    web: Web,
    *,
    options: Options | None = None,
    progress: Progress | None = None,
) -> Fetched:
    """Fetch a row, from the first of its links that gives good files, and install it whole.

    A checksum is recorded when a file has come, was unpacked and had the right files in it; after
    that, the link's file must have it.

    Raises:
        InputError: the terms were not accepted.
        FetchError: no link gave good files; the message has the reason for each. What came of a
            broken download is kept, and used the next time.
        OutputError: the disk is full or cannot be written to.
    """
    options = options or Options()
    if store.is_complete(row) and not options.again:
        return Fetched(files=0)
    _accept(row, store, accepts=options.accept_terms)
    failures: list[str] = []
    for link in row.links:
        try:
            files = _fetch_link(row, link, store, web, options, progress)
        except (FetchError, InputError) as error:
            failures.append(str(error))
        else:
            return Fetched(files=files, link=link, failures=tuple(failures))
    raise FetchError(f"{row.name}: " + "; then the backup: ".join(failures))


def bring(
    row: Row,
    paths: Sequence[Path],
    store: Store,
    *,
    link: bool = False,
    split: str | None = None,
    replace: bool = False,
    limits: Limits | None = None,
) -> layouts.Plan:
    """Install a row from archives or folders that the user has, in any arrangement of folders.

    Args:
        row: what they hold.
        paths: archives, folders, or parts of several archives.
        store: where to.
        link: make links to the files of a folder instead of copying them.
        split: the split that they are of, where folder names don't say.
        replace: throw away what the store had of the row; else add to it.
        limits: what an archive may hold.

    Raises:
        InputError: neither archive nor folder, no file of the row in it, two for one place, or it
            lies in the row's own folder and would be linked to or thrown away.
        OutputError: the store cannot be written to.
    """
    for path in paths:
        if not path.exists():
            raise InputError(f"{path}: there is no such archive or folder")
        if link and not path.is_dir():
            raise InputError(f"{path}: only the files of a folder can be linked; copy an archive")
    if len(paths) == 1 and paths[0].is_dir():
        plan = layouts.plan(row, paths[0], split=split)
        store.install(row, plan, mode="link" if link else "copy", replace=replace)
        return plan
    if link:
        raise InputError("give one folder to link to")
    if replace:
        store.check_apart(row, paths)
    with store.workspace() as unpacked:
        for number, path in enumerate(paths):
            _gather(path, unpacked / str(number) / path.stem, limits or Limits())
        plan = layouts.plan(row, unpacked, split=split, name=", ".join(map(str, paths)))
        store.install(row, plan, mode="move", replace=replace)
    return plan


def _accept(row: Row, store: Store, *, accepts: bool) -> None:
    terms = terms_to_accept(row, store)
    if terms and not accepts:
        raise InputError(f"{row.name} has terms: {terms} Accept them with --accept-terms")
    if terms:
        store.ledger.accept(row.dataset, terms)


def _fetch_link(
    row: Row, link: str, store: Store, web: Web, options: Options, progress: Progress | None
) -> int:
    """Fetch and install what one link has; the number of files installed."""
    found = _of_network(row, web.find(link), link)
    folder = store.downloads(_key(link))
    fetched: list[tuple[Found, Downloaded]] = []
    for file in found:
        name = row.name if len(found) == 1 else file.path.rsplit("/", 1)[-1]
        whole = web.download(file.url, folder / file.path, name=name, progress=progress)
        _check(file, whole, store, options)
        fetched.append((file, whole))
    with store.workspace() as unpacked:
        _unpack(fetched, unpacked, folder, options.limits)
        try:
            plan = layouts.plan(row, unpacked, name="what came")
        except InputError as error:
            raise FetchError(f"{link}: {error}; what came is kept: {folder}") from error
        store.install(row, plan, mode="move", replace=True)
    for file, whole in fetched:
        store.ledger.record(file.key, whole.sha256, whole.bytes)
    if not options.keep_downloads:
        shutil.rmtree(folder, ignore_errors=True)
    return len(plan.files)


def _unpack(
    fetched: list[tuple[Found, Downloaded]], place: Path, folder: Path, limits: Limits
) -> None:
    """Unpack what was fetched, each in a folder of its own name; `folder` goes if it is no good."""
    try:
        for number, (file, whole) in enumerate(fetched):
            _gather(whole.path, (place / str(number) / file.path).with_suffix(""), limits)
    except InputError:
        shutil.rmtree(folder, ignore_errors=True)  # else the next try would start from it
        raise


def _of_network(row: Row, found: list[Found], link: str) -> list[Found]:
    """The files of a Drive folder that are of the row's network, or of no known one."""
    if not found:
        raise FetchError(f"{link}: the folder is empty")
    patterns = {name: re.compile(one.match, re.IGNORECASE) for name, one in networks().items()}
    if row.network is None:
        return found
    others = [pattern for name, pattern in patterns.items() if name != row.network]
    own = [file for file in found if patterns[row.network].search(file.path)]
    shared = [file for file in found if not any(other.search(file.path) for other in others)]
    if not own and not shared:
        names = ", ".join(file.path for file in found[:6])
        raise FetchError(f"{link}: nothing of {row.network} in this folder: {names}")
    return own or shared


def _key(link: str) -> str:
    """A folder name that stands for a link."""
    return re.sub(r"[^A-Za-z0-9]+", "-", link).strip("-")


def _check(file: Found, whole: Downloaded, store: Store, options: Options) -> None:
    """FetchError where a file is not the one that was fetched before."""
    known = store.ledger.checksum(file.key)
    if known not in (None, whole.sha256) and not options.new_checksum:
        whole.path.unlink()
        raise FetchError(
            f"{file.url}: has sha256 {whole.sha256}, not {known} as before; if its owner replaced "
            "it, take it with --new-checksum"
        )


def _gather(path: Path, folder: Path, limits: Limits) -> None:
    """Unpack an archive, or copy a folder or single file, into a new folder."""
    if path.is_dir():
        shutil.copytree(path, folder)
    elif is_archive(path):
        extract(path, folder, limits=limits)
    elif path.suffix.lower() in (".png", ".jpg", ".jpeg"):
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, folder / path.name)
    else:
        raise no_archive(path)
