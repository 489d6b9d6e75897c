"""A graded class at a glance: the table on the terminal, and one CSV file a lab."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from rich.table import Table
from rich.text import Text

from course_utils.grading import spreadsheet
from course_utils.grading.classrun.changes import Change
from course_utils.grading.totals import StudentMarks, Total
from course_utils.ground.cells import exercise_of
from course_utils.ground.escaping import escaped
from course_utils.ground.statuses import SubmissionStatus
from course_utils.verdict.submission import SubmissionResult

Value = TypeVar("Value")
_STYLES = {
    SubmissionStatus.GRADED: "",
    SubmissionStatus.PARTLY_GRADED: "yellow",
}


@dataclass(frozen=True, slots=True)
class Line:
    """One student in table and report.

    Attributes:
        total: what the gradebook says the submission is worth.
        status, reasons, message: how the grading ended; reasons are codes, the gravest first.
        diagnosis: the mistake that cost most.
        names, points: of every exercise and written answer; None where a person is to grade.
    """

    student: str
    last_name: str
    first_name: str
    total: Total
    status: SubmissionStatus
    reasons: tuple[str, ...] = ()
    message: str = ""
    diagnosis: str = ""
    seconds: float = 0.0
    names: tuple[str, ...] = ()
    points: tuple[float | None, ...] = ()

    @property
    def cells(self) -> dict[str, float | None]:
        """The points by name."""
        return dict(zip(self.names, self.points, strict=True))


def line(
    result: SubmissionResult,
    marks: StudentMarks | None,
    names: tuple[str, str] = ("", ""),
    max_score: float | None = None,
) -> Line:
    """A student's line.

    Args:
        result: the verdict.
        marks: what the gradebook holds; the result's own marks where it holds nothing.
        names: last and first.
        max_score: what the lab is worth, where the gradebook holds nothing of the student.
    """
    cells: dict[str, float | None]
    if marks is not None and marks.cells:
        cells = {
            exercise_of(name) or name: None if cell.unread else cell.score
            for name, cell in marks.cells.items()
        }
    else:
        cells = {one.name: one.score for one in result.exercises}
    diagnosis = result.main_diagnosis
    reasons = sorted({str(notice.code) for notice in result.notices} - {str(result.reason)})
    return Line(
        result.student, *names, _shared(total_of(result, marks, max_score)), result.status,
        reasons=_shared((str(result.reason), *reasons)),
        message=result.message,
        diagnosis=diagnosis.name if diagnosis else "",
        seconds=result.wall_seconds,
        names=_shared(tuple(cells)),
        points=_shared(tuple(map(_shared, cells.values()))),
    )  # fmt: skip


_known: dict[Any, Any] = {}


def _shared(value: Value) -> Value:
    """One object for all that are equal: of points, totals, lists of names a class has few."""
    found: Value = _known.setdefault((type(value), value), value)
    return found


def total_of(
    result: SubmissionResult, marks: StudentMarks | None, max_score: float | None = None
) -> Total:
    """What a student has: the gradebook's total, or the result's own where that holds nothing.

    Args:
        result, marks, max_score: as for :func:`line`.
    """
    if marks is not None and marks.cells:
        return marks.total
    worth = result.max_score if max_score is None else max_score
    return Total(automatic=result.score, max_score=worth)


def table(lines: Sequence[Line]) -> Table:
    """The class on a terminal, one line a student."""
    by_hand = any(line.total.to_grade for line in lines)
    columns = ["student", "score", *(["by hand"] if by_hand else []), "status", "reason",
               "main diagnosis", "seconds"]  # fmt: skip
    made = Table(box=None, header_style="bold", pad_edge=False)
    for column in columns:
        right = column in ("score", "by hand", "seconds")
        made.add_column(column, justify="right" if right else "left", overflow="fold")
    for one in lines:
        to_grade = [f"{one.total.to_grade} to do" if one.total.to_grade else ""] if by_hand else []
        cells = [
            one.student, f"{one.total.score:g}/{one.total.max_score:g}", *to_grade,
            str(one.status), one.reasons[0] if one.reasons else "", one.diagnosis,
            f"{one.seconds:.2f}",
        ]  # fmt: skip
        made.add_row(*map(_text, cells), style=_STYLES.get(one.status, "red"))
    return made


def changes_table(changes: Sequence[Change]) -> Table:
    """Whose automatic mark changed, on a terminal."""
    made = Table(box=None, header_style="bold", pad_edge=False)
    for column, right in (
        ("student", False), ("exercise", False), ("from", True), ("to", True), ("claims", False),
    ):  # fmt: skip
        made.add_column(column, justify="right" if right else "left", overflow="fold")
    for change in changes:
        claims = [f"now holds: {claim}" for claim in change.now_hold]
        claims += [f"now fails: {claim}" for claim in change.now_fail]
        if change.override is not None:
            claims.append(f"overridden by hand with {change.override:g}, which still counts")
        cells = (
            change.student, change.exercise, f"{change.before:g}", f"{change.after:g}",
            "\n".join(claims),
        )  # fmt: skip
        made.add_row(*map(_text, cells))
    return made


def profile_table(profile: Mapping[str, Mapping[str, float]]) -> Table:
    """Where the seconds of a run went, by whom and phase."""
    made = Table(box=None, header_style="bold", pad_edge=False)
    for column, right in (("whose", False), ("phase", False), ("seconds", True), ("share", True)):
        made.add_column(column, justify="right" if right else "left")
    for whose, seconds in profile.items():
        total = sum(seconds.values())
        for name, some in sorted(seconds.items(), key=lambda one: -one[1]):
            made.add_row(whose, name, f"{some:.2f}", f"{some / total:.0%}")
    return made


def _text(cell: str) -> Text:
    """A cell of a table: no mark-up, and as wide as it is shown."""
    return Text(escaped(cell, keep="\n"))


def write_csv(lines: Sequence[Line], path: Path) -> None:
    """One row a student: the total and its parts, every exercise and written answer, reasons."""
    names = list(dict.fromkeys(name for one in lines for name in one.cells))
    header = [
        "student", "last_name", "first_name", "score", "max_score", "automatic", "manual", "extra",
        "penalty", "to_grade", "status", "reasons", "main_diagnosis", "seconds", *names, "message",
    ]  # fmt: skip
    rows = (
        [
            one.student, one.last_name, one.first_name,
            *(round(number, 2) for number in (
                one.total.score, one.total.max_score, one.total.automatic, one.total.manual,
                one.total.extra, one.total.penalty, one.total.to_grade,
            )),
            str(one.status), " ".join(one.reasons), one.diagnosis, f"{one.seconds:.2f}",
            *(one.cells.get(name) for name in names), one.message,
        ]
        for one in lines
    )  # fmt: skip
    spreadsheet.write(path, header, rows)


def write_changes(changes: Sequence[Change], path: Path) -> None:
    """The changed marks as CSV."""
    header = ["student", "exercise", "from", "to", "now_hold", "now_fail", "overridden_with"]
    rows = (
        [
            change.student, change.exercise, change.before, change.after,
            " | ".join(change.now_hold), " | ".join(change.now_fail), change.override,
        ]
        for change in changes
    )  # fmt: skip
    spreadsheet.write(path, header, rows)
