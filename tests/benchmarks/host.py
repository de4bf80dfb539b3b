"""A server on this machine that answers as Google Drive does, and as a plain host of files."""

import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

WARNING = """<!DOCTYPE html><html><head><title>Google Drive - Virus scan warning</title>
<meta http-equiv="content-type" content="text/html; charset=utf-8"/>
<style>a {{ color: red }}</style></head><body><div class="uc-main"><div id="uc-text">
<p class="uc-warning-caption">Google Drive can't scan this file for viruses.</p>
<p class="uc-warning-subcaption"><span class="uc-name-size"><a href="/open?id={id}">{name}</a>
(1.2G)</span> is too large for Google to scan for viruses. Would you still like to download?</p>
<form id="download-form" action="{action}" method="get">
<input type="submit" id="uc-download-link" value="Download anyway"/>
<input type="hidden" name="id" value="{id}"><input type="hidden" name="export" value="download">
<input type="hidden" name="confirm" value="t"><input type="hidden" name="uuid" value="u-1">
</form></div></div></body></html>"""

QUOTA = """<!DOCTYPE html><html><head><title>Google Drive - Quota exceeded</title></head><body>
<div id="uc-text"><p class="uc-error-caption">Sorry, you can't view or download this file at this
time.</p><p class="uc-error-subcaption">Too many users have viewed or downloaded this file
recently. Please try accessing the file again later.</p></div></body></html>"""

SIGN_IN = """<!doctype html><html lang="en"><head><title>Google Drive: Sign-in</title></head>
<body><h1>Sign in</h1><p>to continue to Google Drive</p></body></html>"""

FOLDER = """<!DOCTYPE html><html><head><title>{title}</title></head><body class="flip-body">
<div class="flip-list">{entries}</div></body></html>"""

ENTRY = """<div class="flip-entry" id="entry-{id}" tabindex="0" role="link">
<div class="flip-entry-info"><a href="{href}" target="_blank"><div class="flip-entry-visual">
<div class="flip-entry-visual-card"><img src="icon.png" alt=""/></div></div>
<div class="flip-entry-title">{name}</div></a></div>
<div class="flip-entry-last-modified"><div>2/29/20</div></div></div>"""


@dataclass
class File:
    """A file as the host has it.

    Attributes:
        data: its bytes.
        large: a confirmation page comes first.
        page: a page that comes instead.
        cuts: each of the next connections breaks after so many bytes.
        errors: each of the next requests gets this status.
        tag: its ETag; "" for none.
        ranges: whether parts can be asked for.
        kind: the content type.
    """

    data: bytes = b""
    name: str = "data.zip"
    large: bool = False
    page: str = ""
    cuts: list = field(default_factory=list)
    errors: list = field(default_factory=list)
    tag: str = '"v1"'
    ranges: bool = True
    kind: str = "application/octet-stream"


@dataclass
class Host:
    """What the server has.

    Attributes:
        asked: what it was asked for: (path, Range header).
        page_cuts: each of the next lists of a folder breaks after so many bytes.
        packed: whether it says of everything that it is compressed, which nothing is.
    """

    url: str = ""
    files: dict = field(default_factory=dict)
    folders: dict = field(default_factory=dict)
    asked: list = field(default_factory=list)
    page_cuts: list = field(default_factory=list)
    packed: bool = False

    def ranges(self):
        return [asked for _, asked in self.asked if asked]

    def listing(self, folder):
        entries = []
        for kind, key, name in self.folders[folder]:
            below = "drive/folders/{}" if kind == "folder" else "file/d/{}/view?usp=drive_web"
            href = f"{self.url}/{below.format(key)}"
            entries.append(ENTRY.format(id=key, href=escape(href), name=escape(name)))
        return FOLDER.format(title="A folder", entries="".join(entries))


class _Handler(BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    @property
    def host(self):
        return self.server.host

    def do_GET(self):
        parts = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        self.host.asked.append((self.path, self.headers.get("Range")))
        key = query.get("id", parts.path.removeprefix("/plain/"))
        if parts.path == "/open":
            below = "drive/folders/" if key in self.host.folders else "file/d/"
            self._redirect(f"/{below}{key}")
        elif parts.path == "/embeddedfolderview" and key in self.host.folders:
            cuts = self.host.page_cuts
            self._page(self.host.listing(key), cut=cuts.pop(0) if cuts else None)
        elif parts.path.startswith(("/drive/folders", "/file/d")):
            self._page("<html><head><title>a viewer</title></head></html>")
        elif key not in self.host.files:
            self._page("<html><head><title>Error 404 (Not Found)!!1</title></head></html>", 404)
        elif parts.path == "/uc":
            self._redirect(f"/download?id={key}&export=download")
        else:
            self._file(self.host.files[key], key, query)

    def _redirect(self, path):
        self.send_response(303)
        self.send_header("Location", self.host.url + path)
        self.end_headers()

    def _page(self, text, status=200, cut=None):
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self._end_headers()
        self.wfile.write(body[:cut])

    def _end_headers(self):
        if self.host.packed:
            self.send_header("Content-Encoding", "gzip")
        self.end_headers()

    def _file(self, file, key, query):
        if file.errors:
            self.send_response(file.errors.pop(0))
            self.send_header("Content-Length", "0")
            self.end_headers()
        elif file.page:
            self._page(file.page)
        elif file.large and "confirm" not in query:
            action = f"{self.host.url}/download"
            self._page(WARNING.format(id=key, name=file.name, action=action))
        else:
            self._content(file)

    def _content(self, file):
        start = self._start(file)
        if start is not None and start >= len(file.data):
            self.send_response(416)
            self.send_header("Content-Range", f"bytes */{len(file.data)}")
            self.end_headers()
            return
        self.send_response(200 if start is None else 206)
        self.send_header("Content-Type", file.kind)
        self.send_header("Content-Length", str(len(file.data) - (start or 0)))
        if start is not None:
            last = len(file.data) - 1
            self.send_header("Content-Range", f"bytes {start}-{last}/{len(file.data)}")
        if file.tag:
            self.send_header("ETag", file.tag)
        self._end_headers()
        body = file.data[start or 0 :]
        self.wfile.write(body[: file.cuts.pop(0)] if file.cuts else body)

    def _start(self, file):
        """The first byte asked for; None for all, also of a file that has changed since."""
        asked = self.headers.get("Range")
        if not asked or not file.ranges:
            return None
        if self.headers.get("If-Range", file.tag) != file.tag:
            return None
        return int(asked.removeprefix("bytes=").rstrip("-"))


@contextmanager
def running():
    """A host on a free port of this machine."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.host = Host(url=f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server.host
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
