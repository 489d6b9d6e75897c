"""One run of a lab's tests: what was asked for, and what has come of it."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field

import pytest

from course_utils.calls.backend import Backend
from course_utils.testing.marker import ExerciseMark, exercise_of, is_hidden
from course_utils.verdict.outcome import TestOutcome

BackendFor = Callable[[ExerciseMark], Backend]


@dataclass(eq=False)
class Run:
    """One run of a lab's tests: what :func:`course_utils.testing.run.run_tests` was asked for, and
    what has come of it.

    Attributes:
        alone: whether public tests are run once more.
        errors: what was wrong that is not the student's.
        exhausted: the test in which the judge's own memory was used up.
    """

    backend_for: BackendFor
    exercises: Sequence[str] | None
    tests: Collection[str] | None
    seed: int
    hidden_seed: int
    lab: str
    device: str
    enforce_forbid: bool
    together: bool
    evidence: bool
    alone: bool = False
    outcomes: dict[str, TestOutcome] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)
    exhausted: str = ""

    def asks_for(self, item: pytest.Item) -> bool:
        """Whether a test belongs to it."""
        among = self.exercises is None or exercise_of(item) in self.exercises
        return among and (self.tests is None or item.name in self.tests)

    def stream(self, item: pytest.Item) -> int:
        """The seed of a test's random streams."""
        seed = self.hidden_seed if is_hidden(item) else self.seed
        return zlib.crc32(f"{item.name}/{seed}".encode())
