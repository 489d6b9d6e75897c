"""Every implementation run under many seeds, and once more: which tests fail in each run."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

from course_utils.gate.pool import Pool
from course_utils.gate.workbench import Workbench, workbench_of
from course_utils.testing.catalogue import Entry
from course_utils.testing.run import run_tests

_BATCH = 2
# An exercise that trains networks is tried under a share of the seeds.
_SHARE = 10

# Which tests failed, for (kind, exercise, name of the implementation, run).
Subject = tuple[str, str, str]
Marks = dict[tuple[Subject, int], frozenset[str]]
# For every exercise of a run: which implementation of it is tried, None being the solution.
Lineup = dict[str, tuple[Subject, Entry | None]]
SECOND_RUN = -1


@dataclass(frozen=True)
class SeedsJob:
    """Some seeds, -1 being a second run with seed 0, and the exercises to be tried under each."""

    folder: Path
    seeds: tuple[tuple[int, tuple[str, ...]], ...]


def under_seeds(
    bench: Workbench,
    seeds: int,
    pool: Pool,
    only: Sequence[str] = (),
    training: Collection[str] = (),
) -> Marks:
    """The marks of everything under seeds 0, 1, … and on a second run with seed 0.

    Args:
        seeds: how many; with 0 nothing is run again at all.
        training: exercises that train networks: tried under :func:`fewer` of the seeds.
    """
    if not seeds:
        return {}
    every = tuple(bench.exercises(only))
    quick = tuple(name for name in every if name not in training)
    # The second run comes in the process of the first, where something could be left over.
    runs = [
        (seed, every if seed < fewer(seeds) else quick)
        for seed in (0, SECOND_RUN, *range(1, seeds))
    ]
    runs = [(seed, exercises) for seed, exercises in runs if exercises]
    batches = [tuple(runs[i : i + _BATCH]) for i in range(0, len(runs), _BATCH)]
    jobs = [SeedsJob(bench.lab.folder, batch) for batch in batches]
    marks: Marks = {}
    for part in pool.map(run_seeds, jobs, "seeds"):
        marks.update(part)
    return marks


def fewer(seeds: int) -> int:
    """Under how many of the seeds an exercise that trains networks is tried."""
    return min(seeds, max(2, seeds // _SHARE))


def run_seeds(job: SeedsJob) -> Marks:
    """Run solution, variants and misconceptions under some seeds; this is what a worker does.

    Exercises do not touch each other, so one run tries one implementation of each of them.
    """
    bench = workbench_of(job.folder)
    marks: Marks = {}
    for seed, exercises in job.seeds:
        for lineup in _lineups(bench, exercises):
            _run_lineup(bench, lineup, seed, marks)
    return marks


def _lineups(bench: Workbench, exercises: Sequence[str]) -> Iterator[Lineup]:
    """Lineups in which every implementation of the exercises comes once."""
    yield {
        exercise: (("solution", exercise, "solution"), None) for exercise in exercises
    }
    for built_in in (False, True):
        by_exercise: defaultdict[str, list[tuple[str, tuple[Subject, Entry | None]]]]
        by_exercise = defaultdict(list)
        for kind, entries in (("variant", bench.variants), ("misconception", bench.misconceptions)):
            for entry in entries:
                if entry.built_in is built_in and entry.exercise in exercises:
                    subject = (kind, entry.exercise, entry.name)
                    by_exercise[entry.exercise].append((entry.exercise, (subject, entry)))
        for group in zip_longest(*by_exercise.values()):
            yield dict(item for item in group if item is not None)


def _run_lineup(bench: Workbench, lineup: Lineup, seed: int, marks: Marks) -> None:
    backends = {exercise: bench.backend(entry) for exercise, (_, entry) in lineup.items()}
    entries = [entry for _, entry in lineup.values() if entry is not None]
    outcomes = run_tests(
        bench.lab.test_files,
        lambda mark: backends[mark.name],
        exercises=list(lineup),
        seed=max(seed, 0),
        enforce_forbid=not any(entry.built_in for entry in entries),
    )
    for exercise, (subject, _) in lineup.items():
        marks[subject, seed] = frozenset(
            f"{'hidden ' if outcome.hidden else ''}{outcome.test}"
            for outcome in outcomes
            if outcome.exercise == exercise and not outcome.passed
        )
