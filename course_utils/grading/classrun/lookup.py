"""What the journal keeps, for whoever shows it and writes nothing in it."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import TypeVar

from course_utils.grading.classrun.causes import sentence
from course_utils.grading.classrun.journal import Entry, Journal
from course_utils.grading.course import Course
from course_utils.ground.errors import LabError
from course_utils.ground.lab import Lab

Found = TypeVar("Found")


def last_verdicts(course: Course, lab: Lab) -> tuple[dict[str, Entry], dict[str, str]]:
    """Everybody's last verdict, and whose last grading met a fault of the grader's.

    Raises:
        LabError: there is no verdict on the lab, or the journal cannot be read.
    """
    found = _read(course, lambda journal: (_entries(journal, lab), journal.faults(lab.name)))
    if found is None or not found[0]:
        raise LabError(
            f"no verdict on {lab.name} is kept here: grade it with course grade {lab.name} "
            f"(what nbgrader autograde has graded, nbgrader generate_feedback {lab.name} shows)"
        )
    return found


def _entries(journal: Journal, lab: Lab) -> dict[str, Entry]:
    found = {name: journal.entry(lab.name, name) for name in sorted(journal.students(lab.name))}
    return {name: entry for name, entry in found.items() if entry is not None}


def graded_labs(course: Course) -> list[Lab]:
    """The labs of the course that have a verdict.

    Raises:
        LabError: there is none, or the journal cannot be read.
    """
    known = _read(course, lambda journal: journal.labs()) or set()
    labs = [lab for lab in Lab.all_in(course.root) if lab.name in known]
    if not labs:
        raise LabError("no lab was graded here yet: grade one with course grade LAB")
    return labs


def _read(course: Course, read: Callable[[Journal], Found]) -> Found | None:
    state = course.root / ".course"
    if not (state / "journal.db").exists():
        return None
    try:
        with Journal(state, reading=True) as journal:
            return read(journal)
    except sqlite3.Error as error:
        raise LabError(f"the journal cannot be read: {sentence(error)}") from None
