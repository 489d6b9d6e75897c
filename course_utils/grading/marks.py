"""A verdict's automatic marks in nbgrader's gradebook, whichever command has made the verdict."""

from __future__ import annotations

from typing import Any

import nbformat
from nbgrader import utils
from nbgrader.api import Gradebook

from course_utils.lab import CHECK_PREFIX, Lab, grade_id
from course_utils.outcome import SubmissionResult


def automatic_score(result: SubmissionResult, name: str) -> float | None:
    """What a graded cell is worth without a person: an exercise's score, 0 for an answer that was
    not written, 0 where the notebook could not be read; else None, and a person grades it."""
    if name.startswith(CHECK_PREFIX) or not result.exercises:
        scores = {CHECK_PREFIX + exercise.name: exercise.score for exercise in result.exercises}
        return scores.get(name, 0.0)
    return next((answer.score for answer in result.written if answer.name == name), None)


def write_marks(gradebook: Gradebook, lab: Lab, result: SubmissionResult) -> None:
    """Store a verdict's automatic marks; what a person has given stays.

    Args:
        gradebook: open, with the student's submission in it.
        lab: whose notebook was graded.
        result: the verdict; its notebook's cells are compared with what was released.
    """
    submitted = gradebook.find_submission_notebook(lab.notebook_id, lab.name, result.student)
    for grade in submitted.grades:
        grade.auto_score = automatic_score(result, grade.name)
        grade.needs_manual_grade = grade.manual_score is not None or grade.auto_score is None
    notebook = stamped(gradebook, lab, result)
    cells = {grade_id(cell): cell for cell in notebook.cells} if notebook else {}
    for comment in submitted.comments:
        cell = cells.get(comment.name)
        silent = cell is not None and comment.name not in result.to_look_for and (
            cell.metadata.nbgrader.get("checksum") == utils.compute_checksum(cell)
        )  # fmt: skip
        comment.auto_comment = "No response." if silent else None
    gradebook.db.commit()


def stamped(gradebook: Gradebook, lab: Lab, result: SubmissionResult) -> Any:
    """The graded notebook with nbgrader's checksums of what was released, or None where there is
    no notebook."""
    if result.notebook is None:
        return None
    released = gradebook.find_notebook(lab.notebook_id, lab.name)
    checksums = {cell.name: cell.checksum for cell in released.source_cells}
    for cell in result.notebook["cells"]:
        if grade_id(cell) in checksums:
            cell["metadata"]["nbgrader"]["checksum"] = checksums[grade_id(cell)]
    return nbformat.from_dict(result.notebook)
