"""From what was seen to what went wrong: named misconceptions by their traces, else a look.

:func:`diagnose` takes the outcomes of one exercise and gives the one most likely mistake. Nothing
that it says of a hidden test holds the test's inputs, outputs or expected values.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from course_utils.diagnosis import match
from course_utils.diagnosis.look import by_status, look
from course_utils.diagnosis.traces import Misconception, TraceBook, TraceBookError
from course_utils.outcome import Diagnosis, Status, TestOutcome

__all__ = ["TraceBook", "TraceBookError", "diagnose", "diagnose_public"]

TRACES_FILE = "traces.msgpack"

_BEFORE_VALUES = (Status.MISSING, Status.NOT_WRITTEN)
_WITHOUT_VALUES = (Status.MEMORY, Status.CRASHED, Status.TIMEOUT)
_books: dict[Path, tuple[int, TraceBook | None]] = {}


def diagnose(exercise_outcomes: Sequence[TestOutcome], book: TraceBook | None) -> Diagnosis | None:
    """The most likely mistake behind the outcomes of one exercise; None where all passed.

    Args:
        exercise_outcomes: every outcome of one exercise, public and (in grading) hidden.
        book: the misconceptions' traces under these tests, taken with the same seed.
    """
    failed = [outcome for outcome in exercise_outcomes if not outcome.passed]
    if not failed:
        return None
    early = by_status(failed, _BEFORE_VALUES)
    if early is not None:
        return early
    entries = book.exercises.get(failed[0].exercise, []) if book is not None else []
    student = match.seen(exercise_outcomes)
    named = match.exact(student, entries) or match.pair(student, entries)
    if named is not None:
        return named
    ended = by_status(failed, _WITHOUT_VALUES)
    if ended is not None:
        return ended
    return _by_values(failed, student, entries, book) or by_status(
        failed, (Status.FORBIDDEN, Status.ERROR)
    )


def _by_values(
    failed: Sequence[TestOutcome],
    student: dict[str, match.Seen],
    entries: Sequence[Misconception],
    book: TraceBook | None,
) -> Diagnosis | None:
    """What the numbers say: of the public tests if they say something, else of the hidden ones."""
    random = frozenset(book.random) if book is not None else frozenset()
    seen = [
        look(
            [outcome for outcome in failed if outcome.hidden is hidden],
            hidden=hidden,
            random=random,
        )
        for hidden in (False, True)
    ]
    for found in seen:
        if found is not None and found.name in ("constant_factor", "sign"):
            return found
    return match.scaled(student, entries) or seen[0] or seen[1]


def diagnose_public(folder: Path, outcomes: Sequence[TestOutcome]) -> Diagnosis | None:
    """:func:`diagnose` with the traces that lie in a released lab's folder, if there are any."""
    return diagnose(outcomes, _book_in(folder))


def _book_in(folder: Path) -> TraceBook | None:
    path = folder / TRACES_FILE
    try:
        stamp = path.stat().st_mtime_ns
    except OSError:
        return None
    known = _books.get(path)
    if known is None or known[0] != stamp:
        try:
            known = (stamp, TraceBook.load(path))
        except TraceBookError:
            known = (stamp, None)  # a damaged file costs the names of mistakes, never the check
        _books[path] = known
    return known[1]
