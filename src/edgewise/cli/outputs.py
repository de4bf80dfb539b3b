"""Files that a long command writes at its end: what can be known to fail is said at its start."""

from importlib.util import find_spec
from pathlib import Path

from edgewise.errors import OutputError, missing_extra


def check_outputs(*files: Path | None, report: Path | None) -> None:
    """Raise before a long run what would be raised after it.

    Args:
        files: what else is to be written; None for what is not.
        report: the HTML report, or None.

    Raises:
        OutputError: a file's folder is not there.
        DependencyError: the report takes an extra that is not installed.
    """
    for path in (*files, report):
        if path and not path.resolve().parent.is_dir():
            raise OutputError(f"{path}: cannot be written: there is no folder {path.parent}")
    if report and find_spec("jinja2") is None:
        raise missing_extra("jinja2", "report")
