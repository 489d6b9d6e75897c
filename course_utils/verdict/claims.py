"""An exercise's claims as a student reads them: failing in full, the others folded or counted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from course_utils.ground.statuses import Status
from course_utils.verdict import render
from course_utils.verdict.outcome import TestOutcome
from course_utils.verdict.render import Row, Sign

_SAME = "for the same reason"


@dataclass(frozen=True)
class Fold:
    """Claims of which one line is enough; a browser unfolds them."""

    sign: Sign
    title: str
    rows: Sequence[Row]


def blocks(outcomes: Sequence[TestOutcome], fold_right: bool) -> Iterator[Sequence[Row] | Fold]:
    """The claims from top to bottom: lists that are shown in full, and folded ones.

    Args:
        outcomes: of an exercise's tests.
        fold_right: whether the claims are folded away where all of them hold.
    """
    claims = _claims(outcomes)
    holding = [Row(Sign.HOLDS, claim, _closeness(o)) for o, claim in claims if o.passed]
    if len(holding) == len(claims) and not fold_right:
        yield holding
        return
    failing = [(outcome, claim) for outcome, claim in claims if outcome.refuted]
    yield from _failing(failing)
    yield from _unjudged(
        [(outcome, claim) for outcome, claim in claims if outcome.status is Status.UNJUDGED],
        known={_cause(_detail(outcome)) for outcome, _ in failing},
    )
    if holding:
        title = f"{render.counted(len(holding))} {'holds' if len(holding) == 1 else 'hold'}"
        yield Fold(Sign.HOLDS, title, holding)


def _failing(claims: Sequence[tuple[TestOutcome, str]]) -> Iterator[Sequence[Row] | Fold]:
    """The claims that do not hold; what was said once is not said again."""
    rows: list[Row] = []
    folds: list[Fold] = []
    groups: dict[tuple[str, bool], list[Row]] = {}
    for number, (outcome, claim) in enumerate(claims):
        detail = _detail(outcome)
        key = (_cause(detail) or str(number), outcome.hidden)
        row = Row(_sign(outcome), claim, detail, outcome.chart)
        groups.setdefault(key, []).append(row)
    for (_, hidden), (first, *others) in groups.items():
        quiet = [Row(row.sign, row.claim) for row in others]
        if hidden and others:
            title = f"{len(others) + 1} hidden claims do not hold: {first.detail}"
            folds.append(Fold(first.sign, title, [Row(first.sign, first.claim), *quiet]))
            continue
        if any(row.chart for row in rows):  # a second one shows mostly the same
            first = replace(first, chart=())
        rows.append(first)
        if len(others) == 1:
            rows.append(Row(others[0].sign, others[0].claim, f"({_SAME})"))
        elif others:
            title = f"{len(others)} more claims do not hold, {_SAME}"
            folds.append(Fold(first.sign, title, quiet))
    if rows:
        yield rows
    yield from folds


def _unjudged(
    claims: Sequence[tuple[TestOutcome, str]], known: set[str]
) -> Iterator[Sequence[Row] | Fold]:
    """The claims that cannot be judged, by the reason why; one in ``known`` is not repeated."""
    groups: dict[tuple[str, bool], list[str]] = {}
    for outcome, claim in claims:
        reason = _detail(outcome)
        verb, colon, _ = reason.partition(": ")
        if colon and _cause(reason) in known:
            reason = f"{verb}, {_SAME}"
        groups.setdefault((reason, outcome.hidden), []).append(claim)
    for (reason, hidden), some in groups.items():
        if len(some) == 1:
            yield [Row(Sign.UNJUDGED, some[0], reason)]
        else:
            rows = [Row(Sign.UNJUDGED, claim) for claim in some]
            which = "hidden claims" if hidden else "claims"
            yield Fold(Sign.UNJUDGED, f"{len(some)} {which} {reason}", rows)


def _cause(message: str) -> str:
    """The exception in a message, without what was called."""
    return message.rpartition(" raised ")[2]


def _claims(outcomes: Sequence[TestOutcome]) -> list[tuple[TestOutcome, str]]:
    """Each outcome with its claim, told from others of the same words."""
    words = [outcome.claim for outcome in outcomes]
    found = []
    for outcome in outcomes:
        alike = words.count(outcome.claim) > 1
        # Of a parametrised test, what stands in brackets.
        parameters = outcome.test.partition("[")[2].removesuffix("]") if alike else ""
        which = "hidden" if outcome.hidden else outcome.quoted(parameters)
        found.append((outcome, f"{outcome.claim} ({which})" if which else outcome.claim))
    return found


def _sign(outcome: TestOutcome) -> Sign:
    return Sign.OPEN if outcome.status.unwritten else Sign.FAILS


def _detail(outcome: TestOutcome) -> str:
    """What may be said of a claim that does not hold, or is not judged."""
    return outcome.told or _closeness(outcome)


def _closeness(outcome: TestOutcome) -> str:
    if outcome.relative_error is None or outcome.tolerance is None:
        return ""
    error, allowed = render.figure(outcome.relative_error), render.figure(outcome.tolerance)
    exact = outcome.tolerance == 0 and outcome.passed
    close = "exactly equal" if exact else f"relative error {error}, expected below {allowed}"
    return outcome.quoted(close)
