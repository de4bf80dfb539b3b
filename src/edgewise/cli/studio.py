"""`edgewise studio`: a local web page to refine, compare, correct and save masks."""

import socket
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from edgewise.cli.options import Device, Model, Threads
from edgewise.errors import InputError, missing_extra

if TYPE_CHECKING:
    from edgewise.studio.guard import Access

LEAST_TOKEN = 8
"""Characters of a token."""


def command(
    folder: Path | None = typer.Argument(None, help="Photos with coarse masks to work through."),
    host: str = typer.Option("127.0.0.1", "--host", help="The address to listen at."),
    port: int = typer.Option(8765, "--port", min=0, max=65535, help="0 takes a free one."),
    token: str | None = typer.Option(
        None,
        "--token",
        envvar="EDGEWISE_TOKEN",
        help="What clients have to know; made up where --host lets other machines in.",
    ),
    allow_host: list[str] = typer.Option(
        [], "--allow-host", help="A name under which a proxy shows the studio; may be repeated."
    ),
    root_path: str = typer.Option("", "--root-path", help="The path under which a proxy shows it."),
    megabytes: int = typer.Option(64, "--megabytes", min=1, help="Largest upload."),
    megapixels: int = typer.Option(100, "--megapixels", min=1, help="Largest picture."),
    waiting: int = typer.Option(16, "--waiting", min=0, help="Requests that may wait."),
    timeout: float = typer.Option(120.0, "--timeout", min=1, help="Seconds until giving up."),
    threads: Threads = None,
    model: Model = "default",
    device: Device = "cpu",
) -> None:
    """Refine, compare, correct by brush and save, on a page in the browser."""
    try:
        import uvicorn

        from edgewise.studio.app import create_app
    except ImportError as error:
        raise missing_extra(error.name or "fastapi", "studio") from error
    from edgewise.refiner import Refiner
    from edgewise.studio.limits import MEBI, Limits

    limits = Limits(
        bytes=megabytes * MEBI, pixels=megapixels * 1_000_000, waiting=waiting, seconds=timeout
    )
    access = _access(host, allow_host, token)
    root = _checked_root(root_path)
    with _bound(host, port) as listener:
        app = create_app(
            Refiner.open(model, threads=threads, device=device),
            limits=limits,
            folder=folder,
            access=access,
            root_path=root,
        )
        queue = app.state.studio.queue
        for problem in queue.problems if queue else []:
            typer.echo(f"edgewise: {problem}", err=True)
        _announce(access, listener)
        config = uvicorn.Config(app, log_level="warning", server_header=False, ws="none")
        uvicorn.Server(config).run(sockets=[listener])


def _access(host: str, names: list[str], token: str | None) -> "Access":
    import secrets

    from edgewise.studio.guard import Access, hosts_of, is_loopback

    if token is not None and (len(token) < LEAST_TOKEN or not token.isascii()):
        raise InputError(f"--token has {len(token)} characters; expected {LEAST_TOKEN} of ASCII")
    if token is not None and not all(c.isalnum() or c in "-_.~" for c in token):
        raise InputError("--token holds other characters than letters, digits and -_.~")
    for name in names:
        if "/" in name or name.count(":") == 1:  # an address of version 6 has more
            raise InputError(
                f"--allow-host {name}: expected a name alone, such as studio.example.org, without "
                "https:// before it and a port or path behind it"
            )
    if token is None and not is_loopback(host):
        token = secrets.token_urlsafe(24)
    return Access(host=host, names=hosts_of(names), token=token)


def _checked_root(path: str) -> str:
    root = path.rstrip("/")
    if root and not root.startswith("/"):
        raise InputError(f"--root-path {path}: expected a path that begins with /, like /studio")
    return root


def _bound(host: str, port: int) -> socket.socket:
    """A socket that listens there; InputError where that cannot be."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, protocol)
    except (OSError, UnicodeError) as error:  # the latter of a name with an empty or long part
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"--host {host}: {reason}") from error
    try:
        if sys.platform != "win32":
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen()  # so that the address holds from when it is printed
    except OSError as error:
        listener.close()
        raise InputError(
            f"--host {host} --port {port}: {error.strerror}; choose others, or --port 0"
        ) from error
    return listener


def _announce(access: "Access", listener: socket.socket) -> None:
    from edgewise.studio.guard import is_loopback

    port = listener.getsockname()[1]
    shown = f"[{access.host}]" if ":" in access.host else access.host
    token = f"?token={access.token}" if access.token else ""
    if not is_loopback(access.host):
        typer.echo(
            "edgewise: warning: other machines can reach this studio. Whoever has its address "
            "with the token can use it; nothing is encrypted: put a proxy with TLS before it.",
            err=True,
        )
    typer.echo(f"edgewise studio: http://{shown}:{port}/{token}")
