"""What a class run says of itself while it is under way; whoever listens decides how it looks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from course_utils.grading.totals import Total
from course_utils.verdict.submission import SubmissionResult


@dataclass(frozen=True)
class Checking:
    """The machine and the lab are looked at, before a row is written."""


@dataclass(frozen=True)
class Started:
    """Grading begins: how many submissions there are to grade, and of how many the verdict stands,
    since nothing has changed that it rests on, or since it is of the run that goes on."""

    to_grade: int
    done: int


@dataclass(frozen=True)
class Graded:
    """One submission is graded and, unless nothing is to be written, in the gradebook.

    ``total`` is what the gradebook says then; ``stands`` whether the verdict is an earlier one.
    """

    result: SubmissionResult
    total: Total
    stands: bool = False


@dataclass(frozen=True)
class NotGraded:
    """One submission met a fault of the grader's; what it was marked before stands."""

    result: SubmissionResult


@dataclass(frozen=True)
class Waiting:
    """The gradebook is busy, or away for a while, and is tried again."""


Event = Checking | Started | Graded | NotGraded | Waiting
Tell = Callable[[Event], None]


def silent(event: Event) -> None:
    """A listener that does not care."""
