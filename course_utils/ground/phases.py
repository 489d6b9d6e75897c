"""Where the time goes: seconds by phase, each moment counted for one phase only.

Whoever wants to know opens a :func:`watch`; where nobody does, a :func:`phase` costs next to
nothing. A phase within a phase takes its time away from the outer one.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar


class Watch:
    """Seconds by phase, as they add up."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)
        self._open: list[str] = []
        self._since = 0.0

    def add(self, seconds: Mapping[str, float]) -> None:
        """Add what another watch has seen."""
        for name, some in seconds.items():
            self.seconds[name] += some

    def _turn(self) -> None:
        now = time.perf_counter()
        if self._open:
            self.seconds[self._open[-1]] += now - self._since
        self._since = now

    @contextmanager
    def during(self, name: str) -> Iterator[None]:
        self._turn()
        self._open.append(name)
        try:
            yield
        finally:
            self._turn()
            self._open.pop()


_watch: ContextVar[Watch | None] = ContextVar("watch", default=None)


@contextmanager
def watch() -> Iterator[Watch]:
    """Note how long every phase within takes, in this thread."""
    token = _watch.set(made := Watch())
    try:
        yield made
    finally:
        _watch.reset(token)


@contextmanager
def phase(name: str) -> Iterator[None]:
    """A phase of the work, for whoever watches."""
    watching = _watch.get()
    if watching is None:
        yield
        return
    with watching.during(name):
        yield
