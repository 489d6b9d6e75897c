"""Point 7, the trying: an exercise's tests run on each of its solution's mutants."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from course_utils.calls.limited import time_limit
from course_utils.diagnosis.traces import key_of
from course_utils.gate.books import books_at
from course_utils.gate.points.mutants import Mutant, mutants, spliced
from course_utils.gate.points.unknown_mistakes import Verdict, judge
from course_utils.gate.pool import Pool
from course_utils.gate.workbench import Workbench, workbench_of
from course_utils.ground.statuses import Status
from course_utils.verdict.outcome import TestOutcome

_BATCH = 12
_SECONDS = 2.0


@dataclass(frozen=True)
class MutationJob:
    """Some mutants of one exercise, and the file of the lab's books."""

    folder: Path
    books: Path
    exercise: str
    mutants: tuple[Mutant, ...]


@dataclass(frozen=True)
class Tried:
    """What became of some mutants: those that no test notices, what is said of the others, and
    the keys of the tests that notice one."""

    survivors: list[Mutant] = field(default_factory=list)
    verdicts: list[Verdict] = field(default_factory=list)
    noticed: set[str] = field(default_factory=set)


def by_exercise(bench: Workbench, only: Sequence[str] = ()) -> dict[str, list[Mutant]]:
    """The mutants of every exercise's solution."""
    return {
        exercise: list(mutants(bench.originals.of(exercise)[0].text))
        for exercise in bench.exercises(only)
    }


def try_all(
    bench: Workbench, books: Path, made: dict[str, list[Mutant]], pool: Pool
) -> dict[str, Tried]:
    """Try all mutants: what became of those of each exercise.

    Args:
        books: a file with the lab's books.
        made: the mutants of each exercise.
    """
    jobs = [
        MutationJob(bench.lab.folder, books, exercise, tuple(some[i : i + _BATCH]))
        for exercise, some in made.items()
        for i in range(0, len(some), _BATCH)
    ]
    found = {exercise: Tried() for exercise in made}
    for job, tried in zip(jobs, pool.map(try_mutants, jobs, "mutants"), strict=True):
        found[job.exercise].survivors.extend(tried.survivors)
        found[job.exercise].verdicts.extend(tried.verdicts)
        found[job.exercise].noticed.update(tried.noticed)
    return found


def try_mutants(job: MutationJob) -> Tried:
    """Run an exercise's tests on its mutants; this is what a worker does."""
    bench, books = workbench_of(job.folder), books_at(job.books)
    solution = bench.originals.of(job.exercise)[0]
    tried = Tried()
    for mutant in job.mutants:
        text = spliced(solution.text, mutant)

        def run(seed: int, text: str = text) -> Sequence[TestOutcome]:
            outcomes = bench.run_text(job.exercise, text, seed=seed, seconds=_SECONDS)
            failed = (o for o in outcomes if not o.passed and o.status is not Status.UNJUDGED)
            tried.noticed.update(key_of(outcome) for outcome in failed)
            return outcomes

        try:
            with time_limit(_SECONDS):
                solution.define(bench.namespace, text)
        except BaseException:  # a mutant may end in any way; one that does not run is noticed
            continue
        verdict = judge(bench, books, job.exercise, mutant.change, [mutant.span], run)
        if verdict is None:
            tried.survivors.append(mutant)
        else:
            tried.verdicts.append(verdict)
    return tried
