"""The one writer: verdicts into nbgrader's gradebook, ``autograded/`` and ``feedback/``.

Everything lands where nbgrader would put it, so that formgrader, manual grading,
``generate_feedback`` and ``export`` go on from there.
"""

from __future__ import annotations

import json
import shutil
import warnings
from pathlib import Path
from typing import Any

import nbformat
from nbgrader import utils
from nbgrader.api import Gradebook, MissingEntry
from nbgrader.preprocessors import AssignLatePenalties
from sqlalchemy.exc import SAWarning

from course_utils.grading import feedback
from course_utils.grading.course import Course
from course_utils.lab import CHECK_PREFIX, Lab, LabError, grade_id
from course_utils.outcome import Notice, Reason, SubmissionResult


class GradebookWriter:
    """Writes one lab's results; use it as a context manager.

    Raises:
        LabError: the lab is not in the gradebook yet.
    """

    def __init__(self, course: Course, lab: Lab) -> None:
        self._course = course
        self._lab = lab
        self._gradebook = Gradebook(course.db_url, course.course_id)
        try:
            notebook = self._gradebook.find_notebook(lab.notebook_id, lab.name)
        except MissingEntry:
            self._gradebook.close()
            raise LabError(
                f"{lab.name} is not in the gradebook; release it first: course release {lab.name}"
            ) from None
        self._checksums = {cell.name: cell.checksum for cell in notebook.source_cells}

    def __enter__(self) -> GradebookWriter:
        return self

    def __exit__(self, *exception: object) -> None:
        self._gradebook.close()

    def write(self, result: SubmissionResult) -> None:
        """Store one submission's marks, its notebook as it ran, and its feedback page."""
        student, lab = result.student, self._lab
        timestamp = self._course.directory.get_existing_timestamp(
            str(self._course.folder("submitted", student, lab.name))
        )
        extra = {"timestamp": timestamp} if timestamp else {}
        with warnings.catch_warnings():
            # SQLAlchemy remarks on the order in which nbgrader links its new rows.
            warnings.simplefilter("ignore", SAWarning)
            self._gradebook.update_or_create_student(student)
            submission = self._gradebook.update_or_create_submission(lab.name, student, **extra)
        late = submission.total_seconds_late > 0
        if late:
            result.notices.append(
                Notice(Reason.LATE, f"submitted {submission.total_seconds_late:.0f} s late")
            )
        notebook = self._notebook(result)
        self._write_grades(result, notebook)
        self._write_files(result, notebook)
        if late:
            self._apply_late_penalty(student, notebook)

    def _notebook(self, result: SubmissionResult) -> Any:
        """The graded notebook with nbgrader's checksums, or None where there is none."""
        if result.notebook is None:
            return None
        for cell in result.notebook["cells"]:
            name = grade_id(cell)
            if name in self._checksums:
                cell["metadata"]["nbgrader"]["checksum"] = self._checksums[name]
        return nbformat.from_dict(result.notebook)

    def _write_grades(self, result: SubmissionResult, notebook: Any) -> None:
        scores = {CHECK_PREFIX + exercise.name: exercise.score for exercise in result.exercises}
        cells = {} if notebook is None else {grade_id(cell): cell for cell in notebook.cells}
        submitted = self._gradebook.find_submission_notebook(
            self._lab.notebook_id, self._lab.name, result.student
        )
        for grade in submitted.grades:
            if grade.name.startswith(CHECK_PREFIX) or grade.name not in cells:
                grade.auto_score = scores.get(grade.name, 0.0)
            else:  # a written answer: 0 where it was left empty, else for a person to grade
                grade.auto_score = utils.determine_grade(cells[grade.name])[0]
            grade.needs_manual_grade = grade.manual_score is not None or grade.auto_score is None
        for comment in submitted.comments:
            cell = cells.get(comment.name)
            unchanged = cell is not None and cell.metadata.nbgrader.get(
                "checksum"
            ) == utils.compute_checksum(cell)
            comment.auto_comment = "No response." if unchanged else None
        self._gradebook.db.commit()

    def _write_files(self, result: SubmissionResult, notebook: Any) -> None:
        names = result.student, self._lab.name
        autograded = self._fresh(self._course.folder("autograded", *names))
        if notebook is not None:
            # The student's own metadata may be anything; the folder must hold a valid notebook.
            text = json.dumps(notebook, ensure_ascii=False, indent=1)
            target = autograded / self._lab.notebook_path.name
            target.write_text(text, "utf-8", errors="replace")
        stamp = self._course.folder("submitted", *names) / "timestamp.txt"
        if stamp.is_file():
            shutil.copyfile(stamp, autograded / stamp.name)
        page = self._fresh(self._course.folder("feedback", *names)) / (
            f"{self._lab.notebook_id}.html"
        )
        page.write_text(feedback.page(result), "utf-8", errors="replace")

    @staticmethod
    def _fresh(folder: Path) -> Path:
        """An empty folder in place of what an earlier run (ours or nbgrader's) has left."""
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        return folder

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
