"""What a pattern sees and says: one failed comparison, one observation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from course_utils.calls.digest import rtol_of
from course_utils.diagnosis.comparison import close
from course_utils.ground import said
from course_utils.verdict.outcome import TestOutcome

Array = npt.NDArray[Any]

GENERIC, PLACE, CAUSE = 1, 2, 3


@dataclass(frozen=True)
class Observation:
    """One thing that was seen.

    Attributes:
        name: the pattern's name.
        hint: the sentence for the student, in which nothing of the test is quoted.
        rank: CAUSE where it says what went wrong, PLACE where, GENERIC that something did.
        factor: the constant factor, for patterns that are compared across tests.
        seen: the sentence with what was seen in the test, where that says more.
    """

    name: str
    hint: str
    rank: int
    factor: float | None = None
    seen: str = ""

    def told(self, *, hidden: bool) -> str:
        """The sentence, about public or about hidden tests."""
        return said.told(self.hint, self.seen, hidden=hidden)


@dataclass(frozen=True)
class Case:
    """One failed comparison: what came back, what was expected, and under which call."""

    outcome: TestOutcome
    kind: str
    actual: Any
    expected: Any

    @property
    def summary(self) -> bool:
        """Whether it compares a probe's account (counts, shares), not the student's own values."""
        return bool(self.outcome.calls) and self.outcome.calls[-1].summary

    @property
    def arrays(self) -> tuple[Array, Array] | None:
        """Both sides as numeric arrays, or None."""
        if self.summary or not all(
            isinstance(value, (np.ndarray, np.generic, int, float))
            for value in (self.actual, self.expected)
        ):
            return None
        actual, expected = np.asarray(self.actual), np.asarray(self.expected)
        numeric = actual.dtype.kind in "biufc" and expected.dtype.kind in "biufc"
        return (actual, expected) if numeric else None

    @property
    def single(self) -> bool:
        """Whether one number is compared with one."""
        return self.arrays is not None and self.arrays[1].size == 1

    @property
    def rtol(self) -> float:
        """Within which arrays of this case count as equal."""
        return rtol_of(str(np.asarray(self.expected).dtype))


@dataclass(frozen=True)
class Pattern:
    """Something that may be true of a failed comparison.

    Attributes:
        kinds: the kinds of comparison that it speaks of; it is said only where it is true of all
            failed ones of these kinds.
        see: the observation in one comparison, or None where it is not so there.
        least: how many different numbers it takes to tell; comparisons of fewer are passed over.
    """

    kinds: frozenset[str]
    see: Callable[[Case], Observation | None]
    least: int = 0

    def speaks_of(self, case: Case) -> bool:
        """Whether a comparison is one of those in which it can be told."""
        if case.kind not in self.kinds:
            return False
        return not self.least or case.arrays is None or case.arrays[1].size >= self.least


def of(*kinds: str, least: int = 0) -> Callable[[Callable[[Case], Observation | None]], Pattern]:
    """Make a function that looks at one comparison of these kinds a pattern."""
    return lambda see: Pattern(frozenset(kinds), see, least)


def equal(case: Case, actual: Array, expected: Array) -> bool:
    """Whether two arrays have one shape and agree within the case's tolerance."""
    return actual.shape == expected.shape and close(actual, expected, case.rtol)
