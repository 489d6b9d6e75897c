"""The tables of the gate's report, laid out by rich as plain text: no frame, no colour."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from io import StringIO

from rich.console import Console
from rich.table import Table
from rich.text import Text

from course_utils.gate.figures import MatrixRow, MutationRow, NamingRow

# A report is read in logs as well, where a row must stay on one line however long it is.
_WIDTH = 10_000


def of_misconceptions(rows: Sequence[MatrixRow]) -> Iterator[str]:
    """How many tests notice each misconception, whether it is named, and what it keeps."""
    return _lines(
        ["exercise", "misconception", "public", "hidden", "named", "by check", "keeps"],
        [
            [
                row.exercise, row.name, _of(row.public), _of(row.hidden),
                "NaN" if row.only_nan else _yes(row.named),
                "–" if row.only_nan or not row.public[0] else _yes(row.named_by_check),
                f"{100 * row.kept:.0f} %",
            ]
            for row in rows
        ],
    )  # fmt: skip


def of_mutants(rows: Sequence[MutationRow]) -> Iterator[str]:
    """How many of each exercise's mutants a test notices."""
    return _lines(
        ["exercise", "killed", "equivalent", "all", "rate"],
        [
            [
                row.exercise, str(row.killed), str(row.equivalent), str(row.total),
                f"{100 * row.rate:.0f} %",
            ]
            for row in rows
        ],
    )  # fmt: skip


def of_naming(rows: Sequence[NamingRow]) -> Iterator[str]:
    """What was said of how many mistakes that the catalogue does not know."""
    return _lines(
        ["mistakes", "named", "apt", "silent", "misleading", "all"],
        [
            [
                row.group, _share(row.named, row.total), _share(row.apt, row.total),
                _share(row.silent, row.total), _share(row.misleading, row.total), str(row.total),
            ]
            for row in rows
        ],
    )  # fmt: skip


def _lines(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for title in head:
        table.add_column(Text(title), no_wrap=True)
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))  # as it is: no mark-up in brackets
    text = StringIO()
    Console(file=text, width=_WIDTH, color_system=None, force_jupyter=False).print(table)
    for line in text.getvalue().splitlines():
        yield f"  {line}".rstrip()


def _of(count: tuple[int, int]) -> str:
    return f"{count[0]}/{count[1]}"


def _share(count: int, total: int) -> str:
    return f"{count} ({100 * count / total:.0f} %)" if total else "0"


def _yes(value: bool) -> str:
    return "yes" if value else "NO"
