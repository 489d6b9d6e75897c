"""The one writer: verdicts into nbgrader's gradebook, ``autograded/`` and ``feedback/``.

Everything lands where nbgrader would put it, so that formgrader, manual grading,
``generate_feedback`` and ``export`` go on from there. Writing a verdict twice is the same as
writing it once.
"""

from __future__ import annotations

import json
import os
import shutil
import warnings
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import nbformat
from nbgrader.api import Gradebook, MissingEntry
from nbgrader.preprocessors import AssignLatePenalties
from sqlalchemy.exc import SAWarning

from course_utils.grading import feedback
from course_utils.grading.course import Course
from course_utils.grading.database import read_only
from course_utils.grading.marks import stamped, write_marks
from course_utils.grading.reading.companions import copy_companions
from course_utils.grading.roster import Student
from course_utils.grading.standing import read_marks
from course_utils.grading.submissions import folder_of, submitted_at
from course_utils.grading.totals import StudentMarks
from course_utils.ground import strict_json
from course_utils.ground.cells import grade_id, source
from course_utils.ground.errors import LabError
from course_utils.ground.lab import Lab
from course_utils.ground.statuses import Reason
from course_utils.verdict.submission import Notice, SubmissionResult


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

    def marks(self, student: str = "") -> dict[str, StudentMarks]:
        """What the gradebook holds now, of one student or of all."""
        self._gradebook.db.rollback()  # see what others have written meanwhile
        return read_marks(self._gradebook, self._lab, student)

    def students(self) -> dict[str, tuple[str, str]]:
        """The gradebook's students: id → last and first name, empty where they are not known."""
        return {
            student.id: (student.last_name or "", student.first_name or "")
            for student in self._gradebook.students
        }

    def enter_students(self, roster: Iterable[Student]) -> None:
        """Make students known to the gradebook, or their names."""
        for student in roster:
            known = {"last_name": student.last_name, "first_name": student.first_name,
                     "email": student.email}  # fmt: skip
            self._gradebook.update_or_create_student(
                student.id, **{name: value for name, value in known.items() if value}
            )

    def write(self, result: SubmissionResult) -> tuple[SubmissionResult, StudentMarks]:
        """Store one submission's marks, its notebook as it ran, and its feedback page.

        Returns:
            The verdict with what was noticed of its date, and what the gradebook holds then.
        """
        self._gradebook.db.rollback()
        student = result.student
        moment, notices = submitted_at(folder_of(self._course, self._lab, student))
        result = result.noting(notices)
        # Where the date cannot be read, an earlier one must not go on counting.
        dated = {"timestamp": moment} if moment or notices else {}
        submission = self._enter_submission(student, dated)
        notebook = stamped(self._gradebook, self._lab, result)
        earlier = self._answers_before(student)
        write_marks(self._gradebook, self._lab, result, notebook, earlier)
        # A penalty of an earlier run may have to go: a new date, an extension.
        if submission.total_seconds_late > 0 or submission.late_submission_penalty:
            self._apply_late_penalty(student, notebook)
        self._write_notebook(result, notebook)
        marks = self.marks(student)[student]
        result = late_noted(result, marks)
        self.write_page(result, marks)
        return result, marks

    def write_page(self, result: SubmissionResult, marks: StudentMarks) -> bool:
        """Store a student's feedback page; whether it is another one than before."""
        result = late_noted(result, marks)
        text = feedback.page(result, marks).encode("utf-8", errors="replace")
        folder = self._course.folder("feedback", result.student, self._lab.name)
        path = folder / f"{self._lab.notebook_id}.html"
        if path.is_file() and path.read_bytes() == text:
            return False
        with _replacing(folder) as fresh:
            (fresh / path.name).write_bytes(text)
        return True

    def _enter_submission(self, student: str, dated: Mapping[str, Any]) -> Any:
        with warnings.catch_warnings():
            # SQLAlchemy remarks on the order in which nbgrader links its new rows.
            warnings.simplefilter("ignore", SAWarning)
            self._gradebook.update_or_create_student(student)
            return self._gradebook.update_or_create_submission(self._lab.name, student, **dated)

    def _answers_before(self, student: str) -> dict[str, str]:
        """Cell → what the student had written in it when it was graded last."""
        path = self._course.folder("autograded", student, self._lab.name)
        _bring_back(path)
        try:
            text = (path / self._lab.notebook_path.name).read_text("utf-8")
            return {grade_id(cell): source(cell) for cell in json.loads(text)["cells"]}
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return {}  # never graded, or somebody has put another file there

    def _write_notebook(self, result: SubmissionResult, notebook: Any) -> None:
        names = result.student, self._lab.name
        with _replacing(self._course.folder("autograded", *names)) as fresh:
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


def _let_others_read(gradebook: Gradebook) -> None:
    """SQLite's write-ahead mode: formgrader may read while a class is graded."""
    if gradebook.engine.dialect.name == "sqlite":
        with gradebook.engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA journal_mode = WAL")


@contextmanager
def _replacing(folder: Path) -> Iterator[Path]:
    """A folder to be filled, which then takes the place of another one as a whole."""
    _bring_back(folder)
    fresh = folder.with_name(f".{folder.name}.new")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    yield fresh
    for path in (*fresh.rglob("*"), fresh):
        _to_disk(path)
    old = _set_aside(folder)
    shutil.rmtree(old, ignore_errors=True)
    if folder.exists():
        os.replace(folder, old)
    os.replace(fresh, folder)
    shutil.rmtree(old, ignore_errors=True)


def _set_aside(folder: Path) -> Path:
    return folder.with_name(f".{folder.name}.old")


def _bring_back(folder: Path) -> None:
    """Undo the first half of an exchange that was interrupted in its middle."""
    old = _set_aside(folder)
    if old.is_dir() and not folder.exists():
        os.replace(old, folder)


def _to_disk(path: Path) -> None:
    """Wait until a file is on the disk: after a power cut it must not be empty where it is said to
    be written."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
