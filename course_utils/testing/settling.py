"""From what each test found to what is held against a student: outcomes in the light of others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from course_utils.calls.policy import Cost
from course_utils.ground.statuses import Aspect, Status
from course_utils.verdict.outcome import TestOutcome

# Which kinds of mismatch a claim speaks of that is not about values.
_OWN_KINDS = {
    Aspect.FORM: {"type", "structure", "shape", "dtype", "device"},
    Aspect.ARGUMENTS: {"modified"},
    Aspect.BY_HAND: set(),
}


def withheld(outcomes: Sequence[TestOutcome]) -> list[TestOutcome]:
    """The outcomes with what cannot be judged left open: a claim about form, arguments or handwork
    has nothing to stand on where the values are wrong, and must neither accuse nor earn anything
    then."""
    ideas = {(o.exercise, o.part) for o in outcomes if o.about is Aspect.IDEA}
    telling = [
        o for o in outcomes
        if o.about is Aspect.IDEA or (o.about.of_values and (o.exercise, o.part) not in ideas)
    ]  # fmt: skip
    right = {(o.exercise, o.part) for o in telling if o.passed}
    wrong = {(o.exercise, o.part) for o in telling} - right
    return [
        one if one.about.of_values else _left_open(one, (one.exercise, one.part) in wrong)
        for one in outcomes
    ]


def _left_open(outcome: TestOutcome, wrong: bool) -> TestOutcome:
    """A claim that is not about values, where these are wrong or not."""
    mismatch = outcome.mismatch
    other = mismatch is not None and mismatch.kind not in _OWN_KINDS[outcome.about]
    # A wrong type or shape is what the claims about values have said already.
    repeated = wrong and mismatch is not None and mismatch.kind in ("type", "structure", "shape")
    hollow = wrong and outcome.passed
    if (outcome.status is Status.FAILED and (other or repeated)) or hollow:
        return replace(
            outcome, status=Status.UNJUDGED, message="cannot be judged before the values are right",
            relative_error=None, tolerance=None,
        )  # fmt: skip
    if outcome.status is Status.ERROR:
        message = f"cannot be judged: {outcome.message}"
        return replace(outcome, status=Status.UNJUDGED, message=message)
    return outcome


def charged(outcomes: Sequence[TestOutcome]) -> list[TestOutcome]:
    """The outcomes with those failing that saw a forbidden call, where the policy says more than a
    warning; not where a call was never made or cut short, which says more than what it called."""
    return [_charged(outcome) for outcome in outcomes]


def _charged(outcome: TestOutcome) -> TestOutcome:
    call = outcome.forbidden
    if call is None or call.cost is Cost.WARNING:
        return outcome
    if outcome.status.unwritten or outcome.status.cut_short:
        return outcome
    return replace(
        outcome, by_values=outcome.status, status=Status.FORBIDDEN, message=call.sentence,
        relative_error=None, tolerance=None, chart=(),
    )  # fmt: skip
