"""What ``check`` answers: an exercise's public outcomes, and what is known of them, as a panel."""

from __future__ import annotations

from collections.abc import Sequence

from course_utils.verdict import panel, remarks
from course_utils.verdict.outcome import Diagnosis, TestOutcome
from course_utils.verdict.remarks import Remark
from course_utils.verdict.render import Panel


def label_of(exercise: str) -> str:
    """What a screen reader calls the panel."""
    return f"check of {exercise}"


def nudge(exercise: str, hints: Sequence[str]) -> str:
    """Where there is more to be had; a sentence, or nothing."""
    return f'`hint("{exercise}")` gives a nudge. ' if hints else ""


def answer(
    exercise: str,
    outcomes: Sequence[TestOutcome],
    diagnosis: Diagnosis | None,
    *,
    derivation: str = "",
    hints: Sequence[str] = (),
    first: Sequence[Remark] = (),
) -> Panel:
    """The panel for an exercise that is there to be judged.

    Args:
        exercise: its name.
        outcomes: of its public tests.
        diagnosis: the most likely mistake.
        derivation: where in the lab's derivation to look.
        hints: what ``hint`` has.
        first: what is to be done before anything else.
    """
    holding = sum(outcome.passed for outcome in outcomes)
    title = f"public claims: {holding}/{len(outcomes)}"
    boxes = remarks.forbidden(exercise, outcomes)
    note = panel.GRADING_ASKS
    right = holding == len(outcomes)
    if right:
        title += ", all hold"
    else:
        boxes += [*first, *remarks.explanation(diagnosis, derivation, outcomes)]
        note = nudge(exercise, hints) + note
    return panel.verdict(
        exercise, title, outcomes,
        label=label_of(exercise), remarks=boxes, note=note, fold_right=not right,
    )  # fmt: skip
