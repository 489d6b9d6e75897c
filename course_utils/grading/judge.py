"""The unit of work: a notebook's bytes in, a verdict out; no database, no shared disk."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from course_utils.diagnosis.diagnose import diagnose
from course_utils.diagnosis.ignorance import marked_hollow
from course_utils.diagnosis.kept import hidden_book, public_book
from course_utils.grading import feedback, inert
from course_utils.grading.preload import TORCHS_LATE_IMPORTS
from course_utils.grading.reading.files import read_file
from course_utils.grading.reading.notebook import Reading, UnreadableError, read_notebook
from course_utils.grading.submissions import Submission
from course_utils.ground.errors import SandboxError
from course_utils.ground.lab import Exercise, Lab
from course_utils.ground.phases import phase, watch
from course_utils.ground.statuses import Reason, SubmissionStatus
from course_utils.sandbox.cells import CellRun
from course_utils.sandbox.client import Sandbox
from course_utils.sandbox.exercise import ExerciseBackend
from course_utils.sandbox.launch import Isolation
from course_utils.sandbox.limits import Limits
from course_utils.sandbox.session import Session
from course_utils.testing.lab_tests import lab_tests
from course_utils.testing.marker import ExerciseMark
from course_utils.testing.run import run_tests
from course_utils.verdict.exercise import ExerciseResult
from course_utils.verdict.outcome import TestOutcome
from course_utils.verdict.render import Panel
from course_utils.verdict.submission import Notice, SubmissionResult

_NOTHING: Mapping[str, ExerciseResult] = {}


def sandbox_of(lab: Lab, isolation: Isolation, limits: Limits) -> Sandbox:
    """The sandbox for a lab's submissions, which has imported what the lab imports, and torch.

    In a NumPy lab, too, some students import torch. It takes them longer than all else; and what is
    imported late begins with other random numbers, and counts as a submission's own memory.
    """
    late = TORCHS_LATE_IMPORTS if any(_is_torch(name) for name in lab.imports) else ()
    return Sandbox(isolation, limits, [*lab.imports, "torch", *late])


def _is_torch(module: str) -> bool:
    return module.partition(".")[0] == "torch"


class Grader:
    """Grades submissions of one lab, one after the other, in one sandbox.

    Args:
        lab: the instructor's folder.
        sandbox: where student code runs; started when first needed.
        hidden_seed: of the hidden tests' random inputs; public ones have the seed that ``check``
            has. The same seed gives the same verdict.

    The tests, with torch as their reference, compute on the device that the sandbox has.
    """

    def __init__(self, lab: Lab, sandbox: Sandbox, *, hidden_seed: int = 0) -> None:
        self.lab = lab
        self._sandbox = sandbox
        self._hidden_seed = hidden_seed
        self._device = sandbox.limits.device

    def grade(
        self, data: bytes, student: str = "", kept: Mapping[str, ExerciseResult] = _NOTHING
    ) -> SubmissionResult:
        """Grade one submission.

        Args:
            data: the notebook file's bytes, as submitted.
            student: the student's id, copied into the result.
            kept: verdicts on some of its exercises that need not be formed again, by name.
        """
        started = time.perf_counter()
        with watch() as seen:
            try:
                with phase("reading"):
                    reading = read_notebook(data, self.lab)
            except UnreadableError as error:
                result = self.ungraded(error, student)
            else:
                result = self._judge(reading, student, kept)
        wall = time.perf_counter() - started
        return replace(result, wall_seconds=wall, phases=dict(seen.seconds))

    def ungraded(self, error: UnreadableError, student: str) -> SubmissionResult:
        """The row of a submission that could not be read: every mark 0, and why."""
        return refused(self.lab, student, error.status, Notice(error.reason, error.message))

    def close(self) -> None:
        """End the sandbox and whatever runs in it."""
        self._sandbox.close()

    def _judge(
        self, reading: Reading, student: str, kept: Mapping[str, ExerciseResult]
    ) -> SubmissionResult:
        """The verdict; formed once more where the sandbox itself was lost on the way, for which a
        student must not pay."""
        try:
            result = self._judge_once(reading, student, kept)
        except SandboxError:
            if self._sandbox.alive():
                raise
        else:
            if self._sandbox.alive():
                return result
        result = self._judge_once(reading, student, kept)
        if not self._sandbox.alive():
            raise SandboxError("the sandbox was killed twice while this was graded")
        return result

    def _judge_once(
        self, reading: Reading, student: str, kept: Mapping[str, ExerciseResult]
    ) -> SubmissionResult:
        asked = [one for one in self.lab.exercises if one.name not in kept]
        with phase("cells"), self._sandbox.open() as session:
            cells = session.run_cells(reading.program)
            with phase("tests"):
                outcomes = self._run_tests(session, asked)
        with phase("diagnosis"):
            fresh = self._verdicts(asked, outcomes)
        exercises = tuple({**kept, **fresh}[one.name] for one in self.lab.exercises)
        notices = (*reading.notices, *_cell_notices(cells), *_call_notices(exercises))
        partly = any(notice.code.cuts_short for notice in notices)
        with phase("panels"):
            panels = {exercise.name: feedback.exercise_panel(exercise) for exercise in exercises}
            notebook = _with_outputs(self.lab, reading, cells, panels)
        return SubmissionResult(
            lab=self.lab.name,
            student=student,
            status=SubmissionStatus.PARTLY_GRADED if partly else SubmissionStatus.GRADED,
            max_score=self.lab.max_score,
            exercises=exercises,
            written=tuple(reading.written),
            notices=notices,
            student_cpu_seconds=session.cpu_seconds,
            environment=self._sandbox.environment,
            notebook=notebook,
            panels=panels,
        )

    def _run_tests(self, session: Session, asked: Sequence[Exercise]) -> list[TestOutcome]:
        processes = _OneAtATime(session)
        try:
            return run_tests(
                self.lab.test_files, processes.serving, exercises=[one.name for one in asked],
                hidden_seed=self._hidden_seed, lab=self.lab.name, device=self._device,
                together=True,
            )  # fmt: skip
        finally:
            processes.close()

    def _verdicts(
        self, asked: Sequence[Exercise], outcomes: Sequence[TestOutcome]
    ) -> dict[str, ExerciseResult]:
        return {
            one.name: self._verdict(one, [test for test in outcomes if test.exercise == one.name])
            for one in asked
        }

    def _verdict(self, exercise: Exercise, tests: Sequence[TestOutcome]) -> ExerciseResult:
        diagnosis, derivation = None, ""
        if not all(test.passed for test in tests):
            hidden = partial(hidden_book, self.lab, exercise.name, self._hidden_seed)
            diagnosis = diagnose(tests, public_book(self.lab), hidden)
            derivation = lab_tests(self.lab.test_public).derivation.get(exercise.name, "")
            tests = marked_hollow(self.lab, tests)
        # The diagnosis is made: from here on nobody has what a hidden test saw.
        sealed = tuple(test.sealed() for test in tests)
        return ExerciseResult(exercise.name, exercise.points, sealed, diagnosis, derivation)


class _OneAtATime:
    """Gives tests a process in the state after the cells, one at a time.

    All public tests share the first; exercises in which one of them has failed get one of their
    own, and so do every exercise's hidden tests, which nothing that another test has asked can have
    marked. Tests come in that order, so what served before has ended when another begins.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._alone: dict[str, ExerciseBackend] = {}
        self._serves: tuple[str, bool] | None = None
        self._current: ExerciseBackend | None = None

    def serving(self, mark: ExerciseMark) -> ExerciseBackend:
        """The backend for a test."""
        serves = (mark.name if mark.hidden or mark.alone else "", mark.hidden)
        if self._current is None or serves != self._serves:
            self.close()
            # What has hung under a public test is not waited for again.
            known = self._alone.get(mark.name) if mark.hidden else None
            self._current = self._session.exercise() if known is None else known.afresh()
            self._serves = serves
            if mark.alone:
                self._alone[mark.name] = self._current
        return self._current

    def close(self) -> None:
        """End the process of the last test."""
        if self._current is not None:
            self._current.close()


def refused(
    lab: Lab, student: str, status: SubmissionStatus, notice: Notice
) -> SubmissionResult:
    """The result of a submission of which nothing could be graded."""
    return SubmissionResult(
        lab=lab.name, student=student, status=status, max_score=lab.max_score, notices=(notice,)
    )


def not_graded(lab: Lab, student: str, why: str) -> SubmissionResult:
    """The result of a submission that met a fault of the grader's."""
    notice = Notice(Reason.INTERNAL_ERROR, why)
    return refused(lab, student, SubmissionStatus.INTERNAL_ERROR, notice)


def grade_submission(submission: Submission, grader: Grader) -> SubmissionResult:
    """Read what was handed in, once, and grade it; what cannot be read gives a result that says
    so."""
    try:
        data = submission.read()
    except UnreadableError as error:
        result = grader.ungraded(error, submission.student)
    else:
        result = grader.grade(data, submission.student)
    return result.noting(submission.notices)


def grade_file(path: Path, grader: Grader, student: str = "") -> SubmissionResult:
    """Grade a notebook file; a file that cannot be read gives a result that says so."""
    try:
        return grader.grade(read_file(path), student)
    except UnreadableError as error:
        return grader.ungraded(error, student)


def _cell_notices(cells: Sequence[CellRun]) -> list[Notice]:
    return [Notice(run.reason, run.message, run.index) for run in cells if run.reason]


def _call_notices(exercises: Sequence[ExerciseResult]) -> list[Notice]:
    notices = []
    for exercise in exercises:
        seen: dict[Reason, str] = {}
        for test in exercise.tests:
            reason = test.reason or test.status.reason
            if reason:
                seen.setdefault(reason, test.told)
        notices += [Notice(code, f"{exercise.name}: {text}") for code, text in seen.items()]
        if exercise.forbidden is not None:
            told = f"{exercise.name}: {exercise.forbidden.sentence}, {feedback.withheld(exercise)}"
            notices.append(Notice(Reason.FORBIDDEN_CALL, told))
    return notices


def _with_outputs(
    lab: Lab, reading: Reading, runs: Sequence[CellRun], panels: Mapping[str, Panel]
) -> dict[str, Any]:
    """The notebook as it ran, inert, with the verdict of each exercise as its check cell's
    output."""
    notebook = inert.notebook(reading.notebook, lab.notebook)
    cells = notebook["cells"]
    for run in runs:
        cells[run.index]["outputs"] = inert.outputs(run.outputs)
        cells[run.index]["execution_count"] = run.execution_count
    for name, panel in panels.items():
        number = reading.checks.get(name)
        if number is not None:
            cells[number]["outputs"] = [feedback.as_output(panel)]
    return notebook
