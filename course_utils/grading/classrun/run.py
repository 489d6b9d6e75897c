"""A class run: from the folder of submissions to gradebook, pages and report, come what may.

A run first proves that it can be carried out (``preflight``), then grades in parallel. Every
verdict is in the ``journal`` before it is in the gradebook, so that the same command goes on where
a run has stopped. A fault of the grader's never replaces a mark. What happens is told as ``events``
to whoever drives the run: the command line, the demo, a test.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

from course_utils.grading import report
from course_utils.grading.class_seed import class_seed, known_seed
from course_utils.grading.classroom import grade_class
from course_utils.grading.classrun import preflight
from course_utils.grading.classrun.causes import sentence
from course_utils.grading.classrun.changes import changes, foreseen, snapshot
from course_utils.grading.classrun.choice import Choice, digest_of
from course_utils.grading.classrun.events import (
    Checking,
    Event,
    Graded,
    NotGraded,
    Started,
    Tell,
    Waiting,
    silent,
)
from course_utils.grading.classrun.journal import Entry, Journal
from course_utils.grading.classrun.key import run_key
from course_utils.grading.classrun.locking import holding
from course_utils.grading.classrun.patience import PAUSE_SECONDS, PatientGradebook
from course_utils.grading.classrun.recording import Recording
from course_utils.grading.classrun.summary import Outcome, Summary
from course_utils.grading.course import Course
from course_utils.grading.crew import LOCAL, Crew
from course_utils.grading.roster import Student
from course_utils.grading.submissions import Submission
from course_utils.grading.totals import StudentMarks
from course_utils.grading.worker import Settings
from course_utils.ground.errors import Interrupted, LabError, NotReady, RunError, Stopped
from course_utils.ground.lab import Lab
from course_utils.ground.statuses import SubmissionStatus
from course_utils.verdict.submission import SubmissionResult

# How long a busy gradebook is tried again.
PATIENCE_SECONDS = 60.0
_EVERYBODY = Choice()


class ClassRun:
    """One run over a class.

    Args:
        course: where it lies.
        lab: what is graded.
        settings: how.
        choice: of whom.
        dry_run: grade and compare, and write nothing at all.
        roster: students of the class besides those whom the gradebook knows.
        crew: who grades; processes of this machine by default.
        patience: for how many seconds a busy gradebook is tried again.
    """

    def __init__(
        self,
        course: Course,
        lab: Lab,
        settings: Settings,
        *,
        choice: Choice = _EVERYBODY,
        dry_run: bool = False,
        roster: Sequence[Student] = (),
        crew: Crew = LOCAL,
        patience: float = PATIENCE_SECONDS,
    ) -> None:
        self._course, self._lab, self._settings = course, lab, settings
        self._choice, self._dry_run, self._roster = choice, dry_run, roster
        self._crew, self._patience = crew, patience
        self._state = course.root / ".course"
        self._done = self._all = 0

    def run(self, tell: Tell = silent) -> Outcome:
        """Carry the run out.

        Args:
            tell: is told what happens.

        Raises:
            LabError: there is nothing to grade.
            NotReady: something is in the way; nothing was written.
            BusyError: another run is at work on the lab; nothing was written.
            Stopped: database or disk were lost on the way.
            Interrupted: Ctrl-C, or a signal that is taken for it.
        """
        self._listener = tell
        self._done = self._all = 0
        try:
            return self._compared() if self._dry_run else self._locked()
        except KeyboardInterrupt:
            raise Interrupted(f"stopped after {self._how_far()}") from None
        except (RunError, LabError):
            raise
        except Exception as error:  # whatever it is, it is no student's and must not look like one
            raise Stopped(
                f"the run stopped after {self._how_far()} What stopped it: {sentence(error)}"
            ) from error

    def _how_far(self) -> str:
        kept = " What was graded is kept: the same command goes on from here."
        return f"{self._done} of {self._all}.{'' if self._dry_run else kept}"

    def _tell(self, event: Event) -> None:
        if isinstance(event, Started):
            self._all = event.to_grade + event.resumed
        elif isinstance(event, Graded | NotGraded):
            self._done += 1
        self._listener(event)

    # -- a run that writes nothing

    def _compared(self) -> Outcome:
        """What a run would change."""
        lab = self._lab
        outcome = Outcome()
        submissions = self._choice.submissions(self._course, lab)
        with contextlib.ExitStack() as stack:
            entries: dict[str, Entry] = {}
            faults: dict[str, str] = {}
            if (self._state / "journal.db").exists():
                journal = stack.enter_context(Journal(self._state, reading=True))
                entries, faults = journal.entries(lab.name), journal.faults(lab.name)
            chosen = self._choice.narrowed(submissions, entries, faults)
            self._tell(Checking())
            outcome.hidden_seed = self._seeded(known_seed(self._course.root) or 0)
            preflight.check_grader(lab, self._settings, self._crew)
            marks = self._marks_now()
            self._tell(Started(len(chosen), 0))
            graded = grade_class(lab, chosen, self._settings, self._crew)
            for handed in stack.enter_context(contextlib.closing(graded)):
                result, known = handed.result, marks.get(handed.result.student)
                would_be = foreseen(known, result)
                if result.status is SubmissionStatus.INTERNAL_ERROR:
                    outcome.not_graded.append(result.student)
                    outcome.lines.append(report.line(result, known))
                    self._tell(NotGraded(result))
                    continue
                line = report.line(result, would_be)
                outcome.lines.append(line)
                before = snapshot(known, _result_of(entries, result.student))
                outcome.changes += changes(before, result, known)
                self._tell(Graded(result, line.total))
        outcome.lines.sort(key=lambda line: line.student.casefold())
        return outcome

    def _marks_now(self) -> dict[str, StudentMarks]:
        patient = PatientGradebook(
            self._course, self._lab, self._patience, self._tell, reading=True
        )
        try:
            with patient as gradebook:
                return gradebook.do(lambda writer: writer.marks())
        except SQLAlchemyError as error:
            raise NotReady([f"the gradebook cannot be read: {sentence(error)}"]) from None

    # -- a run that writes

    def _locked(self) -> Outcome:
        """A run that meets no other one on the same lab."""
        with holding(self._state, self._lab):
            return self._prepared()

    def _prepared(self) -> Outcome:
        """Everything that must hold before the first row, then the run."""
        submissions = self._choice.submissions(self._course, self._lab)
        self._tell(Checking())
        self._await_places(len(submissions))
        seed = self._seeded(class_seed(self._course.root))
        preflight.check_grader(self._lab, self._settings, self._crew)
        gradebook = PatientGradebook(self._course, self._lab, self._patience, self._tell)
        with Journal(self._state) as journal, gradebook:
            if self._roster:
                gradebook.do(lambda writer: writer.enter_students(self._roster))
            recording = Recording(journal, gradebook)
            number, chosen, done = self._planned(journal, gradebook, recording, submissions)
            self._tell(Started(len(chosen) - len(done), len(done)))
            about = {submission.student for submission in chosen} | journal.before(number).keys()
            self._carried_out(gradebook, recording, number, chosen, done)
            outcome = Summary(self._course, self._lab, journal, gradebook).outcome(
                number, recording.faults, None if self._choice.whole else about
            )
            journal.finish(number)  # not before everybody was told what has changed
            outcome.hidden_seed = seed
            return outcome

    def _seeded(self, seed: int) -> int:
        """The seed of this run's hidden tests: this one, unless the settings name another."""
        named = self._settings.hidden_seed
        seed = seed if named is None else named
        self._settings = replace(self._settings, hidden_seed=seed)
        return seed

    def _await_places(self, submissions: int) -> None:
        deadline = time.monotonic() + self._patience
        while True:
            try:
                return preflight.check_places(self._course, self._places(), submissions)
            except NotReady as error:
                if not error.busy or time.monotonic() > deadline:
                    raise
                self._tell(Waiting())
                time.sleep(PAUSE_SECONDS)

    def _places(self) -> list[Path]:
        steps = [self._course.folder(step, "*", "*") for step in ("autograded", "feedback")]
        roots = [Path(str(step).partition("*")[0]) for step in steps]
        return [*roots, self._course.root / "reports", self._state]

    def _planned(
        self,
        journal: Journal,
        gradebook: PatientGradebook,
        recording: Recording,
        submissions: list[Submission],
    ) -> tuple[int, list[Submission], dict[str, Entry]]:
        """The run's number, its submissions, and the verdicts that an unfinished run has left."""
        lab = self._lab.name
        entries = journal.entries(lab)
        chosen = self._choice.narrowed(submissions, entries, journal.faults(lab))
        names = {submission.student for submission in chosen}
        found = {submission.student: submission for submission in submissions}
        for student, entry in entries.items():
            # An earlier run came no further; what was handed in since is another matter.
            late = not entry.written and student not in names and student in found
            if late and entry.digest == digest_of(found[student]):
                recording.write(entry.result)
        key = run_key(self._lab, self._settings, self._choice)
        number = journal.unfinished(lab, key)
        marks = gradebook.do(lambda writer: writer.marks())
        if number is not None:
            done = {
                s.student: entries[s.student] for s in chosen
                if _still_holds(s, entries, number)
                and self._has(entries[s.student], marks.get(s.student))
            }  # fmt: skip
            return number, chosen, done
        before = {name: snapshot(marks.get(name), _result_of(entries, name)) for name in names}
        return journal.begin(lab, key, before), chosen, {}

    def _has(self, entry: Entry, marks: StudentMarks | None) -> bool:
        """Whether gradebook and files hold a verdict that is said to be written; they may be
        others than those that it was written to."""
        if not entry.written:
            return True
        names = entry.result.student, self._lab.name
        folders = [self._course.folder(step, *names) for step in ("autograded", "feedback")]
        return (
            marks is not None and all(folder.is_dir() for folder in folders)
            and all(entry.result.score_of(name) == mark for name, mark in marks.exercises.items())
        )  # fmt: skip

    def _carried_out(
        self,
        gradebook: PatientGradebook,
        recording: Recording,
        number: int,
        chosen: list[Submission],
        done: Mapping[str, Entry],
    ) -> None:
        """Write what is not written, and grade what is not done."""
        marks = gradebook.do(lambda writer: writer.marks()) if done else {}
        for student, entry in done.items():
            known = marks.get(student) if entry.written else None
            self._tell_of(*((entry.result, known) if known else recording.write(entry.result)))
        left = [submission for submission in chosen if submission.student not in done]
        graded = grade_class(self._lab, left, self._settings, self._crew)
        with contextlib.closing(graded):
            for handed in graded:
                self._tell_of(*recording.enter(number, handed.digest, handed.result))

    def _tell_of(self, result: SubmissionResult, marks: StudentMarks | None) -> None:
        self._tell(Graded(result, marks.total) if marks else NotGraded(result))


def _still_holds(submission: Submission, entries: Mapping[str, Entry], run: int) -> bool:
    """Whether an unfinished run has a verdict on the file that lies there now."""
    entry = entries.get(submission.student)
    return entry is not None and entry.run == run and entry.digest == digest_of(submission)


def _result_of(entries: Mapping[str, Entry], student: str) -> SubmissionResult | None:
    entry = entries.get(student)
    return entry.result if entry else None
