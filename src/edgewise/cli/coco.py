"""`edgewise coco refine`: a whole file of annotations."""

import typer

from edgewise.cli.annotations import refine_command

app = typer.Typer(help="COCO annotation files.", no_args_is_help=True)
app.callback()(lambda: None)
app.command("refine")(
    refine_command("coco", "Refine the masks of a COCO file; all other fields stay as they are.")
)
