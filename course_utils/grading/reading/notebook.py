"""From a submitted file to cells that can be run and answers that can be read.

What a submission is worth depends on what its notebook defines. So a deleted, edited or repeated
check cell is noticed but costs nothing, the instructor's locked cells are put back, a cell that
lost its metadata or its type gets them again, a written answer is looked for and, where it is not
found, left to a person; and only a file that holds no notebook of this lab is refused.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from course_utils.grading.reading.matching import Matching, match
from course_utils.grading.reading.naming import listed
from course_utils.grading.reading.parsing import parsed
from course_utils.grading.reading.recognition import refuse_other_labs
from course_utils.grading.reading.unreadable import UnreadableError
from course_utils.ground import cells as lab_cells
from course_utils.ground.lab import Lab
from course_utils.ground.statuses import Reason
from course_utils.verdict.submission import AnswerState, Notice, WrittenAnswer

__all__ = ["Reading", "UnreadableError", "read_notebook"]

Cell = dict[str, Any]


@dataclass
class Reading:
    """A submission's cells, repaired where that is safe, and what was noticed.

    Attributes:
        notebook: the notebook in nbformat 4's shape, with the instructor's cells put back.
        program: what to run, in order: (cell number, source).
        checks: exercise → number of its check cell.
        written: what became of each answer that a person reads, in the lab's order.
        notices: what a grader should know.
    """

    notebook: dict[str, Any]
    program: list[tuple[int, str]] = field(default_factory=list)
    checks: dict[str, int] = field(default_factory=dict)
    written: list[WrittenAnswer] = field(default_factory=list)
    notices: list[Notice] = field(default_factory=list)


def read_notebook(data: bytes, lab: Lab) -> Reading:
    """Make a submission's bytes ready to be run.

    Raises:
        UnreadableError: it is empty, too large, not JSON, not a notebook, or another lab's.
    """
    notices: list[Notice] = []
    notebook = parsed(data, lab.notebook_path.name, notices)
    refuse_other_labs(notebook, lab)
    matching = match(lab, notebook["cells"])
    written = _written_answers(matching, notices)
    reading = Reading(notebook, written=written, notices=notices)
    _note(matching, notices)
    notebook["cells"] = _restored(matching)
    for name in ("kernelspec", "language_info"):  # the course's, whatever wrote the file
        if name in lab.notebook.get("metadata", {}):
            notebook["metadata"][name] = copy.deepcopy(lab.notebook["metadata"][name])
    mine = {lab_cells.cell_key(cell): lab_cells.source(cell) for cell in lab.notebook["cells"]}
    for number, cell in enumerate(notebook["cells"]):
        if lab_cells.is_check(cell):
            reading.checks[lab_cells.check_of(cell)] = number
        elif cell["cell_type"] == "code" and not _is_left_out(cell, mine):
            reading.program.append((number, cell["source"]))
    return reading


def _is_left_out(cell: Cell, mine: dict[str, str]) -> bool:
    """Whether a cell is for looking around only: it defines nothing that the lab's own does not."""
    own = lab_cells.definitions(mine.get(lab_cells.cell_key(cell), ""))
    return lab_cells.is_explore(cell) and lab_cells.definitions(cell["source"]) <= own


# -- written answers


def _written_answers(matching: Matching, notices: list[Notice]) -> list[WrittenAnswer]:
    answers = []
    for number in matching.written:
        master = matching.lab.notebook["cells"][number]
        state = _state(matching, number)
        name = lab_cells.grade_id(master)
        answers.append(WrittenAnswer(name, lab_cells.points(master), state))
    moved = [
        lab_cells.grade_id(matching.lab.notebook["cells"][n]) for n in sorted(matching.by_place)
        if matching.changed(n)
    ]  # fmt: skip
    for state, code, sentence in _SENTENCES:
        names = [answer.name for answer in answers if answer.state is state]
        if state is AnswerState.WRITTEN:
            names = [name for name in names if name in moved]
        if names:
            notices.append(Notice(code, sentence.format(listed(names))))
    return answers


_SENTENCES = (
    (
        AnswerState.UNFOUND, Reason.WRITTEN_ANSWER_MISSING,
        "written answers were not found: {}; an empty cell was put in for each, and a person must "
        "look for the answer in the notebook",
    ),
    (
        AnswerState.UNSURE, Reason.WRITTEN_ANSWER_MOVED,
        "written answers that a person must look for: {}; text of the student's stands in other "
        "cells, in a question, or in several copies of the cell",
    ),
    (
        AnswerState.WRITTEN, Reason.WRITTEN_ANSWER_MOVED,
        "written answers were found by their place, because their cells had lost their names: {}",
    ),
)  # fmt: skip


def _state(matching: Matching, number: int) -> AnswerState:
    if number not in matching.found:
        return AnswerState.UNFOUND
    if number in matching.unsure:
        return AnswerState.UNSURE
    if matching.changed(number) or matching.cells[matching.found[number]].get("attachments"):
        return AnswerState.WRITTEN
    own = any(matching.cells[n]["cell_type"] != "code" for n in matching.free_text())
    if own or matching.answers_near(number) or matching.grown_near(number):
        return AnswerState.UNSURE
    return AnswerState.LEFT


# -- cells


def _note(matching: Matching, notices: list[Notice]) -> None:
    """Say which cells were repeated, changed, renamed or are missing."""
    names: dict[Reason, list[str]] = {}
    for number, master in enumerate(matching.lab.notebook["cells"]):
        name = lab_cells.grade_id(master)
        found = matching.found.get(number)
        if not name:
            continue
        if found is None:
            if lab_cells.is_check(master):
                names.setdefault(Reason.CHECK_CELL_MISSING, []).append(name)
            elif lab_cells.is_solution(master) and not lab_cells.is_written(master):
                names.setdefault(Reason.SOLUTION_CELL_MISSING, []).append(name)
            continue
        cell = matching.cells[found]
        if number in matching.repeated:
            names.setdefault(Reason.DUPLICATE_CELLS, []).append(name)
        if lab_cells.is_locked(master) and matching.changed(number):
            is_check = lab_cells.is_check(master)
            kind = Reason.CHECK_CELL_EDITED if is_check else Reason.LOCKED_CELL_EDITED
            names.setdefault(kind, []).append(name)
        lost = lab_cells.grade_id(cell) != name and number not in matching.by_place
        if lost or cell["cell_type"] != master["cell_type"]:
            names.setdefault(Reason.CELL_RESTORED, []).append(name)
    for reason, sentence in _CELL_SENTENCES.items():
        if reason in names:
            notices.append(Notice(reason, sentence.format(listed(names[reason]))))


_CELL_SENTENCES = {
    Reason.SOLUTION_CELL_MISSING: (
        "solution cells are missing: {}; functions that other cells define count all the same"
    ),
    Reason.DUPLICATE_CELLS: (
        "cells appear more than once: {}; of functions the later definition counts"
    ),
    Reason.CELL_RESTORED: (
        "cells had lost their name or their type (code became text, or text code) and were given "
        "them again: {}"
    ),
    Reason.LOCKED_CELL_EDITED: (
        "cells of the lab's own were edited: {}; they were put back, and what was written into "
        "them runs before them"
    ),
    Reason.CHECK_CELL_EDITED: (
        "check cells were edited and put back: {}; what they defined counts all the same"
    ),
    Reason.CHECK_CELL_MISSING: "check cells are missing: {}; this changes no mark",
}


def _restored(matching: Matching) -> list[Cell]:
    """The submission's cells in their order, the lab's among them as they should be, and what is
    missing of those put in: set-up cells first, all others behind the cell that they follow."""
    masters = matching.lab.notebook["cells"]
    number_of = {found: number for number, found in matching.found.items()}
    first: list[Cell] = []
    behind: dict[int, list[Cell]] = {}
    for number, master in enumerate(masters):
        if number in matching.found or not lab_cells.grade_id(master):
            continue
        if lab_cells.is_check(master) or lab_cells.is_written(master):
            behind.setdefault(_anchor(matching.found, number), []).append(_put_in(master))
        elif lab_cells.is_locked(master) and master["cell_type"] == "code":
            first.append(_put_in(master))
    cells = [*first, *behind.get(-1, ())]
    for found, cell in enumerate(matching.cells):
        if found in number_of:
            cells += _repaired(matching, number_of[found], cell)
        else:
            cells.append(_plain_cell(cell))
        cells += behind.get(found, ())
    return _with_unique_ids(cells)


def _anchor(found: dict[int, int], number: int) -> int:
    """Where the nearest cell before a missing one stands; -1 where there is none."""
    before = [m for m in found if m < number]
    return found[max(before)] if before else -1


def _plain_cell(cell: Cell) -> Cell:
    """A cell of the student's own: no id of nbgrader's, which several cells must not have."""
    metadata = {name: value for name, value in cell["metadata"].items() if name != "nbgrader"}
    return {**cell, "metadata": metadata}


def _repaired(matching: Matching, number: int, cell: Cell) -> Sequence[Cell]:
    """One of the lab's cells: its metadata and type, and a locked one's text, put back."""
    master = matching.lab.notebook["cells"][number]
    mended = {**_plain_cell(cell), "id": str(master.get("id") or cell["id"])}
    if name := lab_cells.grade_id(master):
        mended["metadata"] |= {"nbgrader": copy.deepcopy(master["metadata"]["nbgrader"])}
        mended = _of_type(mended, master["cell_type"])
    elif lab_cells.is_explore(master) and not matching.changed(number):
        mended["metadata"] |= {"tags": [lab_cells.EXPLORE_TAG]}
    if not lab_cells.is_locked(master) or not name:
        return [mended]
    edited = matching.changed(number) and cell["cell_type"] == "code"
    mended["source"] = lab_cells.source(master)
    if edited and (lab_cells.definitions(cell["source"]) or not lab_cells.is_check(master)):
        return [{**_plain_cell(cell), "id": f"{cell['id'][:57]}-edited"}, mended]
    return [mended]


def _of_type(cell: Cell, kind: str) -> Cell:
    """A cell as code, or as text."""
    if cell["cell_type"] == kind:
        return cell
    kept = {name: cell[name] for name in ("id", "metadata", "source")}
    if kind == "code":
        kept |= {"outputs": [], "execution_count": None}
    return {"cell_type": kind, **kept}


def _put_in(master: Cell) -> Cell:
    """A missing cell of the lab's; an answer that is to be looked for is empty."""
    name = str(master.get("id") or lab_cells.grade_id(master))
    metadata = copy.deepcopy(master["metadata"])
    source = "" if lab_cells.is_written(master) else lab_cells.source(master)
    cell = {"cell_type": "markdown", "id": name, "metadata": metadata, "source": source}
    return _of_type(cell, master["cell_type"])


def _with_unique_ids(cells: list[Cell]) -> list[Cell]:
    seen: set[str] = set()
    for number, cell in enumerate(cells):
        if cell["id"] in seen:
            cell["id"] = f"{cell['id'][:50]}-{number}"
        seen.add(cell["id"])
    return cells
