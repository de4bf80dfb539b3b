"""Google Drive's public links and pages: what a link points to, and what a page says.

Drive has no public interface without a key. What a browser without an account sees is read here:

- a file's link answers with the file, or with a page: one that wants a confirmation because the
  file is too large to be scanned (a form whose hidden fields make up the real link), one that says
  that too many people fetched the file lately, or one that asks to sign in;
- a folder's `embeddedfolderview` is one page with all its entries.
"""

from dataclasses import dataclass
from html.parser import HTMLParser
from typing import Literal
from urllib.parse import parse_qs, urlencode, urljoin, urlsplit

from edgewise.errors import EdgewiseError

ADDRESS = "https://drive.google.com"
"""Where Drive answers."""

Kind = Literal["file", "folder", "either"]

_QUOTA = ("quota exceeded", "too many users have viewed or downloaded")
_SIGN_IN = ("sign in", "you need access", "request access")


class FetchError(EdgewiseError):
    """A download did not end well; nothing of it was installed."""


@dataclass(frozen=True, slots=True)
class Link:
    """What a Drive link points to; `open?id=` links don't say which kind."""

    kind: Kind
    id: str


@dataclass(frozen=True, slots=True)
class Entry:
    """A file or folder in a Drive folder."""

    kind: Literal["file", "folder"]
    id: str
    name: str


def parse_link(url: str, address: str = ADDRESS) -> Link | None:
    """What a link to Drive at `address` points to; None where it points elsewhere."""
    parts = urlsplit(url)
    if parts.netloc not in (urlsplit(ADDRESS).netloc, urlsplit(address).netloc):
        return None
    return _link_of(parts.path, parse_qs(parts.query))


def _link_of(path: str, query: dict[str, list[str]]) -> Link | None:
    steps = [step for step in path.split("/") if step]
    if steps[:2] == ["file", "d"] and len(steps) > 2:
        return Link("file", steps[2])
    if "folders" in steps[:-1]:  # /drive/folders/ID, /drive/u/0/folders/ID
        return Link("folder", steps[steps.index("folders") + 1])
    if "id" not in query:
        return None
    kinds: dict[str, Kind] = {"open": "either", "uc": "file", "embeddedfolderview": "folder"}
    kind = kinds.get("".join(steps))
    return Link(kind, query["id"][0]) if kind else None


def file_url(file: str, address: str = ADDRESS) -> str:
    """Where the file of an id is fetched."""
    return f"{address}/uc?{urlencode({'export': 'download', 'id': file})}"


def folder_url(folder: str, address: str = ADDRESS) -> str:
    """The page that lists the folder of an id."""
    return f"{address}/embeddedfolderview?{urlencode({'id': folder})}"


def open_url(either: str, address: str = ADDRESS) -> str:
    """The link that leads to the page of a file or folder."""
    return f"{address}/open?{urlencode({'id': either})}"


def confirmed_url(page: str, url: str) -> str:
    """The link behind the confirmation page that came from `url`.

    Raises:
        FetchError: it is another page; the message says which.
    """
    reader = _Page()
    reader.feed(page)
    if reader.action is not None:
        action = urljoin(url, reader.action)
        fields = {name: values[0] for name, values in parse_qs(urlsplit(action).query).items()}
        return urlsplit(action)._replace(query=urlencode(fields | reader.fields)).geturl()
    raise FetchError(f"{url}: {_reason(reader)}")


def entries(page: str, url: str, address: str = ADDRESS) -> list[Entry]:
    """What a folder's page lists; documents of Google's own kinds are left out.

    Raises:
        FetchError: the page is none of a folder.
    """
    reader = _Page()
    reader.feed(page)
    found = []
    for href, text in reader.anchors:
        link = parse_link(urljoin(url, href), address)
        if link is not None and link.kind != "either" and text:
            found.append(Entry(link.kind, link.id, text))
    if not found and "folder" not in reader.classes:
        raise FetchError(f"{url}: {_reason(reader)}")
    return found


def _reason(page: "_Page") -> str:
    """What a page that is not the wanted one says."""
    text = f"{page.title} {page.text}".lower()
    if any(words in text for words in _QUOTA):
        return "Drive's quota for this file is used up for now; try again in a day"
    if any(words in text for words in _SIGN_IN):
        return "Drive asks to sign in: the file is not public any more"
    return f"a web page came instead of the file: {page.title or 'without a title'}"


class _Page(HTMLParser):
    """What matters of a page: its download form, links with their texts, title and words."""

    def __init__(self) -> None:
        super().__init__()
        self.title = ""
        self.text = ""
        self.action: str | None = None
        self.fields: dict[str, str] = {}
        self.anchors: list[tuple[str, str]] = []
        self.classes: set[str] = set()
        self._inside: list[str] = []
        self._href: str | None = None
        self._words = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        self._note_folder(values)
        if tag in ("title", "script", "style"):
            self._inside.append(tag)
        elif tag == "form" and values.get("id") == "download-form":
            self.action = values.get("action", "")
        elif tag == "a":
            self._note_anchor(values)
        elif tag == "input" and self.action is not None and values.get("type") == "hidden":
            self.fields[values.get("name", "")] = values.get("value", "")

    def handle_endtag(self, tag: str) -> None:
        if self._inside and self._inside[-1] == tag:
            self._inside.pop()
        elif tag == "a" and self._href is not None:
            self.anchors.append((self._href, " ".join(self._words.split())))
            self._href = None

    def handle_data(self, data: str) -> None:
        inside = self._inside[-1] if self._inside else ""
        if inside == "title":
            self.title = " ".join((self.title + data).split())
        elif not inside:
            self.text += data
            self._words += data

    def _note_anchor(self, values: dict[str, str]) -> None:
        if values.get("id") == "uc-download-link":  # the confirmation page before 2022
            self.action = values.get("href", "")
        self._href = values.get("href", "")
        self._words = ""

    def _note_folder(self, values: dict[str, str]) -> None:
        """Note that a page is a folder's, be it empty: its parts have classes flip-..."""
        if values.get("class", "").startswith("flip-"):
            self.classes.add("folder")
