"""JSON files: read with the place of what is wrong, written whole or not at all."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgewise.errors import InputError
from edgewise.files import atomic_path

if TYPE_CHECKING:
    import os


def read_bytes(path: str | os.PathLike[str]) -> bytes:
    """A file's bytes; InputError where it cannot be read."""
    try:
        return Path(path).read_bytes()
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise InputError(f"{path}: cannot be read: {reason}") from error


def read_json(path: str | os.PathLike[str]) -> Any:
    """The value in a JSON file.

    Raises:
        InputError: the file cannot be read or is no JSON; the message says at which byte.
    """
    return parse_json(read_bytes(path), str(path))


def parse_json(data: bytes, name: str) -> Any:
    """The value of JSON text in UTF-8; `name` is the file's in messages.

    Raises:
        InputError: it is no JSON; the message says at which byte.
    """
    try:
        text = data.decode("utf-8-sig")
        return json.loads(text)
    except UnicodeDecodeError as error:
        raise InputError(f"{name}: is no UTF-8 text at byte {error.start}") from error
    except json.JSONDecodeError as error:
        mark = len(data) - len(text.encode())
        byte = mark + len(text[: error.pos].encode())
        raise InputError(f"{name}: malformed JSON at byte {byte}: {error.msg}") from error
    except (RecursionError, ValueError) as error:  # nested too deep; a number of 4300 digits
        raise InputError(f"{name}: is no JSON that can be read: {error}") from error


def write_json(path: str | os.PathLike[str], value: Any, *, indent: int | None = None) -> None:
    """Write a value as JSON in UTF-8; OutputError where the file cannot be written."""
    # What UTF-8 has no code for, half of a surrogate pair, is \ud83d in JSON and in Python alike.
    as_escapes = "backslashreplace"
    with (
        atomic_path(path) as temporary,
        temporary.open("w", encoding="utf-8", errors=as_escapes) as stream,
    ):
        # Not `json.dump`, whose encoder is Python's own and takes ten times as long.
        stream.write(json.dumps(value, ensure_ascii=False, indent=indent))


def whole(value: Any, least: int = 1) -> int | None:
    """A JSON number as an int of at least `least`, or None where it is none."""
    if type(value) is float and value.is_integer():
        value = int(value)
    return value if type(value) is int and value >= least else None
