"""Warnings of the library, said as lines on standard error."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import typer

from edgewise.errors import EdgewiseWarning


@contextmanager
def warnings_told(name: Path) -> Iterator[None]:
    """Say what the block warns of, a line each, with the file that it is about."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", EdgewiseWarning)
        yield
    for warning in caught:
        typer.echo(f"edgewise: {name}: {warning.message}", err=True)
