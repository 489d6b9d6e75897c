"""What students find where the solution was: a line that names the exercise when it is run."""

from __future__ import annotations

import re
from collections.abc import Iterable

BEGIN_SOLUTION = "### BEGIN SOLUTION"
END_SOLUTION = "### END SOLUTION"
TEXT_STUB = "YOUR ANSWER HERE"  # what students find where a person reads the answer

_UNWRITTEN = "{lab} · {exercise} is not written yet"
_REGION = re.compile(r"^([ \t]*)[^\n]*BEGIN SOLUTION[\s\S]*?END SOLUTION[^\n]*$", re.MULTILINE)


def unwritten(lab: str, exercise: str) -> str:
    """The sentence by which an exercise is known not to be written yet."""
    return _UNWRITTEN.format(lab=lab.partition("_")[0], exercise=exercise)


def unwritten_in(exercises: Iterable[str], lab: str = "") -> re.Pattern[str]:
    """What these exercises' sentences match, as a whole, and nothing else does.

    Args:
        exercises: their names.
        lab: the lab's name; empty where it is not known: a student's folder may be called anything.
    """
    which = "|".join(re.escape(name) for name in exercises) or "(?!)"
    word = re.escape(lab.partition("_")[0]) if lab else r"\w{1,40}"
    return re.compile(_UNWRITTEN.format(lab=word, exercise=f"(?:{which})"))


def solution_regions(source: str) -> list[range]:
    """Where a cell's solution regions are: for each, the numbers (from 0) of the lines after the
    one that begins it, up to and including the one that ends it."""
    found: list[range] = []
    begun: int | None = None
    lines = source.splitlines()
    for number, line in enumerate([*lines, END_SOLUTION]):  # one that is left open ends with all
        if BEGIN_SOLUTION in line and begun is None:
            begun = number
        elif END_SOLUTION in line and begun is not None:
            found.append(range(begun + 1, number + 1))
            begun = None
    return found


def without_marks(source: str) -> str:
    """A solution cell's source as a reader wants it: without the lines that mark its regions."""
    lines = source.splitlines()
    return "\n".join(
        line for line in lines if BEGIN_SOLUTION not in line and END_SOLUTION not in line
    )


def stub_code(lab: str, exercise: str) -> str:
    """The lines that stand for a solution region of an exercise."""
    message = unwritten(lab, exercise)
    return f'# YOUR CODE HERE\nraise NotImplementedError("{message}")'


def stub_source(source: str, lab: str, exercise: str) -> str:
    """A solution cell's source with its solution regions replaced, as the release does it."""
    lines = source.splitlines()
    for region in reversed(solution_regions(source)):
        first = lines[region.start - 1]
        indent = first[: len(first) - len(first.lstrip())]
        stub = [indent + line for line in stub_code(lab, exercise).splitlines()]
        lines[region.start - 1 : region.stop] = stub
    return "\n".join(lines)


def text_stub(source: str) -> str:
    """A written answer's cell as the release leaves it: its regions replaced, or all of it."""
    released, count = _REGION.subn(rf"\1{TEXT_STUB}", source)
    return released if count else TEXT_STUB
