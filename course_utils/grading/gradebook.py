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
from nbgrader.api import Gradebook, MissingEntry
from nbgrader.preprocessors import AssignLatePenalties
from sqlalchemy.exc import SAWarning

from course_utils.grading import feedback
from course_utils.grading.course import Course
from course_utils.grading.marks import stamped, write_marks
from course_utils.grading.submissions import copy_companions, submitted_at
from course_utils.lab import Lab, LabError
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
            self._gradebook.find_notebook(lab.notebook_id, lab.name)
        except MissingEntry:
            self._gradebook.close()
            raise LabError(
                f"{lab.name} is not in the gradebook; release it first: course release {lab.name}"
            ) from None

    def __enter__(self) -> GradebookWriter:
        return self

    def __exit__(self, *exception: object) -> None:
        self._gradebook.close()

    def write(self, result: SubmissionResult) -> None:
        """Store one submission's marks, its notebook as it ran, and its feedback page."""
        student, lab = result.student, self._lab
        folder = self._course.folder("submitted", student, lab.name)
        timestamp, notices = submitted_at(folder)
        result.notices += notices
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
        write_marks(self._gradebook, lab, result)
        notebook = stamped(self._gradebook, lab, result)
        self._write_files(result, notebook)
        if late:
            self._apply_late_penalty(student, notebook)

    def _write_files(self, result: SubmissionResult, notebook: Any) -> None:
        names = result.student, self._lab.name
        autograded = self._fresh(self._course.folder("autograded", *names))
        if notebook is not None:
            # The student's own metadata may be anything; the folder must hold a valid notebook.
            text = json.dumps(notebook, ensure_ascii=False, indent=1)
            target = autograded / self._lab.notebook_path.name
            target.write_text(text, "utf-8", errors="replace")
        stamp = self._course.folder("submitted", *names) / "timestamp.txt"
        copy_companions(stamp.parent, autograded)
        if submitted_at(stamp.parent)[0]:
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
