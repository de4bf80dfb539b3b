"""The guard: what every request passes before the application sees it.

A page of any web site can send requests to a server on the visitor's own machine, and by DNS
rebinding even under a name of its own. So a request has to name this server as its host, has to
come from this server's own page if a browser sent it, and has to carry a header that no plain
form can send where it changes something. Where others can reach the server a token is asked for.
"""

import hashlib
import hmac
import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass, field
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qs, quote, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})

MARK = "X-Edgewise"
"""The header of requests that change something."""

JSON_BYTES = 4 << 20
"""Bytes of a body that is no upload."""

_POLICY = "; ".join(
    [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' blob: data:",
        "connect-src 'self'",
        "worker-src 'self'",
        "manifest-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    ]
)

_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}

_READING = ("GET", "HEAD", "OPTIONS")


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach a server that is bound to `host`."""
    if host == "localhost":
        return True
    address = _address(host)
    return address is not None and address.is_loopback


@dataclass(frozen=True, kw_only=True)
class Access:
    """Who may use a server.

    Attributes:
        host: the address that it is bound to.
        names: further host names under which it is reached, such as a reverse proxy's.
        token: what a client has to know, or None where everybody who reaches it may use it.
    """

    host: str = "127.0.0.1"
    names: frozenset[str] = field(default_factory=frozenset)
    token: str | None = None

    def allows_host(self, host: str) -> bool:
        """Whether a request may call this server so.

        A rebound name is a name; so where the server is bound to more than loopback, any address
        in numbers will do.
        """
        name = host.lower().rstrip(".")
        if name in LOOPBACK or name == self.host.lower() or name in self.names:
            return True
        address = _address(name)
        if address is None:
            return False
        return address.is_loopback or not is_loopback(self.host)

    @property
    def cookie(self) -> str:
        """The token's cookie; its name tells servers on other ports of this host apart."""
        digest = hashlib.sha256((self.token or "").encode()).hexdigest()
        return f"edgewise-{digest[:8]}"

    def knows(self, token: str | None) -> bool:
        """Whether a token is the right one."""
        given = (token or "").encode("utf-8", "surrogateescape")
        return self.token is None or hmac.compare_digest(given, self.token.encode())


class Guard:
    """ASGI middleware that refuses what should not reach the application.

    Args:
        app: the application.
        access: who may use it.
        limit: bytes of an upload's request.
        root: the path under which a reverse proxy shows the application, such as "/studio".
    """

    def __init__(self, app: ASGIApp, *, access: Access, limit: int, root: str = "") -> None:
        self._app, self._access, self._limit, self._root = app, access, limit, root

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        scope = _rooted(scope, self._root)
        answer = self._refused(scope) or self._entered(scope)
        shielded = _shielded(send)
        if answer:
            await answer(scope, receive, shielded)
            return
        await self._app(scope, self._counted(scope, receive), shielded)

    def _refused(self, scope: Scope) -> Response | None:
        headers = Headers(scope=scope)
        for check in (self._host, self._origin, self._mark, self._length):
            found = check(scope, headers)
            if found:
                return _refusal(*found)
        return None

    def _host(self, scope: Scope, headers: Headers) -> tuple[int, str] | None:
        del scope
        hosts = headers.getlist("host")
        host = hosts[0] if len(hosts) == 1 else ""
        if self._access.allows_host(_name(host)):
            return None
        return 403, (
            f"the host {host[:80]!r} is not this server's; use its address, or start it with "
            "--allow-host"
        )

    def _origin(self, scope: Scope, headers: Headers) -> tuple[int, str] | None:
        origin = headers.get("origin")
        if origin is not None and _netloc(origin) != headers["host"].lower():
            return 403, f"the origin {origin[:80]!r} is another site's; use the studio's own page"
        opens = scope["method"] == "GET" and headers.get("sec-fetch-mode") == "navigate"
        if headers.get("sec-fetch-site") in ("cross-site", "same-site") and not opens:
            return 403, "another site asks for this; use the studio's own page"
        return None

    def _mark(self, scope: Scope, headers: Headers) -> tuple[int, str] | None:
        path = _path(scope)
        changes = path.startswith("/api/") and scope["method"] not in _READING
        if changes and headers.get(MARK) != "1":
            return 403, f"the header {MARK}: 1 is missing, without which nothing is changed"
        return None

    def _length(self, scope: Scope, headers: Headers) -> tuple[int, str] | None:
        del scope
        length, limit = headers.get("content-length", ""), _limit(headers, self._limit)
        if length.isdecimal() and int(length) > limit:
            return 413, f"the request has {int(length):,} bytes; the limit is {limit:,}"
        return None

    def _entered(self, scope: Scope) -> Response | None:
        """None where the token is known, a cookie for who comes with it, or 401."""
        access, headers = self._access, Headers(scope=scope)
        if access.token is None or _path(scope) == "/health":
            return None
        asked = parse_qs(scope.get("query_string", b"").decode("latin-1")).get("token")
        if asked and access.knows(asked[0]) and scope["method"] == "GET":
            return self._welcome(scope)
        scheme, _, bearer = headers.get("authorization", "").partition(" ")
        known = scheme.lower() == "bearer" and access.knows(bearer.strip())
        if known or access.knows(_cookie(headers, access.cookie)):
            return None
        message = "the token is missing or wrong; open the address that `edgewise studio` printed"
        return _refusal(401, message, {"WWW-Authenticate": "Bearer"})

    def _welcome(self, scope: Scope) -> Response:
        """Keep the token in a cookie, and take it out of the address that is seen."""
        root = scope.get("root_path", "").rstrip("/")
        # By the last part of the path, so that it holds whatever a proxy puts before.
        last = _path(scope).rpartition("/")[2]
        response = Response(status_code=303, headers={"Location": f"./{quote(last)}"})
        response.set_cookie(
            self._access.cookie,
            self._access.token or "",
            path=f"{root}/",
            httponly=True,
            samesite="strict",
            secure=scope.get("scheme") == "https",
        )
        return response

    def _counted(self, scope: Scope, receive: Receive) -> Receive:
        """`receive`, which ends a request whose body grows over the limit."""
        limit, seen = _limit(Headers(scope=scope), self._limit), 0

        async def counted() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > limit:
                raise HTTPException(413, f"the request has more than {limit:,} bytes, the limit")
            return message

        return counted


def _limit(headers: Headers, upload: int) -> int:
    is_upload = headers.get("content-type", "").lower().startswith("multipart/form-data")
    return upload if is_upload else min(upload, JSON_BYTES)


def _netloc(origin: str) -> str | None:
    """Host and port of an origin in lower case; None where it has none, such as "null"."""
    try:
        return urlsplit(origin).netloc.lower() or None
    except ValueError:
        return None


def _name(host: str) -> str:
    """A Host header without its port."""
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0]


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _rooted(scope: Scope, root: str) -> Scope:
    """A request with the proxy's path in front, as ASGI wants it; a proxy may have cut it off."""
    path = str(scope["path"])
    if not root or scope.get("root_path"):
        return scope
    full = path if path == root or path.startswith(root + "/") else root + path
    return {**scope, "root_path": root, "path": full}


def _path(scope: Scope) -> str:
    """The path below the proxy's."""
    path, root = str(scope["path"]), str(scope.get("root_path", "")).rstrip("/")
    if root and (path == root or path.startswith(root + "/")):
        return path[len(root) :] or "/"
    return path


def _cookie(headers: Headers, name: str) -> str | None:
    cookies: SimpleCookie = SimpleCookie()
    try:
        cookies.load(headers.get("cookie", ""))
    except CookieError:
        return None
    return cookies[name].value if name in cookies else None


def _refusal(status: int, message: str, headers: dict[str, str] | None = None) -> Response:
    return JSONResponse({"error": message}, status, headers)


def _shielded(send: Send) -> Send:
    """`send`, which adds the headers that every answer has."""

    async def shielded(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in _HEADERS.items():
                headers.setdefault(name, value)
            headers.setdefault("Cache-Control", "no-store")
        await send(message)

    return shielded


def hosts_of(names: Iterable[str]) -> frozenset[str]:
    """Host names as `Access` compares them."""
    return frozenset(name.lower().rstrip(".") for name in names)
