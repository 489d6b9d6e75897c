"""The grading worksheet of one of Moodle's assignments, filled in.

Moodle finds people by Identifier (Participant and the number that it uses in this assignment), and
wants the columns Identifier, Grade and "Last modified (grade)", under the names that they have in
the site's language; of the others it reads "Feedback comments". (``mod/assign/feedback/offline`` of
moodle/moodle reads it.) For whom the number is not known, since nothing was collected from Moodle,
there is the address, by which the import of the course's gradebook finds people.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from traitlets import List, Unicode

from course_utils.grading.exports.marks_export import LabMarks, MarksExport, points, shown
from course_utils.grading.reading.naming import listed
from course_utils.grading.roster import Student
from course_utils.grading.totals import StudentMarks

_SYSTEM = "moodle-"


class MoodleExport(MarksExport):
    """One lab's totals, with the points of its exercises as feedback."""

    default = "moodle.csv"

    headings = List(
        Unicode(),
        [
            "Identifier", "Full name", "Email address", "Grade", "Maximum Grade",
            "Last modified (grade)", "Feedback comments",
        ],
        minlen=7, maxlen=7, help="The worksheet's columns, in the language of your Moodle",
    ).tag(config=True)  # fmt: skip
    participant = Unicode(
        "Participant", help="What your Moodle calls somebody in the column Identifier"
    ).tag(config=True)

    def rows(self, labs: Sequence[LabMarks], students: Sequence[Student]) -> list[list[object]]:
        if len(labs) != 1:
            names = ", ".join(lab.name for lab in labs)
            raise self.told(
                f"a worksheet of Moodle's is one assignment's, and these are graded: {names}; say "
                f"which: --assignment \"['{labs[0].name}']\""
            )
        (lab,) = labs
        who = {one.id: self._who(one, lab) for one in students if one.id in lab.students}
        if unknown := [name for name, (number, _, email) in who.items() if not number + email]:
            self.log.warning(
                "of %s Moodle is told neither number nor address; course collect finds the one, a "
                "roster holds the other", listed(unknown),
            )  # fmt: skip
        marks = lab.students
        rows = [[*shown_as, *_marks(marks[name], lab.max_score)] for name, shown_as in who.items()]
        return [list(self.headings), *rows]

    def _who(self, student: Student, lab: LabMarks) -> tuple[str, str, str]:
        record = lab.records.get(student.id)
        own = record.id if record and record.system == "moodle" else student.id
        known = own.startswith(_SYSTEM)
        identifier = f"{self.participant} {own.removeprefix(_SYSTEM)}" if known else ""
        return identifier, f"{student.first_name} {student.last_name}".strip(), student.email


def _marks(marks: StudentMarks, max_score: float) -> list[object]:
    return [marks.total.score, max_score, "", _feedback(marks)]


def _feedback(marks: StudentMarks) -> str:
    """What the total is made of, in a line; Moodle reads it as HTML."""
    parts = []
    for name, cell in marks.cells.items():
        score = points(cell)
        given = "not graded yet" if score is None else f"{score:g}/{cell.max_score:g}"
        parts.append(f"{escape(shown(name))} {given}")
    if marks.total.penalty:
        parts.append(f"lateness −{marks.total.penalty:g}")
    return " · ".join(parts)
