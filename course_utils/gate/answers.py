"""A lab for after the deadline: the students' notebook with what was asked for folded under it.

Nothing is in place of a student's own work: stubs and check cells are as they were, and below each
exercise lies a good solution with two other right ways, below each written question what a good
answer says. Both are folded, so that whoever wants to try once more is not told.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import nbformat

from course_utils.diagnosis.rewriting import exercise_cells, original_of
from course_utils.gate.released import released_notebook
from course_utils.ground.cells import grade_id, is_solution, source
from course_utils.ground.lab import Lab
from course_utils.ground.stub import without_marks
from course_utils.testing.catalogue import Entry, load

_OTHER_WAYS = 2


def answers(lab: Lab) -> dict[str, Any]:
    """The released notebook of a lab with solutions folded under its exercises.

    Raises:
        RuntimeError: nbgrader cannot make the release.
    """
    notebook = released_notebook(lab)
    below = {**_of_exercises(lab), **_of_questions(lab)}
    cells: list[dict[str, Any]] = []
    for cell in notebook["cells"]:
        cells.append(cell)
        name = grade_id(cell)
        if name in below:
            cells.append({
                "cell_type": "markdown", "id": f"answer-{len(cells)}", "metadata": {},
                "source": below[name],
            })  # fmt: skip
    return {**notebook, "cells": cells}


def write_answers(lab: Lab, into: Path) -> Path:
    """Write that notebook into a folder of its own, with the two files that its checks need.

    Args:
        lab: the instructor's folder.
        into: where the lab's folder is to lie.
    """
    folder = into / lab.name
    folder.mkdir(parents=True, exist_ok=True)
    nbformat.write(nbformat.from_dict(answers(lab)), folder / lab.notebook_path.name)
    for path in (lab.test_public, lab.traces_path):
        if path.exists():
            shutil.copy(path, folder)
    return folder


def _of_exercises(lab: Lab) -> dict[str, str]:
    """What is said of each exercise, under the last of its solution cells, by grade id."""
    variants = load(lab.variants_path)
    said: dict[str, str] = {}
    for exercise, cells in exercise_cells(lab).items():
        code = "\n\n\n".join(without_marks(source(cell)) for cell in cells)
        ways = _two_ways([one for one in variants if one.exercise == exercise])
        if cells:
            said[grade_id(cells[-1])] = "\n\n".join(_folded(exercise, code, ways))
    return said


def _two_ways(variants: Sequence[Entry]) -> list[Entry]:
    """Two right ways to show: one by hand and one by a built-in where there are both."""
    whole = [one for one in variants if one.implementation is not None]
    by_hand = [one for one in whole if not one.built_in]
    built_in = [one for one in whole if one.built_in]
    return [*by_hand[:1], *built_in[:1], *by_hand[1:], *built_in[1:]][:_OTHER_WAYS]


def _folded(exercise: str, code: str, ways: Sequence[Entry]) -> Iterator[str]:
    yield f"<details><summary><b>A solution of <code>{exercise}</code></b></summary>"
    yield f"```python\n{code}\n```"
    for way in ways:
        title = way.name.replace("_", " ")
        note = "; the built-in that was not to be called, for comparison" if way.built_in else ""
        yield f"Right as well: *{title}* (for `{way.replaces}`{note})."
        yield f"```python\n{original_of(way).text}\n```"
    yield "</details>"


def _of_questions(lab: Lab) -> dict[str, str]:
    """What a good answer to each written question says, by grade id."""
    return {
        grade_id(cell): "<details><summary><b>What a good answer says</b></summary>\n\n"
        f"{without_marks(source(cell))}\n\n</details>"
        for cell in lab.notebook["cells"]
        if cell["cell_type"] == "markdown" and is_solution(cell)
    }
