"""Point 9, the trying: pairs of mutants, and entries of the catalogue left out one by one."""

from __future__ import annotations

import random
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

from course_utils.gate.books import books_at
from course_utils.gate.points.apt_names import PAIRS_OF_MUTANTS, SINGLE
from course_utils.gate.points.mutants import Mutant, spliced
from course_utils.gate.points.unknown_mistakes import Verdict, judge
from course_utils.gate.pool import Pool
from course_utils.gate.workbench import Workbench, workbench_of
from course_utils.testing.catalogue import Entry
from course_utils.verdict.outcome import TestOutcome

PAIRS = 40
_BATCH = 8


@dataclass(frozen=True)
class NamingJob:
    """Pairs of mutants of one exercise, or entries to be left out."""

    folder: Path
    books: Path
    exercise: str
    pairs: tuple[tuple[Mutant, Mutant], ...] = ()
    entries: tuple[str, ...] = ()


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
        NamingJob(folder, books, exercise, pairs=tuple(some[i : i + _BATCH]))
        for exercise, made in mutants.items()
        for some in [chosen_pairs(exercise, made)]
        for i in range(0, len(some), _BATCH)
    ]
    left = [
        NamingJob(folder, books, exercise, entries=tuple(names[i : i + _BATCH]))
        for exercise in mutants
        for names in [
            [e.name for e in bench.misconceptions if e.exercise == exercise and e.rewrites]
        ]
        for i in range(0, len(names), _BATCH)
    ]
    return {
        SINGLE: list(single),
        PAIRS_OF_MUTANTS: [v for some in pool.map(try_pairs, pairs, "pairs") for v in some],
        "entries left out": [v for some in pool.map(leave_out, left, "left out") for v in some],
    }


def chosen_pairs(exercise: str, made: Sequence[Mutant]) -> list[tuple[Mutant, Mutant]]:
    """Some pairs of mutants that change different places; the same ones in every run."""
    possible = [
        (a, b) for a, b in combinations(made, 2) if a.span[1] <= b.span[0] or b.span[1] <= a.span[0]
    ]
    generator = random.Random(zlib.crc32(exercise.encode()))
    return generator.sample(possible, min(PAIRS, len(possible)))


def try_pairs(job: NamingJob) -> list[Verdict]:
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


def leave_out(job: NamingJob) -> list[Verdict]:
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
