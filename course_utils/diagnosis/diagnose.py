"""The one most likely mistake behind the outcomes of an exercise.

A mistake that the traces name, else what a look at the numbers says, else how tests ended. What the
public tests show is said first, in the same words by ``check`` and by the grade; hidden tests are
asked only where the public ones say nothing, and nothing that is said of one holds its inputs,
outputs or expected values.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from course_utils.diagnosis import exceptions, match
from course_utils.diagnosis.endings import by_status, mostly
from course_utils.diagnosis.look import look, multiples_of_right
from course_utils.diagnosis.parts import by_part
from course_utils.diagnosis.released_book import book_in
from course_utils.diagnosis.traces import TraceBook
from course_utils.ground.statuses import Status
from course_utils.verdict.outcome import Diagnosis, TestOutcome

_UNWRITTEN = [status for status in Status if status.unwritten]
_CUT_SHORT = [status for status in Status if status.cut_short]
_OF_ALL_VALUES = ("sign", "constant_factor")


def diagnose(
    outcomes: Sequence[TestOutcome],
    public: TraceBook | None,
    hidden: Callable[[], TraceBook] | None = None,
) -> Diagnosis | None:
    """The most likely mistake behind the outcomes of one exercise; None where all passed.

    Args:
        outcomes: every outcome of one exercise, public and (in grading) hidden.
        public: the mistakes' traces under the public tests, as students have them.
        hidden: in grading, gives the traces under all tests; asked only where they are needed,
            since taking them may be long.
    """
    if all(outcome.passed for outcome in outcomes):
        return None
    shown = [outcome for outcome in outcomes if not outcome.hidden]
    # Wrong values overflow here as they like, whatever a notebook has asked of np.seterr.
    with np.errstate(all="ignore"):
        said = _said(shown, public, hidden=False)
        if said is not None or all(outcome.passed or not outcome.hidden for outcome in outcomes):
            return said
        return _said(outcomes, hidden() if hidden is not None else None, hidden=True)


def _said(
    outcomes: Sequence[TestOutcome], book: TraceBook | None, *, hidden: bool
) -> Diagnosis | None:
    """What these outcomes say; of hidden ones, in words that show nothing of them."""

    def explain(some: Sequence[TestOutcome]) -> Diagnosis | None:
        return _explained(some, book, hidden=hidden)

    whole = explain(outcomes)
    if whole is not None and whole.named and whole.sure:
        return whole
    return by_part(outcomes, explain) or whole


def _explained(
    outcomes: Sequence[TestOutcome], book: TraceBook | None, *, hidden: bool
) -> Diagnosis | None:
    """What may be said of all that failed at once."""
    failed = [outcome for outcome in outcomes if not outcome.passed]
    if not failed:
        return None
    early = by_status(failed, _UNWRITTEN)
    if early is not None:
        return early
    entries = book.exercises.get(failed[0].exercise, []) if book is not None else []
    student = match.seen(outcomes)
    named = match.best(student, entries)
    if named is not None and named.sure:
        return named
    if mostly(failed, _CUT_SHORT):
        return by_status(failed, _CUT_SHORT)
    random = frozenset(book.random) if book is not None else frozenset()
    seen = look(outcomes, hidden=hidden, random=random)
    if seen is not None and seen.name in _OF_ALL_VALUES:
        return seen
    # Values that are the right ones times a number are those of many mistakes times another.
    scaled = None if multiples_of_right(outcomes) else match.scaled(student, entries)
    return scaled or named or seen or _ended(failed)


def _ended(failed: Sequence[TestOutcome]) -> Diagnosis | None:
    """How tests ended that came to no comparison, where that is what most of them did."""
    forbidden = by_status(failed, (Status.FORBIDDEN,))
    if forbidden is not None or not mostly(failed, (Status.ERROR,)):
        return forbidden
    return exceptions.explained(failed) or by_status(failed, (Status.ERROR,))


def diagnose_public(folder: Path, outcomes: Sequence[TestOutcome]) -> Diagnosis | None:
    """:func:`diagnose` with the traces that lie in a released lab's folder, if there are any."""
    return diagnose(outcomes, book_in(folder))
