"""Everybody who has a verdict or marks in a lab, as journal and gradebook have it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

from sqlalchemy.exc import SQLAlchemyError

from course_utils.grading import report
from course_utils.grading.classrun.causes import sentence
from course_utils.grading.classrun.lookup import last_verdicts
from course_utils.grading.course import Course
from course_utils.grading.gradebook import GradebookWriter, late_noted
from course_utils.grading.totals import StudentMarks, Total
from course_utils.ground.cells import exercise_of
from course_utils.ground.errors import LabError
from course_utils.ground.lab import Lab
from course_utils.ground.statuses import SubmissionStatus
from course_utils.verdict.exercise import ExerciseResult
from course_utils.verdict.submission import SubmissionResult


@dataclass(frozen=True)
class Work:
    """One student's lab.

    Attributes:
        name: first and last; empty where the gradebook does not know it.
        result: the last verdict; without exercises where nothing could be judged, or where it was
            not this course's journal that has it.
        marks: what the gradebook holds.
        total: what that comes to.
    """

    student: str
    name: str
    result: SubmissionResult
    marks: StudentMarks
    total: Total

    @property
    def share(self) -> float:
        """The share of the lab's points, from 0 to 1."""
        return _share(self.total.score, self.total.max_score)

    @property
    def judged(self) -> bool:
        """Whether there was a notebook whose exercises were judged."""
        return bool(self.result.exercises)

    def exercise(self, name: str) -> ExerciseResult | None:
        """The verdict on an exercise."""
        return next((one for one in self.result.exercises if one.name == name), None)

    @cached_property
    def shares(self) -> dict[str, float | None]:
        """Exercise or written answer → the share of its points, extra credit aside; None where a
        person has still to read it."""
        if not self.marks.cells:
            return {e.name: _share(e.score, e.max_score) for e in self.result.exercises}
        return {
            exercise_of(name) or name: (
                None if cell.unread else _share(cell.earned, cell.max_score)
            )
            for name, cell in self.marks.cells.items()
        }


@dataclass(frozen=True)
class Roll:
    """A class.

    Attributes:
        works: of everybody who was graded, by student.
        absent: students whom the gradebook knows and who were not graded.
        faults: students whose last grading met a fault of the grader's, and what it was.
    """

    lab: Lab
    works: list[Work]
    absent: list[str] = field(default_factory=list)
    faults: dict[str, str] = field(default_factory=dict)

    @property
    def judged(self) -> list[Work]:
        return [work for work in self.works if work.judged]

    def verdicts(self, exercise: str) -> Iterator[tuple[Work, ExerciseResult]]:
        """Everybody's verdict on an exercise."""
        for work in self.works:
            found = work.exercise(exercise)
            if found is not None:
                yield work, found

    @cached_property
    def worth(self) -> dict[str, float]:
        """Exercise or written answer → its points, in the notebook's order, answers last."""
        found = {one.name: one.points for one in self.lab.exercises}
        for work in self.works:
            for name, cell in sorted(work.marks.cells.items()):
                if not exercise_of(name):
                    found.setdefault(name, cell.max_score)
        return found


def read_roll(course: Course, lab: Lab) -> Roll:
    """The class as it stands now; nothing is written.

    Raises:
        LabError: nobody was graded, or the gradebook cannot be read.
    """
    entries, faults = last_verdicts(course, lab)
    try:
        with GradebookWriter(course, lab, reading=True) as writer:
            marks, names, worth = writer.marks(), writer.students(), writer.max_score
    except SQLAlchemyError as error:
        raise LabError(f"the gradebook cannot be read: {sentence(error)}") from None
    graded = {*entries, *(name for name, known in marks.items() if known.cells)}
    works = []
    for student in sorted(graded, key=str.casefold):
        entry, known = entries.get(student), marks.get(student, StudentMarks())
        result = entry.result if entry else SubmissionResult(
            lab.name, student, SubmissionStatus.GRADED, lab.max_score
        )  # fmt: skip
        last, first = names.get(student, ("", ""))
        works.append(Work(
            student, f"{first} {last}".strip(), late_noted(result, known), known,
            report.total_of(result, known, worth),
        ))  # fmt: skip
    absent = sorted({*names} - graded, key=str.casefold)
    return Roll(lab, works, absent, {s: why for s, why in faults.items() if s in graded})


def _share(earned: float, worth: float) -> float:
    return earned / worth if worth else 0.0
