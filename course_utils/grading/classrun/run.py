"""A class run: from the folder of submissions to gradebook, pages and report, come what may.

A run first proves that it can be carried out (``preflight``), then grades in parallel. Every
verdict is in the ``journal`` before it is in the gradebook, so that the same command goes on where
a run has stopped. A fault of the grader's never replaces a mark. What happens is told as ``events``
to whoever drives the run: the command line, the demo, a test.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Sequence
from pathlib import Path

from course_utils.grading.class_seed import class_seed
from course_utils.grading.classroom import grade_class
from course_utils.grading.classrun import preflight
from course_utils.grading.classrun.causes import sentence
from course_utils.grading.classrun.changes import snapshot
from course_utils.grading.classrun.choice import Choice, digest_of
from course_utils.grading.classrun.dry_run import compared
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
from course_utils.grading.classrun.locking import holding
from course_utils.grading.classrun.patience import PAUSE_SECONDS, PatientGradebook
from course_utils.grading.classrun.plan import Plan, Planner
from course_utils.grading.classrun.recording import Recording
from course_utils.grading.classrun.summary import Outcome, Profile, Summary
from course_utils.grading.course import Course
from course_utils.grading.crew import LOCAL, AtWork, Crew
from course_utils.grading.gradebook import GradebookWriter
from course_utils.grading.roster import Student
from course_utils.grading.standing import MarksInTurn
from course_utils.grading.submissions import Submission
from course_utils.grading.totals import StudentMarks
from course_utils.grading.worker import Settings
from course_utils.ground.errors import Interrupted, LabError, NotReady, RunError, Stopped
from course_utils.ground.lab import Lab
from course_utils.ground.phases import Watch, phase, watch
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
        anew: form every verdict again, even where nothing has changed that it rests on.
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
        anew: bool = False,
        roster: Sequence[Student] = (),
        crew: Crew = LOCAL,
        patience: float = PATIENCE_SECONDS,
    ) -> None:
        self._course, self._lab, self._settings = course, lab, settings
        self._choice, self._roster = choice, roster
        self._dry_run, self._anew = dry_run, anew
        self._crew, self._patience = crew, patience
        self._state = course.root / ".course"
        self._workers = Watch()
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
            if not self._dry_run:
                return self._watched()
            return compared(
                self._course, self._lab, self._settings, self._choice, self._tell,
                anew=self._anew, crew=self._crew, patience=self._patience,
            )  # fmt: skip
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
            self._all = event.to_grade + event.done
        elif isinstance(event, Graded | NotGraded):
            self._done += 1
        self._listener(event)

    def _watched(self) -> Outcome:
        """A run, and where its time went."""
        with watch() as seen, phase("start and report"):
            outcome = self._locked()
        outcome.profile = Profile(seen.seconds, self._workers.seconds)
        return outcome

    def _locked(self) -> Outcome:
        """A run that meets no other one on the same lab."""
        with holding(self._state, self._lab):
            return self._prepared()

    def _prepared(self) -> Outcome:
        """Everything that must hold before the first row, then the run."""
        submissions = self._choice.submissions(self._course, self._lab)
        self._tell(Checking())
        self._await_places(len(submissions))
        self._settings = self._settings.seeded(class_seed(self._course.root))
        with Planner.of(self._state, self._lab, self._settings, anew=self._anew) as planner:
            return self._planned(planner, submissions)

    def _planned(self, planner: Planner, submissions: Sequence[Submission]) -> Outcome:
        chosen = self._choice.narrowed(submissions, planner.entry_of, planner.faults)
        foreseen = planner.plan(chosen)
        hired = _Hired(self._crew, self._lab, self._settings, len(chosen))
        gradebook = PatientGradebook(self._course, self._lab, self._patience, self._tell)
        with hired, contextlib.ExitStack() as opened:
            if foreseen.left:
                hired.work()
            journal = opened.enter_context(Journal(self._state))
            opened.enter_context(gradebook)
            if foreseen.left:
                gradebook.do(GradebookWriter.add_indexes)
            if self._roster:
                gradebook.do(lambda writer: writer.enter_students(self._roster))
            recording = Recording(journal, gradebook, planner.keys)
            self._write_what_was_left(recording, submissions, chosen, planner)
            marks = gradebook.marks_in_turn([submission.student for submission in chosen])
            key = planner.run_key(self._choice)
            number = journal.unfinished(self._lab.name, key)
            plan = foreseen.going_on(number).without(
                lambda student: self._has_lost(planner.entry_of(student), marks.of(student))
            )
            if plan.left:  # what is said to be written may be gone
                hired.work()
            if number is None:
                number = journal.begin(self._lab.name, key, (
                    (name, snapshot(marks.of(name), planner.result_of(name)))
                    for name in (submission.student for submission in plan.left)
                ))  # fmt: skip
            self._tell(Started(len(plan.left), len(plan.done)))
            self._carried_out(recording, number, plan, planner, marks, hired)
            about = {one.student for one in chosen} | journal.touched(number)
            outcome = Summary(self._course, self._lab, journal, gradebook).outcome(
                number, recording.faults, None if self._choice.whole else about
            )
            journal.finish(number)  # not before everybody was told what has changed
            outcome.hidden_seed = self._settings.hidden_seed or 0
            return outcome

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

    def _write_what_was_left(
        self,
        recording: Recording,
        submissions: Sequence[Submission],
        chosen: Sequence[Submission],
        planner: Planner,
    ) -> None:
        """Write verdicts on others than those chosen with which an earlier run came no further;
        what was handed in since is another matter."""
        names = {submission.student for submission in chosen}
        for submission in submissions:
            if submission.student in names:
                continue
            entry = planner.entry_of(submission.student)
            if entry is None or entry.written:
                continue
            if entry.digest == digest_of(submission):
                recording.write(entry.result)

    def _has_lost(self, entry: Entry | None, known: StudentMarks | None) -> bool:
        """Whether gradebook or files have not got a verdict that is said to be written; they may
        be others than those that it was written to."""
        if entry is None or not entry.written:
            return False
        student = entry.result.student
        steps = ("autograded", "feedback")
        folders = [self._course.folder(step, student, self._lab.name) for step in steps]
        return (
            known is None or not all(folder.is_dir() for folder in folders)
            or any(entry.result.score_of(name) != mark for name, mark in known.exercises.items())
        )  # fmt: skip

    def _carried_out(
        self,
        recording: Recording,
        number: int,
        plan: Plan,
        planner: Planner,
        marks: MarksInTurn,
        hired: _Hired,
    ) -> None:
        """See to what is done, and grade what is left."""
        for submission in plan.done:
            if entry := planner.entry_of(submission.student):
                renewed = recording.renew(entry, marks.of(submission.student))
                self._tell_of(*renewed, stands=True)
        if not plan.left:
            return
        for handed in grade_class(self._lab, plan.left, hired.work(), planner.kept_of):
            self._workers.add(handed.result.phases)
            self._tell_of(*recording.enter(number, handed.digest, handed.result))

    def _tell_of(
        self, result: SubmissionResult, marks: StudentMarks | None, *, stands: bool = False
    ) -> None:
        self._tell(Graded(result, marks.total, stands) if marks else NotGraded(result))


class _Hired:
    """The crew, which comes when there is something to grade, proves itself, and then stays."""

    def __init__(self, crew: Crew, lab: Lab, settings: Settings, submissions: int) -> None:
        self._called = preflight.proven(lab, settings, crew, submissions)
        self._stack = contextlib.ExitStack()
        self._work: AtWork | None = None

    def work(self) -> AtWork:
        """The crew at work.

        Raises:
            NotReady: it cannot grade.
        """
        if self._work is None:
            self._work = self._stack.enter_context(self._called)
        return self._work

    def __enter__(self) -> _Hired:
        return self

    def __exit__(self, *exception: object) -> None:
        self._stack.close()
