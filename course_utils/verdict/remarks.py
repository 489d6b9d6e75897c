"""The boxes above an exercise's claims: forbidden calls, the likely mistake, where to look."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from course_utils.calls.policy import Cost, ForbiddenCall
from course_utils.ground.statuses import Status
from course_utils.verdict.outcome import Diagnosis, TestOutcome

# "It raised an exception" is what the claims' messages say already, and better.
_SAID_BY_CLAIMS = [status for status in Status if status.advice and not status.cut_short]


@dataclass(frozen=True)
class Remark:
    """What stands in the box above the claims: a title, its text, and further labelled lines."""

    title: str
    body: str
    more: tuple[tuple[str, str], ...] = ()


def explanation(
    diagnosis: Diagnosis | None, derivation: str, outcomes: Sequence[TestOutcome]
) -> list[Remark]:
    """The box for a diagnosis, and where in the derivation to look if values are wrong."""
    if diagnosis is not None and diagnosis.name in _SAID_BY_CLAIMS:
        diagnosis = None
    of_values = any(outcome.has_wrong_value for outcome in outcomes)
    where = derivation if of_values else ""
    if diagnosis is None:
        return [Remark("Where to look", where)] if where else []
    told = {outcome.told for outcome in outcomes}
    details = [detail for detail in diagnosis.details if detail not in told]
    more = [("Also seen:", detail) for detail in details]
    more += [("Where to look:", where)] if where else []
    return [Remark(_heading(diagnosis, of_values), diagnosis.hint, tuple(more))]


def _heading(diagnosis: Diagnosis, of_values: bool) -> str:
    """As sure as the diagnosis is, and no surer."""
    if diagnosis.name in list(Status):
        return "What happened"
    if not diagnosis.named:
        seen = "What the numbers say" if of_values else "What was seen"
        return seen if diagnosis.sure else f"Part of it: {seen.lower()}"
    mistake = diagnosis.name.replace("_", " ")
    return f"{'Most likely mistake' if diagnosis.sure else 'Part of it looks like'}: {mistake}"


_PRICES = {
    Cost.EXERCISE: "all points of {part}, even where the values are right",
    Cost.TEST: "the points of the claim that fails for it",
    Cost.WARNING: "nothing",
}


def forbidden(name: str, outcomes: Sequence[TestOutcome], earned: str = "") -> list[Remark]:
    """The boxes for forbidden calls: what was seen, what it costs, and what to do instead.

    Args:
        name: the exercise.
        outcomes: of its tests.
        earned: after grading, a sentence on what the values alone would have earned.
    """
    parts: dict[ForbiddenCall, str] = {}
    for outcome in outcomes:
        if outcome.forbidden is not None:
            parts.setdefault(outcome.forbidden, outcome.part or name)
    told = [call for call in parts if call.call] or list(parts)
    return [_forbidden(call, _PRICES[call.cost].format(part=parts[call]), earned) for call in told]


def _forbidden(call: ForbiddenCall, price: str, earned: str) -> Remark:
    asks = f"Here {call.asked} is to be written by hand."
    costs = f"{'This' if earned else 'In grading this'} call costs {price}."
    where = f" in {call.function}" if call.function.isidentifier() else ""
    if call.cost is Cost.WARNING:
        title, then = "A call to avoid", f"Write it out{where} instead."
    elif earned:
        title, then = "Points withheld", earned
    else:
        title, then = "Forbidden call", f"Write it out{where} instead."
    return Remark(f"{title}: {call.sentence}", f"{asks} {costs} {then}")
