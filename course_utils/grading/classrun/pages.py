"""Feedback pages made anew, when people have added marks and comments to the grader's verdicts."""

from __future__ import annotations

from course_utils.grading.classrun.journal import Journal
from course_utils.grading.classrun.locking import holding
from course_utils.grading.course import Course
from course_utils.grading.gradebook import GradebookWriter
from course_utils.lab import Lab, LabError


def renew(course: Course, lab: Lab) -> tuple[int, int]:
    """Write the pages of a lab that are others than before.

    Returns:
        How many, and of how many students.

    Raises:
        LabError: the journal has no verdict on the lab.
        BusyError: a run is at work on the lab.
    """
    state = course.root / ".course"
    with holding(state, lab):
        with Journal(state) as journal:
            entries = journal.entries(lab.name)
        if not entries:
            raise LabError(
                f"no verdict on {lab.name} is kept here: grade it with course grade {lab.name} "
                f"(what nbgrader autograde has graded, nbgrader generate_feedback {lab.name} shows)"
            )
        renewed = 0
        with GradebookWriter(course, lab) as writer:
            marks = writer.marks()
            for student, entry in entries.items():
                if student in marks:
                    renewed += writer.write_page(entry.result, marks[student])
        return renewed, len(entries)
