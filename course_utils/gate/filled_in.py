"""Notebooks as students hand them in, made of a lab's own: solved, or with some of its mistakes."""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import Any

from course_utils.diagnosis.rewriting import Original, exercise_cells
from course_utils.ground.cells import grade_id, is_solution, source
from course_utils.ground.lab import Lab
from course_utils.testing.catalogue import Entry

Notebook = dict[str, Any]


def solved(lab: Lab, released: Path, replaced: dict[str, str] | None = None) -> Notebook:
    """The released notebook with its stubs filled in.

    Args:
        lab: the instructor's folder, for the right answers.
        released: the notebook that students receive.
        replaced: other sources for some solution cells, by grade id.
    """
    answers = {
        grade_id(cell): source(cell) for cell in lab.notebook["cells"] if is_solution(cell)
    } | (replaced or {})
    notebook: Notebook = json.loads(released.read_text("utf-8"))
    for cell in notebook["cells"]:
        if is_solution(cell):
            cell["source"] = answers[grade_id(cell)]
    return notebook


def with_entry(lab: Lab, released: Path, path: Path, *entries: Entry) -> Notebook:
    """The solved notebook with entries of a catalogue file in their exercises' cells."""
    replaced: dict[str, str] = {}
    for entry in entries:
        replaced |= _edited_cells(lab, entry) if entry.rewrites else _own_cell(lab, path, entry)
    return solved(lab, released, replaced)


def _own_cell(lab: Lab, path: Path, entry: Entry) -> dict[str, str]:
    """The solution cell that defines what an entry stands for, with the entry's code after it."""
    cell = next(
        cell for cell in lab.notebook["cells"]
        if is_solution(cell) and cell["cell_type"] == "code"
        and f" {entry.replaces}(" in f"{source(cell)}".replace("class ", " ").replace(":", "(")
    )  # fmt: skip
    return {grade_id(cell): f"{source(cell)}\n\n\n{entry_source(path, entry)}"}


def _edited_cells(lab: Lab, entry: Entry) -> dict[str, str]:
    """The solution cells of an edit's exercise with the edit made, by grade id."""
    edited: dict[str, str] = {}
    for cell in exercise_cells(lab)[entry.exercise]:
        text = source(cell)
        here = tuple((old, new) for old, new in entry.rewrites[0] if old in text)
        edited[grade_id(cell)] = Original("", text).edited([here]) or text
    return edited


def entry_source(path: Path, entry: Entry) -> str:
    """An entry's own code under the name that it stands for, with what it needs of its file."""
    tree = ast.parse(path.read_text("utf-8"))
    kept: list[ast.stmt] = []
    for node in tree.body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            if node.name == entry.name:
                node.decorator_list = []
                kept.append(node)
            elif not _is_entry(node):
                kept.append(node)
        elif isinstance(node, (ast.Import, ast.Assign, ast.AnnAssign)) or (
            isinstance(node, ast.ImportFrom) and not (node.module or "").startswith("course_utils")
        ):
            kept.append(node)
    code = ast.unparse(ast.Module(kept, []))
    return f"{code}\n{entry.replaces} = {entry.name}\n"


def _is_entry(node: ast.FunctionDef | ast.ClassDef) -> bool:
    """Whether a function or class of a catalogue file is an entry, not a helper of entries."""
    marks = [ast.unparse(decorator) for decorator in node.decorator_list]
    return any(mark.startswith(("misconception(", "variant(")) for mark in marks)


def append_cell(notebook: Notebook, code: str) -> Notebook:
    """The notebook with a further code cell at its end."""
    notebook["cells"].append(
        {
            "cell_type": "code", "id": f"extra-{len(notebook['cells'])}", "metadata": {},
            "source": code, "outputs": [], "execution_count": None,
        }
    )  # fmt: skip
    return notebook
