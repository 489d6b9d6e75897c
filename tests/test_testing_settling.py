"""What one outcome says of others: what is left open, and what a forbidden call turns."""

from __future__ import annotations

from typing import Any

import pytest

from course_utils.calls.policy import Cost, ForbiddenCall
from course_utils.ground.mismatch import Mismatch
from course_utils.ground.statuses import Aspect, Status
from course_utils.testing.settling import charged, withheld
from course_utils.verdict.outcome import TestOutcome

OPEN = "cannot be judged before the values are right"


def outcome(status: Status = Status.PASSED, **fields: Any) -> TestOutcome:
    return TestOutcome("test_it", "f", "It is so.", False, 1.0, status, **fields)


RIGHT, WRONG = outcome(), outcome(Status.FAILED)


def form(status: Status = Status.PASSED, kind: str = "", **fields: Any) -> TestOutcome:
    mismatch = Mismatch("off", kind=kind) if kind else None
    return outcome(status, about=Aspect.FORM, mismatch=mismatch, **fields)


@pytest.mark.parametrize(
    ("idea", "claim", "status"),
    [
        (RIGHT, form(), Status.PASSED),
        (WRONG, form(), Status.UNJUDGED),
        (RIGHT, form(Status.FAILED, "shape"), Status.FAILED),
        (WRONG, form(Status.FAILED, "shape"), Status.UNJUDGED),
        (WRONG, form(Status.FAILED, "dtype"), Status.FAILED),
        (RIGHT, form(Status.FAILED, "value"), Status.UNJUDGED),
        (RIGHT, form(Status.ERROR, message="f raised"), Status.UNJUDGED),
        (WRONG, form(Status.TIMEOUT), Status.TIMEOUT),
        (WRONG, outcome(about=Aspect.EDGE), Status.PASSED),
    ],
)
def test_what_is_not_about_values_is_judged_where_they_are_right(
    idea: TestOutcome, claim: TestOutcome, status: Status
) -> None:
    before = claim.status
    first, second = withheld([idea, claim])
    assert first is idea and second.status is status
    assert claim.status is before


def test_an_open_claim_says_why() -> None:
    _, silent, raised = withheld([WRONG, form(), form(Status.ERROR, message="f raised")])
    assert (silent.message, raised.message) == (OPEN, "cannot be judged: f raised")


def test_the_parts_of_an_exercise_are_judged_by_themselves() -> None:
    outcomes = [outcome(part="a"), outcome(Status.FAILED, part="b"), form(part="a"), form(part="b")]
    assert [one.status for one in withheld(outcomes)[2:]] == [Status.PASSED, Status.UNJUDGED]


@pytest.mark.parametrize("status", [status for status in Status if status is not Status.FORBIDDEN])
def test_a_forbidden_call_turns_a_test_that_came_to_its_end(status: Status) -> None:
    call = ForbiddenCall("torch.softmax", "f", Cost.TEST)
    (one,) = charged([outcome(status, forbidden=call)])
    if status.unwritten or status.cut_short:
        assert (one.status, one.by_values) == (status, None)
    else:
        assert (one.status, one.by_values) == (Status.FORBIDDEN, status)
        assert one.message == "f calls torch.softmax"


def test_a_warning_turns_nothing() -> None:
    warned = outcome(forbidden=ForbiddenCall("torch.softmax", "f", Cost.WARNING))
    assert charged([warned]) == [warned]
