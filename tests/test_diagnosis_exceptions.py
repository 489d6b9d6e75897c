"""What is said of an exception, from exceptions that NumPy, torch and Python really raise."""

from __future__ import annotations

import textwrap

import pytest
from defining import defined

from course_utils.calls.backend import NamespaceBackend
from course_utils.calls.fault import StudentFault
from course_utils.calls.proxy import Student
from course_utils.diagnosis.diagnose import diagnose
from course_utils.ground.statuses import Status
from course_utils.verdict.outcome import TestOutcome

RAISING = {
    "np.exp(np.array([1000.0]))": "An exp overflows",
    "np.log(np.zeros(2))": "divided by zero",
    "np.ones((2, 3)) @ np.ones((2, 3))": "matrix product",
    "np.ones((2, 3)).dot(np.ones((2, 3)))": "matrix product",
    "torch.ones(2, 3) @ torch.ones(2, 3)": "matrix product",
    "torch.ones(2, 3) @ torch.ones(2)": "matrix product",
    "torch.bmm(torch.ones(2, 3, 4), torch.ones(2, 3, 4))": "matrix product",
    "np.ones((2, 3)) + np.ones((2, 2))": "meet entry by entry",
    "torch.ones(2, 3) + torch.ones(2, 2)": "meet entry by entry",
    "torch.zeros(2).add_(torch.ones(3, 2))": "meet entry by entry",
    "w = torch.ones(2, requires_grad=True)\nw -= 1": "torch.no_grad()",
    "w = torch.ones(2, requires_grad=True)\ny = w.exp()\ny += 1\ny.sum().backward()": "in place",
    "y = torch.ones(1, requires_grad=True).exp()\ny.backward()\ny.backward()": "twice",
    "torch.ones(1).backward()": "without a graph",
    "torch.ones(1, requires_grad=True).numpy()": "Stay in torch",
    "torch.ones(2, 2) @ torch.ones(2, 2).double()": "different dtypes",
    "torch.nn.Linear(2, 1)(torch.ones(1, 2).double())": "different dtypes",
    "torch.ones(2) + torch.ones(2, device='meta')": "different devices",
    "w = torch.ones(1)\nw - w.grad": "Something is None",
    "np.ones(3)[np.ones(2)]": "not a whole number",
    "torch.ones(3)[torch.ones(2)]": "not a whole number",
    "x = [1, 2]\nx[1.0]": "not a whole number",
    "np.ones(3)[3]": "outside its array",
    "torch.ones(3)[3]": "outside its array",
    "[][0]": "outside its array",
    "if np.ones(2) > 0: pass": "one truth value",
    "max(np.ones(2), 0)": "one truth value",
    "if torch.ones(2) > 0: pass": "one truth value",
    "for i in []: y = 1\ny": "not given a value on this path",
    "return f()": "calls itself too deeply",
    "1 / 0": "division by zero",
    "x = np.arange(3)\nx.flags.writeable = False\nx[0] = 1": "only lent",
    "assert 0 < 0": "An assert in your own code",
}


def outcome(body: str, *, hidden: bool = False) -> TestOutcome:
    """What a test finds that calls a function with this body."""
    code = f"def f():\n    np.seterr(all='raise')\n{textwrap.indent(body, '    ')}\n"
    student = Student(NamespaceBackend(defined(code)))
    with pytest.raises(StudentFault) as caught:
        student.f()
    fault = caught.value
    return TestOutcome(
        "t", "f", "claim", hidden, 1.0, fault.status, message=fault.message, trace=student.trace
    )


@pytest.mark.parametrize("hidden", [False, True])
@pytest.mark.parametrize("body", RAISING)
def test_an_exception_is_told_in_what_it_means(body: str, hidden: bool) -> None:
    found = diagnose([outcome(body, hidden=hidden)], None)
    assert found is not None and found.name == Status.ERROR
    assert RAISING[body] in found.hint
    assert bool(found.details) is not hidden


def test_two_meanings_are_none() -> None:
    found = diagnose([outcome("1 / 0"), outcome("[][0]")], None)
    assert found is not None and found.hint == Status.ERROR.advice


def test_what_nobody_has_foreseen_is_only_quoted() -> None:
    found = diagnose([outcome("raise KeyError('x')")], None)
    assert found is not None and found.hint == Status.ERROR.advice
    assert "KeyError" in found.details[0]
