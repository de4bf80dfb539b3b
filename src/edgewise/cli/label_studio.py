"""`edgewise label-studio refine`: a whole file of annotations."""

import typer

from edgewise.cli.annotations import refine_command

app = typer.Typer(help="Label Studio exports.", no_args_is_help=True)
app.callback()(lambda: None)
app.command("refine")(
    refine_command(
        "label-studio",
        "Refine the brushes and polygons of a Label Studio JSON export; all else stays as it is.",
    )
)
