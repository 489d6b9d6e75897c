"""Formulas that students write in SymPy symbols, looked at by their values at some points."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from course_utils.calls.probe import probe
from course_utils.ground.closeness import assert_close

# The source of a probe travels without this file's imports, hence without annotations.


@probe
def evaluate(student, name, names, points):  # type: ignore[no-untyped-def]
    """The values of a student's SymPy expression at several points.

    What is no expression, or holds a symbol that is not among ``names``, raises TypeError.
    """
    import sympy as sp

    symbols = [sp.Symbol(symbol, real=True) for symbol in names]
    expression = sp.sympify(getattr(student, name)(*symbols))
    if not isinstance(expression, sp.Expr):
        raise TypeError(f"{name} should return an expression, not {type(expression).__name__}")
    if expression.free_symbols - set(symbols):
        raise TypeError(f"{name} should use no other symbols than {', '.join(names)}")
    return [float(expression.subs(dict(zip(symbols, point, strict=True)))) for point in points]


@probe(values=True)
def values_at(student, name, names, points):  # type: ignore[no-untyped-def]
    """The values of a student's SymPy expression at several points; NaN where it has none."""
    import sympy

    symbols = [sympy.Symbol(symbol, real=True) for symbol in names]
    expression = sympy.sympify(getattr(student, name)(*symbols))
    values = []
    for point in points:
        known = dict(zip(names, point, strict=True))
        number = expression.subs(
            {s: known[s.name] for s in expression.free_symbols if s.name in known}
        )
        try:
            values.append(float(number))
        except TypeError:  # a symbol is left, or the expression is infinite there
            values.append(float("nan"))
    return values


def assert_expression(
    student: Any,
    name: str,
    names: Sequence[str],
    points: Sequence[Sequence[float]],
    expected: Sequence[float],
    what: str,
    rtol: float | None = None,
) -> None:
    """Assert that a student's expression has the right values at some points.

    Args:
        name: the function that returns it.
        names: the symbols that the function is given, by name.
        points: numbers for the symbols, a list a point.
        expected: the right value at each point.
        what: how messages call the expression ("the variance"); they add where it was looked at.
        rtol: as in :func:`~course_utils.ground.closeness.assert_close`.

    Raises:
        Mismatch: with the two values that differ most.
        AssertionError: the expression has no value at one of the points.
    """
    seen = student.run(values_at, name, names, points)
    if len(names) > 1:
        places = " and ".join("(" + ", ".join(f"{v:.3g}" for v in point) + ")" for point in points)
        where = f"at ({', '.join(names)}) = {places}"
    else:
        where = f"at {names[0]} = " + " and ".join(f"{point[0]:.3g}" for point in points)
    if np.isnan(seen).any():
        raise AssertionError(
            f"{what} has no value {where}: it is infinite there, or holds a symbol that is not "
            "one of the arguments"
        )
    assert_close(np.array(seen), np.array(expected), name=f"{what} {where}", rtol=rtol)
