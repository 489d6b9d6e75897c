"""A run that writes nothing: whose mark would change."""

from __future__ import annotations

from contextlib import ExitStack

from sqlalchemy.exc import SQLAlchemyError

from course_utils.grading import report
from course_utils.grading.class_seed import known_seed
from course_utils.grading.classroom import grade_class
from course_utils.grading.classrun import preflight
from course_utils.grading.classrun.causes import sentence
from course_utils.grading.classrun.changes import changes, foreseen, snapshot
from course_utils.grading.classrun.choice import Choice
from course_utils.grading.classrun.events import Checking, Graded, NotGraded, Started, Tell
from course_utils.grading.classrun.patience import PatientGradebook
from course_utils.grading.classrun.plan import Planner
from course_utils.grading.classrun.summary import Outcome
from course_utils.grading.course import Course
from course_utils.grading.crew import Crew
from course_utils.grading.totals import StudentMarks
from course_utils.grading.worker import Settings
from course_utils.ground.errors import NotReady
from course_utils.ground.lab import Lab
from course_utils.ground.statuses import SubmissionStatus
from course_utils.verdict.submission import SubmissionResult


def compared(
    course: Course, lab: Lab, settings: Settings, choice: Choice, tell: Tell, *,
    anew: bool, crew: Crew, patience: float,
) -> Outcome:  # fmt: skip
    """What a run would change; for the arguments see :class:`~.run.ClassRun`.

    Raises:
        LabError: there is nothing to grade.
        NotReady: something is in the way.
    """
    submissions = choice.submissions(course, lab)
    tell(Checking())
    settings = settings.seeded(known_seed(course.root) or 0)
    outcome = Outcome(hidden_seed=settings.hidden_seed or 0)
    state = course.root / ".course"
    with Planner.of(state, lab, settings, anew=anew) as planner, ExitStack() as hired:
        plan = planner.plan(choice.narrowed(submissions, planner.entry_of, planner.faults))
        if plan.left:
            crew_at_work = preflight.proven(lab, settings, crew, len(plan.left))
            work = hired.enter_context(crew_at_work)
        marks = _marks_now(course, lab, tell, patience)
        tell(Started(len(plan.left), len(plan.done)))
        names = (one.student for one in plan.done)
        for result in filter(None, map(planner.result_of, names)):
            _compare(outcome, result, marks, planner, tell, stands=True)
        if plan.left:
            for handed in grade_class(lab, plan.left, work, planner.kept_of):
                _compare(outcome, handed.result, marks, planner, tell)
    outcome.lines.sort(key=lambda line: line.student.casefold())
    return outcome


def _marks_now(
    course: Course, lab: Lab, tell: Tell, patience: float
) -> dict[str, StudentMarks]:
    try:
        with PatientGradebook(course, lab, patience, tell, reading=True) as gradebook:
            return gradebook.do(lambda writer: writer.marks())
    except SQLAlchemyError as error:
        raise NotReady([f"the gradebook cannot be read: {sentence(error)}"]) from None


def _compare(
    outcome: Outcome,
    result: SubmissionResult,
    marks: dict[str, StudentMarks],
    planner: Planner,
    tell: Tell,
    *,
    stands: bool = False,
) -> None:
    """Take down what a verdict would change."""
    known = marks.get(result.student)
    if result.status is SubmissionStatus.INTERNAL_ERROR:
        outcome.not_graded.append(result.student)
        outcome.lines.append(report.line(result, known))
        tell(NotGraded(result))
        return
    line = report.line(result, foreseen(known, result))
    outcome.lines.append(line)
    before = snapshot(known, planner.result_of(result.student))
    outcome.changes += changes(before, result, known)
    tell(Graded(result, line.total, stands))
