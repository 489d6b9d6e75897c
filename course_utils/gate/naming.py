"""Point 9: what the diagnosis says of mistakes that the catalogue's author has not seen.

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
import random
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from itertools import accumulate, combinations
from pathlib import Path

from course_utils.diagnosis import match
from course_utils.diagnosis.rewriting import Original, Span
from course_utils.gate.books import Books
from course_utils.gate.figures import NamingRow
from course_utils.gate.finding import Finding
from course_utils.gate.mutants import Mutant, offset, spliced
from course_utils.gate.pool import Pool
from course_utils.gate.workbench import Workbench, workbench_of
from course_utils.ground.statuses import Status
from course_utils.testing.catalogue import Entry
from course_utils.verdict.outcome import Diagnosis, TestOutcome

GOAL = 0.02
PAIRS = 40

_SINGLE, _PAIRS = "mutants", "pairs of mutants"
_BATCH = 8
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


@dataclass(frozen=True)
class Job:
    """Pairs of mutants of one exercise, or entries to be left out."""

    folder: Path
    books: Path
    exercise: str
    pairs: tuple[tuple[Mutant, Mutant], ...] = ()
    entries: tuple[str, ...] = ()


@lru_cache(maxsize=2)
def books_at(path: Path) -> Books:
    """The lab's books from a file of the gate's own."""
    return Books.load(path)


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
    for name in found.name.split(", and "):
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


def chosen_pairs(exercise: str, made: Sequence[Mutant]) -> list[tuple[Mutant, Mutant]]:
    """Some pairs of mutants that change different places; the same ones in every run."""
    possible = [
        (a, b) for a, b in combinations(made, 2) if a.span[1] <= b.span[0] or b.span[1] <= a.span[0]
    ]
    generator = random.Random(zlib.crc32(exercise.encode()))
    return generator.sample(possible, min(PAIRS, len(possible)))


def try_pairs(job: Job) -> list[Verdict]:
    """What is said of pairs of mutants; this is what a worker does."""
    bench, books = workbench_of(job.folder), books_at(job.books)
    solution = bench.originals.of(job.exercise)[0]
    found = []
    for first, second in job.pairs:
        text = spliced(solution.text, first, second)
        what = f"{first.change}, and {second.change}"

        def run(seed: int, text: str = text) -> Sequence[TestOutcome]:
            return bench.run_text(job.exercise, text, seed=seed)

        spans = [first.span, second.span]
        found.append(judge(bench, books, job.exercise, what, spans, run))
    return [verdict for verdict in found if verdict is not None]


def leave_out(job: Job) -> list[Verdict]:
    """What is said of entries by a catalogue that lacks them; this is what a worker does."""
    bench, books = workbench_of(job.folder), books_at(job.books)
    solution = bench.originals.of(job.exercise)[0]
    found = []
    for name in job.entries:
        entry = next(
            e for e in bench.misconceptions if e.exercise == job.exercise and e.name == name
        )

        def run(seed: int, entry: Entry = entry) -> Sequence[TestOutcome]:
            return bench.run(entry, exercises=[job.exercise], seed=seed)

        spans = solution.changed(entry.rewrites[:1]) or []
        less = books.without(job.exercise, name)
        found.append(judge(bench, less, job.exercise, f"{name}, left out,", spans, run))
    return [verdict for verdict in found if verdict is not None]


def prove(
    bench: Workbench,
    books: Path,
    mutants: dict[str, list[Mutant]],
    single: Sequence[Verdict],
    pool: Pool,
) -> dict[str, list[Verdict]]:
    """Judge pairs of mutants and entries left out: what was said of all, by group.

    Args:
        books: a file with the lab's books.
        mutants: of each exercise.
        single: what was said of the single mutants.
    """
    folder = bench.lab.folder
    pairs = [
        Job(folder, books, exercise, pairs=tuple(some[i : i + _BATCH]))
        for exercise, made in mutants.items()
        for some in [chosen_pairs(exercise, made)]
        for i in range(0, len(some), _BATCH)
    ]
    left = [
        Job(folder, books, exercise, entries=tuple(
            e.name for e in bench.misconceptions if e.exercise == exercise and e.rewrites))
        for exercise in mutants
    ]  # fmt: skip
    return {
        _SINGLE: list(single),
        _PAIRS: [v for some in pool.map(try_pairs, pairs, "pairs") for v in some],
        "entries left out": [v for some in pool.map(leave_out, left, "left out") for v in some],
    }


def rows(groups: dict[str, list[Verdict]], exercise: str) -> list[NamingRow]:
    """What was said of one exercise's mistakes, counted."""
    return [
        _row(group, [v for v in verdicts if v.exercise == exercise])
        for group, verdicts in groups.items()
    ]


def _row(group: str, verdicts: Sequence[Verdict]) -> NamingRow:
    counts = {said: sum(v.said is said for v in verdicts) for said in Said}
    misleading = [f"{v.exercise}: {v.sentence}" for v in verdicts if v.said is Said.MISLEADING]
    return NamingRow(
        group, counts[Said.NAMED], counts[Said.APT], counts[Said.SILENT], counts[Said.MISLEADING],
        tuple(misleading),
    )  # fmt: skip


def summed(every: Sequence[NamingRow]) -> list[NamingRow]:
    """The rows of several exercises as those of the lab."""
    found: dict[str, NamingRow] = {}
    for row in every:
        known = found.get(row.group, NamingRow(row.group, 0, 0, 0, 0))
        found[row.group] = NamingRow(
            row.group, known.named + row.named, known.apt + row.apt, known.silent + row.silent,
            known.misleading + row.misleading, known.sentences + row.sentences,
        )  # fmt: skip
    return list(found.values())


def judge_rows(of_lab: Sequence[NamingRow]) -> list[Finding]:
    """Whether too many changes of a lab's solutions get a misleading name."""
    judged = [row for row in of_lab if row.group in (_SINGLE, _PAIRS)]
    misleading, total = sum(row.misleading for row in judged), sum(row.total for row in judged)
    if misleading <= GOAL * total:
        return []
    return [
        Finding(
            9,
            f"{misleading} of {total} mutants and pairs of them get a misleading name (at most "
            f"{100 * GOAL:.0f} %; listed above): write the change as another way (also=…) of the "
            "mistake that it is called, as a mistake of its own, or add a public test that tells "
            "the two apart",
        )
    ]
