"""What students would receive, made in memory by the steps that nbgrader will make it by."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import nbformat

from course_utils.diagnosis.traces import TraceBook
from course_utils.ground.lab import Lab

# What a release may hold besides the notebook, the public tests and the traces.
DATA_SUFFIXES = (".png", ".svg", ".jpg", ".csv", ".npz", ".npy")


def released_notebook(lab: Lab) -> dict[str, Any]:
    """The student version of the lab's notebook, without touching a gradebook.

    Raises:
        RuntimeError: nbgrader refuses the notebook (a solution region without an end, say).
    """
    from nbgrader.preprocessors import SaveCells

    from course_utils.grading.release_steps import release_steps

    notebook = nbformat.reads(json.dumps(lab.notebook), as_version=nbformat.NO_CONVERT)
    resources: dict[str, Any] = {"nbgrader": {"assignment": lab.name, "notebook": lab.notebook_id}}
    for step in release_steps():
        if step is not SaveCells:
            try:
                notebook, resources = step().preprocess(notebook, resources)
            except Exception as error:  # each step has errors of its own
                raise RuntimeError(f"{step.__name__}: {error}") from error
    plain: dict[str, Any] = notebook
    return plain


def released_files(lab: Lab, notebook: dict[str, Any], book: TraceBook) -> dict[str, bytes]:
    """Every file of the release by name: the stub notebook, tests, fresh traces, and data.

    Args:
        lab: the instructor's folder.
        notebook: the student version of its notebook.
        book: the traces of its misconceptions.
    """
    from course_utils.grading.release_steps import is_kept_back

    with tempfile.TemporaryDirectory() as folder:
        traces = Path(folder) / lab.traces_path.name
        book.save(traces)
        found = {traces.name: traces.read_bytes()}
    found[lab.notebook_path.name] = nbformat.writes(nbformat.from_dict(notebook)).encode()
    for path in sorted(lab.folder.rglob("*")):
        name = path.relative_to(lab.folder)
        if path.is_file() and str(name) not in found and not is_kept_back(name):
            found[str(name)] = path.read_bytes()
    return found
