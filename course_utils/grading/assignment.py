"""A lab's place in nbgrader's gradebook: what students were given, cell by cell."""

from __future__ import annotations

import warnings
from typing import Any

import nbformat
from nbgrader.api import Gradebook, MissingEntry
from nbgrader.preprocessors import SaveCells
from nbgrader.utils import is_grade, is_locked, is_solution, is_task
from sqlalchemy.exc import SAWarning

from course_utils.grading.course import Course
from course_utils.ground.errors import LabError
from course_utils.ground.lab import Lab

# Of the cells that nbgrader keeps, by grade id; made of a cell's text, kind, id and points.
_Checksums = dict[str, str | None]


def enter(course: Course, lab: Lab) -> bool:
    """Bring the gradebook's picture of a lab to what ``labs/`` holds.

    A gradebook that does not exist yet is made. Nothing is written where the two agree, so that
    every class run may ask for it; marks stay as they are.

    Returns:
        Whether anything was written.

    Raises:
        LabError: the lab is not in ``labs/``, or its notebook there is damaged; or it has gained
            or lost cells since submissions were entered, which nbgrader cannot change.
    """
    released = _released(course, lab)
    notebook = _read(released)
    wanted = {released.notebook_id: _checksums(notebook)}
    with Gradebook(course.db_url, course.course_id) as gradebook:
        try:
            assignment = gradebook.find_assignment(lab.name)
        except MissingEntry:
            assignment = gradebook.add_assignment(lab.name)
        known: dict[str, _Checksums] = {
            entry.name: {cell.name: cell.checksum for cell in entry.source_cells}
            for entry in assignment.notebooks
        }
        if known == wanted:
            return False
        if assignment.submissions and (changed := _names(known) ^ _names(wanted)):
            raise LabError(
                f"{released.folder} has gained or lost cells ({', '.join(sorted(changed))}) since "
                "submissions were entered in the gradebook, and nbgrader cannot change that there: "
                f"bring them back, or put the gradebook ({course.shown_db_url}) aside, with the "
                "marks and comments given by hand that are in it, and grade again"
            )
        for other in known.keys() - wanted.keys():
            gradebook.remove_notebook(other, lab.name)
    _save_cells(course, released, notebook)
    return True


def _released(course: Course, lab: Lab) -> Lab:
    folder = course.folder("release", ".", lab.name)
    if not folder.is_dir():
        raise LabError(f"there is no {folder}; release the lab first: course release {lab.name}")
    return Lab.load(folder)


def _read(released: Lab) -> Any:
    try:
        return nbformat.read(released.notebook_path, as_version=nbformat.NO_CONVERT)
    except ValueError as error:  # nbformat's own, and that of other bytes than UTF-8
        raise LabError(
            f"{released.notebook_path} is no notebook (a merge that was not finished?); bring it "
            f"back from git, or release the lab again: course release {released.name}"
        ) from error


def _checksums(notebook: Any) -> _Checksums:
    kinds = (is_grade, is_solution, is_locked, is_task)
    return {
        cell.metadata.nbgrader["grade_id"]: cell.metadata.nbgrader.get("checksum")
        for cell in notebook.cells
        if any(is_kind(cell) for is_kind in kinds)
    }


def _names(notebooks: dict[str, _Checksums]) -> set[str]:
    """Notebook and cell names, as one set."""
    return {f"{notebook}/{cell}" for notebook, cells in notebooks.items() for cell in cells}


def _save_cells(course: Course, released: Lab, notebook: Any) -> None:
    """nbgrader's own step, with which its release fills the gradebook as well."""
    names = {
        "assignment": released.name,
        "notebook": released.notebook_id,
        "db_url": course.db_url,
    }
    with warnings.catch_warnings():
        # SQLAlchemy remarks on the order in which nbgrader links its new rows.
        warnings.simplefilter("ignore", SAWarning)
        SaveCells(config=course.config).preprocess(notebook, {"nbgrader": names})
