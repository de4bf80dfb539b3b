"""Pace: how far a long run is, how fast it goes and how long it will take yet."""

import time
from collections import deque
from collections.abc import Callable

_WINDOW = 60.0  # seconds over which the rate is taken
_LINE_EVERY = 10.0


class Pace:
    """Counts jobs; what was there already says nothing about how fast the rest goes.

    Args:
        total: jobs in all.
        clock: seconds, for tests.
    """

    def __init__(self, total: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.total, self.seen, self.failed, self.worked = total, 0, 0, 0
        self._clock = clock
        self.began = clock()
        self._times: deque[float] = deque([self.began])

    def count(self, *, failed: bool, worked: bool) -> None:
        """Count a job; `worked` where it kept a worker busy."""
        self.seen += 1
        self.failed += failed
        if worked:
            self.worked += 1
            self._times.append(self._clock())
            while len(self._times) > 2 and self._times[0] < self._times[-1] - _WINDOW:
                self._times.popleft()

    @property
    def seconds(self) -> float:
        """Since the start."""
        return self._clock() - self.began

    @property
    def rate(self) -> float:
        """Jobs a second lately; 0 before the first."""
        span = self._times[-1] - self._times[0]
        return (len(self._times) - 1) / span if span > 0 else 0.0

    def __str__(self) -> str:
        """In a line."""
        failed = f", {self.failed} failed" if self.failed else ""
        rate = self.rate
        if not rate:
            return f"{self.seen} of {self.total}{failed}"
        left = (self.total - self.seen) / rate
        return f"{self.seen} of {self.total}{failed}, {rate:.2g} a second, {_span(left)} left"


def _span(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


class PaceDisplay:
    """Shows a pace on standard error: a bar on a terminal, else a line from time to time.

    Args:
        pace: what to show.
        quiet: show nothing.
    """

    def __init__(self, pace: Pace, *, quiet: bool) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn

        self._pace = pace
        self._console = Console(stderr=True)
        self._lines = not quiet and not self._console.is_terminal
        self._shown = pace.began
        columns = (BarColumn(), TextColumn("{task.description}"))
        disabled = quiet or not self._console.is_terminal
        self._bar = Progress(*columns, console=self._console, disable=disabled)
        self._task = self._bar.add_task(str(pace), total=pace.total)

    def __enter__(self) -> "PaceDisplay":
        """Show it."""
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Leave the last state on the screen."""
        self._bar.stop()

    def update(self) -> None:
        """Show the pace as it is now."""
        if not self._bar.disable:
            self._bar.update(self._task, completed=self._pace.seen, description=str(self._pace))
        elif self._lines and self._pace.began + self._pace.seconds - self._shown >= _LINE_EVERY:
            self._shown = self._pace.began + self._pace.seconds
            self.say(f"edgewise: {self._pace}")

    def say(self, line: str) -> None:
        """Print a line above the bar."""
        self._console.print(line, markup=False, highlight=False, soft_wrap=True)
