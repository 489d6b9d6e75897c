"""A plain table for everything else: a line for each student and lab, or for each exercise."""

from __future__ import annotations

from collections.abc import Sequence

from course_utils.grading.exports.marks_export import LabMarks, MarksExport, points, shown
from course_utils.grading.roster import Student
from course_utils.grading.totals import StudentMarks, Total


class TableExport(MarksExport):
    """Everybody whom the gradebook knows; who has handed nothing in has no numbers."""

    def rows(self, labs: Sequence[LabMarks], students: Sequence[Student]) -> list[list[object]]:
        who = ["assignment", "student_id", "last_name", "first_name", "email"]
        what = ["exercise", "score", "max_score", "to_grade"] if self.per_exercise else list(
            Total().to_dict()
        )  # fmt: skip
        return [
            [*who, *what],
            *(
                [lab.name, student.id, student.last_name, student.first_name, student.email, *line]
                for lab in labs for student in students
                for line in self._lines(lab, student)
            ),
        ]  # fmt: skip

    def _lines(self, lab: LabMarks, student: Student) -> list[list[object]]:
        marks = lab.students.get(student.id)
        if not self.per_exercise:
            total = (marks or StudentMarks()).total.to_dict()
            return [[value if marks else None for value in total.values()]]
        cells = marks.cells if marks else {}
        return [
            [shown(name), points(cells.get(name)), worth, int(cells[name].to_grade)]
            if name in cells else [shown(name), None, worth, None]
            for name, worth in lab.cells.items()
        ]  # fmt: skip
