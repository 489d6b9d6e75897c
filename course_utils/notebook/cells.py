"""The notebook's own cells: which of them defines a name, and how a student finds that cell."""

from __future__ import annotations

import ast
import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from course_utils.ground.cells import grade_id, is_solution, source

_LONGEST = 60


@dataclass(frozen=True)
class DefiningCell:
    """A cell that defines a name.

    Attributes:
        exercise: the exercise whose solution goes there; empty for other cells.
        words: how a student finds it: "the cell with `def softmax(x, axis=-1):`".
    """

    exercise: str
    words: str


def defining_cell(folder: Path, name: str) -> DefiningCell | None:
    """The first cell of the folder's notebook that defines a name, as the file was last saved."""
    for path in _notebooks(folder):
        for number, cell in enumerate(_code_cells(path)):
            line = _bound(source(cell)).get(name)
            if line is not None:
                exercise = grade_id(cell) if is_solution(cell) else ""
                return DefiningCell(exercise, _words(line, at_the_top=number == 0 and not exercise))
    return None


def _words(line: str, *, at_the_top: bool) -> str:
    if at_the_top:
        return "the setup cell at the top"
    shown = line if len(line) <= _LONGEST else f"{line[: _LONGEST - 1]}…"
    return f"the cell with `{shown.replace('`', '')}`"


def _notebooks(folder: Path) -> Iterator[Path]:
    """The notebook that this kernel runs, if Jupyter says which, then the others in the folder."""
    session = Path(os.environ.get("JPY_SESSION_NAME", "")).name
    files = sorted(folder.glob("*.ipynb"))
    yield from sorted(files, key=lambda path: path.name != session)


def _code_cells(path: Path) -> list[dict[str, Any]]:
    try:
        cells = json.loads(path.read_text("utf-8"))["cells"]
        return [cell for cell in cells if cell["cell_type"] == "code"]
    except (OSError, ValueError, KeyError, TypeError):  # a damaged file helps nobody
        return []


def _bound(code: str) -> dict[str, str]:
    """The names that a cell defines, each with the line in which it does."""
    lines = code.splitlines()
    try:
        statements = ast.parse(code).body
    except SyntaxError:  # half-written, or with magics: definitions can still be told
        found = re.finditer(r"^(?:def|class) (\w+).*", code, re.MULTILINE)
        return {match[1]: match[0].strip() for match in found}
    bound: dict[str, str] = {}
    for statement in statements:
        line = lines[statement.lineno - 1].strip()
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names = [statement.name]
        elif isinstance(statement, ast.Import | ast.ImportFrom):
            names = [(a.asname or a.name).partition(".")[0] for a in statement.names]
        else:
            names = [
                node.id for node in ast.walk(statement)
                if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
            ]  # fmt: skip
        for name in names:
            bound.setdefault(name, line)
    return bound
