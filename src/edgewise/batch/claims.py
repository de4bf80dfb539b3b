"""Claims: no two jobs write one file, and none writes a file that another reads."""

from __future__ import annotations

from collections.abc import Iterable

from edgewise.batch.index import Index, key_of
from edgewise.batch.jobs import Job
from edgewise.batch.stores import canonical, forget_folders, is_hard_link
from edgewise.errors import InputError

_INPUT, _OUTPUT = 0, 1


def check(jobs: Iterable[Job]) -> int:
    """How many jobs there are, all of them looked at before any is done.

    Raises:
        InputError: a job cannot be read, or is in another's way; see `Claims.add`.
    """
    forget_folders()
    claims = Claims()
    try:
        count = 0
        for job in jobs:
            claims.add(job)
            count += 1
        return count
    finally:
        claims.close()


class Claims:
    """The files of all jobs so far, by role, in bounded memory."""

    def __init__(self) -> None:
        self._index = Index(
            "CREATE TABLE files (key BLOB PRIMARY KEY, role INT, source TEXT) WITHOUT ROWID"
        )

    def add(self, job: Job) -> None:
        """Claim a job's files.

        Raises:
            InputError: its output is one of its inputs, an input or the output of an earlier job,
                or its input is an earlier job's output; nothing of it is claimed then.
        """
        target, *sources = map(canonical, (job.output, job.photo, job.mask))
        for part, source in zip(("photo", "mask"), sources, strict=True):
            if source == target or is_hard_link(target, source):
                raise InputError(f"{_where(job)}: the output {job.output} is the job's own {part}")
        output, inputs = key_of(target), [key_of(source) for source in sources]
        self._refuse(job, job.output, output, roles=(_INPUT, _OUTPUT))
        for location, key in zip((job.photo, job.mask), inputs, strict=True):
            self._refuse(job, location, key, roles=(_OUTPUT,))
        self._claim(output, _OUTPUT, job)
        for key in inputs:
            self._claim(key, _INPUT, job)

    def close(self) -> None:
        """Forget all."""
        self._index.close()

    def _claim(self, key: bytes, role: int, job: Job) -> None:
        self._index.run("INSERT OR IGNORE INTO files VALUES (?, ?, ?)", key, role, job.source)

    def _refuse(self, job: Job, location: str, key: bytes, *, roles: tuple[int, ...]) -> None:
        found = self._index.run("SELECT role, source FROM files WHERE key = ?", key)
        if found and found[0] in roles:
            use = "read" if found[0] == _INPUT else "written"
            other = found[1] or "another job"
            mine = "written here" if location == job.output else "read here"
            raise InputError(f"{_where(job)}: {location} is {mine}, and {use} by {other}")


def _where(job: Job) -> str:
    return job.source or job.output
