"""One verdict after the other into journal, gradebook and files, each by itself.

What cannot be written for what one submission holds, or for what lies where its files should be, is
a fault that concerns this student only: the others have their rows. A gradebook that is lost, or a
full disk, is everybody's and stops the run.
"""

from __future__ import annotations

import errno
import sqlite3
from collections.abc import Callable

from sqlalchemy.exc import DataError, IntegrityError, SQLAlchemyError

from course_utils.grading.classrun.journal import Entry, Journal
from course_utils.grading.classrun.key import Keys
from course_utils.grading.classrun.patience import PatientGradebook
from course_utils.grading.gradebook import GradebookWriter
from course_utils.grading.totals import StudentMarks
from course_utils.ground.errors import LabError, RunError, SandboxError
from course_utils.ground.phases import phase
from course_utils.ground.statuses import SubmissionStatus
from course_utils.verdict.submission import SubmissionResult

_EVERYBODYS = (SQLAlchemyError, sqlite3.Error, OSError, MemoryError, RunError, LabError,
               SandboxError)  # fmt: skip
# Errors about the one path that was asked for.
_OF_A_PATH = {
    errno.ENAMETOOLONG, errno.ENOTDIR, errno.EISDIR, errno.EEXIST, errno.ENOTEMPTY, errno.EACCES,
    errno.EPERM, errno.ELOOP, errno.EINVAL, errno.EILSEQ,
}  # fmt: skip

# A verdict, and the marks that are written; none where a fault came in the way.
Recorded = tuple[SubmissionResult, StudentMarks | None]


def concerns_one(error: Exception) -> bool:
    """Whether an error on a student's way into the gradebook says nothing about the next one's."""
    if isinstance(error, OSError):
        return error.errno in _OF_A_PATH
    return isinstance(error, DataError | IntegrityError) or not isinstance(error, _EVERYBODYS)


class Recording:
    """Takes down what was graded.

    Args:
        journal, gradebook: where.
        keys: of what the verdicts rest on.

    Attributes:
        faults: the results of students whose submission met a fault of the grader's.
    """

    def __init__(self, journal: Journal, gradebook: PatientGradebook, keys: Keys) -> None:
        self._journal, self._gradebook, self._keys = journal, gradebook, keys
        self.faults: dict[str, SubmissionResult] = {}

    def enter(self, run: int, digest: str, result: SubmissionResult) -> Recorded:
        """Take down a new verdict, first of all in the journal.

        Args:
            run, digest: as the journal keeps them.
            result: the verdict.

        Returns:
            The verdict as it stands now, and what the gradebook holds; no marks where a fault
            came in the way.
        """
        if result.status is SubmissionStatus.INTERNAL_ERROR:
            return self._miss(result, f"not graded, the earlier mark stands: {result.message}")
        try:
            with phase("journal"):
                self._journal.add(run, digest, result, self._keys)
        except Exception as error:
            if not concerns_one(error):
                raise
            return self._miss(result, _told(error))
        return self.write(result)

    def write(self, result: SubmissionResult) -> Recorded:
        """Write a verdict of the journal's; else as :meth:`enter`."""
        return self._written(result, GradebookWriter.write)

    def _written(
        self,
        result: SubmissionResult,
        write: Callable[[GradebookWriter, SubmissionResult], tuple[SubmissionResult, StudentMarks]],
    ) -> Recorded:
        try:
            with phase("gradebook and files"):
                written, marks = self._gradebook.do(lambda writer: write(writer, result))
            with phase("journal"):
                self._journal.mark_written(written)
        except Exception as error:
            if not concerns_one(error):
                raise
            return self._miss(result, _told(error))
        return written.without_notebook(), marks

    def renew(self, entry: Entry, known: StudentMarks | None) -> Recorded:
        """See to a verdict that stands; else as :meth:`enter`.

        Args:
            entry: the journal's.
            known: what the gradebook holds of the student.
        """
        result = entry.result
        if not entry.written or known is None:
            return self.write(result)
        if self._gradebook.do(lambda writer: writer.is_in_time(result, known)):
            return result, known
        return self._written(result, GradebookWriter.renew)

    def _miss(self, result: SubmissionResult, cause: str) -> Recorded:
        missed = result.missed(cause)
        self.faults[result.student] = missed
        self._journal.add_fault(missed)
        return missed, None


def _told(error: Exception) -> str:
    return (
        "graded, but not all of it could be written; the same command tries it again: "
        f"{type(error).__name__}: {error}"
    )
