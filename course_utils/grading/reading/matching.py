"""Which cell of a submission is which cell of the lab.

nbgrader's ids say it, as long as they are there. Services strip them, students retype, duplicate,
split and move cells. So what is not found by its id is looked for by what else tells it: the
cell's own id, its text, what it defines, the first line of a question, and last its place, between
the cells that have been found around it.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from course_utils.ground import cells as lab_cells
from course_utils.ground.lab import Lab
from course_utils.ground.stub import stub_source, text_stub

Cell = dict[str, Any]
_LONG = 10_000  # characters of code that are not looked through for an answer


@dataclass
class Matching:
    """The lab's cells found in a submission; both are counted from 0.

    Attributes:
        found: number of a lab's cell → number of the submission's.
        by_place: written answers that only their place tells.
        repeated: ids that several cells have.
        unsure: written answers of which a person must look which cell, or cells, they are.
    """

    lab: Lab
    cells: list[Cell]
    found: dict[int, int] = field(default_factory=dict)
    by_place: set[int] = field(default_factory=set)
    repeated: set[int] = field(default_factory=set)
    unsure: set[int] = field(default_factory=set)

    @cached_property
    def released(self) -> list[str]:
        """The text of each of the lab's cells, as students received it."""
        return [_released(self.lab, cell) for cell in self.lab.notebook["cells"]]

    @cached_property
    def _masters(self) -> list[Cell]:
        masters: list[Cell] = self.lab.notebook["cells"]
        return masters

    @cached_property
    def written(self) -> list[int]:
        """The lab's cells that a person reads."""
        return [n for n, master in enumerate(self._masters) if lab_cells.is_written(master)]

    def changed(self, master: int) -> bool:
        """Whether a cell that was found has another text than students received."""
        text = self.cells[self.found[master]]["source"]
        return _plain(text) != _plain(self.released[master])

    def free(self) -> list[int]:
        """The submission's cells that are none of the lab's, in order."""
        taken = set(self.found.values())
        return [n for n in range(len(self.cells)) if n not in taken]

    def gap(self, master: int) -> range:
        """The submission's cells among which a cell of the lab has its place: from the nearest
        found cell before it to the next found one."""
        found = {m: n for m, n in self.found.items() if m != master}
        before = [m for m in found if m < master]
        after = [m for m in found if m > master]
        if before:
            start = found[max(before)] + 1
            end = min((n for n in found.values() if n >= start), default=len(self.cells))
            return range(start, end)
        end = found[min(after)] if after else len(self.cells)
        return range(max((n + 1 for n in found.values() if n < end), default=0), end)

    @cached_property
    def _prose(self) -> list[bool]:
        return [_is_prose(cell) for cell in self.cells]

    def free_text(self) -> list[int]:
        """The student's own cells that hold text and no code."""
        return [number for number in self.free() if self._prose[number]]

    def answers_near(self, master: int) -> list[int]:
        """The student's own text at a written answer's place, text cells first."""
        place = self.gap(master)
        near = [number for number in self.free_text() if number in place]
        return sorted(near, key=lambda n: self.cells[n]["cell_type"] == "code")

    def grown_near(self, master: int) -> bool:
        """Whether the lab's own text around a written answer has grown: a question, a heading."""
        def text_from(step: int) -> Iterator[int]:
            number = master + step
            masters = self._masters
            while 0 <= number < len(masters) and not lab_cells.grade_id(masters[number]):
                yield number
                number += step

        around = [n for step in (-1, 1) for n in text_from(step) if n in self.found]
        return any(
            self.changed(n) and len(self.cells[self.found[n]]["source"]) > len(self.released[n])
            for n in around if self._masters[n]["cell_type"] == "markdown"
        )  # fmt: skip


def match(lab: Lab, cells: list[Cell]) -> Matching:
    """Find the lab's cells in a submission's."""
    made = Matching(lab, cells)
    _by_grade_id(made)
    _by_cell_id(made)
    _by_text(made)
    _by_definitions(made)
    _by_first_line(made)
    _settle_repeated_answers(made)
    _by_place(made)
    _doubt_repeated_answers(made)
    return made


def _released(lab: Lab, master: Cell) -> str:
    text = lab_cells.source(master)
    if not lab_cells.is_solution(master):
        return text
    if master["cell_type"] == "code":
        return stub_source(text, lab.name, lab_cells.grade_id(master))
    return text_stub(text)


def _plain(text: str) -> str:
    return " ".join(text.split())


def _wanted(made: Matching) -> list[int]:
    return [n for n in range(len(made.released)) if n not in made.found]


def _by_grade_id(made: Matching) -> None:
    """Of cells with the same id the last keeps it, as nbgrader has it; all of them run."""
    where: dict[str, list[int]] = {}
    for number, cell in enumerate(made.cells):
        where.setdefault(lab_cells.grade_id(cell), []).append(number)
    for number, master in enumerate(made.lab.notebook["cells"]):
        name = lab_cells.grade_id(master)
        if name and name in where:
            made.found[number] = where[name][-1]
            if len(where[name]) > 1:
                made.repeated.add(number)


def _by_cell_id(made: Matching) -> None:
    """By Jupyter's id of the cell, which some services move into the metadata."""
    where: dict[str, int] = {}
    for number in made.free():
        cell = made.cells[number]
        for name in (cell["metadata"].get("id"), cell["id"]):
            if isinstance(name, str):
                where[name] = number
    for number in _wanted(made):
        name = made.lab.notebook["cells"][number].get("id")
        if name in where and where[name] not in made.found.values():
            made.found[number] = where[name]


def _by_text(made: Matching) -> None:
    """By a text that only one cell of the lab has."""
    texts = [_plain(text) for text in made.released]
    counts = Counter(texts)
    where = {_plain(made.cells[n]["source"]): n for n in made.free()}
    for number in _wanted(made):
        if counts[texts[number]] == 1 and texts[number] in where:
            made.found[number] = where[texts[number]]


def _by_definitions(made: Matching) -> None:
    """A solution cell by the functions and classes that it is asked to define."""
    defined = {n: lab_cells.definitions(made.cells[n]["source"]) for n in made.free()}
    for number in _wanted(made):
        master = made.lab.notebook["cells"][number]
        if not lab_cells.is_solution(master) or master["cell_type"] != "code":
            continue
        asked = lab_cells.definitions(lab_cells.source(master))
        best = max(defined, key=lambda n: (len(asked & defined[n]), n), default=-1)
        if best >= 0 and asked & defined[best]:
            made.found[number] = best
            del defined[best]


def _by_first_line(made: Matching) -> None:
    """A text of the lab's, such as a question, that was shortened or written into."""
    def first(text: str) -> str:
        return _plain(text.strip().partition("\n")[0])

    texts = [first(text) for text in made.released]
    counts = Counter(texts)
    where = {
        first(made.cells[n]["source"]): n for n in made.free()
        if made.cells[n]["cell_type"] == "markdown"
    }  # fmt: skip
    for number in _wanted(made):
        kind = made.lab.notebook["cells"][number]["cell_type"]
        line = texts[number]
        if kind == "markdown" and counts[line] == 1 and len(line) > 3 and line in where:
            made.found[number] = where[line]


def _settle_repeated_answers(made: Matching) -> None:
    """Of several cells with a written answer's id, take the one that was written in; if more than
    one was, the one at its place."""
    for number in made.written:
        answers = _written_copies(made, number)
        if answers:
            place = made.gap(number)
            made.found[number] = next((n for n in answers if n in place), answers[-1])


def _doubt_repeated_answers(made: Matching) -> None:
    """Let a person look where another version of an answer is left over."""
    free = set(made.free())
    for number in made.written:
        for copy in _written_copies(made, number):
            mine = made.cells[made.found[number]]["source"]
            if copy in free and _plain(made.cells[copy]["source"]) != _plain(mine):
                made.unsure.add(number)


def _written_copies(made: Matching, number: int) -> list[int]:
    """Of several cells with a written answer's id, those that were written in."""
    if number not in made.repeated:
        return []
    name = lab_cells.grade_id(made.lab.notebook["cells"][number])
    left = ("", _plain(made.released[number]))
    return [
        n for n, cell in enumerate(made.cells)
        if lab_cells.grade_id(cell) == name and _plain(cell["source"]) not in left
    ]


def _by_place(made: Matching) -> None:
    """A written answer by the cells around it."""
    for number in made.written:
        if number in made.found:
            continue
        near = made.answers_near(number)
        if near:
            made.found[number] = near[0]
            made.by_place.add(number)


def _is_prose(cell: Cell) -> bool:
    """Whether a cell may be a written answer: text, or code that is no code."""
    text = cell["source"]
    if not text.strip():
        return bool(cell.get("attachments"))
    if cell["cell_type"] != "code":
        return not lab_cells.is_colab_badge(text)
    if len(text) > _LONG:
        return False
    try:
        body = ast.parse(text).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return not lab_cells.definitions(text) and "import " not in text
    return all(_says_only(statement) for statement in body)


def _says_only(statement: ast.stmt) -> bool:
    """Whether a statement is a text, printed or given a name, and no more."""
    if not isinstance(statement, (ast.Expr, ast.Assign)):
        return False
    value = statement.value
    if isinstance(value, ast.Call):
        if not isinstance(value.func, ast.Name) or value.func.id != "print":
            return False
        return all(isinstance(argument, ast.Constant) for argument in value.args)
    return isinstance(value, ast.Constant) and isinstance(value.value, str)
