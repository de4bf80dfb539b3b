"""The command line: one file a command, each a thin layer over the library."""

import atexit
import errno
import io
import os
import sys
from contextlib import suppress
from importlib import import_module
from typing import NoReturn

import typer

from edgewise import __version__
from edgewise.errors import EdgewiseError

BAD_INPUT = 2
INTERRUPTED = 130
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO})


def _print_version(asked: bool) -> None:
    if asked:
        typer.echo(f"edgewise {__version__}")
        raise typer.Exit


def _common(
    version: bool = typer.Option(
        False, "--version", callback=_print_version, is_eager=True, help="Print the version."
    ),
) -> None:
    """What all commands share."""
    del version


_COMMANDS = (
    "refine",
    "demo",
    "evaluate",
    "compare",
    "models",
    "benchmark",
    "coco",
    "cvat",
    "label-studio",
    "convert",
    "batch",
    "cutout",
    "scene",
    "studio",
)
"""In the order of the help; each is a module, with a `command` or an `app` of several."""


def build(*names: str) -> typer.Typer:
    """The command line with these commands, or with all."""
    app = typer.Typer(
        name="edgewise",
        help="Refine rough object masks to the true edges of photos, and score masks at the"
        " boundary.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
    )
    app.callback()(_common)
    for name in names or _COMMANDS:
        module = import_module(f"edgewise.cli.{name.replace('-', '_')}")
        if hasattr(module, "app"):
            app.add_typer(module.app, name=name)
        else:
            app.command(name)(module.command)
    return app


def __getattr__(name: str) -> typer.Typer:
    if name == "app":  # for tools that look for it, such as typer's own, which writes the manual
        return build()
    raise AttributeError(name)


def run() -> NoReturn:
    """Entry point of the installed command: `main`, and the end of the process.

    What `refine` holds goes with its process. Giving back every network and array by itself first
    takes a twentieth of a second. An engine of the user's may have threads and files still to end.
    """
    try:
        main()
    except SystemExit as end:
        alone = sys.argv[1:2] == ["refine"] and not any("--engine" in word for word in sys.argv)
        if not alone or not isinstance(end.code, int):
            raise
        atexit._run_exitfuncs()
        _flush()
        os._exit(end.code)
    sys.exit()


def main() -> None:
    """Run a command: one line and status 2 for bad input, never a traceback for it."""
    if isinstance(sys.stdout, io.TextIOWrapper) and sys.stdout.errors == "strict":
        sys.stdout.reconfigure(errors="backslashreplace")  # not every file's name is UTF-8
    # The one that is asked for is enough, and starts a twentieth of a second sooner.
    asked = [word for word in sys.argv[1:2] if word in _COMMANDS]
    try:
        build(*asked)()
    except EdgewiseError as error:
        _fail(str(error))
    except OSError as error:  # what writes files says of them: this is what a command prints
        if error.errno not in _FULL:
            raise
        where = error.filename or "the standard output or a temporary file"
        _fail(f"{where}: cannot be written: {error.strerror}")
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)


def _fail(line: str) -> NoReturn:
    """End with a line, whether it can be printed or not."""
    with suppress(OSError):
        print(f"edgewise: {line}", file=sys.stderr)  # noqa: T201
    _flush()
    sys.exit(BAD_INPUT)


def _flush() -> None:
    for stream in filter(None, (sys.stdout, sys.stderr)):  # None where the caller has closed it
        try:
            stream.flush()
        except OSError:  # the end of Python would try again, and say so
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
