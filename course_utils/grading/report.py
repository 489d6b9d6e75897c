"""A graded class at a glance: the table on the terminal and the same as CSV."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

from rich.table import Table

from course_utils.outcome import SubmissionResult, SubmissionStatus

_COLUMNS = ("student", "score", "status", "reason", "main diagnosis", "seconds")
_STYLES = {
    SubmissionStatus.GRADED: "",
    SubmissionStatus.PARTLY_GRADED: "yellow",
}


def table(results: Sequence[SubmissionResult]) -> Table:
    """One line a submission: student, score, status, reason, main diagnosis, seconds."""
    made = Table(box=None, header_style="bold", pad_edge=False)
    for column in _COLUMNS:
        right = column in ("score", "seconds")
        made.add_column(column, justify="right" if right else "left", overflow="fold")
    for result in results:
        made.add_row(*_row(result), style=_STYLES.get(result.status, "red"))
    return made


def write_csv(results: Sequence[SubmissionResult], path: Path) -> None:
    """The report as a file: the table's columns, the points of each exercise, and the message."""
    exercises = list(dict.fromkeys(e.name for r in results for e in r.exercises))
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow([*_COLUMNS, "max score", *exercises, "message"])
        for result in results:
            points = {e.name: e.score for e in result.exercises}
            writer.writerow(
                [
                    *(_safe(cell) for cell in _row(result)),
                    result.max_score,
                    *(points.get(name, 0) for name in exercises),
                    _safe(result.message),
                ]
            )


def _row(result: SubmissionResult) -> tuple[str, ...]:
    diagnosis = result.main_diagnosis
    return (
        result.student,
        f"{result.score:g}/{result.max_score:g}",
        str(result.status),
        str(result.reason),
        diagnosis.name if diagnosis else "",
        f"{result.wall_seconds:.2f}",
    )


def _safe(text: str) -> str:
    """Text that a spreadsheet does not take for a formula."""
    return f"'{text}" if text[:1] in "=+-@\t\r" else text
