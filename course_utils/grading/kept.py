"""Verdicts on exercises of a submission that need not be formed again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from course_utils.verdict.exercise import ExerciseResult


@dataclass(frozen=True)
class Kept:
    """What is known of a submission.

    Attributes:
        digest: of the bytes that it is known of.
        exercises: the verdicts that hold for these bytes, by exercise.
    """

    digest: str = ""
    exercises: Mapping[str, ExerciseResult] = field(default_factory=dict)

    def of(self, digest: str) -> Mapping[str, ExerciseResult]:
        """What of it holds for bytes with this checksum."""
        return self.exercises if digest == self.digest else {}
