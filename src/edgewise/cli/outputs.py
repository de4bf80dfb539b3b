"""Files that a command writes: what can be known to fail or to be lost is said at its start."""

import os.path
from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path

from edgewise.errors import InputError, OutputError, missing_extra


def check_outputs(
    *files: Path | None, report: Path | None = None, inputs: Iterable[Path | None] = ()
) -> None:
    """Raise before a long run what would be raised after it.

    Args:
        files: what else is to be written; None for what is not.
        report: the HTML report, or None.
        inputs: what is read; None for what is not.

    Raises:
        InputError: two are one file, or one is an input.
        OutputError: a file's folder is not there.
        DependencyError: the report takes an extra that is not installed.
    """
    outputs = [path for path in (*files, report) if path]
    if not outputs:
        return  # a set may have many inputs to look at
    check_apart(outputs, filter(None, inputs))
    for path in outputs:
        if not os.path.isdir(os.path.dirname(os.path.realpath(path))):
            raise OutputError(f"{path}: cannot be written: there is no folder {path.parent}")
    if report and find_spec("jinja2") is None:
        raise missing_extra("jinja2", "report")


def check_apart(outputs: Iterable[Path], inputs: Iterable[Path] = ()) -> None:
    """Raise InputError where two outputs are one file, or one is an input."""
    read = {os.path.realpath(path) for path in inputs}
    written: set[str] = set()
    for path in outputs:
        place = os.path.realpath(path)  # `Path.resolve` fails on a link to itself
        if place in read:
            raise InputError(f"{path}: is an input, which is never changed; give another name")
        if place in written:
            raise InputError(f"{path}: would be written twice; give each file a name of its own")
        written.add(place)
