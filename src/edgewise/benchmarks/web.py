"""Downloads that go on where they broke off, and tell a file from a web page."""

from __future__ import annotations

import hashlib
import json
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from edgewise.benchmarks import drive
from edgewise.benchmarks.drive import Entry, FetchError, Link
from edgewise.errors import OutputError, missing_extra

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import requests

    Progress = Callable[[str, int, int | None], None]
    """Called with a file's name, bytes that are there, and bytes in all where known."""

Result = TypeVar("Result")

PAGE = 2 * 2**20
"""No web page of interest has more bytes than this."""

_BLOCK = 2**16  # bytes at a time: so many are lost at most where a connection breaks
_TOO_BUSY = 429
_PARTIAL = 206
_NO_RANGE = 416
_LISTED = 20_000
_DEPTH = 5


@dataclass(frozen=True, slots=True)
class Found:
    """A file behind a link: where to get it, its id or link, and its path in a Drive folder."""

    url: str
    key: str
    path: str


@dataclass(frozen=True, slots=True)
class Downloaded:
    """A file that came in whole."""

    path: Path
    sha256: str
    bytes: int


class _BrokenError(Exception):
    """The connection broke, or what came cannot be a part of the file; worth another try."""


class Web:
    """Fetches public files over HTTP and from Google Drive.

    Args:
        drive_url: where Drive answers; another address for a mirror or a test.
        retries: how often a broken download is taken up again.
        timeout: seconds without a byte after which a connection counts as broken.
        pause: waits for a number of seconds between tries.

    Raises:
        DependencyError: the extra `benchmark` is not installed.
    """

    def __init__(
        self,
        *,
        drive_url: str = drive.ADDRESS,
        retries: int = 5,
        timeout: float = 60,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        try:
            import requests
        except ImportError as error:
            raise missing_extra("requests", "benchmark") from error
        self._drive = drive_url.rstrip("/")
        self._retries = retries
        self._timeout = timeout
        self._pause = pause
        self._session = requests.Session()
        # Ranges count the bytes of the file, not those of a compressed transfer.
        self._session.headers["Accept-Encoding"] = "identity"
        self._failures = (
            requests.ConnectionError,
            requests.Timeout,
            requests.exceptions.ChunkedEncodingError,
        )
        self._failure = requests.RequestException

    def __enter__(self) -> Web:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections that are kept open."""
        self._session.close()

    def find(self, url: str) -> list[Found]:
        """The files behind a link: one, or those of a Drive folder and of the folders in it.

        Raises:
            FetchError: nothing answers there, or not with a file or folder.
        """
        link = drive.parse_link(url, self._drive)
        if link is None:
            return [Found(url, url, url.rsplit("/", 1)[-1])]
        if link.kind == "either":
            link = self._opened(link)
        if link.kind == "file":
            return [Found(drive.file_url(link.id, self._drive), link.id, link.id)]
        found: list[Found] = []
        self._list(link.id, "", found, depth=0)
        return found

    def download(
        self, url: str, target: Path, *, name: str | None = None, progress: Progress | None = None
    ) -> Downloaded:
        """Fetch a file to `target`, going on with `target`.part where that is a part of it.

        A file that is at `target` already is whole, and not fetched again.

        Args:
            url: a file's address, of Drive (`drive.file_url`) or any other host.
            target: where the whole file appears.
            name: what to call it towards `progress`.
            progress: is told of what has come.

        Raises:
            FetchError: the host refuses, sends a web page, or breaks off again and again; what
                came is kept beside `target` for the next time.
            OutputError: the file cannot be written.
        """
        part = target.with_name(target.name + ".part")
        try:
            if target.is_file():
                return Downloaded(target, *_checksum(target))
            target.parent.mkdir(parents=True, exist_ok=True)
            self._insist(url, lambda: self._go_on(url, part, name or target.name, progress))
            _refuse_page(part, url)
            digest, size = _checksum(part)
            part.replace(target)
            _note_path(part).unlink(missing_ok=True)
        except OSError as error:
            raise OutputError(f"{target}: cannot be written: {error.strerror or error}") from error
        return Downloaded(target, digest, size)

    def _insist(self, what: str, action: Callable[[], Result]) -> Result:
        """Try until an action ends well, longer apart each time."""
        last = ""
        for attempt in range(self._retries + 1):
            if attempt:
                self._pause(min(2.0 ** (attempt - 1), 30))
            try:
                return action()
            except _BrokenError as error:
                last = str(error)
        raise FetchError(f"{what}: {last} (tried {self._retries + 1} times)")

    def _go_on(self, url: str, part: Path, name: str, progress: Progress | None) -> None:
        """One connection: from where `part` ends, or from the start where the host wants that."""
        if _is_whole(part):
            return
        start, headers = _resume(part)
        with self._answering(url), self._file(url, headers) as response:
            whole = _whole(response, start, part)
            if response.status_code != _PARTIAL:
                start = 0
            _note(part, response, whole)
            _write(response, part, start, lambda done: progress and progress(name, done, whole))
        size = part.stat().st_size
        if whole is not None and size < whole:
            raise _BrokenError(f"{size} of {whole} bytes came")
        if whole is not None and size > whole:
            part.unlink()
            raise _BrokenError(f"{size} bytes came of a file of {whole}")

    def _file(self, url: str, headers: dict[str, str]) -> requests.Response:
        """The answer that is the file, past a confirmation page."""
        response = self._get(url, headers)
        if _is_page(response):
            confirmed = drive.confirmed_url(_text(response), url)
            response = self._get(confirmed, headers)
            if _is_page(response):
                drive.confirmed_url(_text(response), url)  # raises, but for a second form
                raise FetchError(f"{url}: asks for confirmation again and again")
        return response

    def _get(self, url: str, headers: dict[str, str] | None = None) -> requests.Response:
        """The host's answer, of which only the headers have been read; FetchError where it refuses.

        Pages of Drive that refuse a file say why, so that they pass, with any status.
        """
        with self._answering(url):
            response = self._session.get(url, headers=headers, stream=True, timeout=self._timeout)
        status = response.status_code
        if status == _TOO_BUSY or status >= 500:
            raise _BrokenError(f"the host answers {status} {response.reason}")
        if status >= 400 and status != _NO_RANGE and not _is_page(response):
            raise FetchError(f"{url}: the host answers {status} {response.reason}")
        return response

    @contextmanager
    def _answering(self, url: str) -> Iterator[None]:
        """Turns what requests raises into errors of ours: where it broke, another try may help."""
        try:
            yield
        except self._failures as error:
            raise _BrokenError(" ".join(str(error).split())) from error
        except self._failure as error:
            raise FetchError(f"{url}: {' '.join(str(error).split())}") from error

    def _page(self, url: str) -> str:
        """The words of a page, all of it read."""
        with self._answering(url):
            return _text(self._get(url))

    def _opened(self, link: Link) -> Link:
        """What an `open?id=` link points to: where it leads to says which."""
        url = drive.open_url(link.id, self._drive)
        with self._insist(url, lambda: self._get(url)) as response:
            reached = drive.parse_link(response.url, self._drive)
        folder = reached is not None and reached.kind == "folder"
        return Link("folder" if folder else "file", link.id)

    def _list(self, folder: str, path: str, found: list[Found], *, depth: int) -> None:
        """Add the files of a folder and of those in it."""
        url = drive.folder_url(folder, self._drive)
        page = self._insist(url, lambda: self._page(url))
        for entry in drive.entries(page, url, self._drive):
            below = path + _safe(entry)
            if any(file.path == below for file in found):  # Drive allows it
                below = f"{path}{entry.id}-{_safe(entry)}"
            if entry.kind == "file":
                found.append(Found(drive.file_url(entry.id, self._drive), entry.id, below))
            elif depth < _DEPTH:
                self._list(entry.id, below + "/", found, depth=depth + 1)
        if len(found) > _LISTED:
            raise FetchError(f"{url}: lists more than {_LISTED} files")


def _safe(entry: Entry) -> str:
    """An entry's name as one that any file system takes and that leads nowhere else."""
    name = "".join("_" if sign in '/\\:*?"<>|' or sign < " " else sign for sign in entry.name)
    return name.strip(" .") or entry.id


def _resume(part: Path) -> tuple[int, dict[str, str]]:
    """Bytes that are there, and the headers that ask for the rest of the same file."""
    note = _noted(part)
    start = part.stat().st_size if note and part.is_file() else 0
    if not start:
        return 0, {}
    tag = {"If-Range": note["tag"]} if note.get("tag") else {}
    return start, {"Range": f"bytes={start}-"} | tag


def _is_whole(part: Path) -> bool:
    """Whether all bytes are here, of a download that ended before it could say so."""
    return part.is_file() and part.stat().st_size == _noted(part).get("bytes")


def _whole(response: requests.Response, start: int, part: Path) -> int | None:
    """The bytes of the whole file, None where unknown; _BrokenError where the part is no good."""
    if response.status_code == _NO_RANGE:
        part.unlink(missing_ok=True)  # of another file, or longer than it is
        raise _BrokenError("the part that is here does not fit the file")
    length = response.headers.get("Content-Length")
    if response.status_code != _PARTIAL:
        return int(length) if length and length.isdigit() else None
    unit, _, span = response.headers.get("Content-Range", "").partition(" ")
    span, _, total = span.partition("/")
    if unit != "bytes" or span.split("-")[0] != str(start):
        part.unlink(missing_ok=True)
        raise _BrokenError(f"asked for bytes from {start} on, got {span or 'others'}")
    whole = int(total) if total.isdigit() else None
    if whole is not None and whole != _noted(part).get("bytes"):
        part.unlink(missing_ok=True)
        raise _BrokenError("the file has changed since its first part came")
    return whole


def _note(part: Path, response: requests.Response, whole: int | None) -> None:
    """Write down what tells the same file from a newer one, for going on with it later."""
    tag = response.headers.get("ETag", "")
    if not tag or tag.startswith("W/"):  # a weak tag does not vouch for bytes
        tag = response.headers.get("Last-Modified", "")
    _note_path(part).write_text(json.dumps({"tag": tag, "bytes": whole}), "utf-8")


def _noted(part: Path) -> dict[str, Any]:
    """What `_note` wrote; nothing where it did not, or was ended while at it."""
    try:
        note = json.loads(_note_path(part).read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return note if isinstance(note, dict) else {}


def _note_path(part: Path) -> Path:
    return part.with_name(part.name + ".json")


def _write(response: requests.Response, part: Path, start: int, tell: Callable[[int], Any]) -> None:
    with part.open("ab") as stream:
        stream.truncate(start)
        done = start
        for block in response.iter_content(_BLOCK):
            stream.write(block)
            done += len(block)
            tell(done)


def _is_page(response: requests.Response) -> bool:
    """Whether an answer is to be looked at, not kept."""
    if "attachment" in response.headers.get("Content-Disposition", ""):
        return False
    return response.headers.get("Content-Type", "").startswith("text/html")


def _text(response: requests.Response) -> str:
    """The words of a page, up to a length that no page of interest has."""
    with response:
        blocks = bytearray()
        for block in response.iter_content(2**16):
            blocks += block
            if len(blocks) > PAGE:
                break
    return blocks[:PAGE].decode("utf-8", "replace")


def _refuse_page(path: Path, url: str) -> None:
    """FetchError for a web page that came under another content type; the file goes."""
    with path.open("rb") as stream:
        head = stream.read(PAGE)
    if head.lstrip(b"\xef\xbb\xbf \t\r\n")[:14].lower().startswith((b"<!doctype html", b"<html")):
        path.unlink()
        drive.confirmed_url(head.decode("utf-8", "replace"), url)  # raises, but for a form
        raise FetchError(f"{url}: a web page came instead of the file")


def _checksum(path: Path) -> tuple[str, int]:
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    return digest, path.stat().st_size
