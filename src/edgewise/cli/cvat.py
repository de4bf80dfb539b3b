"""`edgewise cvat refine`: a whole file of annotations."""

import typer

from edgewise.cli.annotations import refine_command

app = typer.Typer(help="CVAT annotation files.", no_args_is_help=True)
app.callback()(lambda: None)
app.command("refine")(
    refine_command(
        "cvat",
        "Refine the polygons and masks of a CVAT for images 1.1 file; all else stays as it is.",
    )
)
