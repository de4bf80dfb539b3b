"""Home: the temporary folder of a server's uploads.

It goes with the server. Where that was killed, the next one removes it: a file in it is locked for
as long as its server lives.
"""

import shutil
import tempfile
from contextlib import suppress
from pathlib import Path

from edgewise.files import lock_file

PREFIX = "edgewise-studio-"
LOCK = "lock"


class Home:
    """A folder for this process alone.

    Attributes:
        path: the folder.
    """

    def __init__(self) -> None:
        _sweep(Path(tempfile.gettempdir()))
        self._folder = tempfile.TemporaryDirectory(prefix=PREFIX)
        self.path = Path(self._folder.name)
        self._stream = (self.path / LOCK).open("wb")
        with suppress(OSError):  # where files cannot be locked, no server removes another's folder
            lock_file(self._stream)

    def close(self) -> None:
        """Remove the folder."""
        self._stream.close()
        self._folder.cleanup()


def _sweep(place: Path) -> None:
    """Remove the folders whose servers have gone."""
    for lock in place.glob(f"{PREFIX}*/{LOCK}"):
        with suppress(OSError), lock.open("r+b") as stream:  # in use, or another user's
            lock_file(stream)
            shutil.rmtree(lock.parent)
