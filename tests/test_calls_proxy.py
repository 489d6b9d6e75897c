"""The judge's side of a call: what a test reaches by ``student``, and what is kept of it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from defining import defined

from course_utils.calls.backend import NamespaceBackend
from course_utils.calls.endings import MissingName, TimedOut
from course_utils.calls.fault import StudentFault
from course_utils.calls.probe import probe
from course_utils.calls.protocol import Request, Response
from course_utils.calls.proxy import Ledger, Student
from course_utils.ground.mismatch import Mismatch
from course_utils.ground.statuses import Status
from course_utils.testing import assert_unmodified


def student_of(source: str, ledger: Ledger | None = None, **settings: Any) -> Student:
    return Student(NamespaceBackend(defined(source)), ledger, **settings)


# -- names


NAMES = [
    "run", "trace", "calls", "modified", "seen_as", "seconds", "forbidden", "seed", "backend",
    "ledger", "call", "gave_none", "handed", "_private",
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_a_function_of_any_name_is_found_in_brackets(name: str) -> None:
    student = student_of(f"def {name}(x, *more):\n    return 2 * x + len(more)")
    assert student[name](3) == 6
    assert student[name](3, 1, 1) == 8
    assert [call.name for call in student.calls] == [name, name]


@pytest.mark.parametrize("name", ["run", "seconds", "forbidden", "seed", "backend", "ledger"])
def test_most_names_need_no_brackets(name: str) -> None:
    student = student_of(f"def {name}(x):\n    return 2 * x")
    assert getattr(student, name)(3) == 6


@probe
def asked_by_name(student: Any, name: str, x: Any) -> Any:
    return getattr(student, name)(x)


@pytest.mark.parametrize("name", NAMES)
def test_a_probe_reaches_a_function_of_any_name(name: str) -> None:
    student = student_of(f"def {name}(x):\n    return 2 * x")
    assert student.run(asked_by_name, name, 3) == 6


def test_a_name_that_there_is_not_is_told() -> None:
    student = student_of("def softmax(x):\n    return x")
    with pytest.raises(StudentFault) as caught:
        student.sofmax(1)
    assert caught.value.status is Status.MISSING
    assert caught.value.message == (
        "the notebook does not define sofmax; it defines softmax: was the function renamed?"
    )
    assert not hasattr(student, "_repr_html_")


# -- what is kept


def test_the_ledger_keeps_what_the_calls_were_like() -> None:
    ledger = Ledger()
    student = student_of("def f(x, y):\n    y += 1\n    return x", ledger)
    student.f(np.ones(3), y=np.zeros(2))
    assert ledger.modified == student.modified == [("f", "y")]
    (call,) = student.calls
    assert [argument.shape for argument in call.arguments] == [(3,), (2,)]
    assert call.modified == ("y",)
    assert len(ledger.trace) == len(student.trace) == 1
    assert 0 < ledger.seconds < 5
    assert ledger.forbidden == []


def test_without_evidence_only_what_marks_hang_on_is_kept() -> None:
    ledger = Ledger(evidence=False)
    student = student_of("def f(x):\n    x += 1\n    return x\ndef g():\n    1 / 0", ledger)
    assert student.f(x=np.ones(3)).tolist() == [2, 2, 2]
    with pytest.raises(StudentFault):
        student.g()
    student.seen_as("good enough")
    assert (ledger.trace, ledger.calls) == ([], [])
    assert ledger.modified == [("f", "x")] and ledger.seconds > 0


def test_a_call_that_failed_is_kept_too() -> None:
    student = student_of("def f():\n    raise ValueError('no')")
    with pytest.raises(StudentFault):
        student.f()
    assert student.trace[0].raised == "ValueError: no"
    assert len(student.calls) == 1


def test_one_value_may_stand_for_all_calls() -> None:
    student = student_of("def f(x):\n    return x")
    for n in range(3):
        student.f(n)
    student.seen_as("good enough")
    (call,), (seen,) = student.calls, student.trace
    assert (call.summary, call.fingerprint) == (True, None)
    assert "good enough" in seen.words


@probe
def added_in_place(student: Any, x: Any) -> Any:
    return student.add(x)


@probe(values=True)
def added_values(student: Any, x: Any) -> Any:
    return student.add(x)


def test_a_probes_argument_that_is_changed_is_not_numbered() -> None:
    student = Student(NamespaceBackend(defined("def add(x):\n    x += 1\n    return x")))
    student.run(added_in_place, np.ones(2))
    with pytest.raises(Mismatch, match="your code changes an array that it was handed"):
        assert_unmodified(student)
    student = Student(NamespaceBackend(defined("def add(x):\n    x += 1\n    return x")))
    student.add(np.ones(2))
    with pytest.raises(Mismatch, match="add changes its argument number 1"):
        assert_unmodified(student)


def test_what_a_probe_returns_is_a_summary_unless_it_says_otherwise() -> None:
    student = student_of("def add(x):\n    return x + 1")
    student.run(added_in_place, 1.0)
    student.run(added_values, 1.0)
    student.add(1.0)
    assert [call.summary for call in student.calls] == [True, False, False]


# -- what is asked for


class Asked:
    """Keeps the requests, and answers each in one way."""

    def __init__(self, response: Response) -> None:
        self.response = response
        self.requests: list[Request] = []

    def request(self, request: Request) -> Response:
        self.requests.append(request)
        return self.response


def test_the_seed_goes_with_the_first_call_only() -> None:
    backend = Asked(Response(MissingName("f")))
    student = Student(backend, seed=5, forbid=["torch.softmax"], seconds=2.0)
    for _ in range(2):
        with pytest.raises(StudentFault):
            student.f(1, axis=0)
    first, second = backend.requests
    assert (first.seed, second.seed) == (5, None)
    for request in (first, second):
        assert (request.name, list(request.args), dict(request.kwargs)) == ("f", [1], {"axis": 0})
        assert list(request.forbid) == ["torch.softmax"]
        assert (request.seconds, request.probe) == (2.0, "")


def test_a_backend_that_tells_of_an_alarm_is_understood() -> None:
    with pytest.raises(StudentFault) as caught:
        Student(Asked(Response(TimedOut()))).f()
    assert caught.value.status is Status.TIMEOUT
