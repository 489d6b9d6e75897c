"""What a good answer is, beside every written answer, for those who read them, and for nobody else.

A graded notebook in ``autograded/`` is what formgrader shows. nbgrader makes feedback of the same
file, so rubrics stand in it only where the course's settings leave them out of feedback again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import nbformat
from nbgrader.preprocessors import NbGraderPreprocessor

from course_utils.ground.cells import grade_id, is_written, source
from course_utils.ground.lab import Lab

_TAG = "rubric"


class DropRubrics(NbGraderPreprocessor):  # type: ignore[misc]  # nbgrader is untyped
    """Leave them out; a step of ``c.GenerateFeedback.preprocessors``."""

    def preprocess(self, nb: Any, resources: Any) -> Any:
        nb.cells = [cell for cell in nb.cells if _TAG not in (cell.metadata.get("tags") or ())]
        return nb, resources


def are_dropped(config: Any) -> bool:
    """Whether a course's settings keep rubrics out of nbgrader's feedback."""
    steps = config.GenerateFeedback.get("preprocessors", ())
    return any(getattr(step, "__name__", step) == DropRubrics.__name__ for step in steps)


def with_rubrics(cells: Iterable[Any], lab: Lab) -> Iterator[Any]:
    """A notebook's cells, and below every written answer one with the instructor's own."""
    answers = {grade_id(cell): cell for cell in lab.notebook["cells"] if is_written(cell)}
    for cell in cells:
        yield cell
        if grade_id(cell) in answers:
            yield nbformat.from_dict(_rubric(answers[grade_id(cell)]))


def _rubric(answer: dict[str, Any]) -> dict[str, Any]:
    told = "\n".join(f"> {line}".rstrip() for line in source(answer).splitlines())
    return {
        "cell_type": "markdown",
        "id": f"rubric-{grade_id(answer)}"[:64],
        "metadata": {"tags": [_TAG], "editable": False},
        "source": f"> **For graders, not for students.**\n>\n{told}",
    }
