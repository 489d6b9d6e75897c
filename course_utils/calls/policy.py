"""Forbidden calls as the judge sees them: whose they are, and what they cost.

An exercise that forbids built-ins (``forbid=[…]``) withholds its points where one is called, unless
``FORBIDDEN_COST`` in the lab's ``test_public.py`` says otherwise. A call is charged to the exercise
whose function makes it: if ``cross_entropy`` calls the student's own ``softmax``, and that calls
``torch.softmax``, then ``softmax`` pays and ``cross_entropy`` does not.
"""

from __future__ import annotations

import ast
import difflib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from course_utils.ground import said
from course_utils.ground.errors import PolicyError
from course_utils.ground.statuses import Status

if TYPE_CHECKING:  # students who only import `check` need not wait for the wire
    from course_utils.calls.protocol import ForbiddenNote

TABLE = "FORBIDDEN_COST"
_READABLE = re.compile(r"[\w.() ]{1,80}")


class Cost(StrEnum):
    """What a forbidden call costs: the exercise's points, those of the test that saw it, nothing.

    Of an exercise of several parts, ``EXERCISE`` withholds those of the part that makes the call.
    """

    EXERCISE = "exercise"
    TEST = "test"
    WARNING = "warning"

    @property
    def stated(self) -> str:
        """The words in which students are told before; the release gate looks them up."""
        return _STATED[self]


_STATED = {
    Cost.EXERCISE: "A forbidden call costs all points of its exercise, or of the one function "
    "where there are several, even if the values are right",
    Cost.TEST: "A forbidden call costs the points of one claim",
    Cost.WARNING: "A forbidden call costs nothing",
}


@dataclass(frozen=True)
class ForbiddenCall:
    """A forbidden call for which an exercise has to answer.

    Attributes:
        call: what was called; empty if a hidden test saw it, of which nothing is told.
        function: the student's function that calls it; empty likewise.
        cost: what it costs.
    """

    call: str
    function: str
    cost: Cost

    @property
    def sentence(self) -> str:
        """What was seen."""
        seen = f"{self.function} calls {self.call}"
        return said.of_test(Status.FORBIDDEN, seen, hidden=not self.call)

    @property
    def asked(self) -> str:
        """What is to be written by hand."""
        return "the gradient" if self.call.startswith("autograd") else "that operation"

    def to_dict(self) -> dict[str, Any]:
        return {"call": self.call, "function": self.function, "cost": str(self.cost)}


@dataclass(frozen=True)
class Policy:
    """A lab's policy.

    Attributes:
        costs: what a forbidden call costs, by exercise; of all others, their points.
        owners: the exercises to which a function of the notebook belongs, by its name.
    """

    costs: Mapping[str, Cost]
    owners: Mapping[str, frozenset[str]]

    def cost(self, exercise: str) -> Cost:
        return self.costs.get(exercise, Cost.EXERCISE)

    def charged(
        self, exercise: str, notes: Sequence[ForbiddenNote], *, hidden: bool = False
    ) -> ForbiddenCall | None:
        """The first of the noted calls for which an exercise has to answer; None if there is none.

        Args:
            exercise: under whose test the notes were taken.
            notes: as they came from the student's side; their words may be anything.
            hidden: whether a hidden test saw them.
        """
        for note in notes:
            names = [name for name in note.by if name.isidentifier()]
            if exercise not in self._payers(names, exercise):
                continue
            known = note.call if _READABLE.fullmatch(note.call) else "a built-in"
            function = names[0][:80] if names else "your code"
            return ForbiddenCall(
                said.told("", known, hidden=hidden), said.told("", function, hidden=hidden),
                self.cost(exercise),
            )
        return None

    def _payers(self, by: Sequence[str], exercise: str) -> frozenset[str]:
        """Who answers for a call: the innermost function that is some exercise's has made it."""
        known = (self.owners[name] for name in by if name in self.owners)
        return next(known, frozenset({exercise}))


def policy_of(path: Path, module: Any, forbidding: Sequence[str]) -> Policy:
    """A lab's policy, as its public tests say it.

    Args:
        path: ``test_public.py``.
        module: what it defines.
        forbidding: the exercises that forbid something.

    Raises:
        PolicyError: ``FORBIDDEN_COST`` names no such cost, or an exercise that forbids nothing.
    """
    table = getattr(module, TABLE, {})
    if not isinstance(table, dict):
        raise PolicyError(f'{TABLE} must be a table such as {{"softmax": "test"}}')
    costs = {}
    for exercise, written in table.items():
        if exercise not in forbidding:
            near = difflib.get_close_matches(str(exercise), forbidding, n=1)
            hint = f": did you mean {near[0]!r}?" if near else f" (do: {', '.join(forbidding)})"
            hint = hint if forbidding else ""
            raise PolicyError(
                f"{TABLE} names {exercise!r}, which is no exercise that forbids a call{hint}"
            )
        if written not in list(Cost):
            known = ", ".join(f'"{cost}"' for cost in Cost)
            raise PolicyError(
                f"{TABLE}[{exercise!r}] is {written!r}, and a forbidden call can cost {known}"
            )
        costs[exercise] = Cost(written)
    return Policy(costs, _owners(path, module))


# -- whose function


def _owners(path: Path, module: Any) -> dict[str, frozenset[str]]:
    """The exercises that a function of the notebook belongs to: those whose tests ask for it.

    The public tests are what ``check`` and the grader have in common, and students do not change
    them. A function that is called as an exercise belongs to that exercise alone.
    """
    tree = ast.parse(path.read_text("utf-8"))
    functions = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
    found: dict[str, set[str]] = {}
    exercises = set()
    for name, function in functions.items():
        exercise = _exercise_of(getattr(module, name, None))
        if exercise:
            exercises.add(exercise)
            for asked in _asked(function, functions, set()):
                found.setdefault(asked, set()).add(exercise)
    owners = {name: frozenset(who) for name, who in found.items()}
    return owners | {name: frozenset({name}) for name in exercises}


def _exercise_of(test: Any) -> str:
    marks = (mark for mark in getattr(test, "pytestmark", ()) if mark.name == "exercise")
    return next((str(mark.args[0]) for mark in marks), "")


def _asked(
    function: ast.FunctionDef, functions: Mapping[str, ast.FunctionDef], seen: set[str]
) -> Iterator[str]:
    """The names of the notebook that a test asks for, and the probes that it runs."""
    for node in ast.walk(function):
        if isinstance(node, ast.Attribute) and _is_student(node.value) and node.attr != "run":
            yield node.attr
        if isinstance(node, ast.Subscript) and _is_student(node.value):
            yield from _texts([node.slice])
        if name := _agreed(node):
            yield name
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
            continue
        if not (_is_student(node.func.value) and node.func.attr == "run"):
            continue
        yield from _texts(node.args)
        first = node.args[0] if node.args else None
        if not (isinstance(first, ast.Name) and first.id in functions):
            yield "run"  # no probe: the student's own function
        for argument in node.args:
            if isinstance(argument, ast.Name) and argument.id in functions.keys() - seen:
                seen.add(argument.id)
                yield from _asked(functions[argument.id], functions, seen)


def _texts(nodes: Sequence[ast.expr]) -> Iterator[str]:
    """What is written there in quotes."""
    for node in nodes:
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def _is_student(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id == "student"


def _agreed(node: ast.AST) -> str:
    """The function in ``agree(student, reference, "softmax", …)``."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "agree":
        match node.args:
            case [ast.Name("student"), _, ast.Constant(str(name)), *_]:
                return name
    return ""
