"""The numeric look: what can be said of a wrong result when no named misconception fits it."""

from __future__ import annotations

from collections.abc import Sequence

from course_utils.diagnosis import factors
from course_utils.diagnosis import form_patterns as form
from course_utils.diagnosis import value_patterns as value
from course_utils.diagnosis.finding import CAUSE, Case, Finding, Pattern
from course_utils.diagnosis.traces import answers_vary, key_of
from course_utils.outcome import Diagnosis, Status, TestOutcome

_SPOKEN = 3

# In the order in which equally specific findings are said.
_PATTERNS: tuple[Pattern, ...] = (
    form.input_modified,
    form.detached,
    form.device_moved,
    form.nothing_returned,
    form.broadcast_blow_up,
    form.transposed,
    form.reshaped,
    form.not_reduced,
    form.dtype_lost,
    value.not_finite,
    value.constant_factor,
    value.wrong_axis,
    value.complement,
    value.permuted,
    value.constant_offset,
    value.some_entries,
    form.wrong_type,
    form.wrong_shape,
)


def look(
    failed: Sequence[TestOutcome], *, hidden: bool, random: frozenset[str] = frozenset()
) -> Diagnosis | None:
    """Say the most specific thing that the failed tests of an exercise show.

    Args:
        failed: failed tests of one exercise, all public or all hidden.
        hidden: whether they are hidden; then no index, shape or value is in what is said.
        random: keys of tests in which right code may answer differently from call to call.

    Returns:
        The finding as a diagnosis, others in its details; None where nothing can be said.
    """
    groups = [_findings(outcome, random) for outcome in failed]
    pooled = _common_factor(failed, groups, hidden)
    candidates: list[Finding] = [pooled] if pooled else []
    candidates += [finding for group in groups for finding in group]
    if not candidates:
        return None
    votes = {
        name: sum(any(f.name == name for f in group) for group in groups)
        for name in {finding.name for finding in candidates}
    }
    ordered = sorted(candidates, key=lambda f: (-f.rank, -votes[f.name]))
    best = ordered[0]
    others = [f.hint for f in _distinct(ordered) if f.name != best.name]
    return Diagnosis(best.name, best.hint, tuple(others[:_SPOKEN]))


def _findings(outcome: TestOutcome, random: frozenset[str]) -> list[Finding]:
    found: list[Finding] = []
    mismatch = outcome.mismatch
    statistical = mismatch is not None and mismatch.kind == "rate"
    if key_of(outcome) not in random and not statistical and answers_vary(outcome):
        found.append(
            Finding(
                "not_deterministic",
                "Two calls with the same arguments gave different answers: does the function "
                "keep something between calls, or draw random numbers of its own?",
                CAUSE,
            )
        )
    kind = "" if mismatch is None else mismatch.kind
    actual = None if mismatch is None else mismatch.actual
    expected = None if mismatch is None else mismatch.expected
    case = Case(outcome, kind, actual, expected)
    for pattern in _PATTERNS:
        finding = pattern(case)
        if finding is not None:
            found.append(finding)
    return found


def _common_factor(
    failed: Sequence[TestOutcome], groups: Sequence[Sequence[Finding]], hidden: bool
) -> Finding | None:
    """The constant factor under the one name that fits every test in which there is one."""
    found = [
        (finding.factor, outcome)
        for outcome, group in zip(failed, groups, strict=True)
        for finding in group
        if finding.factor is not None
    ]
    if len(found) < 2:
        return None
    name = factors.name_common(found)
    if name is None:
        return None
    return value.factor_finding(found[0][0], name, hidden)


def _distinct(findings: Sequence[Finding]) -> list[Finding]:
    return list({finding.name: finding for finding in reversed(findings)}.values())[::-1]


_STATUS_HINTS = {
    Status.MISSING: "The notebook does not define this function: was the cell deleted, or the "
    "function renamed?",
    Status.NOT_WRITTEN: "This exercise is not written yet.",
    Status.MEMORY: "The call needed more memory than is allowed: look for an array that grows "
    "with the square of the input, or a list that grows in a loop.",
    Status.CRASHED: "The call ended the whole Python process.",
    Status.TIMEOUT: "The call did not come to an end in time: look for a loop whose condition "
    "never becomes false, or a loop over entries that NumPy could do at once.",
    Status.FORBIDDEN: "This exercise asks for an operation to be written by hand, and a built-in "
    "that does it was called.",
    Status.ERROR: "The function raised an exception.",
}


def by_status(failed: Sequence[TestOutcome], statuses: Sequence[Status]) -> Diagnosis | None:
    """The diagnosis of tests that did not come as far as a comparison.

    Public tests' messages are quoted; of a hidden test only the kind of failure is said.
    """
    for status in statuses:
        ended_so = [outcome for outcome in failed if outcome.status is status]
        if not ended_so:
            continue
        public = next((outcome for outcome in ended_so if not outcome.hidden), None)
        # A name that is missing or not written yet is in the notebook for everybody to see.
        open_book = status in (Status.MISSING, Status.NOT_WRITTEN)
        shown = public or (ended_so[0] if open_book else None)
        details = (shown.message,) if shown is not None and shown.message else ()
        return Diagnosis(str(status), _STATUS_HINTS[status], details)
    return None
