"""Decorators as they stand in a file, and the exercises that they name."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Any

from course_utils.gate.finding import Finding
from course_utils.gate.sources.fatal import broken, near
from course_utils.ground.cells import check_id


def decorator(node: ast.FunctionDef | ast.ClassDef, name: str) -> ast.Call | None:
    """The decorator of a name, as a call."""
    for one in node.decorator_list:
        call = one if isinstance(one, ast.Call) else ast.Call(one, [], [], lineno=one.lineno)
        function = call.func
        last = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
        if last == name:
            return call
    return None


def named_exercise(place: str, what: str, exercise: Any, known: list[str]) -> Iterator[Finding]:
    """Whether the exercise that something names is one of those that are known."""
    if exercise not in known:
        missing = f": add one with the grade_id {check_id(str(exercise))}"
        hint = near(str(exercise), known) or missing
        yield broken(
            place, f"{what} names the exercise {exercise}, for which the notebook has no check "
            f"cell{hint}",
        )  # fmt: skip
