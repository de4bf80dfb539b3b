"""Limits: how much a client may ask of the studio."""

from dataclasses import dataclass, fields

from edgewise.errors import EdgewiseError, InputError

MEBI = 1 << 20


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What the studio takes on.

    Attributes:
        bytes: of one request's body, uploads and their wrapping together.
        pixels: of one picture; checked by its header before it is decoded.
        waiting: requests that may wait for the network while one is served.
        seconds: from joining the queue until an answer is given up.
        documents: photos held in memory; others wait on the disk.
        uploads: uploaded photos that are kept at all; of more, the one untouched longest goes.
        tiles: bytes of encoded tiles that are kept.
    """

    bytes: int = 64 * MEBI
    pixels: int = 100_000_000
    waiting: int = 16
    seconds: float = 120.0
    documents: int = 4
    uploads: int = 64
    tiles: int = 64 * MEBI

    def __post_init__(self) -> None:
        """Refuse what cannot work."""
        for field in fields(self):
            value = getattr(self, field.name)
            least = 0 if field.name == "waiting" else 1
            if not value >= least:
                raise InputError(f"the limit {field.name} is {value}; expected {least} or more")


class RefusedError(EdgewiseError):
    """A request that is not served, with its HTTP status and, if later is better, when.

    Args:
        status: the HTTP status, 400 or more.
        message: one sentence: what, the value, what would be right.
        retry_after: seconds after which to try again.
    """

    def __init__(self, status: int, message: str, *, retry_after: int | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.retry_after = retry_after
