"""The student's side of a call: how it ended, in words for the student."""

from __future__ import annotations

import linecache
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from defining import defined
from messages import internals_in

from course_utils.calls.backend import NamespaceBackend
from course_utils.calls.fault import StudentFault
from course_utils.calls.probe import probe
from course_utils.calls.proxy import Student
from course_utils.ground.statuses import Status


def fault(source: str, call: Callable[[Student], Any]) -> StudentFault:
    with pytest.raises(StudentFault) as caught:
        call(Student(NamespaceBackend(defined(source))))
    assert internals_in(caught.value.message) == []
    return caught.value


@probe
def sums_of_steps(student: Any, steps: Any) -> Any:
    walk = student.Walk()
    for step in steps:
        walk.step(step)
    return [float(v.sum()) for v in walk.values]


@probe
def added_in_place(student: Any, x: Any) -> Any:
    return student.add(x)


WALK = """
class Walk:
    def __init__(self):
        self.values = []

    def step(self, x):
        self.values.append({})
"""


def walked(source: str) -> str:
    return fault(source, lambda student: student.run(sums_of_steps, [1.0, 2.0])).message


def test_an_exception_is_told_with_its_name() -> None:
    found = fault("def f(x):\n    return x @ x", lambda student: student.f(np.ones((2, 3))))
    assert found.message.startswith("f raised ValueError: matmul")
    assert fault("def f(x):\n    raise KeyError", lambda s: s.f(1)).message == "f raised KeyError"


def test_an_exception_under_a_probe_is_the_students_code() -> None:
    source = WALK.replace("self.values.append({})", "raise RuntimeError('no step')")
    assert walked(source) == "your code raised RuntimeError: no step"


def test_the_students_line_is_quoted(monkeypatch: pytest.MonkeyPatch) -> None:
    source = WALK.replace("self.values.append({})", "self.values[9].append(x)")
    monkeypatch.setattr(
        linecache, "getline", lambda name, number: source.splitlines()[number - 1]
    )
    assert walked(source) == (
        "your code raised IndexError: list index out of range, in the line: "
        "self.values[9].append(x)"
    )


def test_what_a_probe_trips_over_is_no_exception_of_the_students() -> None:
    found = walked(WALK)
    assert found.startswith("what your code gave cannot be used here: AttributeError: 'dict'")
    torch_s = WALK.replace("append({})", "append(torch.ones(2)[None].expand(2, 2).numpy)")
    assert walked(torch_s).startswith("what your code gave cannot be used here: ")


def test_an_exception_in_a_library_that_the_student_called_is_the_students() -> None:
    source = WALK.replace("self.values.append({})", "np.linalg.inv(np.zeros((2, 2)))")
    assert walked(source).startswith("your code raised LinAlgError: Singular matrix")


def test_an_unusable_answer_of_a_probe_is_the_codes() -> None:
    source = "class Walk:\n    values = ()\n    def step(self, x): pass"
    student = Student(NamespaceBackend(defined(source)))
    assert student.run(sums_of_steps, [1.0]) == []
    found = fault("def add(x):\n    return {x.sum()}", lambda s: s.run(added_in_place, np.ones(2)))
    assert found.message.startswith("your code returned a set; return numbers")


class _Nameless(type):
    @property
    def __name__(cls) -> str:  # type: ignore[override]
        raise ValueError("no name")


class _Shy(Exception, metaclass=_Nameless):
    pass


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (ValueError("a \ud800 b"), "f raised ValueError: a ? b"),
        (_Shy("why"), "f raised _Shy: why"),
    ],
)
def test_an_exception_that_no_message_can_hold_is_told_all_the_same(
    error: Exception, said: str
) -> None:
    def f(x: Any) -> Any:
        raise error

    with pytest.raises(StudentFault) as caught:
        Student(NamespaceBackend({"f": f})).f(1)
    assert caught.value.status is Status.ERROR
    assert caught.value.message == said


@probe
def halves(student: Any, x: Any) -> Any:
    return (student.half(x) != 0).sum() + student.half(x).shape[0]


def test_a_probe_that_trips_over_none_says_who_gave_it() -> None:
    student = Student(NamespaceBackend(defined("def half(x):\n    x / 2")))
    with pytest.raises(StudentFault) as caught:
        student.run(halves, np.ones(3))
    assert caught.value.message == "what your code gave cannot be used here: half returned None"
    assert caught.value.raised.startswith("AttributeError")  # by which it is known again
