"""What a notebook's cell is to this course: a check, a solution, a written answer, a look.

nbgrader keeps that in a cell's metadata; the exercise's name is in the check cell's ``grade_id``.
"""

from __future__ import annotations

import re
import sys
from typing import Any

_CHECK = "check_"
EXPLORE_TAG = "explore"
_COLAB_BADGE = re.compile(
    r"\[!\[[^\]\n]*\]\([^)\s]*\)\]\(https://colab\.research\.google\.com/[^)\s]*\)"
    r"|<a href=\"https://colab\.research\.google\.com/[^\"<>]*\"[^<>]*><img [^<>]*></a>"
)
_DEFINITION = re.compile(r"^(?:async[ \t]+)?(?:def|class)[ \t]+(\w+)", re.MULTILINE)


def _nbgrader(cell: dict[str, Any]) -> dict[str, Any]:
    metadata = cell.get("metadata")
    found = metadata.get("nbgrader") if isinstance(metadata, dict) else None
    return found if isinstance(found, dict) else {}


def grade_id(cell: dict[str, Any]) -> str:
    """A cell's nbgrader id; empty where it has none."""
    return str(_nbgrader(cell).get("grade_id", ""))


def cell_key(cell: dict[str, Any]) -> str:
    """What tells a lab's cell: its nbgrader id, or else Jupyter's."""
    return grade_id(cell) or str(cell.get("id", ""))


def points(cell: dict[str, Any]) -> float:
    """What a graded cell is worth."""
    return float(_nbgrader(cell).get("points", 0))


def is_check(cell: dict[str, Any]) -> bool:
    """Whether a cell is a check cell: locked, worth points, named ``check_<exercise>``."""
    return (
        cell.get("cell_type") == "code"
        and bool(_nbgrader(cell).get("grade"))
        and not _nbgrader(cell).get("solution")
        and bool(exercise_of(grade_id(cell)))
    )


def check_of(cell: dict[str, Any]) -> str:
    """The exercise that a check cell checks."""
    return exercise_of(grade_id(cell))


def check_id(exercise: str) -> str:
    """The ``grade_id`` of an exercise's check cell."""
    return _CHECK + exercise


def exercise_of(grade_id: str) -> str:
    """The exercise whose check cell is called so; empty for the name of another cell."""
    # One string for all cells of a large class.
    return sys.intern(grade_id.removeprefix(_CHECK)) if grade_id.startswith(_CHECK) else ""


def is_solution(cell: dict[str, Any]) -> bool:
    """Whether students write in this cell."""
    return bool(_nbgrader(cell).get("solution"))


def is_written(cell: dict[str, Any]) -> bool:
    """Whether students answer in this cell and a person reads it: a solution worth points."""
    return is_solution(cell) and bool(_nbgrader(cell).get("grade"))


def is_locked(cell: dict[str, Any]) -> bool:
    """Whether a cell is the instructor's and not to be changed."""
    return bool(_nbgrader(cell).get("locked")) and not is_solution(cell)


def is_explore(cell: dict[str, Any]) -> bool:
    """Whether a cell belongs to the student's own looking around and is not run in grading."""
    metadata = cell.get("metadata")
    tags = metadata.get("tags") if isinstance(metadata, dict) else None
    return isinstance(tags, list) and EXPLORE_TAG in tags


def is_run(cell: dict[str, Any]) -> bool:
    """Whether grading runs this cell: code that is neither a check nor a look."""
    return cell.get("cell_type") == "code" and not is_check(cell) and not is_explore(cell)


def is_colab_badge(code: str) -> bool:
    """Whether a text is Colab's badge and nothing else: the hand-out's, or the one that Colab puts
    above a notebook that it saves on GitHub."""
    return bool(_COLAB_BADGE.fullmatch(code.strip()))


def without_magics(code: str) -> str:
    """A cell's code as plain Python: lines that begin with ``%`` or ``!`` are left blank."""
    return "\n".join(
        "" if line.lstrip().startswith(("%", "!")) else line for line in code.splitlines()
    )


def definitions(code: str) -> set[str]:
    """The functions and classes that a text defines at its top level, though it may not parse."""
    return set(_DEFINITION.findall(code))


def source(cell: dict[str, Any]) -> str:
    """A cell's text, which a notebook file may hold as one string or as lines."""
    text = cell.get("source", "")
    return text if isinstance(text, str) else "".join(str(line) for line in text)
