"""What a student reads after grading: claims, what was seen, the likely mistake, where to look.

A hidden test shows its claim and its verdict, never its inputs, its outputs, or what the student's
code printed while it ran.
"""

from __future__ import annotations

import html
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from course_utils.notebook import render
from course_utils.notebook.render import Panel, Sign
from course_utils.outcome import ExerciseResult, Reason, Status, SubmissionResult, TestOutcome

_UNWRITTEN = (Status.NOT_WRITTEN, Status.MISSING)


def exercise_panel(exercise: ExerciseResult) -> Panel:
    """The verdict on one exercise, as HTML and as text."""
    points = f"{_points(exercise.score)} of {_points(exercise.max_score)} points"
    title = f"{points} · {_counts(exercise)}"
    sign = _sign(exercise)
    rows = list(_rows(exercise))
    text = [
        f"{sign.glyph} {exercise.name} · {title}",
        *(render.wrap(claim, first=f"  {s.glyph} ") for s, claim, _ in rows),
    ]
    parts = [render.heading(exercise.name, title), render.signed_list(rows)]
    diagnosis = exercise.diagnosis
    if diagnosis is not None:
        name = f"Most likely mistake: {diagnosis.name.replace('_', ' ')}"
        body = "\n".join([diagnosis.hint, *diagnosis.details])
        where = [("Where to look:", exercise.derivation)] if exercise.derivation else []
        parts.append(render.callout(name, body, *where))
        text += [f"  {name}", render.wrap(body, first="    ")]
        text += [render.wrap(f"  {label} {said}", rest="    ") for label, said in where]
    label = f"verdict on {exercise.name}"
    return Panel("\n".join(text), render.frame(label, sign, *parts))


def as_output(exercise: ExerciseResult) -> dict[str, Any]:
    """The verdict on one exercise as a notebook output, for its check cell."""
    panel = exercise_panel(exercise)
    return {
        "output_type": "display_data",
        "data": {"text/plain": panel.text, "text/html": panel.html},
        "metadata": {},
    }


def page(result: SubmissionResult) -> str:
    """A submission's feedback as one HTML page that needs nothing else."""
    return str(
        _template().render(
            result=result,
            points=_points,
            panels=[exercise_panel(exercise).html for exercise in result.exercises],
            rows=[
                (exercise, _sign(exercise), _counts(exercise)) for exercise in result.exercises
            ],
            notices=[
                n.message for n in result.notices
                if n.code not in (Reason.NOT_WRITTEN, Reason.FUNCTION_MISSING)
            ],
        )
    )


@lru_cache(maxsize=1)
def _template() -> Any:
    from jinja2 import Environment, PackageLoader

    loader = PackageLoader("course_utils.grading", "templates")
    return Environment(loader=loader, autoescape=True).get_template("feedback.html.j2")


def _sign(exercise: ExerciseResult) -> Sign:
    if exercise.status is Status.PASSED:
        return Sign.HOLDS
    if exercise.status in _UNWRITTEN:
        return Sign.OPEN
    return Sign.PARTLY if exercise.score else Sign.FAILS


def _counts(exercise: ExerciseResult) -> str:
    parts = []
    for label, hidden in (("public", False), ("hidden", True)):
        count = exercise.count(hidden=hidden)
        if count["total"]:
            parts.append(f"{label} {count['passed']}/{count['total']}")
    return ", ".join(parts)


def _rows(exercise: ExerciseResult) -> Iterator[tuple[Sign, str, str]]:
    said: set[str] = set()
    for test in exercise.tests:
        claim = f"{test.claim} (hidden)" if test.hidden else test.claim
        message = _message(test)
        detail = "(for the same reason)" if message and message in said else message
        said.add(message)
        yield (Sign.HOLDS if test.passed else Sign.FAILS), html.unescape(claim), detail


def _message(test: TestOutcome) -> str:
    if test.passed or not test.message:
        return ""
    if not test.hidden or test.status in _UNWRITTEN:
        return test.message
    return {  # what happened, in general terms: the message could quote a hidden input
        Status.TIMEOUT: "the call did not return in time",
        Status.CRASHED: "the call ended the whole process",
        Status.MEMORY: "the call needed more memory than is allowed",
        Status.ERROR: "the call raised an exception or returned something unusable",
        Status.FORBIDDEN: test.message,
    }.get(test.status, "")


def _points(value: float) -> str:
    return f"{value:g}"
