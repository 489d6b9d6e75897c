"""Which known mistake, or pair of them, explains best what an exercise's tests have seen.

An explanation predicts, for every test, that it passes or what it returns instead. It is held
against all of them: of the failed tests, the share that it explains; of the passed ones, whether
it would have failed. Tests at the edge and results of which nothing but NaN, infinities or zeros
are left are weak evidence: many mistakes look like that. So is one exception everywhere; one whose
text differs from test to test (with the shapes, say) is not. A call that ended without a value
says nothing for or against a mistake of values: it only leaves open what would have come back.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

from course_utils.calls.digest import Digest, Facet
from course_utils.diagnosis import factors
from course_utils.diagnosis.comparison import of_trace, ratio, same
from course_utils.diagnosis.traces import KnownMistake, Trace, joined, key_of
from course_utils.ground.statuses import Aspect, Status
from course_utils.verdict.outcome import Diagnosis, TestOutcome

_WEAK = 0.25
# Which share of what failed one mistake must explain before it is called a part.
_PART = 2 / 3
# How many mistakes that do not meet in any test are named together.
_TOGETHER = 3

Dress = dict[str, Trace]


@dataclass(frozen=True)
class Seen:
    """One test of the student's: its outcome and the digests of what was returned."""

    outcome: TestOutcome
    digests: list[Digest]

    @property
    def weight(self) -> float:
        return _WEAK if self.outcome.about is Aspect.EDGE else 1.0


def seen(outcomes: Sequence[TestOutcome]) -> dict[str, Seen]:
    """The outcomes by key; tests that met a forbidden built-in tell nothing about the values."""
    return {
        key_of(outcome): Seen(outcome, of_trace(outcome.trace))
        for outcome in outcomes
        if outcome.status is not Status.FORBIDDEN
    }


@dataclass(frozen=True)
class Fit:
    """How well an explanation fits.

    Attributes:
        explained, failed: the weight of the failed tests that it explains, and of all that came
            back with a value.
        telling: whether a test that it explains shows more than NaN, infinities or zeros.
        numeric: whether one shows wrong numbers, not an exception or another shape only.
        complete: whether every failed test is explained, those at the edge aside.
        against: the weight of passed tests that it would have failed, where that is weak.
        left: for a complete one, what it leaves open at the edge, in a sentence or none.
    """

    explained: float
    failed: float
    telling: bool
    numeric: bool
    complete: bool
    against: float
    left: tuple[str, ...] = ()

    @property
    def rank(self) -> tuple[bool, bool, float]:
        return self.complete, self.telling, (self.explained - self.against) / self.failed


def best(student: dict[str, Seen], entries: Sequence[KnownMistake]) -> Diagnosis | None:
    """The best explanation, if there is a good one.

    Args:
        student: what was seen, by test.
        entries: the mistakes of the exercise, single ones before pairs.
    """
    found: list[tuple[Fit, KnownMistake]] = []
    fitting: dict[str, tuple[KnownMistake, Dress]] = {}
    for entry, dress in _explanations(entries):
        fit = _fit(student, dress)
        if fit is not None:
            found.append((fit, entry))
            if len(entry.names) == 1 and not entry.origin:
                fitting.setdefault(entry.name, (entry, dress))
    known = {entry.names for entry in entries}
    for entry, dress in _side_by_side(list(fitting.values()), student, known):
        fit = _fit(student, dress)
        if fit is not None:
            found.append((fit, entry))
    if not found:
        return None
    fit, entry = max(found, key=lambda one: one[0].rank)  # of equals the first: single, own
    if fit.complete:
        return Diagnosis(entry.name, entry.hint, fit.left)
    single = [(one, other) for one, other in found if len(other.names) == 1 and one.numeric]
    if not single:
        return None
    fit, entry = max(single, key=lambda one: one[0].rank)
    rivals = {other.name for one, other in single if one.rank == fit.rank}
    if fit.explained < _PART * fit.failed - 1e-9 or len(rivals) > 1:
        return None
    return Diagnosis(entry.name, entry.hint, sure=False)


def _explanations(entries: Sequence[KnownMistake]) -> Iterator[tuple[KnownMistake, Dress]]:
    """Single mistakes in every dress, then the pairs that were run."""
    single = {entry.name: entry for entry in entries if len(entry.names) == 1 and not entry.origin}
    for entry in entries:
        if len(entry.names) == 1:
            for dress in entry.dresses:
                yield entry, dress
    for entry in entries:
        if len(entry.names) == 2:
            yield entry, _expanded(entry, single)


def _side_by_side(
    fitting: Sequence[tuple[KnownMistake, Dress]],
    student: dict[str, Seen],
    known: set[tuple[str, ...]],
) -> Iterator[tuple[KnownMistake, Dress]]:
    """Two or three mistakes that never meet in a test: each fails tests of its own, and not only
    at the edge, where many mistakes look alike."""
    failed = {key for key, one in student.items() if not one.outcome.passed and one.weight == 1.0}
    fitting = [(entry, dress) for entry, dress in fitting if failed & dress.keys()]
    for count in range(2, _TOGETHER + 1):
        for group in combinations(fitting, count):
            names = tuple(entry.name for entry, _ in group)
            keys = [student.keys() & dress.keys() for _, dress in group]
            if names in known or any(a & b for a, b in combinations(keys, 2)):
                continue
            hint = joined([entry.hint for entry, _ in group])
            yield KnownMistake(names, hint), {k: t for _, dress in group for k, t in dress.items()}


def _expanded(pair: KnownMistake, single: dict[str, KnownMistake]) -> Dress:
    first, second = (single[name].dresses[0] for name in pair.names)
    whole = {**second, **first, **pair.dresses[0]}
    return {key: trace for key, trace in whole.items() if trace}


def _fit(student: dict[str, Seen], dress: Dress) -> Fit | None:
    """How a dress fits; None where a passed test contradicts it, or it explains nothing."""
    explained = failed = against = 0.0
    telling = numeric = finite = False  # finite: a comparison failed for something else than NaN
    complete = True
    exceptions: set[int] = set()
    left: list[str] = []
    for key, one in student.items():
        trace = dress.get(key)
        shows = trace is not None and _shows(one.digests, trace)
        if shows and trace is not None and not one.outcome.passed:
            shows = _accounts(trace, one.outcome)
        if one.outcome.passed:
            # It may show all the same, where the test does not look: an argument was changed.
            if trace is not None and not shows:
                if one.weight == 1.0 and _telling(trace):
                    return None
                against += _WEAK
            continue
        if one.outcome.status is Status.UNJUDGED and not shows:
            continue
        if one.outcome.status.valueless and not shows:
            complete = complete and one.weight < 1.0
            left += filter(None, [one.outcome.quoted(one.outcome.claim)])
            continue
        weight = one.weight * (1.0 if not shows or trace is None or _telling(trace) else _WEAK)
        failed += weight
        if shows:
            assert trace is not None
            explained += weight
            numeric = numeric or any(digest is not None and digest.numeric for digest in trace)
            if one.outcome.status is Status.UNJUDGED:
                continue
            ended = {d.odd for d in trace if d is not None and d.raised}
            exceptions |= ended
            telling = telling or len(exceptions) > 1 or (not ended and _telling(trace))
            mismatch = one.outcome.mismatch
            finite = finite or (not ended and (mismatch is None or mismatch.kind != "nonfinite"))
        else:
            complete = complete and one.weight < 1.0
            left += filter(None, [one.outcome.quoted(one.outcome.claim)])
    # Where every value is NaN, or every call ends in the same exception, any mistake may have
    # brought it about: a claim about the idea that holds must speak too.
    right = any(one.outcome.passed and one.outcome.about is Aspect.IDEA for one in student.values())
    if not explained or not (telling or finite or right):
        return None
    open_claims = tuple(f"It does not explain this one: {claim}" for claim in left[:1])
    return Fit(explained, failed, telling, numeric, complete, against, open_claims)


def _telling(trace: Trace) -> bool:
    return any(digest is not None and digest.telling for digest in trace)


def _shows(student: Sequence[Digest], trace: Trace) -> bool:
    """Whether a test of the student's shows a mistake, whose trace under it is given.

    One of the two may end earlier: a test stops at the first thing that is wrong.
    """
    both = list(zip(student, trace, strict=False))
    wrong = [(one, other) for one, other in both if other is not None]
    return bool(wrong) and all(same(one, other, other.facets) for one, other in wrong)


def _accounts(trace: Trace, outcome: TestOutcome) -> bool:
    """Whether a trace, which a failed test shows, is a reason for its failure: that an argument
    was changed is none for wrong values."""
    sides = Facet(0)
    for digest in trace:
        sides |= digest.facets if digest is not None else Facet(0)
    if outcome.mismatch is None or sides & (Facet.FORM | Facet.ODD | Facet.VALUES):
        return True
    kinds = {"modified"} if Facet.CHANGED in sides else {"dtype", "device", "type"}
    return outcome.mismatch.kind in kinds


def scaled(student: dict[str, Seen], entries: Sequence[KnownMistake]) -> Diagnosis | None:
    """A mistake of which the student's values are a multiple, by a number that has a name."""
    for entry in entries:
        if len(entry.names) > 1 or entry.origin or not entry.dresses:
            continue
        dress = entry.dresses[0]
        failed = {key for key, one in student.items() if not one.outcome.passed}
        if any(_values_right(student[key].outcome) for key in failed):
            continue
        if not failed or failed != student.keys() & dress.keys():
            continue
        found = [(_factor(student[key].digests, dress[key]), key) for key in sorted(failed)]
        pairs = [(f, student[key].outcome) for f, key in found if f is not None]
        name = factors.name_common(pairs) if len(pairs) == len(found) else None
        if name is not None:
            return Diagnosis(
                entry.name, entry.hint, (f"And besides, the values are multiplied by {name}.",)
            )
    return None


def _values_right(outcome: TestOutcome) -> bool:
    """Whether a test found fault with something else than values: they may well be right."""
    return outcome.mismatch is not None and outcome.mismatch.kind not in ("value", "nonfinite")


def _factor(student: Sequence[Digest], trace: Trace) -> float | None:
    """The one number by which all of a test's wrong values are a multiple of a mistake's."""
    factor: float | None = None
    for one, other in zip(student, trace, strict=False):
        if other is None:
            continue
        if Facet.VALUES not in other.facets or one.odd != other.odd:
            return None
        here = ratio(one, other)
        if here is None or (factor is not None and abs(here / factor - 1) > 1e-4):
            return None
        factor = here
    return factor
