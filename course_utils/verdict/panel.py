"""The verdict on an exercise as a student reads it: in the notebook after ``check``, and graded.

What went wrong comes first, in a box. Then come the claims: those that fail in full, those that
cannot be judged yet in one line, and those that hold folded away. In plain text, where nothing can
be unfolded, the last are counted.

A hidden test shows its claim and its verdict, and what :mod:`course_utils.ground.said` lets be said
of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from course_utils.ground import chart
from course_utils.verdict import claims, render
from course_utils.verdict.claims import Fold
from course_utils.verdict.outcome import TestOutcome
from course_utils.verdict.remarks import Remark
from course_utils.verdict.render import Panel, Row, Sign

GRADING_ASKS = (
    "Grading asks the same of other inputs, up to the edge cases that the docstring names."
)


def verdict(
    name: str,
    title: str,
    outcomes: Sequence[TestOutcome],
    *,
    label: str,
    remarks: Sequence[Remark] = (),
    note: str = "",
    fold_right: bool = True,
) -> Panel:
    """The panel of one exercise.

    Args:
        name: the exercise.
        title: what is said of it as a whole, behind its name.
        outcomes: of its tests.
        label: what a screen reader calls the panel.
        remarks: boxes above the claims.
        note: a last line in the background.
        fold_right: whether the claims are folded away where all of them hold.
    """
    sign = sign_of(outcomes)
    text = [render.wrap(f"{name} · {title}", first=f"{sign.glyph} ")]
    parts = [render.heading(name, title)]
    for remark in remarks:
        text += _remark_lines(remark)
        parts.append(render.callout(remark.title, remark.body, *remark.more))
    for block in claims.blocks(outcomes, fold_right):
        if isinstance(block, Fold):
            text += _fold_lines(block)
            parts.append(render.fold(block.sign, block.title, block.rows))
        else:
            text += _row_lines(block)
            parts.append(render.signed_list(block))
    if note:
        text.append(render.wrap(note))
        parts.append(render.note(note))
    return Panel("\n".join(text), render.frame(label, sign, *parts))


def _remark_lines(remark: Remark) -> Iterator[str]:
    yield render.wrap(remark.title, first="  ")
    yield render.wrap(remark.body, first="    ")
    for label, text in remark.more:
        yield render.wrap(f"{label} {text}", first="    ")


def _fold_lines(fold: Fold) -> Iterator[str]:
    start = "  also: " if fold.sign is Sign.HOLDS else f"  {fold.sign.glyph} "
    yield render.wrap(fold.title, first=start)


def _row_lines(rows: Sequence[Row]) -> Iterator[str]:
    for row in rows:
        yield render.wrap(row.claim, first=f"  {row.sign.glyph} ")
        if row.detail:
            yield render.wrap(row.detail, first="      ")
        if row.chart:
            yield from (f"        {' '.join(line)}" for line in row.chart)
            yield render.wrap(chart.key(row.chart), first="      ")


def one_line(name: str, state: str, *, label: str) -> Panel:
    """The panel of an exercise that is still to be done."""
    return Panel(
        render.wrap(f"{name} · {state}", first=f"{Sign.OPEN.glyph} "),
        render.frame(label, Sign.OPEN, render.heading(name, state)),
    )


def sign_of(outcomes: Sequence[TestOutcome]) -> Sign:
    """How an exercise stands as a whole."""
    if not outcomes:
        return Sign.FAILS
    if all(outcome.passed for outcome in outcomes):
        return Sign.HOLDS
    if is_open(outcomes):
        return Sign.OPEN
    return Sign.PARTLY if any(outcome.passed for outcome in outcomes) else Sign.FAILS


def is_open(outcomes: Sequence[TestOutcome]) -> bool:
    """Whether the exercise is not there yet: not written, or its cell was not run."""
    return all(outcome.status.unwritten for outcome in outcomes)
