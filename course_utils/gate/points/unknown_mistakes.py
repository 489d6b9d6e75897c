"""Point 9, the judging: what is said of mistakes that the catalogue's author has not seen.

Mutants of the solution, pairs of them, and the catalogue's own entries, each taken out and then
given back as an unknown mistake, stand in for them. What is said is

- *named*: the edit of every mistake that is named touches the statement in which the change is
  (of a mistake that is a whole implementation: the change returns the same in every test);
- *apt*: a general finding that is true under another seed as well, or how the call ended;
- *silent*: nothing is said beyond the claims;
- *misleading*: anything else.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import accumulate

from course_utils.diagnosis import match
from course_utils.diagnosis.rewriting import Original, Span
from course_utils.gate.books import Books
from course_utils.gate.points.mutants import offset
from course_utils.gate.workbench import Workbench
from course_utils.ground.statuses import Status
from course_utils.testing.catalogue import Entry
from course_utils.verdict.outcome import Diagnosis, TestOutcome

_OTHER_SEED = 1
_ENDINGS = {str(status) for status in Status}


class Said(StrEnum):
    """What became of a mistake that the catalogue does not know."""

    NAMED = "named"
    APT = "apt"
    SILENT = "silent"
    MISLEADING = "misleading"


@dataclass(frozen=True)
class Verdict:
    """What was said of one mistake, and of a misleading one in a sentence what."""

    exercise: str
    said: Said
    sentence: str = ""


def judge(
    bench: Workbench,
    books: Books,
    exercise: str,
    what: str,
    places: Sequence[Span],
    run: Callable[[int], Sequence[TestOutcome]],
) -> Verdict | None:
    """What is said of a change of the solution; None where no test notices it.

    Args:
        exercise: whose solution was changed.
        what: the change, in words.
        places: where in the exercise's source.
        run: the outcomes of the exercise's tests on it, under a seed.
    """
    outcomes = run(0)
    if all(outcome.passed for outcome in outcomes):
        return None
    found = books.name(outcomes)
    if found is None:
        return Verdict(exercise, Said.SILENT)
    if not found.named:
        true = found.name in _ENDINGS or _again(books, found, run(_OTHER_SEED))
        sentence = f"{what} is described as “{found.hint}”, which another seed does not bear out"
        return Verdict(exercise, Said.APT) if true else Verdict(exercise, Said.MISLEADING, sentence)
    solution = bench.originals.of(exercise)[0]
    for name in found.names:
        entry = next((e for e in bench.misconceptions if (e.exercise, e.name) == (exercise, name)),
                     None)  # fmt: skip
        if entry is None or not _fits(solution, entry, places, books, outcomes):
            how = "is" if found.sure else "is partly"
            return Verdict(exercise, Said.MISLEADING, f"{what} {how} called {found.name}")
    return Verdict(exercise, Said.NAMED)


def _again(books: Books, found: Diagnosis, outcomes: Sequence[TestOutcome]) -> bool:
    again = books.general(outcomes)
    return again is not None and again.name == found.name


def _fits(
    solution: Original, entry: Entry, places: Sequence[Span], books: Books,
    outcomes: Sequence[TestOutcome],
) -> bool:  # fmt: skip
    if not entry.rewrites:
        own = [m for m in books.hidden.exercises[entry.exercise] if m.names == (entry.name,)]
        found = match.best(match.seen(outcomes), own)
        return found is not None and found.sure
    touched = [s for rewrite in entry.rewrites for s in solution.changed([rewrite]) or ()]
    statements = [_statement(solution.text, span) for span in places]
    return any(
        a[0] <= b[1] and b[0] <= a[1] for a in touched for b in statements
    )


def _statement(text: str, span: Span) -> Span:
    """The simple statement, or the head of a block, around a place in a source."""
    starts = list(accumulate((len(line) for line in text.splitlines(keepends=True)), initial=0))
    best = span
    smallest = len(text) + 1
    for node in ast.walk(ast.parse(text)):
        if not isinstance(node, ast.stmt):
            continue
        start = offset(text, starts, node.lineno, node.col_offset)
        body = getattr(node, "body", None)
        last = body[0] if isinstance(body, list) and body else None
        if isinstance(last, ast.stmt):
            end = offset(text, starts, last.lineno, last.col_offset)
        else:
            assert node.end_lineno is not None and node.end_col_offset is not None
            end = offset(text, starts, node.end_lineno, node.end_col_offset)
        if start <= span[0] and span[1] <= end and end - start < smallest:
            best, smallest = (start, end), end - start
    return best
