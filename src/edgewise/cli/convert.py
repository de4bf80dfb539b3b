"""`edgewise convert`: annotations from one format to another."""

from pathlib import Path

import typer

from edgewise.cli.annotations import TOLERANCE, As, Tolerance
from edgewise.cli.outputs import check_apart

SOME_LEFT_OUT = 1
_NAMES = "coco, cvat, label-studio, labelme, voc or yolo"


def command(
    source: Path = typer.Argument(..., metavar="IN", help="The file or folder to read."),
    output: Path = typer.Argument(..., metavar="OUT", help="The file or new folder to write."),
    from_: str | None = typer.Option(None, "--from", help=f"{_NAMES}; by default told by content."),
    to: str | None = typer.Option(None, "--to", help=f"{_NAMES}; by default told by the name."),
    photos: Path | None = typer.Option(
        None, "--photos", help="The photos' folder: YOLO's sizes and VOC's names' endings."
    ),
    as_: As = None,
    tolerance: Tolerance = TOLERANCE,
) -> None:
    """Convert masks and polygons of objects between annotation formats."""
    from edgewise.formats import convert
    from edgewise.formats.annotation import Form

    target = to or convert.format_for(output)
    if output.exists():  # then it could be one of many
        read = (file for place in (source, photos) if place for file in (place, *place.rglob("*")))
        check_apart([output], read)
    form = Form(kind=as_.value if as_ else None, tolerance=tolerance)
    dataset = convert.read(source, from_ or convert.format_of(source), photos)
    losses = convert.write(dataset, output, target, form)
    for line in (*dataset.problems, *losses):
        typer.echo(f"edgewise: {line}", err=True)
    count = sum(len(photo.instances) for photo in dataset.photos)
    typer.echo(f"{count} objects of {len(dataset.photos)} photos: {output}", err=True)
    if dataset.problems:
        raise typer.Exit(SOME_LEFT_OUT)
