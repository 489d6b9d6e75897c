"""From an instructor's folder to what students receive, by nbgrader's own release step."""

from __future__ import annotations

import shutil
from copy import deepcopy
from pathlib import Path
from typing import Any

from nbgrader.apps.api import NbGraderAPI

from course_utils.diagnosis.kept import public_book
from course_utils.gate.points.leaks import search_folder
from course_utils.grading.assignment import enter
from course_utils.grading.course import Course
from course_utils.ground.errors import LabError
from course_utils.ground.lab import Lab


def write_traces(lab: Lab) -> Path:
    """Compute the misconceptions' traces on the public tests and store them beside the notebook.

    They hold arrays and hints only; nbgrader copies the file into the release.
    """
    public_book(lab).save(lab.traces_path)
    return lab.traces_path


def release(course: Course, lab: Lab) -> Path:
    """Make the student version of a lab; once it is fit to be seen, enter it in the gradebook.

    Returns:
        The folder that students receive.

    Raises:
        LabError: nbgrader refused (the message holds its log), or what it made holds something
            that students must not see, or the gradebook cannot take it (see ``enter``).
    """
    write_traces(lab)
    files_only = deepcopy(course.config)
    files_only.SaveCells.enabled = False
    files_only.GenerateAssignment.no_database = True
    api = NbGraderAPI(course.directory, config=files_only)
    outcome: dict[str, Any] = api.generate_assignment(lab.name, force=True, create=True)
    if not outcome["success"]:
        problem = outcome.get("log") or outcome.get("error") or "no log"
        raise LabError(f"nbgrader could not release {lab.name}:\n{problem}")
    folder = course.folder("release", ".", lab.name)
    leaks = search_folder(folder, lab)
    if leaks:
        shutil.rmtree(folder)
        found = "\n".join(str(leak) for leak in leaks)
        raise LabError(f"{lab.name} was not released, because students would see:\n{found}")
    enter(course, lab)
    return folder
