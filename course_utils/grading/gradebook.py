"""The one writer: verdicts into nbgrader's gradebook, ``autograded/`` and ``feedback/``.

Everything lands where nbgrader would put it, so that formgrader, manual grading,
``generate_feedback`` and ``export`` go on from there. Writing a verdict twice is the same as
writing it once.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import nbformat
from nbgrader.api import Gradebook, MissingEntry, Student
from nbgrader.preprocessors import AssignLatePenalties
from sqlalchemy import select
from sqlalchemy.exc import SAWarning

from course_utils.grading import feedback
from course_utils.grading.course import Course
from course_utils.grading.database import add_indexes, read_only
from course_utils.grading.marks import stamped, write_marks
from course_utils.grading.reading.companions import copy_companions, exchange_files
from course_utils.grading.replacing import bring_back, replacing
from course_utils.grading.roster import Student as Known
from course_utils.grading.roster import enter_students
from course_utils.grading.rubrics import are_dropped
from course_utils.grading.standing import read_marks
from course_utils.grading.submissions import folder_of, submitted_at
from course_utils.grading.totals import StudentMarks
from course_utils.ground import strict_json
from course_utils.ground.cells import grade_id, source
from course_utils.ground.errors import LabError
from course_utils.ground.lab import Lab
from course_utils.ground.statuses import Reason
from course_utils.verdict.submission import Notice, SubmissionResult

_OF_THE_DATE = (Reason.LATE, Reason.TIMESTAMP_UNREADABLE)


class GradebookWriter:
    """Writes one lab's results; use it as a context manager.

    Args:
        course, lab: whose.
        reading: nothing will be written; the gradebook is opened so that nothing can be.

    Attributes:
        max_score: what the lab is worth, written answers included.

    Raises:
        LabError: the lab is not in the gradebook.
        sqlalchemy.exc.SQLAlchemyError: the gradebook cannot be opened, or, later, be written.
    """

    def __init__(self, course: Course, lab: Lab, *, reading: bool = False) -> None:
        self._course = course
        self._lab = lab
        url = read_only(course.db_url) if reading else course.db_url
        self._gradebook = Gradebook(url, course.course_id)
        if not reading:
            _let_others_read(self._gradebook)
        try:
            notebook = self._gradebook.find_notebook(lab.notebook_id, lab.name)
        except MissingEntry:
            self._gradebook.close()
            raise LabError(
                f"{lab.name} is not in the gradebook; release it first: course release {lab.name}"
            ) from None
        self.max_score = float(notebook.max_score)

    def __enter__(self) -> GradebookWriter:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        self._gradebook.close()

    def marks(self, students: Sequence[str] | None = None) -> dict[str, StudentMarks]:
        """What the gradebook holds now, of some students or of all."""
        self._gradebook.db.rollback()  # see what others have written meanwhile
        order = [grade_id(cell) for cell in self._lab.notebook["cells"]]
        return read_marks(self._gradebook, self._lab.name, students, order)

    def students(self) -> dict[str, tuple[str, str]]:
        """The gradebook's students: id → last and first name, empty where they are not known."""
        query = select(Student.id, Student.last_name, Student.first_name)
        unknown = "", ""  # one for all of a large class
        return {
            name: (last or "", first or "") if last or first else unknown
            for name, last, first in self._gradebook.db.execute(query)
        }

    def add_indexes(self) -> None:
        """Let a large class be written quickly; see :func:`~.database.add_indexes`."""
        self._gradebook.db.rollback()
        add_indexes(self._gradebook.engine)

    def enter_students(self, roster: Iterable[Known]) -> None:
        """Make students known to the gradebook, or their names."""
        enter_students(self._gradebook, roster)

    def write(self, result: SubmissionResult) -> tuple[SubmissionResult, StudentMarks]:
        """Store one submission's marks, its notebook as it ran, and its feedback page.

        Returns:
            The verdict with what was noticed of its date, and what the gradebook holds then.
        """
        result, submission = self._dated(result)
        student = result.student
        rubrics = are_dropped(self._course.config)
        notebook = stamped(self._gradebook, self._lab, result, rubrics=rubrics)
        earlier = self._answers_before(student)
        write_marks(self._gradebook, self._lab, result, notebook, earlier)
        self._put_penalty_right(submission, student, notebook)
        self._write_notebook(result, notebook)
        return self._written(result)

    def is_in_time(self, result: SubmissionResult, marks: StudentMarks) -> bool:
        """Whether a submission came in time by all that is known: what was noticed of it, the date
        that the gradebook holds, and that in its folder. Else renewing it may change something."""
        moment, notices = submitted_at(folder_of(self._course, self._lab, result.student))
        noticed = any(notice.code in _OF_THE_DATE for notice in (*result.notices, *notices))
        late = bool(marks.seconds_late or marks.penalty)
        return not noticed and not late and moment == marks.handed_in

    def renew(self, result: SubmissionResult) -> tuple[SubmissionResult, StudentMarks]:
        """Bring date, penalty and page of a verdict that stands up to date; else as
        :meth:`write`."""
        others = tuple(notice for notice in result.notices if notice.code not in _OF_THE_DATE)
        result, submission = self._dated(replace(result, notices=others))
        self._put_penalty_right(submission, result.student, None)
        return self._written(result)

    def _dated(self, result: SubmissionResult) -> tuple[SubmissionResult, Any]:
        """Enter a submission with its date: the verdict with what was noticed of that, the row."""
        self._gradebook.db.rollback()
        moment, notices = submitted_at(folder_of(self._course, self._lab, result.student))
        # Where the date cannot be read, an earlier one must not go on counting.
        dated = {"timestamp": moment} if moment or notices else {}
        return result.noting(notices), self._enter_submission(result.student, dated)

    def _put_penalty_right(self, submission: Any, student: str, notebook: Any) -> None:
        # A penalty of an earlier run may have to go: a new date, an extension.
        if submission.total_seconds_late > 0 or submission.late_submission_penalty:
            self._apply_late_penalty(student, notebook)

    def _written(self, result: SubmissionResult) -> tuple[SubmissionResult, StudentMarks]:
        """The verdict and the marks as they stand now, the page written."""
        marks = self.marks([result.student])[result.student]
        result = late_noted(result, marks)
        self.write_page(result, marks)
        return result, marks

    def write_page(self, result: SubmissionResult, marks: StudentMarks) -> bool:
        """Store a student's feedback page, with what nbgrader's exchange wants beside it; whether
        it is another one than before."""
        result = late_noted(result, marks)
        text = feedback.page(result, marks).encode("utf-8", errors="replace")
        folder = self._course.folder("feedback", result.student, self._lab.name)
        page = f"{self._lab.notebook_id}.html"
        graded = self._course.folder("autograded", result.student, self._lab.name)
        files = exchange_files(graded) | {page: text}
        known = {name: _held(folder / name) for name in files}
        if known != files:
            with replacing(folder) as fresh:
                for name, data in files.items():
                    (fresh / name).write_bytes(data)
        return known[page] != text

    def _enter_submission(self, student: str, dated: Mapping[str, Any]) -> Any:
        with warnings.catch_warnings():
            # SQLAlchemy remarks on the order in which nbgrader links its new rows.
            warnings.simplefilter("ignore", SAWarning)
            self._gradebook.update_or_create_student(student)
            return self._gradebook.update_or_create_submission(self._lab.name, student, **dated)

    def _answers_before(self, student: str) -> dict[str, str]:
        """Cell → what the student had written in it when it was graded last."""
        path = self._course.folder("autograded", student, self._lab.name)
        bring_back(path)
        try:
            text = (path / self._lab.notebook_path.name).read_text("utf-8")
            return {grade_id(cell): source(cell) for cell in json.loads(text)["cells"]}
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return {}  # never graded, or somebody has put another file there

    def _write_notebook(self, result: SubmissionResult, notebook: Any) -> None:
        names = result.student, self._lab.name
        with replacing(self._course.folder("autograded", *names)) as fresh:
            if notebook is not None:
                # The student's metadata may be anything; the folder must hold a valid notebook.
                text = strict_json.dumps(notebook, indent=1, ascii_only=False)
                target = fresh / self._lab.notebook_path.name
                target.write_text(text, "utf-8", errors="replace")
            handed_in = folder_of(self._course, self._lab, result.student)
            copy_companions(handed_in, fresh)
            if moment := submitted_at(handed_in)[0]:
                (fresh / "timestamp.txt").write_text(f"{moment} UTC", "utf-8")

    def _apply_late_penalty(self, student: str, notebook: Any) -> None:
        """Let the course's late-submission plugin decide, as ``nbgrader autograde`` does."""
        resources = {
            "nbgrader": {
                "notebook": self._lab.notebook_id,
                "assignment": self._lab.name,
                "student": student,
                "db_url": self._course.db_url,
            }
        }
        AssignLatePenalties(config=self._course.config).preprocess(
            notebook or nbformat.v4.new_notebook(), resources
        )


def late_noted(result: SubmissionResult, marks: StudentMarks) -> SubmissionResult:
    """A result that says that it came late, if the gradebook knows that it did."""
    if marks.seconds_late <= 0 or Reason.LATE in {n.code for n in result.notices}:
        return result
    return result.noting([Notice(Reason.LATE, f"submitted {marks.seconds_late:.0f} s late")])


def _held(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() else None


def _let_others_read(gradebook: Gradebook) -> None:
    """SQLite's write-ahead mode: formgrader may read while a class is graded."""
    if gradebook.engine.dialect.name == "sqlite":
        with gradebook.engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA journal_mode = WAL")
