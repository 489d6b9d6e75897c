"""Whose automatic mark changes in a regrade, by how much, and which claims turned."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from course_utils.grading.totals import StudentMarks
from course_utils.ground.cells import check_id, exercise_of
from course_utils.verdict.submission import SubmissionResult

_SMALLEST = 0.005  # marks are kept to a hundredth of a point


@dataclass(frozen=True)
class Change:
    """A changed automatic mark.

    Attributes:
        before, after: points.
        now_hold, now_fail: claims that turned, as far as the journal still knows how they were.
        override: the mark that a person has set there, which counts in place of either.
    """

    student: str
    exercise: str
    before: float
    after: float
    now_hold: tuple[str, ...] = ()
    now_fail: tuple[str, ...] = ()
    override: float | None = None


def snapshot(marks: StudentMarks | None, result: SubmissionResult | None) -> dict[str, Any]:
    """What has to be known of a student's marks before a run, as values that JSON knows.

    Args:
        marks: what the gradebook holds.
        result: the verdict that they come from, if the journal has it.
    """
    return {
        "exercises": marks.exercises if marks else {},
        "claims": {
            exercise.name: {test.claim: test.passed for test in exercise.tests}
            for exercise in (result.exercises if result else [])
        },
    }


def foreseen(marks: StudentMarks | None, result: SubmissionResult) -> StudentMarks:
    """What the gradebook would hold if a verdict were written to it.

    Args:
        marks: what it holds now.
        result: the verdict.
    """
    marks = marks or StudentMarks()
    cells = {
        name: replace(cell, automatic=result.automatic(name)) if exercise_of(name) else cell
        for name, cell in marks.cells.items()
    }  # fmt: skip
    return replace(marks, cells=cells)


def changes(
    before: dict[str, Any], result: SubmissionResult, marks: StudentMarks | None
) -> list[Change]:
    """How a student's automatic marks differ from those of a :func:`snapshot`.

    Exercises that had no mark yet do not change; they get one.

    Args:
        before: the snapshot.
        result: the new verdict.
        marks: what the gradebook holds, for what people have overridden.
    """
    now = {exercise.name: exercise for exercise in result.exercises}
    found = []
    for name, earlier in before["exercises"].items():
        exercise = now.get(name)
        score = result.score_of(name)
        if earlier is None or abs(score - earlier) < _SMALLEST:
            continue
        old = before["claims"].get(name, {})
        new = {test.claim: test.passed for test in exercise.tests} if exercise else {}
        turned = [claim for claim in new if claim in old and new[claim] != old[claim]]
        cell = marks.cells.get(check_id(name)) if marks else None
        found.append(
            Change(
                result.student, name, earlier, score,
                now_hold=tuple(claim for claim in turned if new[claim]),
                now_fail=tuple(claim for claim in turned if not new[claim]),
                override=cell.manual if cell else None,
            )
        )  # fmt: skip
    return found
