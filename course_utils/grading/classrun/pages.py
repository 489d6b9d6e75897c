"""Feedback pages made anew, when people have added marks and comments to the grader's verdicts."""

from __future__ import annotations

from dataclasses import dataclass, field

from course_utils.grading.classrun.journal import Journal
from course_utils.grading.classrun.locking import holding
from course_utils.grading.classrun.recording import concerns_one
from course_utils.grading.course import Course
from course_utils.grading.gradebook import GradebookWriter
from course_utils.ground.errors import LabError
from course_utils.ground.lab import Lab


@dataclass
class Renewed:
    """How many of so many pages are others than before, and who has none: student → why."""

    changed: int = 0
    known: int = 0
    failed: dict[str, str] = field(default_factory=dict)


def renew(course: Course, lab: Lab) -> Renewed:
    """Write the pages of a lab that are others than before.

    Raises:
        LabError: the journal has no verdict on the lab.
        BusyError: a run is at work on the lab.
    """
    state = course.root / ".course"
    with holding(state, lab):
        with Journal(state) as journal, GradebookWriter(course, lab) as writer:
            known = sorted(journal.students(lab.name))
            if not known:
                raise LabError(
                    f"no verdict on {lab.name} is kept here: grade it with course grade {lab.name} "
                    f"(what nbgrader autograde has graded, nbgrader generate_feedback {lab.name} "
                    "shows)"
                )
            done = Renewed(known=len(known))
            marks = writer.marks()
            for student in known:
                entry = journal.entry(lab.name, student)
                if entry is None or student not in marks:
                    continue
                try:
                    done.changed += writer.write_page(entry.result, marks[student])
                except Exception as error:
                    if not concerns_one(error):
                        raise
                    done.failed[student] = f"{type(error).__name__}: {error}"
        return done
