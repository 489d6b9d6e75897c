"""What one test found: finished where it is made, and sealed before it is kept."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

from course_utils.calls.digest import returned
from course_utils.calls.evidence import describe_call
from course_utils.calls.policy import Cost, ForbiddenCall
from course_utils.ground.mismatch import Mismatch
from course_utils.ground.statuses import Aspect, Status
from course_utils.verdict.outcome import TestOutcome

SECRET = "secret 1.2345"


def outcome(status: Status = Status.FAILED, hidden: bool = False, **fields: Any) -> TestOutcome:
    return TestOutcome("test_it", "f", "It is so.", hidden, 1.0, status, **fields)


def test_it_cannot_be_changed() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        outcome().status = Status.PASSED  # type: ignore[misc]  # that is the point


@pytest.mark.parametrize("status", Status)
def test_a_claim_holds_is_refuted_or_is_not_judged(status: Status) -> None:
    one = outcome(status)
    assert [one.passed, one.refuted, status is Status.UNJUDGED].count(True) == 1


@pytest.mark.parametrize("hidden", [False, True])
def test_what_is_sealed_keeps_its_verdict_and_not_its_evidence(hidden: bool) -> None:
    wrong = Mismatch("off", kind="value", actual=np.ones(1), expected=np.zeros(1))
    one = outcome(
        hidden=hidden, message=SECRET, mismatch=wrong, trace=[returned(np.ones(1))],
        calls=[describe_call("f", (1.2345,), {})], relative_error=0.5, tolerance=1e-6,
        forbidden=ForbiddenCall("torch.softmax", "f", Cost.WARNING), tripped=SECRET,
    )  # fmt: skip
    sealed = one.sealed()
    assert not sealed.trace and not sealed.calls and sealed.mismatch is None
    assert sealed.has_wrong_value and one.has_wrong_value
    assert (sealed.told, sealed.to_dict()) == (one.told, one.to_dict())
    assert sealed.sealed() == sealed
    assert (SECRET in repr(sealed)) is not hidden
    assert ("torch.softmax" in repr(sealed)) is not hidden


@pytest.mark.parametrize(
    ("wrong", "fields"),
    [
        (True, {"mismatch": Mismatch("", kind="value", actual=np.ones(1), expected=np.zeros(1))}),
        (False, {"mismatch": Mismatch("", kind="shape", actual=np.ones(1), expected=np.ones(2))}),
        (False, {"mismatch": Mismatch("", kind="value", actual=None, expected=np.ones(2))}),
        (True, {"trace": [returned(np.ones(1))]}),
        (False, {"trace": [returned(None)]}),
        (False, {"trace": [returned(np.ones(1))], "about": Aspect.FORM}),
        (False, {"trace": [returned(np.ones(1))], "status": Status.ERROR}),
    ],
)
def test_a_wrong_value_is_one_that_came_back(wrong: bool, fields: dict[str, Any]) -> None:
    assert outcome(**fields).has_wrong_value is wrong
