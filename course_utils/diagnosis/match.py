"""Which named misconception explains an exercise's outcomes, judged by the traces."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from course_utils.diagnosis import factors
from course_utils.diagnosis.digest import TraceDigest, of_trace, rtol_of, same_trace
from course_utils.diagnosis.masking import all_right, fill
from course_utils.diagnosis.traces import Misconception, key_of
from course_utils.outcome import Diagnosis, Status, TestOutcome


@dataclass(frozen=True)
class Seen:
    """One test of the student's: its outcome and the digest of what was returned."""

    outcome: TestOutcome
    digest: TraceDigest


def seen(outcomes: Sequence[TestOutcome]) -> dict[str, Seen]:
    """The outcomes by key; tests that met a forbidden built-in tell nothing about the values."""
    return {
        key_of(outcome): Seen(outcome, of_trace(outcome.trace, outcome.calls))
        for outcome in outcomes
        if outcome.status is not Status.FORBIDDEN
    }


def _shows(student: Seen, trace: TraceDigest) -> bool:
    """Whether a test of the student's shows a misconception, whose trace under it is given."""
    mismatch = student.outcome.mismatch
    if all_right(trace) and mismatch is not None and mismatch.kind != "modified":
        return False  # the misconception's values are right, and the student's are not
    return same_trace(student.digest, fill(trace, student.digest))


def exact(student: dict[str, Seen], entries: Sequence[Misconception]) -> Diagnosis | None:
    """The misconception whose traces are the student's, and which explains every failed test.

    In each test in which the misconception shows, the student returned the same; every other test
    the student passed; and some failed test is explained. Of several, the one that shows in most
    tests.
    """
    matching = [
        entry
        for entry in entries
        if (shown := entry.traces.keys() & student.keys())
        and all(_shows(student[key], entry.traces[key]) for key in shown)
        and all(student[key].outcome.passed for key in student.keys() - shown)
        and any(not student[key].outcome.passed for key in shown)
    ]
    if not matching:
        return None
    best = max(matching, key=lambda entry: len(entry.traces.keys() & student.keys()))
    return Diagnosis(best.name, best.hint)


def pair(student: dict[str, Seen], entries: Sequence[Misconception]) -> Diagnosis | None:
    """Two misconceptions that together explain every failed test, each test by one of them."""
    failed = {key for key, one in student.items() if not one.outcome.passed}
    explains = [
        {
            key
            for key in student.keys() & entry.traces.keys()
            if _shows(student[key], entry.traces[key])
        }
        for entry in entries
    ]
    for (first, one), (second, two) in combinations(zip(entries, explains, strict=True), 2):
        shown = student.keys() & (first.traces.keys() | second.traces.keys())
        needed = failed & (one - two) and failed & (two - one)
        if needed and shown | failed <= one | two:
            main, other = (first, second) if len(one) >= len(two) else (second, first)
            return Diagnosis(main.name, main.hint, (f"And a second mistake: {other.hint}",))
    return None


def scaled(student: dict[str, Seen], entries: Sequence[Misconception]) -> Diagnosis | None:
    """A misconception of which the student's values are a multiple that can be named."""
    for entry in entries:
        shown = entry.traces.keys() & student.keys()
        if not shown or any(not student[k].outcome.passed for k in student.keys() - shown):
            continue
        found = [_factor(student[key].digest, entry.traces[key]) for key in sorted(shown)]
        if any(factor is None for factor in found):
            continue
        tests = [student[key].outcome for key in sorted(shown)]
        pairs = [(f, t) for f, t in zip(found, tests, strict=True) if f is not None]
        name = factors.name_common(pairs)
        if name is not None and any(not test.passed for test in tests):
            return Diagnosis(
                entry.name, entry.hint, (f"And besides, the values are multiplied by {name}.",)
            )
    return None


def _factor(student: TraceDigest, mistaken: TraceDigest) -> float | None:
    """The number by which a trace of arrays or numbers is a multiple of another; None if none."""
    if len(student) != len(mistaken) or not student:
        return None
    values: list[tuple[np.ndarray, np.ndarray]] = []
    rtol = 0.0
    for a, b in zip(student, mistaken, strict=True):
        one, two = a["value"], b["value"]
        if not isinstance(one, dict) or not isinstance(two, dict):
            return None
        if one["kind"] != two["kind"] or one.get("shape") != two.get("shape"):
            return None
        if one["kind"] in ("array", "tensor", "numbers"):
            values.append((np.asarray(one["entries"]), np.asarray(two["entries"])))
        elif one["kind"] == "number":
            values.append((np.asarray([one["value"]]), np.asarray([two["value"]])))
        else:
            return None
        rtol = max(rtol, rtol_of(one["dtype"]))
    return factors.constant(
        np.concatenate([a for a, _ in values]), np.concatenate([b for _, b in values]), rtol
    )
