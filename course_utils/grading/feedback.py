"""What a student reads after grading: the likely mistake, claims, what was seen, where to look."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from course_utils.grading.totals import StudentMarks, Total
from course_utils.ground.cells import check_id, exercise_of
from course_utils.ground.statuses import Reason, Status
from course_utils.verdict import panel, remarks
from course_utils.verdict.exercise import ExerciseResult
from course_utils.verdict.render import Panel
from course_utils.verdict.submission import SubmissionResult

_ONLY_HIDDEN = (
    "All public claims hold. The hidden ones were asked of inputs that `check` does not use: read "
    "the claim, and try inputs of your own."
)
_HOLLOW = (
    "The claims that hold here would hold for an answer that knows nothing, too, such as zeros of "
    "the right shape: they count once another one holds."
)
# What the panels say themselves, and what names somebody else.
_NOT_FOR_STUDENTS = (Reason.NOT_WRITTEN, Reason.FUNCTION_MISSING, Reason.DUPLICATE_STUDENT)


def exercise_panel(exercise: ExerciseResult) -> Panel:
    """The verdict on one exercise, as HTML and as text."""
    points = f"{_points(exercise.score)} of {_points(exercise.max_score)} points"
    label = f"verdict on {exercise.name}"
    if exercise.tests and panel.is_open(exercise.tests):
        return panel.one_line(exercise.name, f"{points} · {_open(exercise)}", label=label)
    boxes = [
        *remarks.forbidden(exercise.name, exercise.tests, _earned(exercise)),
        *remarks.explanation(exercise.diagnosis, exercise.derivation, exercise.tests),
    ]
    return panel.verdict(
        exercise.name,
        f"{points} · {_counts(exercise)}",
        exercise.tests,
        label=label,
        remarks=boxes,
        note=_note(exercise),
    )


def _note(exercise: ExerciseResult) -> str:
    """The last line of an exercise's panel."""
    if any(test.hollow for test in exercise.tests):
        return _HOLLOW
    public = all(test.passed for test in exercise.tests if not test.hidden)
    return _ONLY_HIDDEN if public and exercise.status is not Status.PASSED else ""


def as_output(shown: Panel) -> dict[str, Any]:
    """The verdict on one exercise as a notebook output, for its check cell."""
    return {
        "output_type": "display_data",
        "data": {"text/plain": shown.text, "text/html": shown.html},
        "metadata": {},
    }


def page(result: SubmissionResult, marks: StudentMarks) -> str:
    """A submission's feedback as one HTML page that needs nothing else.

    Args:
        result: the grader's verdict.
        marks: what the gradebook holds, with what people have added to it.
    """
    return str(
        _template().render(
            result=result,
            points=_points,
            total=marks.total,
            parts=_parts(marks.total),
            panels=[_shown(exercise, result).html for exercise in result.exercises],
            rows=[
                (
                    exercise,
                    panel.sign_of(exercise.tests),
                    _counts(exercise),
                    marks.cells.get(check_id(exercise.name)),
                )
                for exercise in result.exercises
            ],
            written=[
                (title(name), cell) for name, cell in sorted(marks.cells.items())
                if not exercise_of(name)
            ],
            remarks=[(title(name), text) for name, text in sorted(marks.remarks.items())],
            notices=[
                n.message for n in result.notices
                if n.code not in _NOT_FOR_STUDENTS
            ],
        )
    )


def _shown(exercise: ExerciseResult, result: SubmissionResult) -> Panel:
    """The panel that stands in the notebook; written again where only the journal's record is
    left of the verdict."""
    return result.panels.get(exercise.name) or exercise_panel(exercise)


def title(cell: str) -> str:
    """A cell's name as people read it: ``written_row_sums`` is "row sums"."""
    return (exercise_of(cell) or cell).removeprefix("written_").replace("_", " ")


def _parts(total: Total) -> list[str]:
    """What a total is made of, where there is more to it than the grader's marks."""
    parts = [f"{_points(total.automatic)} automatic"]
    if total.manual:
        parts.append(f"{_points(total.manual)} given by hand")
    if total.extra:
        parts.append(f"{_points(total.extra)} extra")
    if total.penalty:
        parts.append(f"− {_points(total.penalty)} for lateness")
    if total.to_grade:
        answers = "answer is" if total.to_grade == 1 else "answers are"
        parts.append(f"{total.to_grade} {answers} still to be graded by hand")
    return parts


@lru_cache(maxsize=1)
def _template() -> Any:
    from jinja2 import Environment, PackageLoader

    loader = PackageLoader("course_utils.grading", "templates")
    return Environment(loader=loader, autoescape=True).get_template("feedback.html.j2")


def withheld(exercise: ExerciseResult) -> str:
    """What a forbidden call has cost, as the end of a sentence and the next one."""
    cost = round(exercise.score_by_values - exercise.score, 2)
    if not cost:
        return "which costs nothing here."
    return f"which costs {_points(cost)} {'point' if cost == 1 else 'points'}. {_earned(exercise)}"


def _earned(exercise: ExerciseResult) -> str:
    """What the values alone would have earned, where a forbidden call was made."""
    return (
        f"The values alone would have earned {_points(exercise.score_by_values)} of "
        f"{_points(exercise.max_score)} points."
    )


def _open(exercise: ExerciseResult) -> str:
    """Why there is nothing to judge."""
    return next(
        (test.told for test in exercise.tests if test.status is Status.MISSING),
        Status.NOT_WRITTEN.ending,
    )


def _counts(exercise: ExerciseResult) -> str:
    parts = []
    for label, hidden in (("public", False), ("hidden", True)):
        count = exercise.count(hidden=hidden)
        if count["total"]:
            parts.append(f"{label} {count['passed']}/{count['total']}")
    return ", ".join(parts)


def _points(value: float) -> str:
    return f"{round(value, 2):g}"
