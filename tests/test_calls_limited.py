"""Calls to trusted code under a time limit, and none in the student's kernel."""

from __future__ import annotations

import signal
from typing import Any

import pytest
from defining import defined

from course_utils.calls import dispatcher
from course_utils.calls.backend import NamespaceBackend
from course_utils.calls.fault import StudentFault
from course_utils.calls.limited import LimitedBackend, time_limit
from course_utils.calls.protocol import Request
from course_utils.calls.proxy import Student
from course_utils.ground.statuses import Status

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
    request = Request("f", [[]])
    with pytest.raises(dispatcher.CallTimeout), time_limit(0.2):
        dispatcher.invoke(defined(source), request)
    assert signal.getitimer(signal.ITIMER_REAL)[0] == 0


SLEEP = "import time\ndef f(s):\n    time.sleep(s)\n    return s"


def test_a_tests_own_limit_holds_for_its_calls() -> None:
    backend = LimitedBackend(defined(SLEEP), seconds=0.5)
    for seconds, told in ((0.1, "0.1 s"), (None, "0.5 s")):
        with pytest.raises(StudentFault) as caught:
            Student(backend, seconds=seconds).f(30)
        assert caught.value.message == f"f did not return within {told}"


def test_after_a_hang_a_longer_limit_is_still_tried_and_an_equal_one_is_not() -> None:
    backend = LimitedBackend(defined(SLEEP), seconds=0.1)
    with pytest.raises(StudentFault):
        Student(backend).f(30)
    assert Student(backend, seconds=5.0).f(0.2) == 0.2
    with pytest.raises(StudentFault, match=r"within 0\.1 s"):
        Student(backend).f(0.0)


def test_in_the_kernel_there_is_no_limit() -> None:
    assert Student(NamespaceBackend(defined(SLEEP)), seconds=0.01).f(0.1) == 0.1
