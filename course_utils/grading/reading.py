"""From a submitted file to cells that can be run: whatever a file may look like.

What a submission is worth depends on what its notebook defines. So a deleted, edited or repeated
check cell is noticed but costs nothing, the instructor's locked cells are put back, and only a
file that holds no notebook of this lab is refused.
"""

from __future__ import annotations

import ast
import json
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from course_utils import lab as labs
from course_utils.lab import Lab
from course_utils.outcome import Notice, Reason, SubmissionStatus

MAX_FILE_BYTES = 50 * 2**20
_CELL_TYPES = ("code", "markdown", "raw")


class UnreadableError(Exception):
    """This file cannot be graded; ``status`` and ``reason`` say why in a word each."""

    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message
        self.status = {
            Reason.WRONG_LAB: SubmissionStatus.WRONG_LAB,
            Reason.NO_NOTEBOOK: SubmissionStatus.NO_NOTEBOOK,
        }.get(reason, SubmissionStatus.UNREADABLE)


@dataclass
class Reading:
    """A submission's cells, repaired where that is safe, and what was noticed.

    Attributes:
        notebook: the notebook in nbformat 4's shape, with the instructor's cells put back.
        program: what to run, in order: (cell number, source).
        checks: exercise → number of its check cell, where there is one.
        notices: what a grader should know.
    """

    notebook: dict[str, Any]
    program: list[tuple[int, str]] = field(default_factory=list)
    checks: dict[str, int] = field(default_factory=dict)
    notices: list[Notice] = field(default_factory=list)


def read_file(path: Path) -> bytes:
    """A submitted file's bytes.

    Raises:
        UnreadableError: the file is too large, or cannot be read.
    """
    try:
        size = path.stat().st_size
        if size > MAX_FILE_BYTES:
            raise UnreadableError(
                Reason.TOO_LARGE,
                f"{path.name} has {size / 2**20:.0f} MiB; at most {MAX_FILE_BYTES // 2**20} MiB "
                "are accepted. Clear its outputs (Kernel > Restart and Clear) and submit it again",
            )
        return path.read_bytes()
    except OSError as error:
        message = f"{path.name} cannot be read: {error.strerror}"
        raise UnreadableError(Reason.NO_NOTEBOOK, message) from None


def read_notebook(data: bytes, lab: Lab) -> Reading:
    """Make a submission's bytes ready to be run.

    Raises:
        UnreadableError: it is empty, too large, not JSON, not a notebook, or another lab's.
    """
    notices: list[Notice] = []
    notebook = _parse(data, notices)
    cells = _repaired_cells(notebook, notices)
    notebook["cells"] = cells
    _refuse_other_labs(notebook, lab)
    _keep_last_of_repeated(cells, notices)
    reading = Reading(notebook, notices=notices)
    _restore_locked(reading, lab)
    _note_missing(reading, lab)
    for number, cell in enumerate(reading.notebook["cells"]):
        if labs.is_check(cell):
            reading.checks[labs.grade_id(cell).removeprefix(labs.CHECK_PREFIX)] = number
        elif cell["cell_type"] == "code" and not labs.is_explore(cell):
            reading.program.append((number, cell["source"]))
    return reading


def _parse(data: bytes, notices: list[Notice]) -> dict[str, Any]:
    if not data.strip():
        raise UnreadableError(Reason.EMPTY_FILE, "the file is empty")
    if len(data) > MAX_FILE_BYTES:
        raise UnreadableError(
            Reason.TOO_LARGE,
            f"the file has {len(data) / 2**20:.0f} MiB; at most "
            f"{MAX_FILE_BYTES // 2**20} MiB are accepted",
        )
    try:
        notebook: Any = json.loads(data.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise UnreadableError(Reason.NOT_JSON, "the file is not text in UTF-8") from None
    except (ValueError, RecursionError) as error:
        raise UnreadableError(
            Reason.NOT_JSON, f"the file is not a notebook's JSON: {str(error)[:120]}"
        ) from None
    if not isinstance(notebook, dict):
        raise UnreadableError(
            Reason.NOT_A_NOTEBOOK, f"the file holds a JSON {type(notebook).__name__}, no notebook"
        )
    if isinstance(notebook.get("worksheets"), list):
        notebook = _upgraded(notebook)
        notices.append(
            Notice(Reason.OLD_FORMAT, "the notebook is in the old format 3; it was converted")
        )
    if not isinstance(notebook.get("cells"), list):
        raise UnreadableError(
            Reason.NOT_A_NOTEBOOK, "the file is JSON but has no cells: it is not a notebook"
        )
    checked: dict[str, Any] = notebook
    return checked


def _upgraded(notebook: dict[str, Any]) -> dict[str, Any]:
    import nbformat

    try:
        converted = nbformat.convert(nbformat.from_dict(notebook), 4)
        plain: dict[str, Any] = json.loads(nbformat.writes(converted))
        return plain
    except Exception as error:  # nbformat fails in many ways on broken old notebooks
        raise UnreadableError(
            Reason.NOT_A_NOTEBOOK, f"the notebook's old format cannot be converted: {error}"
        ) from None


def _repaired_cells(notebook: dict[str, Any], notices: list[Notice]) -> list[dict[str, Any]]:
    """The cells with every field of the type that nbformat promises."""
    repaired = 0
    cells: list[dict[str, Any]] = []
    if not isinstance(notebook.get("metadata"), dict):
        notebook["metadata"], repaired = {}, 1
    for number, raw in enumerate(notebook["cells"]):
        if not isinstance(raw, dict) or raw.get("cell_type") not in _CELL_TYPES:
            repaired += 1
            continue
        cell = {
            "cell_type": raw["cell_type"],
            "id": str(raw.get("id") or f"cell-{number}"),
            "metadata": raw.get("metadata"),
            "source": labs.source(raw),
        }
        nbgrader = cell["metadata"].get("nbgrader", {}) if isinstance(cell["metadata"], dict) else 0
        if not isinstance(cell["metadata"], dict) or not isinstance(nbgrader, dict):
            repaired += 1
            cell["metadata"] = {}
        if cell["cell_type"] == "code":
            cell |= {"outputs": [], "execution_count": None}
        cells.append(cell)
    if repaired:
        plural = "s" if repaired > 1 else ""
        notices.append(
            Notice(
                Reason.METADATA_REPAIRED,
                f"the file is damaged in {repaired} place{plural} (metadata or cells of the wrong "
                "form), which were set aside",
            )
        )
    notebook["nbformat"], notebook["nbformat_minor"] = 4, 5
    return cells


def _refuse_other_labs(notebook: dict[str, Any], lab: Lab) -> None:
    course = notebook["metadata"].get("course")
    named = course.get("lab") if isinstance(course, dict) else None
    known = {labs.grade_id(cell) for cell in lab.notebook["cells"]} - {""}
    present = {labs.grade_id(cell) for cell in notebook["cells"]} - {""}
    # A copy of this lab whose notebook-level metadata was lost or edited is still this lab's.
    ours = present & {name for name in known if name.startswith(labs.CHECK_PREFIX)}
    if isinstance(named, str) and named != lab.name and not ours:
        raise UnreadableError(Reason.WRONG_LAB, f"this is a notebook of {named}, not of {lab.name}")
    if ours or named == lab.name:
        return
    # Some services strip cell metadata; what the notebook defines still tells its lab.
    defined: set[str] = set()
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            defined |= _definitions(cell["source"])
    wanted: set[str] = set()
    for cell in lab.notebook["cells"]:
        if labs.is_solution(cell) and cell["cell_type"] == "code":
            wanted |= _definitions(labs.source(cell))
    if not defined & wanted:
        raise UnreadableError(
            Reason.WRONG_LAB,
            f"nothing in this notebook belongs to {lab.name}: it has none of the lab's cells and "
            "defines none of its functions",
        )


def _definitions(source: str) -> set[str]:
    """The functions and classes that a cell defines at its top level."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return set()
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    return {node.name for node in tree.body if isinstance(node, kinds)}


def _keep_last_of_repeated(cells: list[dict[str, Any]], notices: list[Notice]) -> None:
    """Of cells with the same id, let the last keep it (as nbgrader does); all of them run."""
    counts = Counter(labs.grade_id(cell) for cell in cells)
    left = dict(counts)
    for cell in cells:
        name = labs.grade_id(cell)
        if name and left[name] > 1:
            left[name] -= 1
            cell["metadata"] = {k: v for k, v in cell["metadata"].items() if k != "nbgrader"}
    repeated = sorted(name for name, count in counts.items() if name and count > 1)
    if repeated:
        notices.append(
            Notice(
                Reason.DUPLICATE_CELLS,
                f"cells appear more than once: {', '.join(repeated)}; the later definition counts",
            )
        )


def _restore_locked(reading: Reading, lab: Lab) -> None:
    """Put the instructor's locked cells back: edited ones in place, missing set-up cells first."""
    by_id = {labs.grade_id(cell): cell for cell in reading.notebook["cells"]}
    missing: list[dict[str, Any]] = []
    edited: list[str] = []
    for master in lab.notebook["cells"]:
        name = labs.grade_id(master)
        if not name:
            continue
        cell = by_id.get(name)
        if cell is not None:
            # The student's copy also holds nbgrader's checksum of the cell as it was released.
            nbgrader = {**cell["metadata"]["nbgrader"], **master["metadata"]["nbgrader"]}
            cell["metadata"] = {**cell["metadata"], "nbgrader": nbgrader}
            if labs.is_locked(master):
                if labs.is_check(master) and cell["source"].strip() != labs.source(master).strip():
                    edited.append(name)
                cell["source"] = labs.source(master)
                if cell["cell_type"] != master["cell_type"]:
                    cell["cell_type"] = master["cell_type"]
                    cell |= {"outputs": [], "execution_count": None}
        elif labs.is_locked(master) and master["cell_type"] == "code" and not labs.is_check(master):
            missing.append(_copy_of(master))
    if edited:
        reading.notices.append(
            Notice(
                Reason.CHECK_CELL_EDITED,
                f"check cells were edited and put back: {', '.join(edited)}",
            )
        )
    reading.notebook["cells"][:0] = missing


def _note_missing(reading: Reading, lab: Lab) -> None:
    """Note deleted solution cells; put deleted check cells back, which reports are shown in."""
    present = {labs.grade_id(cell) for cell in reading.notebook["cells"]}
    solutions, checks = [], []
    for master in lab.notebook["cells"]:
        name = labs.grade_id(master)
        if not name or name in present:
            continue
        if labs.is_check(master):
            checks.append(name)
            reading.notebook["cells"].append(_copy_of(master))
        elif labs.is_solution(master) and master["cell_type"] == "code":
            solutions.append(name)
    if solutions:
        reading.notices.append(
            Notice(
                Reason.SOLUTION_CELL_MISSING,
                f"solution cells are missing: {', '.join(solutions)}; functions that other cells "
                "define count all the same",
            )
        )
    if checks:
        reading.notices.append(
            Notice(
                Reason.CHECK_CELL_MISSING,
                f"check cells are missing: {', '.join(checks)}; this changes no mark",
            )
        )


def _copy_of(master: dict[str, Any]) -> dict[str, Any]:
    cell = {
        "cell_type": master["cell_type"],
        "id": str(master.get("id") or labs.grade_id(master)),
        "metadata": json.loads(json.dumps(master["metadata"])),
        "source": labs.source(master),
    }
    if cell["cell_type"] == "code":
        cell |= {"outputs": [], "execution_count": None}
    return cell
