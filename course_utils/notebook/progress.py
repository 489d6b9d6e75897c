"""``progress``: all exercises of the lab at a glance."""

from __future__ import annotations

import html
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from course_utils.ground.errors import LabError
from course_utils.ground.lab import Lab
from course_utils.ground.statuses import Status
from course_utils.ground.surroundings import in_grading
from course_utils.notebook.locate import lab_folder, student_namespace
from course_utils.verdict import render
from course_utils.verdict.outcome import TestOutcome
from course_utils.verdict.panel import GRADING_ASKS
from course_utils.verdict.render import Panel, Sign


@dataclass(frozen=True)
class _Row:
    exercise: str
    points: float | None
    outcomes: Sequence[TestOutcome]

    @property
    def holding(self) -> int:
        return sum(outcome.passed for outcome in self.outcomes)

    @property
    def claims(self) -> str:
        return f"{self.holding}/{len(self.outcomes)}" if self.outcomes else "–"

    @property
    def state(self) -> tuple[Sign, str]:
        statuses = {outcome.status for outcome in self.outcomes}
        if not statuses:
            return Sign.OPEN, "no public claims: tested in grading only"
        if statuses == {Status.PASSED}:
            return Sign.HOLDS, "all public claims hold"
        if Status.MISSING in statuses and not self.holding:
            return Sign.OPEN, "missing: run the cell that defines it"
        if statuses == {Status.NOT_WRITTEN}:
            return Sign.OPEN, Status.NOT_WRITTEN.ending
        sign = Sign.PARTLY if self.holding else Sign.FAILS
        return sign, f"{self.holding} of {len(self.outcomes)} claims hold"


def progress() -> None:
    """Show where the whole lab stands: every exercise, its points, and its public claims.

    All public tests are run on the definitions that are in the kernel now.

    Raises:
        NotebookError: the tests cannot run; the message says why.
    """
    if in_grading():
        return
    namespace = student_namespace(sys._getframe(1))
    folder = lab_folder(namespace)
    from course_utils.notebook.public_tests import PublicTests  # pytest comes with it: not earlier

    tests = PublicTests(folder)
    points = _points(folder)
    by_name: dict[str, list[TestOutcome]] = {name: [] for name in [*points, *tests.exercises]}
    for outcome in tests.run(namespace):
        by_name.setdefault(outcome.exercise, []).append(outcome)
    rows = [_Row(name, points.get(name), outcomes) for name, outcomes in by_name.items()]
    render.show(_panel(folder.name, rows))


def _points(folder: Path) -> dict[str, float]:
    """What each exercise is worth, in the notebook's order; empty where no one notebook says so."""
    try:
        return {exercise.name: exercise.points for exercise in Lab.load(folder).exercises}
    except (LabError, ValueError, KeyError, TypeError):  # none, several, or a damaged one
        return {}


def _panel(lab: str, rows: Sequence[_Row]) -> Panel:
    done = [row for row in rows if row.state[0] is Sign.HOLDS]
    holding = sum(row.holding for row in rows)
    total = sum(len(row.outcomes) for row in rows)
    title = f"{len(done)} of {len(rows)} exercises · public claims: {holding}/{total}"
    with_points = any(row.points is not None for row in rows)
    coming = f"{GRADING_ASKS} The points count both."
    sign = Sign.HOLDS if len(done) == len(rows) else Sign.PARTLY if holding else Sign.OPEN
    return Panel(
        text="\n".join(
            [
                f"{lab} · {title}",
                *_text_table(rows, with_points, f"{holding}/{total}"),
                render.wrap(coming),
            ]
        ),
        html=render.frame(
            f"progress in {lab}",
            sign,
            render.heading(lab, title),
            _html_table(rows, with_points, f"{holding}/{total}"),
            render.note(coming),
        ),
    )


def _sum_points(rows: Sequence[_Row]) -> str:
    return f"{sum(row.points or 0.0 for row in rows):g}"


def _text_table(rows: Sequence[_Row], with_points: bool, total: str) -> list[str]:
    width = max(len("exercise"), *(len(row.exercise) for row in rows)) if rows else 8

    def table_line(name: str, points: str, claims: str, state: str) -> str:
        column = f"{points:>6}  " if with_points else ""
        return f"  {name:<{width}}  {column}{claims:>6}  {state}".rstrip()

    lines = [table_line("exercise", "points", "claims", "state")]
    for row in rows:
        sign, said = row.state
        points = "" if row.points is None else f"{row.points:g}"
        lines.append(table_line(row.exercise, points, row.claims, f"{sign.glyph} {said}"))
    return [*lines, table_line("total", _sum_points(rows), total, "")]


def _html_table(rows: Sequence[_Row], with_points: bool, total: str) -> str:
    def cell(content: str, *, tag: str = "td", align: str = "left") -> str:
        scope = ' scope="col"' if tag == "th" else ""
        return (
            f'<{tag}{scope} style="text-align:{align};padding:.2em .6em .2em 0;'
            f'vertical-align:top;overflow-wrap:break-word">{content}</{tag}>'
        )

    def table_row(name: str, points: str, claims: str, state: str, tag: str, edge: str) -> str:
        cells = [cell(name, tag=tag)]
        if with_points:
            cells.append(cell(points, tag=tag, align="right"))
        cells += [cell(claims, tag=tag, align="right"), cell(state, tag=tag)]
        return f'<tr style="background:none;{edge}">{"".join(cells)}</tr>'

    thin = "rgba(128,128,128,.35)"
    body = []
    for row in rows:
        sign, said = row.state
        points = "" if row.points is None else f"{row.points:g}"
        # On a phone a long name goes on after an underscore.
        name = f"<code>{html.escape(row.exercise).replace('_', '_<wbr>')}</code>"
        state = f"{sign.html} {html.escape(said)}"
        body.append(table_row(name, points, row.claims, state, "td", ""))
    head = table_row(
        "exercise", "points", "claims", "state", "th", f"border-bottom:1px solid {thin}"
    )
    last = table_row(
        "<strong>total</strong>", _sum_points(rows), total, "", "td", f"border-top:1px solid {thin}"
    )
    return (
        '<table style="border-collapse:collapse;margin:.5em 0;font-size:inherit;'
        f'color:inherit"><thead>{head}</thead><tbody>{"".join(body)}{last}</tbody></table>'
    )
