"""The notebook as text: JSON, cells that are Python, check cells with points."""

from __future__ import annotations

import json
from collections.abc import Iterator

from course_utils.gate.finding import Finding
from course_utils.gate.sources.fatal import broken, no_python
from course_utils.ground.cells import (
    check_of,
    grade_id,
    is_check,
    is_explore,
    source,
    without_magics,
)
from course_utils.ground.lab import Lab


def read_notebook(lab: Lab) -> Iterator[Finding]:
    """What is wrong with a lab's notebook as text."""
    name = lab.notebook_path.name
    try:
        text = lab.notebook_path.read_text("utf-8")
        tree = json.loads(text)
    except json.JSONDecodeError as error:
        yield broken(
            f"{name}, line {error.lineno}",
            f"this is no JSON ({error.msg}): undo the last change by hand there, or take the file "
            "from git again",
        )
        return
    except UnicodeDecodeError:
        yield broken(name, "the file is not in UTF-8: save it again from JupyterLab")
        return
    cells = tree.get("cells") if isinstance(tree, dict) else None
    if not isinstance(cells, list) or not all(
        isinstance(cell, dict) and isinstance(cell.get("metadata"), dict) and "cell_type" in cell
        for cell in cells
    ):
        yield broken(name, "this is no notebook of nbformat 4 (cells with metadata and a type): "
                      "open it in JupyterLab and save it again")  # fmt: skip
        return
    checks = 0
    for number, cell in enumerate(cells):
        place = f"{name}, cell {number}" + (f" ({grade_id(cell)})" if grade_id(cell) else "")
        if is_check(cell):
            checks += 1
            points = cell["metadata"]["nbgrader"].get("points")
            if isinstance(points, bool) or not isinstance(points, (int, float)):
                said = "no points" if points is None else f"{points!r} for points"
                yield broken(
                    place, f"the check cell of {check_of(cell)} has {said}: write a number, such "
                    'as "points": 2, into its nbgrader metadata',
                )  # fmt: skip
        elif cell["cell_type"] == "code" and not is_explore(cell):
            yield from _cell(place, source(cell))
    if not checks:
        yield broken(
            name, f"{lab.name} has no check cell: every exercise needs one, graded and locked, "
            "with the grade_id check_<exercise>",
        )  # fmt: skip


def _cell(place: str, text: str) -> Iterator[Finding]:
    try:
        compile(without_magics(text), "<cell>", "exec")
    except (SyntaxError, ValueError) as error:
        yield broken(*no_python(place, error))
