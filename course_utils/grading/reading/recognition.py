"""Whether a notebook is this lab's: by what is this lab's own, and no other lab's.

Labs share names (``check_break_it``, "Written questions"), services strip metadata, and students
delete cells. So everything that tells labs apart is collected (ids, exercises that are checked,
definitions, headings), what several labs of the course share is left out, and the notebook belongs
to the lab that it holds most of.
"""

from __future__ import annotations

import json
import re
from functools import lru_cache
from pathlib import Path
from typing import Any

from course_utils.grading.reading.naming import shown
from course_utils.grading.reading.unreadable import UnreadableError
from course_utils.ground import cells as lab_cells
from course_utils.ground.lab import Lab
from course_utils.ground.statuses import Reason

_CHECK = re.compile(r"""^[ \t]*check\(\s*["']?(\w+)""", re.MULTILINE)
_HEADING = re.compile(r"^#{1,6}[ \t]+(.+)$", re.MULTILINE)
# Students write no check cells and no nbgrader ids of their own: those speak for some lab, even
# where it is not of this course. Their own functions and headings speak for none.
_ID, _DEFINITION, _TITLE = "id", "definition", "heading"
Sign = tuple[str, str]


def refuse_other_labs(notebook: dict[str, Any], lab: Lab) -> None:
    """Let a notebook of this lab pass, however little of it is left.

    Raises:
        UnreadableError: it is another lab's, or nothing of this lab is in it.
    """
    signs = _signs(notebook["cells"])
    mine = set(_signs_of(lab.notebook_path))
    others = {path.parent.name: _signs_of(path) for path in lab.neighbours}
    own = mine.difference(*others.values())
    strangers = {s for s in signs if s[0] == _ID}.difference(mine, *others.values())
    rivals = {name: len(signs & (theirs - mine)) for name, theirs in others.items()}
    nearest = max(rivals, key=lambda name: rivals[name], default="")
    against = max(len(strangers), rivals.get(nearest, 0))
    named = _named(notebook)
    ours = len(signs & own)
    # A function that several labs ask for is enough where nothing speaks for another lab.
    shared = any(kind == _DEFINITION for kind, _ in signs & mine)
    if ours >= against and (ours or shared or named == lab.name):
        return
    if _mostly_defined(signs, own):
        return  # written into another lab's notebook, and all there
    if not against and named in ("", lab.name):
        raise UnreadableError(
            Reason.WRONG_LAB,
            f"nothing in this notebook belongs to {lab.name}: it has none of the lab's cells and "
            "defines none of its functions",
        )
    other = nearest if rivals.get(nearest, 0) >= max(1, len(strangers)) else named
    whose = f"a notebook of {shown(other)}" if other not in ("", lab.name) else "of another lab"
    raise UnreadableError(Reason.WRONG_LAB, f"this is {whose}, not of {lab.name}")


def _mostly_defined(signs: set[Sign], own: set[Sign]) -> bool:
    """Whether more than half of what the lab asks for is defined."""
    asked = {sign for sign in own if sign[0] == _DEFINITION}
    return 2 * len(signs & asked) > len(asked)


def _named(notebook: dict[str, Any]) -> str:
    """The lab that the notebook's own metadata name."""
    course = notebook["metadata"].get("course")
    named = course.get("lab") if isinstance(course, dict) else None
    return named if isinstance(named, str) else ""


def _signs(cells: list[dict[str, Any]]) -> set[Sign]:
    """What tells a notebook's lab."""
    found: set[Sign] = set()
    for cell in cells:
        text = lab_cells.source(cell)
        if name := lab_cells.grade_id(cell):
            found.add((_ID, name))
        if cell.get("cell_type") == "code":
            found |= {(_ID, lab_cells.check_id(asked)) for asked in _CHECK.findall(text)}
            found |= {(_DEFINITION, defined) for defined in lab_cells.definitions(text)}
        else:
            found |= {(_TITLE, " ".join(title.split())) for title in _HEADING.findall(text)}
    return found


def _signs_of(path: Path) -> frozenset[Sign]:
    """The signs of a lab's own notebook; none where it cannot be read just now."""
    try:
        return _signs_of_file(path, path.stat().st_mtime_ns)
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return frozenset()  # a lab that somebody is working on says nothing about others


@lru_cache(maxsize=64)
def _signs_of_file(path: Path, modified: int) -> frozenset[Sign]:
    cells = json.loads(path.read_text("utf-8"))["cells"]
    asked = [
        cell for cell in cells
        if cell["cell_type"] != "code" or lab_cells.is_solution(cell) or lab_cells.is_check(cell)
        or lab_cells.is_locked(cell)
    ]  # fmt: skip
    return frozenset(_signs(asked))
