"""A verdict as Gradescope's ``results.json``.

Public claims are shown at once, as ``check`` shows them. Points and hidden claims are shown when
the instructor has said: whoever may hand in again and again learns a little from each. Everything
is plain text: what quotes a student's code runs nothing in an instructor's browser.
"""

from __future__ import annotations

from typing import Any

from course_utils.grading import feedback
from course_utils.grading.gradescope.settings import Show
from course_utils.ground.statuses import Reason
from course_utils.verdict import panel
from course_utils.verdict.exercise import ExerciseResult
from course_utils.verdict.submission import SubmissionResult

_TEXT = "text"
# What tests have met, hidden ones too: an exercise's own entry says it.
_OF_TESTS = {
    Reason.CALL_TIMEOUT, Reason.CALL_CRASHED, Reason.CALL_MEMORY, Reason.DEVICE_OUT_OF_MEMORY,
    Reason.UNREADABLE_ANSWER, Reason.FORBIDDEN_CALL, Reason.NOT_WRITTEN, Reason.FUNCTION_MISSING,
}  # fmt: skip


def to_results(result: SubmissionResult, show: Show) -> dict[str, Any]:
    """What is written to ``results.json``.

    Args:
        result: the verdict.
        show: when points and hidden claims are shown.
    """
    tests = [_public(one) for one in result.exercises if one.count(hidden=False)["total"]]
    tests += [_graded(exercise, show) for exercise in result.exercises]
    return {
        "score": float(result.score),
        "output": "\n".join(_told(result)),
        "output_format": _TEXT,
        "test_output_format": _TEXT,
        "test_name_format": _TEXT,
        "stdout_visibility": "hidden",
        "visibility": "visible",
        "execution_time": round(result.wall_seconds, 1),
        "tests": tests or [_nothing(result)],
        "extra_data": {"status": str(result.status), "environment": result.environment},
    }


def _told(result: SubmissionResult) -> list[str]:
    """What concerns the whole submission."""
    lines = [notice.message for notice in result.notices if notice.code not in _OF_TESTS]
    if waiting := [answer for answer in result.written if answer.score is None]:
        answers = "answer is" if len(waiting) == 1 else "answers are"
        lines.append(f"{len(waiting)} written {answers} read by a person, and not counted here.")
    return lines


def _public(exercise: ExerciseResult) -> dict[str, Any]:
    """The public claims of an exercise, without points."""
    public = [test for test in exercise.tests if not test.hidden]
    held = sum(test.passed for test in public)
    shown = panel.verdict(
        exercise.name, f"public claims: {held}/{len(public)}", public,
        label=exercise.name, note=panel.GRADING_ASKS,
    )  # fmt: skip
    return _entry(f"{exercise.name}: public claims", held == len(public), shown.text, "visible")


def _graded(exercise: ExerciseResult, show: Show) -> dict[str, Any]:
    """An exercise's points, with all that its feedback page says."""
    entry = _entry(
        exercise.name, exercise.score == exercise.max_score,
        feedback.exercise_panel(exercise).text, show,
    )  # fmt: skip
    return entry | {"score": float(exercise.score), "max_score": float(exercise.max_score)}


def _nothing(result: SubmissionResult) -> dict[str, Any]:
    """The one entry of a submission of which nothing could be graded."""
    entry = _entry("submission", False, result.message, "visible")
    return entry | {"score": 0.0, "max_score": float(result.max_score)}


def _entry(name: str, passed: bool, output: str, visibility: str) -> dict[str, Any]:
    return {
        "name": name, "status": "passed" if passed else "failed", "output": output,
        "output_format": _TEXT, "visibility": str(visibility),
    }  # fmt: skip
