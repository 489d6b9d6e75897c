"""How an odd submission is described: what is handed in, and what must come of it."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from odd_lab import FULL, NAME, lesson
from tiny import Notebook, as_bytes

from course_utils.ground.statuses import Reason
from course_utils.verdict.submission import AnswerState

LEFT, WRITTEN = AnswerState.LEFT, AnswerState.WRITTEN
UNSURE, UNFOUND = AnswerState.UNSURE, AnswerState.UNFOUND


@dataclass(frozen=True)
class Odd:
    """An odd submission and what must come of it.

    Attributes:
        name: a student's id.
        group: the part of the table that it is in.
        what: a sentence on what is handed in.
        make: writes it into a folder.
        score: the automatic marks, of 5.
        reason: the gravest reason code.
        written: what becomes of the two written answers; nothing where no notebook is read.
    """

    name: str
    group: str
    what: str
    make: Callable[[Path], None]
    score: float
    reason: Reason
    written: tuple[AnswerState, ...]


SUBMISSIONS: list[Odd] = []
BOTH = (WRITTEN, WRITTEN)
_group = [""]


def group(name: str) -> None:
    """Begin a part of the table."""
    _group[0] = name


def add(
    name: str, what: str, make: Callable[[Path], None], score: float = FULL,
    reason: Reason = Reason.OK, written: tuple[AnswerState, ...] = BOTH,
) -> None:  # fmt: skip
    SUBMISSIONS.append(Odd(name, _group[0], what, make, score, reason, written))


def in_file(name: str, what: str, path: str | bytes, data: bytes | None = None,
          reason: Reason = Reason.RENAMED_NOTEBOOK, score: float = FULL) -> None:  # fmt: skip
    """One file of another name, or with other bytes, than a notebook should have."""
    def make(folder: Path) -> None:
        write(folder, path, as_bytes(lesson()) if data is None else data)

    add(name, what, make, score, reason, BOTH if score else ())


def in_bytes(name: str, what: str, data: bytes, reason: Reason, score: float = 0.0) -> None:
    """The notebook's own name, and other bytes in it."""
    in_file(name, what, NAME, data, reason, score)


def edited(name: str, what: str, edit: Callable[[Notebook], Any], reason: Reason = Reason.OK,
          score: float = FULL, written: tuple[AnswerState, ...] = BOTH) -> None:  # fmt: skip
    """A perfect submission with something done to it."""
    def make(folder: Path) -> None:
        notebook = lesson()
        made = edit(notebook)  # most change it, some make another
        other = isinstance(made, dict) and {"cells", "worksheets"} & made.keys()
        write(folder, NAME, as_bytes(made if other else notebook))

    add(name, what, make, score, reason, written)


def write(folder: Path, path: str | bytes, data: bytes) -> None:
    """Write a file into a submission, and the folders above it."""
    target = os.path.join(os.fsencode(folder), os.fsencode(path))
    os.makedirs(os.path.dirname(target), exist_ok=True)
    with open(target, "wb") as file:
        file.write(data)


def place(notebook: Notebook, name: str) -> int:
    """The number of the cell with an id."""
    return next(n for n, cell in enumerate(notebook["cells"]) if cell["id"] == name)


def the(notebook: Notebook, name: str) -> dict[str, Any]:
    """The cell with an id."""
    cell: dict[str, Any] = notebook["cells"][place(notebook, name)]
    return cell


def strip(notebook: Notebook, *, ids: bool = True) -> None:
    """Take all metadata, and the cells' ids, as some services do."""
    notebook["metadata"] = {}
    for number, cell in enumerate(notebook["cells"]):
        cell["metadata"] = {}
        if ids:
            cell["id"] = f"new{number}"


def as_text(cell: dict[str, Any], kind: str = "markdown") -> None:
    """Turn a code cell into text, or raw."""
    cell["cell_type"] = kind
    cell.pop("outputs", None)
    cell.pop("execution_count", None)


def bare(cell: dict[str, Any], name: str = "fresh") -> None:
    """Take a cell's metadata and id, as where it was typed anew."""
    cell |= {"metadata": {}, "id": name}


def remove(*names: str) -> Callable[[Notebook], None]:
    """An edit that deletes cells."""
    def edit(notebook: Notebook) -> None:
        notebook["cells"] = [c for c in notebook["cells"] if c["id"] not in names]

    return edit
