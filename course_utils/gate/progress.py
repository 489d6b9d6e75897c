"""The gate's progress in a log: plain lines, a few a point."""

from __future__ import annotations

import time
from collections.abc import Callable

# A line at the beginning and the end of each part of the work, and every so often between them.
_SECONDS = 20.0


class PlainProgress:
    """Says which part of the work is done how far, and about how long the rest of it takes.

    Args:
        write: takes a line.
        clock: seconds, for the time that is left.
    """

    def __init__(
        self, write: Callable[[str], None], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._write = write
        self._clock = clock
        self._label = ""
        self._begun = self._said = 0.0

    def __call__(self, label: str, done: int, total: int) -> None:
        """Note how many of a part's jobs are done."""
        now = self._clock()
        if not total:
            return
        if label != self._label:
            self._label, self._begun = label, now
        elif done < total and now - self._said < _SECONDS:
            return
        self._said = now
        left = (now - self._begun) / done * (total - done) if done else 0.0
        rest = f", about {_words(left)} left" if left else ""
        self._write(f"{label} {done}/{total}{rest}")


def _words(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"
