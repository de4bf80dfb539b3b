"""The exceptions that edgewise raises on purpose.

    EdgewiseError                    root: catch this to catch them all
    ├── InputError (ValueError)      an input cannot be used: missing, damaged, sizes disagree
    ├── OutputError (OSError)        a result cannot be written
    ├── ModelError                   weights are missing or damaged
    └── DependencyError (ImportError)   an optional extra is not installed

Each message is one line and says what is wrong, the value that is, and what would be right.
"""


class EdgewiseError(Exception):
    """Root of every error that edgewise raises on purpose."""


class InputError(EdgewiseError, ValueError):
    """An input cannot be used: missing, not a picture, truncated, or of the wrong size."""


class OutputError(EdgewiseError, OSError):
    """A result cannot be written where it was asked for."""


class ModelError(EdgewiseError):
    """A network's weights are missing or damaged."""


class DependencyError(EdgewiseError, ImportError):
    """An optional extra is not installed; `missing_extra` words the message."""


class EdgewiseWarning(UserWarning):
    """The result stands, but the caller should know something about it."""


def missing_extra(module: str, extra: str) -> DependencyError:
    """The error to raise where importing `module` failed that comes with the extra `extra`."""
    return DependencyError(f"{module} is not installed; pip install 'edgewise[{extra}]'")


def told(error: BaseException) -> str:
    """An exception in one line: in its own words where edgewise raised it, else after its name."""
    text = str(error) if isinstance(error, EdgewiseError) else f"{type(error).__name__}: {error}"
    return " ".join(text.split())
