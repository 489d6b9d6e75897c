"""Formulas in SymPy symbols: their values at some points, and the words where they are wrong."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from course_utils.calls.backend import NamespaceBackend
from course_utils.calls.fault import StudentFault
from course_utils.calls.proxy import Student
from course_utils.ground.mismatch import Mismatch
from course_utils.testing import assert_expression, evaluate, values_at

POINTS = [[2.0, 3.0], [1.0, 0.5]]


def student(body: str) -> Student:
    namespace: dict[str, Any] = {}
    exec(f"import sympy\ndef slope(a, b): return {body}", namespace)
    return Student(NamespaceBackend(namespace))


@pytest.mark.parametrize("probe", [evaluate, values_at])
@pytest.mark.parametrize(
    ("body", "values"), [("a * b", [6.0, 0.5]), ("4", [4.0, 4.0]), ("sympy.log(a) / b", None)]
)
def test_an_expression_has_its_values(probe: Any, body: str, values: list[float] | None) -> None:
    seen = student(body).run(probe, "slope", ["a", "b"], POINTS)
    assert seen == pytest.approx(values or [np.log(2.0) / 3.0, 0.0])


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("a * sympy.Symbol('c')", "slope should use no other symbols than a, b"),
        ("[a, b]", "slope should return an expression, not list"),
    ],
)
def test_what_is_no_expression_of_these_symbols_is_refused(body: str, said: str) -> None:
    with pytest.raises(StudentFault, match=said):
        student(body).run(evaluate, "slope", ["a", "b"], POINTS)


def test_where_there_is_no_value_there_is_nan() -> None:
    handle = student("a * sympy.Symbol('c')")
    assert np.isnan(handle.run(values_at, "slope", ["a", "b"], POINTS)).all()


def test_a_right_expression_passes_within_its_tolerance() -> None:
    assert_expression(student("a * b"), "slope", ["a", "b"], POINTS, [6.0, 0.5], "the slope")
    nearly = student("a * b * 1.001")
    assert_expression(nearly, "slope", ["a", "b"], POINTS, [6.0, 0.5], "the slope", rtol=1e-2)


def test_a_wrong_one_is_shown_where_it_was_looked_at() -> None:
    with pytest.raises(Mismatch, match=r"the slope at \(a, b\) = \(2, 3\) and \(1, 0.5\): you 5"):
        assert_expression(student("a + b"), "slope", ["a", "b"], POINTS, [6.0, 0.5], "the slope")


def test_one_symbol_is_named_without_brackets() -> None:
    namespace: dict[str, Any] = {"slope": lambda a: 2 * a}
    handle = Student(NamespaceBackend(namespace))
    with pytest.raises(Mismatch, match=r"the slope at a = 2 and 1: you 4, torch 5 at \[0\]"):
        assert_expression(handle, "slope", ["a"], [[2.0], [1.0]], [5.0, 2.0], "the slope")


def test_one_without_a_value_is_told_why() -> None:
    with pytest.raises(AssertionError, match=r"the slope has no value at .*: it is infinite"):
        assert_expression(student("a * sympy.Symbol('c')"), "slope", ["a", "b"], POINTS,
                          [6.0, 0.5], "the slope")  # fmt: skip
