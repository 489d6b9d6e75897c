"""The numeric look: what can be said of a wrong result when no named misconception fits it.

It speaks only when what it says is true of all failed comparisons of the kind it speaks of.
"""

from __future__ import annotations

from collections.abc import Sequence

from course_utils.diagnosis import factors, relations
from course_utils.diagnosis import form_patterns as form
from course_utils.diagnosis import value_patterns as value
from course_utils.diagnosis.contrast import contrast
from course_utils.diagnosis.observation import CAUSE, PLACE, Case, Observation, Pattern
from course_utils.diagnosis.traces import answers_vary, key_of
from course_utils.ground.statuses import Aspect, Status
from course_utils.verdict.outcome import Diagnosis, TestOutcome

_SPOKEN = 2

# In the order in which equally specific observations are said.
PATTERNS: dict[str, Pattern] = {
    "input_modified": form.input_modified,
    "detached": form.detached,
    "device_moved": form.device_moved,
    "nothing_returned": form.nothing_returned,
    "broadcast_blow_up": form.broadcast_blow_up,
    "transposed": form.transposed,
    "reshaped": form.reshaped,
    "not_reduced": form.not_reduced,
    "dtype_lost": form.dtype_lost,
    "wrong_axis": value.wrong_axis,
    "complement": value.complement,
    "permuted": value.permuted,
    "made_of_arguments": relations.made_of_arguments,
    "function_of_right": relations.function_of_right,
    "constant_inside": relations.constant_inside,
    "cut_off": relations.cut_off,
    "constant_offset": value.constant_offset,
    "term_of_argument": relations.term_of_argument,
    "not_finite": value.not_finite,
    "some_entries": value.some_entries,
    "wrong_type": form.wrong_type,
    "wrong_shape": form.wrong_shape,
}


def look(
    outcomes: Sequence[TestOutcome], *, hidden: bool, random: frozenset[str] = frozenset()
) -> Diagnosis | None:
    """Say the most specific thing that is true of an exercise's failed tests.

    Args:
        outcomes: of one exercise: of its public tests, or of all.
        hidden: whether to look at the hidden tests as well; then nothing is quoted, and what is
            said is true of the failed public tests, too.
        random: keys of tests in which right code may answer differently from call to call.

    Returns:
        The observation as a diagnosis, others in its details; None where nothing can be said.
    """
    failed = [one for one in outcomes if not one.passed and (hidden or not one.hidden)]
    cases = cases_of(failed)
    chief = _chief(cases)
    # Where something else is wrong as well, of which an observation does not speak, it is a part.
    compared = all(outcome.status is Status.FAILED for outcome in failed if outcome.refuted)
    values = compared and all(case.kind == "value" for case in cases)
    found = [
        (_not_deterministic(failed, random), compared),
        (_common_factor(cases), values),
        (contrast(outcomes, hidden=hidden), True),
        *(
            (true_of_all(pattern, chief), compared and all(map(pattern.speaks_of, cases)))
            for pattern in PATTERNS.values()
        ),
        (_starts_right(cases) if compared else None, compared),
    ]
    observations = [(one, whole) for one, whole in found if one is not None]
    if not observations:
        return None
    (first, whole), *others = sorted(observations, key=lambda one: -one[0].rank)
    details = tuple(one.told(hidden=hidden) for one, _ in others if one.rank >= PLACE)[:_SPOKEN]
    return Diagnosis(first.name, first.told(hidden=hidden), details, sure=whole, named=False)


def multiples_of_right(outcomes: Sequence[TestOutcome]) -> bool:
    """Whether all that failed may be the right values times a number: single numbers always are."""
    cases = cases_of([outcome for outcome in outcomes if not outcome.passed])
    return all(case.single or value.factor_of(case) is not None for case in cases)


def cases_of(failed: Sequence[TestOutcome]) -> list[Case]:
    """The failed comparisons of tests whose claims were judged, all that a test made of one answer;
    "said" where a test has only said in words what is wrong."""
    return [
        Case(outcome, "said", None, None)
        if one is None
        else Case(outcome, one.kind, one.actual, one.expected)
        for outcome in failed
        if outcome.status is Status.FAILED
        for one in (outcome.mismatch, *(outcome.mismatch.beside if outcome.mismatch else ()))
    ]


def _chief(cases: Sequence[Case]) -> Sequence[Case]:
    """The comparisons to look at: where the main idea is off by plain numbers, NaN and infinities
    elsewhere are what comes of it."""
    plain = any(case.kind == "value" and case.outcome.about is Aspect.IDEA for case in cases)
    return [case for case in cases if case.kind != "nonfinite"] if plain else cases


def true_of_all(pattern: Pattern, cases: Sequence[Case]) -> Observation | None:
    """What a pattern says of the first comparison, if it says the same of all it speaks of."""
    found = [pattern.see(case) for case in cases if pattern.speaks_of(case)]
    first = found[0] if found else None
    if first is None or any(one is None or one.name != first.name for one in found):
        return None
    return first


def _not_deterministic(failed: Sequence[TestOutcome], random: frozenset[str]) -> Observation | None:
    for outcome in failed:
        mismatch = outcome.mismatch
        statistical = mismatch is not None and mismatch.kind == "rate"
        if key_of(outcome) not in random and not statistical and answers_vary(outcome):
            return Observation(
                "not_deterministic",
                "Two calls with the same arguments gave different answers: does the function "
                "keep something between calls, or draw random numbers of its own?",
                CAUSE,
            )
    return None


def _common_factor(cases: Sequence[Case]) -> Observation | None:
    """The constant factor under the one name that fits every wrong value.

    Any number is a multiple of another. One by which a longer comparison began to fail says
    nothing of those that were not looked at any more.
    """
    if any(case.single and case.outcome.held for case in cases):
        return None
    found = [(value.factor_of(case), case.outcome) for case in cases if case.kind == "value"]
    named = [(factor, outcome) for factor, outcome in found if factor is not None]
    if not named or len(named) < len(found):
        return None
    name = factors.name_common(named)
    return None if name is None else value.factor_observation(named[0][0], name)


def _starts_right(cases: Sequence[Case]) -> Observation | None:
    """That every claim began well, as it does where something is carried on wrongly."""
    values = [case for case in cases if case.kind in ("value", "nonfinite")]
    if not values or len(values) < len(cases) or not all(case.outcome.held for case in values):
        return None
    return Observation(
        "starts_right",
        "It starts right: in every claim that fails, what is compared first agrees, and only what "
        "comes later is off. What changes between the two?",
        PLACE,
    )
