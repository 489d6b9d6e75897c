"""What a student reads after grading: the likely mistake, claims, what was seen, where to look."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from course_utils.grading import templating
from course_utils.grading.templating import points
from course_utils.grading.totals import NO_RESPONSE, CellMark, StudentMarks, Total
from course_utils.ground.cells import check_id, exercise_of
from course_utils.ground.statuses import Reason, Status
from course_utils.verdict import panel, remarks
from course_utils.verdict.exercise import ExerciseResult
from course_utils.verdict.remarks import Remark
from course_utils.verdict.render import Panel, Sign
from course_utils.verdict.submission import SubmissionResult

_ONLY_HIDDEN = (
    "All public claims hold. The hidden ones were asked of inputs that `check` does not use: read "
    "the claim, and try inputs of your own."
)
_HOLLOW = (
    "The claims that hold here would hold for an answer that knows nothing, too, such as zeros of "
    "the right shape: they count once another one holds."
)
_FIRST = 3  # exercises that are named at the top: more is no order to work in
# What the panels say themselves, and what names somebody else.
_NOT_FOR_STUDENTS = (Reason.NOT_WRITTEN, Reason.FUNCTION_MISSING, Reason.DUPLICATE_STUDENT)


def exercise_panel(exercise: ExerciseResult) -> Panel:
    """The verdict on one exercise, as HTML and as text."""
    worth = f"{points(exercise.score)} of {points(exercise.max_score)} points"
    label = f"verdict on {exercise.name}"
    if _is_open(exercise):
        return panel.one_line(exercise.name, f"{worth} · {_open(exercise)}", label=label)
    return panel.verdict(
        exercise.name,
        f"{worth} · {_counts(exercise)}",
        exercise.tests,
        label=label,
        remarks=_boxes(exercise),
        note=_note(exercise),
    )


def _boxes(exercise: ExerciseResult) -> list[Remark]:
    return [
        *remarks.forbidden(exercise.name, exercise.tests, _earned(exercise)),
        *remarks.explanation(exercise.diagnosis, exercise.derivation, exercise.tests),
    ]


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
    rows = [_row(exercise, result, marks) for exercise in result.exercises]
    return templating.render(
        "feedback",
        result=result,
        total=marks.total,
        parts=_parts(marks.total),
        rows=rows,
        first=list(_look_first(rows)),
        unwritten=[row for row in rows if _is_open(row.exercise)],
        written=[
            (name, cell) for name, cell in sorted(marks.cells.items()) if not exercise_of(name)
        ],
        remarks=[one for one in sorted(marks.remarks.items()) if one[1] != NO_RESPONSE],
        silent=sorted(name for name, text in marks.remarks.items() if text == NO_RESPONSE),
        notices=[n.message for n in result.notices if n.code not in _NOT_FOR_STUDENTS],
    )


@dataclass(frozen=True)
class Row:
    """An exercise on the page.

    Attributes:
        sign, counts: how it stands, and how many claims hold.
        mark: the gradebook's, where it has one.
        shown: the panel.
    """

    exercise: ExerciseResult
    sign: Sign
    counts: str
    mark: CellMark | None
    shown: Panel

    @property
    def lost(self) -> float:
        """The points that it has cost, as they count in the end."""
        earned = self.exercise.score if self.mark is None else self.mark.score
        return max(0.0, round(self.exercise.max_score - earned, 2))


def _row(exercise: ExerciseResult, result: SubmissionResult, marks: StudentMarks) -> Row:
    sign, mark = panel.sign_of(exercise.tests), marks.cells.get(check_id(exercise.name))
    return Row(exercise, sign, _counts(exercise), mark, _shown(exercise, result))


def _look_first(rows: Sequence[Row]) -> Iterator[tuple[Row, str, str]]:
    """Where most was lost: (exercise, what is known of it, in more words)."""
    lost = [row for row in rows if row.lost and not _is_open(row.exercise)]
    for row in sorted(lost, key=lambda row: -row.lost)[:_FIRST]:
        boxes = _boxes(row.exercise)
        failed = next((one for one in row.exercise.tests if one.refuted), None)
        if boxes:
            yield row, boxes[0].title, boxes[0].body
        elif failed is not None:
            which = "A hidden claim" if failed.hidden else "A claim"
            yield row, f"{which} does not hold", failed.claim


def _shown(exercise: ExerciseResult, result: SubmissionResult) -> Panel:
    """The panel that stands in the notebook; written again where only the journal's record is
    left of the verdict."""
    return result.panels.get(exercise.name) or exercise_panel(exercise)


def _parts(total: Total) -> list[str]:
    """What a total is made of, where there is more to it than the grader's marks."""
    parts = [f"{points(total.automatic)} automatic"]
    if total.manual:
        parts.append(f"{points(total.manual)} given by hand")
    if total.extra:
        parts.append(f"{points(total.extra)} extra")
    if total.penalty:
        parts.append(f"− {points(total.penalty)} for lateness")
    if total.to_grade:
        answers = "answer is" if total.to_grade == 1 else "answers are"
        parts.append(f"{total.to_grade} {answers} still to be graded by hand")
    return parts


def withheld(exercise: ExerciseResult) -> str:
    """What a forbidden call has cost, as the end of a sentence and the next one."""
    cost = round(exercise.score_by_values - exercise.score, 2)
    if not cost:
        return "which costs nothing here."
    return f"which costs {points(cost)} {'point' if cost == 1 else 'points'}. {_earned(exercise)}"


def _earned(exercise: ExerciseResult) -> str:
    """What the values alone would have earned, where a forbidden call was made."""
    return (
        f"The values alone would have earned {points(exercise.score_by_values)} of "
        f"{points(exercise.max_score)} points."
    )


def _is_open(exercise: ExerciseResult) -> bool:
    return bool(exercise.tests) and panel.is_open(exercise.tests)


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
