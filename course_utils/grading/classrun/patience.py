"""A gradebook that may be busy, or away for a while: what is done with it is tried again."""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Callable, Sequence
from typing import TypeVar

from nbgrader.api import InvalidEntry
from sqlalchemy import make_url
from sqlalchemy.exc import DataError, SQLAlchemyError

from course_utils.grading.assignment import enter
from course_utils.grading.classrun.events import Tell, Waiting
from course_utils.grading.course import Course
from course_utils.grading.gradebook import GradebookWriter
from course_utils.grading.standing import MarksInTurn
from course_utils.ground.lab import Lab

T = TypeVar("T")

PAUSE_SECONDS = 0.5
# No second try changes these.
_HOPELESS = (
    "readonly", "read-only", "disk is full", "no such table", "malformed", "not a database",
    "unable to open", "permission denied", "no space left",
)  # fmt: skip


class PatientGradebook:
    """Opens a course's gradebook when it is needed, and anew when it was lost.

    Args:
        course, lab: whose.
        seconds: how long it is tried.
        tell: is told of waiting.
        reading: nothing is to be written; a lab that is not in the gradebook is an error then.
    """

    def __init__(
        self, course: Course, lab: Lab, seconds: float, tell: Tell, *, reading: bool = False
    ) -> None:
        self._course, self._lab = course, lab
        self._seconds = seconds
        self._tell = tell
        self._reading = reading
        self._writer: GradebookWriter | None = None
        self._file: tuple[int, int] | None = None

    def __enter__(self) -> PatientGradebook:
        return self

    def __exit__(self, *exception: object) -> None:
        self._close()

    def do(self, action: Callable[[GradebookWriter], T]) -> T:
        """Do something with the gradebook; again and again, while that may help.

        Raises:
            LabError: the lab cannot be entered in the gradebook.
            SQLAlchemyError: it did not help.
            OSError: the gradebook's file is no more where it was.
        """
        deadline = time.monotonic() + self._seconds
        while True:
            try:
                if self._writer is None:
                    if not self._reading:
                        enter(self._course, self._lab)
                    self._writer = GradebookWriter(
                        self._course, self._lab, reading=self._reading
                    )
                    self._file = self._identity()
                done = action(self._writer)
                if self._identity() != self._file:
                    # An open file goes on taking what nobody will ever find in it.
                    raise FileNotFoundError(
                        errno.ENOENT, "the gradebook was moved or replaced while a class was graded"
                    )
                return done
            except (SQLAlchemyError, InvalidEntry) as error:
                self._close()
                cause = _of_the_database(error)
                said = str(cause).lower()
                hopeless = isinstance(cause, DataError) or any(word in said for word in _HOPELESS)
                if hopeless or time.monotonic() > deadline:
                    raise cause from None
                self._tell(Waiting())
                time.sleep(PAUSE_SECONDS)

    def marks_in_turn(self, students: Sequence[str]) -> MarksInTurn:
        """Students' marks, for whoever goes through them in this order."""
        return MarksInTurn(students, lambda some: self.do(lambda writer: writer.marks(some)))

    def _identity(self) -> tuple[int, int] | None:
        """Which file lies at the place of a SQLite gradebook; None for none, and for a server."""
        url = make_url(self._course.db_url)
        if url.get_backend_name() != "sqlite" or not url.database:
            return None
        try:
            found = os.stat(url.database)
        except FileNotFoundError:
            return None
        return found.st_dev, found.st_ino

    def _close(self) -> None:
        if self._writer is not None:
            self._writer.close()
            self._writer = None


def _of_the_database(error: Exception) -> SQLAlchemyError:
    """The database's own error, which nbgrader often puts into one of its own."""
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, SQLAlchemyError):
        cause = cause.__cause__ or cause.__context__
    if cause is None:
        raise error
    return cause
