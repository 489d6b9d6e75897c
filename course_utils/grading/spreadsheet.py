"""CSV files that a spreadsheet opens and calculates nothing from, and that give their text back.

The rule is OWASP's (CSV injection): a sign that begins a formula, ``= + - @`` or its full-width
form, a tab or a line end, gets an apostrophe before it where a cell begins: at the start of the
text, or behind a separator at which some spreadsheets cut cells (semicolon, tab, bar, line end; a
comma is safe in quotes). Nothing else is changed, and numbers stay numbers. :func:`plain` takes the
apostrophes away again.
"""

from __future__ import annotations

import csv
import os
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

_SIGNS = "=+\\-@\t\r\n＝＋－＠"
_BEGINS = r"(?:^|(?<=[;|\t\r\n]))[ \"']*"
_FORMULA = re.compile(f"({_BEGINS})([{_SIGNS}])")
_QUOTED = re.compile(f"({_BEGINS})'([{_SIGNS}])")


def inert(cell: object) -> object:
    """A cell that no spreadsheet takes for a formula; only text is ever changed."""
    return _FORMULA.sub(r"\1'\2", cell) if isinstance(cell, str) else cell


def plain(cell: str) -> str:
    """The text that :func:`inert` was given."""
    return _QUOTED.sub(r"\1\2", cell)


def write(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Replace a file as a whole: whoever reads it meanwhile sees the old one or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.new")
    with fresh.open("w", newline="", encoding="utf-8", errors="backslashreplace") as file:
        writer = csv.writer(file)
        writer.writerow([inert(cell) for cell in header])
        writer.writerows([inert(cell) for cell in row] for row in rows)
    os.replace(fresh, path)


def read(path: Path) -> list[list[str]]:
    """A file's rows, as they were before :func:`write` made them inert.

    Raises:
        OSError, UnicodeDecodeError, csv.Error: it cannot be read.
    """
    with path.open(newline="", encoding="utf-8-sig") as file:
        return [[plain(cell) for cell in row] for row in csv.reader(file)]
