"""A verdict's automatic marks in nbgrader's gradebook, whichever command has made the verdict."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import nbformat
from nbgrader import utils
from nbgrader.api import BaseCell, Grade, Gradebook
from sqlalchemy import select, update

from course_utils.grading.rubrics import with_rubrics
from course_utils.grading.totals import NO_RESPONSE
from course_utils.ground.cells import exercise_of, grade_id, source
from course_utils.ground.lab import Lab
from course_utils.verdict.submission import SubmissionResult


def settle(grade: Any, automatic: float | None, *, same_answer: bool = False) -> None:
    """Give a cell its automatic mark, and decide whether a person must look at it.

    What a person has done stands. It is asked for again where what it was about has changed: the
    automatic mark that was overridden, or the text of a written answer.

    Args:
        grade: nbgrader's row of the cell.
        automatic: the mark; None for a written answer that a person must grade.
        same_answer: whether a written answer is the one that was graded before.
    """
    if grade.manual_score is None:
        grade.needs_manual_grade = automatic is None
    elif not (same_answer or (automatic is not None and automatic == grade.auto_score)):
        grade.needs_manual_grade = True
    grade.auto_score = automatic


def write_marks(
    gradebook: Gradebook,
    lab: Lab,
    result: SubmissionResult,
    notebook: Any,
    earlier: Mapping[str, str],
) -> None:
    """Store a verdict's automatic marks; what a person has given stays.

    Args:
        gradebook: open, with the student's submission in it.
        lab: whose notebook was graded.
        result: the verdict.
        notebook: what :func:`stamped` gives, whose cells are compared with what was released.
        earlier: what stood in the notebook's cells when it was graded before, as far as it is
            known: an answer that is still the same is not to be graded again.
    """
    submitted = gradebook.find_submission_notebook(lab.notebook_id, lab.name, result.student)
    _hold(gradebook, submitted)
    names = _names(gradebook, submitted)
    cells = {grade_id(cell): cell for cell in notebook.cells} if notebook else {}
    for grade in submitted.grades:
        name = names[grade.cell_id]
        # The text of a check cell says nothing about its mark.
        answer = name in cells and not exercise_of(name)
        same = answer and earlier.get(name) == source(cells[name])
        settle(grade, result.automatic(name), same_answer=same)
    for comment in submitted.comments:
        name = names[comment.cell_id]
        cell = cells.get(name)
        silent = cell is not None and name not in result.to_look_for and (
            cell.metadata.nbgrader.get("checksum") == utils.compute_checksum(cell)
        )  # fmt: skip
        comment.auto_comment = NO_RESPONSE if silent else None
    gradebook.db.commit()


def _hold(gradebook: Gradebook, submitted: Any) -> None:
    """Keep a submission's marks from everybody else until the next commit, and see them as they
    are now: what a person gives meanwhile comes after, and is not decided upon unseen.

    An update that changes nothing takes the lock in SQLite and in PostgreSQL.
    """
    mine = Grade.notebook_id == submitted.id
    gradebook.db.execute(
        update(Grade).where(mine).values(notebook_id=Grade.notebook_id),
        execution_options={"synchronize_session": False},
    )
    gradebook.db.expire_all()


def _names(gradebook: Gradebook, submitted: Any) -> dict[str, str]:
    """Cell's id in the database → its name, in one query; nbgrader's rows make one for each."""
    mine = BaseCell.notebook_id == submitted.notebook_id
    query = select(BaseCell.id, BaseCell.name).where(mine)
    return {row.id: row.name for row in gradebook.db.execute(query)}


def stamped(
    gradebook: Gradebook, lab: Lab, result: SubmissionResult, *, rubrics: bool = False
) -> Any:
    """The graded notebook with nbgrader's checksums of what was released, and where that is wanted
    with the rubric below every written answer; None where there is no notebook."""
    if result.notebook is None:
        return None
    released = gradebook.find_notebook(lab.notebook_id, lab.name)
    checksums = {cell.name: cell.checksum for cell in released.source_cells}
    notebook = nbformat.from_dict(result.notebook)  # a copy
    for cell in notebook["cells"]:
        if grade_id(cell) in checksums:
            cell["metadata"]["nbgrader"]["checksum"] = checksums[grade_id(cell)]
    if rubrics:
        notebook["cells"] = list(with_rubrics(notebook["cells"], lab))
    return notebook
