"""Feedback pages made anew, when people have added marks and comments to the grader's verdicts."""

from __future__ import annotations

from dataclasses import dataclass, field

from course_utils.grading.classrun.locking import holding
from course_utils.grading.classrun.lookup import last_verdicts
from course_utils.grading.classrun.recording import concerns_one
from course_utils.grading.course import Course
from course_utils.grading.gradebook import GradebookWriter
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
    with holding(course.root / ".course", lab):
        entries, _ = last_verdicts(course, lab)
        done = Renewed(known=len(entries))
        with GradebookWriter(course, lab) as writer:
            marks = writer.marks()
            for student, entry in entries.items():
                if student not in marks:
                    continue
                try:
                    done.changed += writer.write_page(entry.result, marks[student])
                except Exception as error:  # concerns_one says whose it is
                    if not concerns_one(error):
                        raise
                    done.failed[student] = f"{type(error).__name__}: {error}"
        return done
