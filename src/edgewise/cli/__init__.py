"""The command line: one file a command, each a thin layer over the library."""

import sys

import typer

from edgewise import __version__
from edgewise.errors import EdgewiseError

BAD_INPUT = 2
INTERRUPTED = 130

app = typer.Typer(
    name="edgewise",
    help="Refine rough object masks to the true edges of photos, and score masks at the boundary.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _print_version(asked: bool) -> None:
    if asked:
        typer.echo(f"edgewise {__version__}")
        raise typer.Exit


@app.callback()
def _common(
    version: bool = typer.Option(
        False, "--version", callback=_print_version, is_eager=True, help="Print the version."
    ),
) -> None:
    """What all commands share."""
    del version


def _register() -> None:
    from edgewise.cli import benchmark, compare, demo, evaluate, models, refine

    app.command("refine")(refine.command)
    app.command("demo")(demo.command)
    app.command("evaluate")(evaluate.command)
    app.command("compare")(compare.command)
    app.command("models")(models.command)
    app.add_typer(benchmark.app, name="benchmark")

    from edgewise.cli import coco, convert, cvat, label_studio

    app.add_typer(coco.app, name="coco")
    app.add_typer(cvat.app, name="cvat")
    app.add_typer(label_studio.app, name="label-studio")
    app.command("convert")(convert.command)

    from edgewise.cli import batch, cutout

    app.command("batch")(batch.command)
    app.command("cutout")(cutout.command)

    from edgewise.cli import scene

    app.add_typer(scene.app, name="scene")

    from edgewise.cli import studio

    app.command("studio")(studio.command)


_register()


def main() -> None:
    """Entry point: one line and status 2 for bad input, never a traceback for it."""
    try:
        app()
    except EdgewiseError as error:
        print(f"edgewise: {error}", file=sys.stderr)  # noqa: T201
        sys.exit(BAD_INPUT)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
