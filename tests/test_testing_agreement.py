"""Student and reference called alike: what passes, what fails and in which words."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from course_utils.calls.backend import NamespaceBackend
from course_utils.calls.fault import StudentFault
from course_utils.calls.policy import Policy
from course_utils.calls.proxy import Student
from course_utils.ground.mismatch import Mismatch
from course_utils.testing import agree
from course_utils.testing.lab_tests import LabTests
from course_utils.testing.loading import load_module


class Reference:
    """Powers, and what was asked of it."""

    calls: list[str]

    def __init__(self) -> None:
        self.calls = []

    def power(self, x: Any, exponent: float = 2.0, *, scale: float = 1.0) -> Any:
        self.calls.append(f"{x.tolist()} {exponent} {scale}")
        return scale * x**exponent


def student(source: str) -> Student:
    namespace: dict[str, Any] = {"np": np}
    exec(source, namespace)
    return Student(NamespaceBackend(namespace))


RIGHT = "def power(x, exponent=2.0, *, scale=1.0): return scale * x**exponent"
X = np.array([1.0, 2.0, 3.0])


def test_both_get_the_arguments_and_the_functions_own_keywords() -> None:
    reference, handle = Reference(), student(RIGHT)
    agree(handle, reference, "power", X)
    agree(handle, reference, "power", X, 3.0, scale=0.5, called="the power")
    assert reference.calls == ["[1.0, 2.0, 3.0] 2.0 1.0", "[1.0, 2.0, 3.0] 3.0 0.5"]
    assert len(handle.calls) == 2


def test_what_differs_is_called_as_the_test_calls_it() -> None:
    wrong = student("def power(x, exponent=2.0): return x")
    with pytest.raises(Mismatch, match=r"^the result: you 3, torch 9 at \[2\]"):
        agree(wrong, Reference(), "power", X)
    with pytest.raises(Mismatch, match=r"^the cubes: you 3, torch 27 at \[2\]"):
        agree(wrong, Reference(), "power", X, 3.0, called="the cubes")


def test_tolerances_are_the_comparisons_and_reach_no_function() -> None:
    near = student("def power(x): return x**2 + 1e-3")
    with pytest.raises(Mismatch, match=r"allowed 1e-08"):
        agree(near, Reference(), "power", X)
    agree(near, Reference(), "power", X, rtol=1e-3)
    agree(near, Reference(), "power", X, atol=1e-2)


def test_a_student_who_works_in_place_does_not_spoil_the_reference() -> None:
    given = X.copy()
    handle = student("def power(x):\n    x *= x\n    return x")
    reference = Reference()
    agree(handle, reference, "power", given)
    assert np.array_equal(given, X)
    assert reference.calls == ["[1.0, 2.0, 3.0] 2.0 1.0"]
    assert handle.modified == [("power", "number 1")]


def test_the_student_is_called_first() -> None:
    reference = Reference()
    with pytest.raises(StudentFault, match="power raised ValueError: no"):
        agree(student("def power(x): raise ValueError('no')"), reference, "power", X)
    assert reference.calls == []


PUBLIC = """
from course_utils.testing import agree, exercise


class Reference:
    pass


@exercise("powers", forbid=["numpy.power"])
def test_powers(student, reference):
    \"\"\"Two functions of one exercise.\"\"\"
    agree(student, reference, "square", 2.0)
    agree(student, reference, "cube", 2.0, called="square root")
    agree(reference, student, "other", 2.0)
"""


def test_a_function_that_is_agreed_on_belongs_to_the_exercise(tmp_path: Any) -> None:
    """Who pays for a forbidden call is read from the tests' source."""
    path = tmp_path / "test_public.py"
    path.write_text(PUBLIC, "utf-8")
    policy: Policy = LabTests(path, load_module(path)).policy
    assert policy.owners == {
        name: frozenset({"powers"}) for name in ("square", "cube", "powers")
    }
