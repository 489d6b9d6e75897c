"""What a run came to: a line for everybody, what changed, and who must be told of."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from course_utils.grading import report
from course_utils.grading.classrun.changes import Change, changes
from course_utils.grading.classrun.journal import Journal
from course_utils.grading.classrun.patience import PatientGradebook
from course_utils.grading.course import Course
from course_utils.grading.gradebook import late_noted
from course_utils.grading.submissions import students_with_folder
from course_utils.ground.lab import Lab
from course_utils.ground.statuses import Reason, SubmissionStatus
from course_utils.verdict.submission import Notice, SubmissionResult


@dataclass(frozen=True)
class Profile:
    """Where the seconds of a run went, by phase: of the run itself, and of its workers together."""

    run: Mapping[str, float] = field(default_factory=dict)
    workers: Mapping[str, float] = field(default_factory=dict)


@dataclass
class Outcome:
    """What a run came to.

    Attributes:
        lines: one for every student that the run was about.
        changes: automatic marks that are others than before the run.
        not_graded: students whose submission met a fault of the grader's.
        vanished: students with a mark and without a submission now.
        files: what was written for people: label → path.
        hidden_seed: under which the hidden tests were run; for instructors only.
        profile: where the time went.
    """

    lines: list[report.Line] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    not_graded: list[str] = field(default_factory=list)
    vanished: list[str] = field(default_factory=list)
    files: dict[str, Path] = field(default_factory=dict)
    hidden_seed: int = 0
    profile: Profile = field(default_factory=Profile)


@dataclass(frozen=True)
class Summary:
    """Sums a run up from what journal and gradebook hold after it."""

    course: Course
    lab: Lab
    journal: Journal
    gradebook: PatientGradebook

    def outcome(
        self, run: int, faults: Mapping[str, SubmissionResult], about: Collection[str] | None
    ) -> Outcome:
        """The outcome; writes ``reports/LAB.csv`` and, where marks have changed,
        ``reports/LAB.changes.csv``.

        Args:
            run: its number.
            faults: results of those who met a fault of the grader's.
            about: the students whom the run was about; None for the whole class.
        """
        names = self.gradebook.do(lambda writer: writer.students())
        worth = self.gradebook.do(lambda writer: writer.max_score)
        graded = self.journal.students(self.lab.name)
        present = students_with_folder(self.course, self.lab)
        missed = self.journal.faults(self.lab.name)
        made = Outcome(not_graded=sorted(faults))
        lines = []
        students = sorted({*names, *present, *graded, *faults}, key=str.casefold)
        marks = self.gradebook.marks_in_turn(students)
        for student in students:
            known = marks.of(student)
            result = (
                faults.get(student) or self._verdict(student)
                or self._without_verdict(student, known is not None, student in present)
            )
            if student in missed and student not in faults:
                result = result.missed(missed[student])
            if student not in present:
                absent = _absent(known is not None)
                result = replace(result, notices=(absent, *result.notices))
                made.vanished += [student] if known else []
            if known:
                result = late_noted(result, known)
            before = self.journal.before(run, student)
            if before is not None and student not in faults:
                made.changes += changes(before, result, known)
            lines.append(report.line(result, known, names.get(student, ("", "")), worth))
        made.lines = [line for line in lines if about is None or line.student in about]
        self._write(lines, made)
        return made

    def _write(self, lines: list[report.Line], made: Outcome) -> None:
        folder = self.course.root / "reports"
        made.files["report"] = folder / f"{self.lab.name}.csv"
        report.write_csv(lines, made.files["report"])
        changed = folder / f"{self.lab.name}.changes.csv"
        if made.changes:
            made.files["changes"] = changed
            report.write_changes(made.changes, changed)
        else:
            changed.unlink(missing_ok=True)  # what an earlier run has changed is no news

    def _verdict(self, student: str) -> SubmissionResult | None:
        entry = self.journal.entry(self.lab.name, student)
        return entry.result if entry else None

    def _without_verdict(self, student: str, marked: bool, present: bool) -> SubmissionResult:
        status = SubmissionStatus.UNGRADED if present else SubmissionStatus.NOT_SUBMITTED
        status = SubmissionStatus.GRADED if marked else status
        return SubmissionResult(self.lab.name, student, status, self.lab.max_score)


def _absent(marked: bool) -> Notice:
    if marked:
        message = "graded before, but nothing lies under submitted/ now; the mark stands"
        return Notice(Reason.VANISHED, message)
    return Notice(Reason.NOT_SUBMITTED, "nothing was handed in")
