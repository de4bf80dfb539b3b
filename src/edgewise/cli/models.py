"""`edgewise models`: the networks inside the package."""

import typer

_ROLES = {
    "refinement": "refines; chosen by --model",
    "proposal": "looks at the photo before the one that refines, whichever that is",
    "prompt": "says which whole object a mask means, of what `proposal` saw",
    "judge": "says which pieces of the change are taken",
    "verdict": "says whether what `judge` takes is worth it together, or the mask stays",
}


def command(
    verify: bool = typer.Option(False, "--verify", help="Compare each file with its checksum."),
) -> None:
    """List the networks inside the package."""
    from edgewise.network.catalog import models

    for model in models().values():
        if verify:
            model.verify()
        state = "  verified" if verify else ""
        typer.echo(f"{model.name}  {model.bytes / 1e6:.1f} MB  {model.about}{state}")
        typer.echo(f"    {_ROLES[model.role]}")
        typer.echo(f"    sha256 {model.sha256}")
        typer.echo(f"    licence: {model.licence}")
