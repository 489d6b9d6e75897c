"""Reading the gradebook: what students have, in a few queries however large the class is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Any

from nbgrader.api import (
    Assignment,
    BaseCell,
    Comment,
    Grade,
    Gradebook,
    GradeCell,
    Student,
    SubmittedAssignment,
    SubmittedNotebook,
    TaskCell,
)
from sqlalchemy import func, select

from course_utils.grading.totals import CellMark, StudentMarks

# How many students' marks are looked at together: few queries, and little to hold.
_BLOCK = 250


class MarksInTurn:
    """The marks of a large class, for whoever goes through it in order: a block at a time is held.

    Args:
        students: the order.
        read: gives the marks of some of them.
    """

    def __init__(
        self,
        students: Sequence[str],
        read: Callable[[Sequence[str]], dict[str, StudentMarks]],
    ) -> None:
        self._students, self._read = students, read
        self._next = 0
        self._held: frozenset[str] = frozenset()
        self._marks: dict[str, StudentMarks] = {}

    def of(self, student: str) -> StudentMarks | None:
        """What the gradebook holds of one of the students; None where that is nothing."""
        if student not in self._held:
            place = self._place(student)
            block = self._students[place : place + _BLOCK]
            self._next, self._held = place + len(block), frozenset(block)
            self._marks = self._read(block)
        return self._marks.get(student)

    def _place(self, student: str) -> int:
        """Where a student stands; mostly next, and before that where somebody begins anew."""
        with suppress(ValueError):
            return self._students.index(student, self._next)
        return self._students.index(student)


def read_marks(
    gradebook: Gradebook,
    lab: str,
    students: Sequence[str] | None = None,
    order: Sequence[str] = (),
) -> dict[str, StudentMarks]:
    """The marks of a lab by student, in three queries.

    Args:
        gradebook: nbgrader's, open.
        lab: its name, which is the assignment's.
        students: only theirs; everybody's by default.
        order: of the cells, by their ids; a database gives them in any order.
    """
    found: dict[str, StudentMarks] = {}
    for name, penalty, late, handed_in in _submissions(gradebook, lab, students):
        found[name] = StudentMarks(
            penalty=penalty or 0.0, seconds_late=late, handed_in=handed_in
        )
    for name, cell, own, by_hand in _comments(gradebook, lab, students):
        if by_hand or own:
            found[name].remarks[cell] = by_hand or own
    for row in gradebook.db.execute(_of(_GRADES, lab, students)):
        found[row.student].cells[row.cell] = CellMark(
            automatic=row.auto_score,
            manual=row.manual_score,
            extra=row.extra_credit or 0.0,
            max_score=row.max_score or 0.0,
            to_grade=row.needs_manual_grade,
        )
    place = {name: number for number, name in enumerate(order)}
    for marks in found.values():
        by_place = sorted(marks.cells, key=lambda name: place.get(name, len(place)))
        marks.cells = {name: marks.cells[name] for name in by_place}
    return found


_GRADES = (
    select(
        Student.id.label("student"),
        BaseCell.name.label("cell"),
        Grade.auto_score,
        Grade.manual_score,
        Grade.extra_credit,
        Grade.needs_manual_grade,
        func.coalesce(GradeCell.__table__.c.max_score, TaskCell.__table__.c.max_score).label(
            "max_score"
        ),
    )
    .select_from(Grade)
    .join(BaseCell.__table__, BaseCell.__table__.c.id == Grade.cell_id)
    .outerjoin(GradeCell.__table__, GradeCell.__table__.c.id == Grade.cell_id)
    .outerjoin(TaskCell.__table__, TaskCell.__table__.c.id == Grade.cell_id)
    .join(SubmittedNotebook, SubmittedNotebook.id == Grade.notebook_id)
    .join(SubmittedAssignment, SubmittedAssignment.id == SubmittedNotebook.assignment_id)
    .join(Assignment, Assignment.id == SubmittedAssignment.assignment_id)
    .join(Student, Student.id == SubmittedAssignment.student_id)
)


def _of(query: Any, lab: str, students: Sequence[str] | None) -> Any:
    query = query.where(Assignment.name == lab)
    return query if students is None else query.where(Student.id.in_(students))


def _submissions(gradebook: Gradebook, lab: str, students: Sequence[str] | None) -> Any:
    """(student, penalty, seconds late, when it was handed in) of every submission."""
    query = (
        select(
            Student.id,
            func.sum(SubmittedNotebook.late_submission_penalty),
            SubmittedAssignment.timestamp,
            SubmittedAssignment.extension,
            Assignment.duedate,
        )
        .select_from(SubmittedAssignment)
        .join(Assignment, Assignment.id == SubmittedAssignment.assignment_id)
        .join(Student, Student.id == SubmittedAssignment.student_id)
        .outerjoin(SubmittedNotebook, SubmittedNotebook.assignment_id == SubmittedAssignment.id)
        .group_by(
            Student.id, SubmittedAssignment.timestamp, SubmittedAssignment.extension,
            Assignment.duedate,
        )
    )  # fmt: skip
    for name, penalty, handed_in, extension, due in gradebook.db.execute(_of(query, lab, students)):
        late = 0.0
        if handed_in is not None and due is not None:
            late = (handed_in - due - (extension or timedelta())).total_seconds()
        yield name, penalty, max(0.0, late), handed_in


def _comments(gradebook: Gradebook, lab: str, students: Sequence[str] | None) -> Any:
    """(student, cell, the grader's remark, a person's) of every cell that students write in."""
    query = (
        select(Student.id, BaseCell.name, Comment.auto_comment, Comment.manual_comment)
        .select_from(Comment)
        .join(BaseCell.__table__, BaseCell.__table__.c.id == Comment.cell_id)
        .join(SubmittedNotebook, SubmittedNotebook.id == Comment.notebook_id)
        .join(SubmittedAssignment, SubmittedAssignment.id == SubmittedNotebook.assignment_id)
        .join(Assignment, Assignment.id == SubmittedAssignment.assignment_id)
        .join(Student, Student.id == SubmittedAssignment.student_id)
    )
    return gradebook.db.execute(_of(query, lab, students))
