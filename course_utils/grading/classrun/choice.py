"""Which submissions of a class a run is about."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum

from course_utils.grading.classroom import digest
from course_utils.grading.classrun.journal import Entry
from course_utils.grading.course import Course
from course_utils.grading.reading.unreadable import UnreadableError
from course_utils.grading.submissions import Submission, find_submissions
from course_utils.ground.errors import LabError
from course_utils.ground.lab import Lab
from course_utils.ground.statuses import SubmissionStatus


class Only(StrEnum):
    """A part of a class."""

    CHANGED = "changed"
    UNGRADED = "ungraded"
    FAILED = "failed"


@dataclass(frozen=True)
class Choice:
    """What was asked for.

    Attributes:
        students: only these, by id; all where there are none.
        only: of these, only the ones whose submission changed, that have no verdict yet, or whose
            grading did not end well.
    """

    students: tuple[str, ...] = ()
    only: Only | None = None

    @property
    def whole(self) -> bool:
        """Whether it is the whole class."""
        return not self.students and self.only is None

    def submissions(self, course: Course, lab: Lab) -> list[Submission]:
        """The submissions of the students who are asked for.

        Raises:
            LabError: there are none, or none of a student who is named.
        """
        found = find_submissions(course, lab)
        if not found:
            raise LabError(f"there are no submissions under {course.root}/submitted/*/{lab.name}")
        unknown = set(self.students) - {submission.student for submission in found}
        if unknown:
            names = ", ".join(sorted(unknown))
            raise LabError(f"there is no submission of {names} for {lab.name}")
        return [s for s in found if not self.students or s.student in self.students]

    def narrowed(
        self,
        submissions: Sequence[Submission],
        entry_of: Callable[[str], Entry | None],
        faults: Collection[str],
    ) -> list[Submission]:
        """Of some submissions, those that ``only`` leaves.

        Args:
            submissions: of the students who are asked for.
            entry_of: gives the journal's last verdict on a student.
            faults: students whose last grading met a fault of the grader's.
        """
        if self.only is None:
            return list(submissions)
        return [
            submission for submission in submissions
            if self._asks_for(
                submission, entry_of(submission.student), submission.student in faults
            )
        ]  # fmt: skip

    def _asks_for(self, submission: Submission, entry: Entry | None, failed: bool) -> bool:
        if self.only is Only.FAILED:
            return failed or (
                entry is not None and entry.result.status is not SubmissionStatus.GRADED
            )
        if self.only is Only.UNGRADED:
            return failed or entry is None
        return entry is None or entry.digest != digest_of(submission)


def digest_of(submission: Submission) -> str:
    """The checksum of the file that lies there now; empty where none can be read."""
    try:
        return digest(submission.read())
    except (UnreadableError, OSError):
        return ""
