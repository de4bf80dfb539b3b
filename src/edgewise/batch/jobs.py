"""Jobs: which photo and coarse mask to refine into which file, and how."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from edgewise.batch.stores import is_memory, is_web
from edgewise.errors import InputError
from edgewise.masks import WRITABLE


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How one mask is refined and written.

    Attributes:
        soft: write 8-bit grey instead of black and white.
        overview_only: stop after the first look.
    """

    soft: bool = False
    overview_only: bool = False


@dataclass(frozen=True, slots=True)
class Job:
    """One mask to refine. Files are local paths or fsspec URLs (`s3://bucket/photo.jpg`).

    Attributes:
        photo: the photo.
        mask: its coarse mask.
        output: the refined mask to write, not to a web server or into a worker's own memory; ends
            in one of `edgewise.masks.WRITABLE`.
        options: how.
        source: where the job was named, for messages ("jobs.csv: row 3").

    Raises:
        InputError: a file is not named, or by what no file can be called, or the output goes to
            a web server or into memory or has a suffix that no mask is written as; begins with
            `photo`, `mask` or `output`.
    """

    photo: str
    mask: str
    output: str
    options: Options = field(default_factory=Options)
    source: str = ""

    def __post_init__(self) -> None:
        """Refuse what cannot work, before it costs a refinement."""
        for part in ("photo", "mask", "output"):
            value = getattr(self, part)
            if not isinstance(value, str) or not value:
                raise InputError(f"{part} is {value!r}; give a path or URL as a string")
            if not _is_name(value):
                raise InputError(f"{part} {value!r}: no file can be called so; give a path or URL")
        if is_web(self.output):
            raise InputError(
                f"output {self.output!r}: web servers take no files; give a path or another URL"
            )
        if is_memory(self.output):
            raise InputError(
                f"output {self.output!r}: would be gone with its worker; give a path or another URL"
            )
        suffix = PurePosixPath(self.output).suffix.lower()
        if suffix not in WRITABLE:
            known = ", ".join(sorted(WRITABLE))
            raise InputError(f"output {self.output!r}: a mask is written as one of {known}")


def _is_name(text: str) -> bool:
    """Whether the system can look for a file of that name."""
    try:
        return b"\0" not in os.fsencode(text)
    except UnicodeEncodeError:  # half of a character, as JSON can spell it
        return False
