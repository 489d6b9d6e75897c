"""The verdict on an exercise as a student reads it: in the notebook after ``check``, and graded.

What went wrong comes first, in a box. Then come the claims: those that fail in full, those that
cannot be judged yet in one line, and those that hold folded away. In plain text, where nothing can
be unfolded, the last are counted.

A hidden test shows its claim and its verdict, and what :mod:`course_utils.ground.said` lets be said
of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from course_utils.calls.policy import Cost, ForbiddenCall
from course_utils.ground import said
from course_utils.ground.statuses import Status
from course_utils.verdict import render
from course_utils.verdict.outcome import Diagnosis, TestOutcome
from course_utils.verdict.render import Panel, Row, Sign

GRADING_ASKS = (
    "Grading asks the same of other inputs, up to the edge cases that the docstring names."
)
UNWRITTEN = (Status.NOT_WRITTEN, Status.MISSING)

# Comparisons that fail for something else than a value: a derivation says nothing about these.
_NOT_VALUES = ("type", "structure", "shape", "dtype", "device", "modified")
# "It raised an exception" is what the claims' messages say already, and better.
_SAID_BY_CLAIMS = (Status.MISSING, Status.NOT_WRITTEN, Status.FORBIDDEN, Status.ERROR)
_SAME = "for the same reason"


@dataclass(frozen=True)
class Remark:
    """What stands in the box above the claims: a title, its text, and further labelled lines."""

    title: str
    body: str
    more: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Fold:
    """Claims of which one line is enough; a browser unfolds them."""

    sign: Sign
    title: str
    rows: Sequence[Row]


def verdict(
    name: str,
    title: str,
    outcomes: Sequence[TestOutcome],
    *,
    label: str,
    remarks: Sequence[Remark] = (),
    note: str = "",
    fold_right: bool = True,
) -> Panel:
    """The panel of one exercise.

    Args:
        name: the exercise.
        title: what is said of it as a whole, behind its name.
        outcomes: of its tests.
        label: what a screen reader calls the panel.
        remarks: boxes above the claims.
        note: a last line in the background.
        fold_right: whether the claims are folded away where all of them hold.
    """
    sign = sign_of(outcomes)
    text = [render.wrap(f"{name} · {title}", first=f"{sign.glyph} ")]
    parts = [render.heading(name, title)]
    for remark in remarks:
        text += _remark_lines(remark)
        parts.append(render.callout(remark.title, remark.body, *remark.more))
    for block in _blocks(outcomes, fold_right):
        if isinstance(block, Fold):
            text += _fold_lines(block)
            parts.append(render.fold(block.sign, block.title, block.rows))
        else:
            text += _row_lines(block)
            parts.append(render.signed_list(block))
    if note:
        text.append(render.wrap(note))
        parts.append(render.note(note))
    return Panel("\n".join(text), render.frame(label, sign, *parts))


def _remark_lines(remark: Remark) -> Iterator[str]:
    yield render.wrap(remark.title, first="  ")
    yield render.wrap(remark.body, first="    ")
    for label, text in remark.more:
        yield render.wrap(f"{label} {text}", first="    ")


def _fold_lines(fold: Fold) -> Iterator[str]:
    start = "  also: " if fold.sign is Sign.HOLDS else f"  {fold.sign.glyph} "
    yield render.wrap(fold.title, first=start)


def _row_lines(rows: Sequence[Row]) -> Iterator[str]:
    for row in rows:
        yield render.wrap(row.claim, first=f"  {row.sign.glyph} ")
        if row.detail:
            yield render.wrap(row.detail, first="      ")


def one_line(name: str, state: str, *, label: str) -> Panel:
    """The panel of an exercise that is still to be done."""
    return Panel(
        render.wrap(f"{name} · {state}", first=f"{Sign.OPEN.glyph} "),
        render.frame(label, Sign.OPEN, render.heading(name, state)),
    )


def sign_of(outcomes: Sequence[TestOutcome]) -> Sign:
    """How an exercise stands as a whole."""
    if not outcomes:
        return Sign.FAILS
    if all(outcome.passed for outcome in outcomes):
        return Sign.HOLDS
    if is_open(outcomes):
        return Sign.OPEN
    return Sign.PARTLY if any(outcome.passed for outcome in outcomes) else Sign.FAILS


def is_open(outcomes: Sequence[TestOutcome]) -> bool:
    """Whether the exercise is not there yet: not written, or its cell was not run."""
    return all(outcome.status in UNWRITTEN for outcome in outcomes)


def explanation(
    diagnosis: Diagnosis | None, derivation: str, outcomes: Sequence[TestOutcome]
) -> list[Remark]:
    """The box for a diagnosis, and where in the derivation to look if values are wrong."""
    if diagnosis is not None and diagnosis.name in _SAID_BY_CLAIMS:
        diagnosis = None
    of_values = _values_are_wrong(outcomes)
    where = derivation if of_values else ""
    if diagnosis is None:
        return [Remark("Where to look", where)] if where else []
    told = {outcome.told for outcome in outcomes}
    details = [detail for detail in diagnosis.details if detail not in told]
    more = [("Also seen:", detail) for detail in details]
    more += [("Where to look:", where)] if where else []
    return [Remark(_heading(diagnosis, of_values), diagnosis.hint, tuple(more))]


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


def counted(number: int, what: str = "claim") -> str:
    """ "1 claim", "2 claims"."""
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _heading(diagnosis: Diagnosis, of_values: bool) -> str:
    """As sure as the diagnosis is, and no surer."""
    if diagnosis.name in list(Status):
        return "What happened"
    if not diagnosis.named:
        seen = "What the numbers say" if of_values else "What was seen"
        return seen if diagnosis.sure else f"Part of it: {seen.lower()}"
    mistake = diagnosis.name.replace("_", " ")
    return f"{'Most likely mistake' if diagnosis.sure else 'Part of it looks like'}: {mistake}"


def _values_are_wrong(outcomes: Iterable[TestOutcome]) -> bool:
    """Whether some call came back with a value, and a wrong one."""
    return any(outcome.wrong_value or wrong_value(outcome) for outcome in outcomes)


def wrong_value(outcome: TestOutcome) -> bool:
    """Whether some call in a test came back with a value, and a wrong one."""
    if outcome.status is not Status.FAILED or not outcome.about.of_values:
        return False
    if outcome.mismatch is not None:
        return outcome.mismatch.kind not in _NOT_VALUES and outcome.mismatch.actual is not None
    return any(not one.nothing for one in outcome.trace)


# -- the claims


def _blocks(outcomes: Sequence[TestOutcome], fold_right: bool) -> Iterator[Sequence[Row] | Fold]:
    """The claims from top to bottom: lists that are shown in full, and folded ones."""
    claims = _claims(outcomes)
    holding = [Row(Sign.HOLDS, claim, _closeness(o)) for o, claim in claims if o.passed]
    if len(holding) == len(claims) and not fold_right:
        yield holding
        return
    failing = [
        (outcome, claim) for outcome, claim in claims
        if not outcome.passed and outcome.status is not Status.UNJUDGED
    ]  # fmt: skip
    yield from _failing(failing)
    yield from _unjudged(
        [(outcome, claim) for outcome, claim in claims if outcome.status is Status.UNJUDGED],
        known={_cause(seen(outcome)) for outcome, _ in failing},
    )
    if holding:
        title = f"{counted(len(holding))} {'holds' if len(holding) == 1 else 'hold'}"
        yield Fold(Sign.HOLDS, title, holding)


def _failing(claims: Sequence[tuple[TestOutcome, str]]) -> Iterator[Sequence[Row] | Fold]:
    """The claims that do not hold; what was said once is not said again."""
    rows: list[Row] = []
    folds: list[Fold] = []
    groups: dict[tuple[str, bool], list[Row]] = {}
    for number, (outcome, claim) in enumerate(claims):
        detail = seen(outcome)
        key = (_cause(detail) or str(number), outcome.hidden)
        groups.setdefault(key, []).append(Row(_sign(outcome), claim, detail))
    for (_, hidden), (first, *others) in groups.items():
        quiet = [Row(row.sign, row.claim) for row in others]
        if hidden and others:
            title = f"{len(others) + 1} hidden claims do not hold: {first.detail}"
            folds.append(Fold(first.sign, title, [Row(first.sign, first.claim), *quiet]))
            continue
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
        reason = seen(outcome)
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
        claim = outcome.claim
        if outcome.hidden:
            claim += " (hidden)"
        elif words.count(claim) > 1 and "[" in outcome.test:  # a parametrised test
            claim += f" ({outcome.test.partition('[')[2].removesuffix(']')})"
        found.append((outcome, claim))
    return found


def _sign(outcome: TestOutcome) -> Sign:
    return Sign.OPEN if outcome.status in UNWRITTEN else Sign.FAILS


def seen(outcome: TestOutcome) -> str:
    """What may be said of a claim that does not hold, or is not judged."""
    return outcome.told or _closeness(outcome)


def _closeness(outcome: TestOutcome) -> str:
    if outcome.relative_error is None or outcome.tolerance is None:
        return ""
    error, allowed = render.figure(outcome.relative_error), render.figure(outcome.tolerance)
    exact = outcome.tolerance == 0 and outcome.passed
    close = "exactly equal" if exact else f"relative error {error}, expected below {allowed}"
    return said.told("", close, hidden=outcome.hidden)
