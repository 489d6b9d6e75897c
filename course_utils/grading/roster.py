"""Who is in the class: the gradebook's students, and those of a CSV file."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from course_utils.grading import spreadsheet
from course_utils.ground.errors import LabError

_ALSO_CALLED = {
    "student": "id", "student_id": "id", "username": "id",
    "last name": "last_name", "surname": "last_name",
    "first name": "first_name", "given name": "first_name",
    "e-mail": "email", "email address": "email",
}  # fmt: skip


@dataclass(frozen=True)
class Student:
    """A student as nbgrader keeps one."""

    id: str
    last_name: str = ""
    first_name: str = ""
    email: str = ""


def read_roster(path: Path) -> list[Student]:
    """The students of a CSV file with a column ``id`` and, if you like, ``last_name``,
    ``first_name`` and ``email`` (what ``nbgrader db student import`` reads); a report's CSV file
    is one, and gives the ids back that it has made inert.

    Raises:
        LabError: the file cannot be read, or has no such column.
    """
    try:
        rows = spreadsheet.read(path)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise LabError(f"the roster {path} cannot be read: {error}") from None
    header = [_plain(name) for name in rows[0]] if rows else []
    if "id" not in header:
        raise LabError(
            f"the roster {path} has no column 'id' (its first line: {', '.join(header) or 'empty'})"
        )
    students = []
    for number, row in enumerate(rows[1:], 2):
        found = dict(zip(header, (cell.strip() for cell in row), strict=False))
        if not any(found.values()):
            continue
        if not found.get("id"):
            raise LabError(f"line {number} of the roster {path} has no id")
        students.append(
            Student(
                found["id"], found.get("last_name", ""), found.get("first_name", ""),
                found.get("email", ""),
            )
        )  # fmt: skip
    return students


def enter_students(gradebook: Any, roster: Iterable[Student]) -> None:
    """Make students known to nbgrader's gradebook, or their names."""
    for student in roster:
        known = {"last_name": student.last_name, "first_name": student.first_name,
                 "email": student.email}  # fmt: skip
        gradebook.update_or_create_student(
            student.id, **{name: value for name, value in known.items() if value}
        )


def known_students(gradebook: Any) -> list[Student]:
    """Whom nbgrader's gradebook knows."""
    return [
        Student(one.id, one.last_name or "", one.first_name or "", one.email or "")
        for one in gradebook.students
    ]


def _plain(name: str) -> str:
    name = name.strip().casefold()
    return _ALSO_CALLED.get(name, name)
