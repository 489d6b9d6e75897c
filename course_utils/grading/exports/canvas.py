"""The file that Canvas's gradebook imports.

Canvas wants Student, ID, SIS User ID, SIS Login ID and Section, in this order, then a column for
each assignment, and a line that begins with Points Possible. It finds people by ID (its own
number), else by the SIS columns, else by name, and an assignment by its title, or by the number in
brackets behind it; a title that it does not know becomes a new assignment.
(``lib/gradebook_importer.rb`` of instructure/canvas-lms reads it.)
"""

from __future__ import annotations

from collections.abc import Sequence

from traitlets import Dict, Enum, Unicode

from course_utils.grading.exports.marks_export import LabMarks, MarksExport, points, shown
from course_utils.grading.roster import Student

_SYSTEM = "canvas-"


class CanvasExport(MarksExport):
    """A column for each lab, or for each exercise; only students who have handed something in."""

    default = "canvas.csv"

    titles = Dict(
        value_trait=Unicode(), key_trait=Unicode(),
        help="Lab → the assignment's title in Canvas, such as 'Lab 2 (4711)'",
    ).tag(config=True)
    student_ids = Enum(
        ["SIS Login ID", "SIS User ID"], "SIS Login ID", help="What the gradebook's ids are"
    ).tag(config=True)

    def rows(self, labs: Sequence[LabMarks], students: Sequence[Student]) -> list[list[object]]:
        columns = [column for lab in labs for column in self._columns(lab)]
        header = ["Student", "ID", "SIS User ID", "SIS Login ID", "Section"]
        return [
            [*header, *(title for title, _, _, _ in columns)],
            ["    Points Possible", *[""] * 4, *(round(worth, 2) for _, worth, _, _ in columns)],
            *(
                [
                    *self._who(student, labs),
                    *(_score(lab, cell, student) for _, _, lab, cell in columns),
                ]
                for student in students
                if any(student.id in lab.students for lab in labs)
            ),
        ]

    def _columns(self, lab: LabMarks) -> list[tuple[str, float, LabMarks, str]]:
        title = self.titles.get(lab.name, lab.name)
        if not self.per_exercise:
            return [(title, lab.max_score, lab, "")]
        plain = title.rpartition(" (")[0] or title
        return [(f"{plain}: {shown(name)}", worth, lab, name) for name, worth in lab.cells.items()]

    def _who(self, student: Student, labs: Sequence[LabMarks]) -> list[object]:
        collected = [lab.records[student.id] for lab in labs if student.id in lab.records]
        ids = [student.id, *(record.id for record in collected)]
        own = [name.removeprefix(_SYSTEM) for name in ids if name.startswith(_SYSTEM)]
        number = next((name for name in own if name.isdecimal()), "")
        theirs = "" if student.id.startswith(_SYSTEM) else student.id
        names = ", ".join(filter(None, (student.last_name, student.first_name)))
        named = names or next((record.name for record in collected), "") or student.id
        user, login = (theirs, "") if self.student_ids == "SIS User ID" else ("", theirs)
        return [named, number, user, login, ""]


def _score(lab: LabMarks, cell: str, student: Student) -> float | None:
    marks = lab.students.get(student.id)
    if marks is None:
        return None
    return points(marks.cells.get(cell)) if cell else marks.total.score
