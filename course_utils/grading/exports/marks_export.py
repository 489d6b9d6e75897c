"""What all exports begin with: the labs' marks, by student, from where they are added up."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nbgrader.plugins import ExportPlugin
from traitlets import Bool

from course_utils.grading import spreadsheet
from course_utils.grading.collecting.collected import Record, read_records
from course_utils.grading.roster import Student, known_students
from course_utils.grading.standing import read_marks
from course_utils.grading.totals import CellMark, StudentMarks
from course_utils.ground.cells import exercise_of


@dataclass(frozen=True)
class LabMarks:
    """What a class has in one lab.

    Attributes:
        records: whom it was collected from, where it was.
    """

    name: str
    max_score: float
    students: dict[str, StudentMarks]
    records: dict[str, Record]

    @property
    def cells(self) -> dict[str, float]:
        """What each exercise and written answer is worth, by the cell's name."""
        return {
            name: cell.max_score
            for marks in self.students.values() for name, cell in marks.cells.items()
        }  # fmt: skip


def shown(cell: str) -> str:
    """A cell's name for people: an exercise's, or a written answer's."""
    return exercise_of(cell) or cell


def points(mark: CellMark | None) -> float | None:
    """What a cell counts; None where nobody has graded it yet."""
    if mark is None or (mark.automatic is None and mark.manual is None and not mark.extra):
        return None
    return round(mark.score, 2)


class MarksExport(ExportPlugin):  # type: ignore[misc]  # nbgrader is untyped
    """Writes a CSV file of what the gradebook holds."""

    default = "grades.csv"

    per_exercise = Bool(False, help="The points of every exercise, not the totals").tag(config=True)

    def export(self, gradebook: Any) -> None:
        """Write the file; a sentence on what a teacher should know goes to the log."""
        labs = self._labs(gradebook)
        path = Path(self.to or self.default)
        header, *rows = self.rows(labs, list(self._students(gradebook)))
        spreadsheet.write(path, [str(name) for name in header], rows)
        self.log.info("Wrote %s", path)
        for lab in labs:
            if waiting := sum(1 for one in lab.students.values() if one.total.to_grade):
                self.log.warning(
                    "%s: %s of %s submissions have answers that a person is still to grade; they "
                    "count 0 so far", lab.name, waiting, len(lab.students),
                )  # fmt: skip

    def rows(self, labs: Sequence[LabMarks], students: Sequence[Student]) -> list[list[object]]:
        """The file, its first line included."""
        raise NotImplementedError

    def _labs(self, gradebook: Any) -> list[LabMarks]:
        known = {assignment.name: assignment for assignment in gradebook.assignments}
        asked = [str(name) for name in self.assignment]
        if missing := [name for name in asked if name not in known]:
            raise self.told(
                f"the gradebook has no {', '.join(missing)} (it has {', '.join(known) or 'none'})"
            )
        root = Path(self.parent.coursedir.root) if self.parent else Path.cwd()
        labs = [
            LabMarks(
                name, float(known[name].max_score), read_marks(gradebook, name),
                read_records(root, name),
            )
            for name in asked or sorted(known)
        ]  # fmt: skip
        graded = [lab for lab in labs if lab.students]
        if not graded:
            raise self.told("nothing is graded yet; course grade LAB does that")
        return graded

    def _students(self, gradebook: Any) -> Iterator[Student]:
        asked = {str(name) for name in self.student}
        for student in known_students(gradebook):
            if not asked or student.id in asked:
                yield student

    def told(self, why: str) -> SystemExit:
        """How a command of nbgrader's ends with a sentence and no traceback."""
        return SystemExit(f"error: {why}")
