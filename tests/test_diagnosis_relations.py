"""What a wrong result is made of, and what sets failed claims apart from those that hold."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from course_utils.calls.evidence import describe_call
from course_utils.diagnosis.diagnose import diagnose
from course_utils.ground.mismatch import Mismatch
from course_utils.ground.statuses import Aspect, Status
from course_utils.verdict.outcome import Diagnosis, TestOutcome

X = np.array([[0.5, -1.0, 2.0], [3.0, 0.25, -0.75]])
U = np.array([[1.5, 0.3, -0.6], [-2.0, 1.0, 0.4]])
RIGHT = np.array([[0.2, -0.9, 1.3], [0.7, 2.0, -0.4]])


def outcome(actual: object, expected: object, *args: object, **kwargs: object) -> TestOutcome:
    """A failed comparison of a call with these arguments."""
    return TestOutcome(
        "test_f", "f", "It is right.", False, 1.0, Status.FAILED,
        mismatch=Mismatch("off", kind="value", actual=actual, expected=expected),
        calls=[describe_call("f", args, dict(kwargs))],
    )  # fmt: skip


def held(*args: object, **kwargs: object) -> TestOutcome:
    return TestOutcome(
        "test_g", "f", "It holds.", False, 1.0, Status.PASSED, about=Aspect.DETAIL,
        calls=[describe_call("f", args, dict(kwargs))],
    )  # fmt: skip


def said(*outcomes: TestOutcome, hidden: bool = False) -> Diagnosis:
    found = diagnose([replace(one, hidden=hidden) for one in outcomes], None)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (U, "returns the second argument, and nothing more"),
        (-X, "returns minus the first argument"),
        (X * U, "the product of the first argument and the second argument"),
        (U - X, "the second argument minus the first argument"),
        (X / U, "the first argument divided by the second argument"),
        (RIGHT**2, "the square of the right one"),
        (np.maximum(RIGHT, 0), "the right one where that is positive, and 0 elsewhere"),
        (0 * RIGHT, "Each wrong value is 0"),
        (RIGHT + 0.5 * X, "the right result plus 0.5 × the first argument"),
        (U - 3 * RIGHT, "the second argument minus 3 × the right result"),
    ],
)
def test_what_a_result_is_made_of(wrong: np.ndarray, words: str) -> None:
    assert words in said(outcome(wrong, RIGHT, X, U)).hint


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (lambda p, c: np.log(p + c), "a constant (1.0e-03) is added inside a logarithm"),
        (lambda p, c: -np.log(p + c), "added inside a logarithm"),
        (lambda p, c: np.sqrt(p + c), "added inside a square root"),
    ],
)
def test_a_constant_inside(function: Callable[..., np.ndarray], words: str) -> None:
    p = np.array([0.1, 0.3, 0.05, 0.55])
    assert words in said(outcome(function(p, 1e-3), function(p, 0), p)).hint


def test_a_relation_must_hold_in_every_array_and_numbers_leave_it_open() -> None:
    one = outcome(RIGHT**2, RIGHT, X)
    assert diagnose([one, outcome(RIGHT.T**3, RIGHT.T, X)], None) is None
    assert not said(one, outcome(3.0, 4.0, X)).sure
    assert said(one).sure


def test_of_hidden_tests_no_number_is_said() -> None:
    hint = said(outcome(RIGHT + 0.5 * X, RIGHT, X), hidden=True).hint
    assert "plus a multiple of the first argument" in hint
    assert "0.5" not in hint


def test_noise_is_made_of_nothing() -> None:
    rng = np.random.default_rng(0)
    for _ in range(50):
        x, u, right, wrong = rng.normal(size=(4, 3, 4))
        assert diagnose([outcome(wrong, right, x, u)], None) is None


def test_the_option_under_which_it_goes_wrong_is_said() -> None:
    rng = np.random.default_rng(1)
    wrong, right = rng.normal(size=(2, 3, 4))
    failed = outcome(wrong, right, X, weight_decay=0.1, lr=0.5)
    passed = [held(X, lr=0.5), held(X, lr=0.2, weight_decay=0.0)]
    found = said(failed, *passed)
    assert found.hint == (
        "It goes wrong exactly where weight_decay is given; in every claim without it the values "
        "are right."
    )
    assert diagnose([failed, held(X, weight_decay=0.3), *passed], None) is None
    assert diagnose([failed, passed[0]], None) is None, "one claim that holds is no contrast"
