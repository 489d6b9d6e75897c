"""The near side of a call: how it ended, in words for the student."""

from __future__ import annotations

import linecache
import signal
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from messages import internals_in

from course_utils.calls import dispatcher
from course_utils.calls.limited import LimitedBackend, time_limit
from course_utils.calls.proxy import NamespaceBackend, Student, StudentFault, probe
from course_utils.ground.closeness import Mismatch
from course_utils.ground.statuses import Status
from course_utils.testing import assert_unmodified


def defined(source: str) -> dict[str, Any]:
    """What a notebook cell with this source defines."""
    namespace: dict[str, Any] = {"np": np, "torch": torch, "__name__": "__main__"}
    exec(compile(source, "<cell 3>", "exec"), namespace)
    return namespace


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


def test_a_probes_argument_that_is_changed_is_not_numbered() -> None:
    student = Student(NamespaceBackend(defined("def add(x):\n    x += 1\n    return x")))
    student.run(added_in_place, np.ones(2))
    with pytest.raises(Mismatch, match="your code changes an array that it was handed"):
        assert_unmodified(student)
    student = Student(NamespaceBackend(defined("def add(x):\n    x += 1\n    return x")))
    student.add(np.ones(2))
    with pytest.raises(Mismatch, match="add changes its argument number 1"):
        assert_unmodified(student)


def test_a_value_is_read_once() -> None:
    source = """
class Once(list):
    read = 0
    def __iter__(self):
        Once.read += 1
        if Once.read > 1:
            raise ValueError
        return iter([1.0])
def f():
    return Once()
"""
    assert Student(NamespaceBackend(defined(source))).f() == [1.0]


# -- time limits


OWN = "class CallTimeout({base}):\n    pass\ndef f():\n    raise CallTimeout('mine')"


@pytest.mark.parametrize("base", ["Exception", "BaseException"])
@pytest.mark.parametrize("backend", [NamespaceBackend, LimitedBackend])
def test_a_students_own_call_timeout_is_an_exception(backend: Any, base: str) -> None:
    with pytest.raises(StudentFault) as caught:
        Student(backend(defined(OWN.format(base=base)))).f()
    assert caught.value.status is Status.ERROR
    assert caught.value.message == "f raised CallTimeout: mine"


HANGING = {
    "call": "def f(x):\n    while True: pass",
    "answer": (
        "class L(list):\n    def __iter__(self):\n        while True: pass\n"
        "def f(x):\n    return L([1])"
    ),
    "argument": (
        "class L(list):\n    def __iter__(self):\n        while True: pass\n"
        "def f(x):\n    x.append(L([1]))"
    ),
    "message": (
        "class E(Exception):\n    def __str__(self):\n        while True: pass\n"
        "def f(x):\n    raise E"
    ),
}


@pytest.mark.parametrize("source", HANGING.values(), ids=HANGING)
def test_an_alarm_ends_a_call_wherever_it_rings(source: str) -> None:
    request = {"name": "f", "args": [[]], "kwargs": {}}
    with pytest.raises(dispatcher.CallTimeout), time_limit(0.2):
        dispatcher.invoke(defined(source), request)
    assert signal.getitimer(signal.ITIMER_REAL)[0] == 0


SLEEP = "import time\ndef f(s):\n    time.sleep(s)\n    return s"


def test_a_tests_own_limit_holds_for_its_calls() -> None:
    backend = LimitedBackend(defined(SLEEP), seconds=0.5)
    for seconds, told in ((0.1, "0.1 s"), (None, "0.5 s")):
        started = time.perf_counter()
        with pytest.raises(StudentFault) as caught:
            Student(backend, seconds=seconds).f(30)
        assert caught.value.message == f"f did not return within {told}"
        assert time.perf_counter() - started < 5


def test_after_a_hang_a_longer_limit_is_still_tried_and_an_equal_one_is_not() -> None:
    backend = LimitedBackend(defined(SLEEP), seconds=0.1)
    with pytest.raises(StudentFault):
        Student(backend).f(30)
    assert Student(backend, seconds=5.0).f(0.2) == 0.2
    with pytest.raises(StudentFault, match=r"within 0\.1 s"):
        Student(backend).f(0.0)


def test_in_the_kernel_there_is_no_limit() -> None:
    assert Student(NamespaceBackend(defined(SLEEP)), seconds=0.01).f(0.1) == 0.1


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


def test_a_call_leaves_numpys_error_handling_as_it_was() -> None:
    def f(x: Any) -> Any:
        np.seterr(all="raise")
        return x

    before = np.geterr()
    Student(NamespaceBackend({"f": f})).f(1)
    assert np.geterr() == before


@probe
def halves(student: Any, x: Any) -> Any:
    return (student.half(x) != 0).sum() + student.half(x).shape[0]


def test_a_probe_that_trips_over_none_says_who_gave_it() -> None:
    student = Student(NamespaceBackend(defined("def half(x):\n    x / 2")))
    with pytest.raises(StudentFault) as caught:
        student.run(halves, np.ones(3))
    assert caught.value.message == "what your code gave cannot be used here: half returned None"
    assert caught.value.raised.startswith("AttributeError")  # by which it is known again
