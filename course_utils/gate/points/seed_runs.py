"""Every implementation run under many seeds, and once more: which tests fail in each run."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

from course_utils.gate.pool import Pool
from course_utils.gate.workbench import Workbench, workbench_of
from course_utils.testing.catalogue import Entry
from course_utils.testing.run import run_tests

_BATCH = 2
# What takes long each time is tried under a share of the seeds.
_SHARE = 10

# Which tests failed, for (kind, exercise, name of the implementation, run).
Subject = tuple[str, str, str]
Marks = dict[tuple[Subject, int], frozenset[str]]
# For every exercise of a run: which implementation of it is tried, None being the solution.
Lineup = dict[str, tuple[Subject, Entry | None]]
SECOND_RUN = -1


@dataclass(frozen=True)
class Slow:
    """What takes so long in each run that it is tried under :func:`fewer` of the seeds.

    Attributes:
        training: exercises that train networks.
        hanging: implementations with a call that is cut off at its time limit.
    """

    training: frozenset[str] = frozenset()
    hanging: frozenset[Subject] = frozenset()

    def __contains__(self, subject: Subject) -> bool:
        return subject[1] in self.training or subject in self.hanging


NOTHING_SLOW = Slow()


@dataclass(frozen=True)
class SeedsJob:
    """Some seeds, -1 being a second run with seed 0, and what is tried under each.

    Attributes:
        few: from this seed on nothing that is slow is tried.
    """

    folder: Path
    seeds: tuple[int, ...]
    exercises: tuple[str, ...]
    slow: Slow
    few: int


def under_seeds(
    bench: Workbench,
    seeds: int,
    pool: Pool,
    only: Sequence[str] = (),
    slow: Slow = NOTHING_SLOW,
) -> Marks:
    """The marks of everything under seeds 0, 1, … and on a second run with seed 0.

    Args:
        seeds: how many; with 0 nothing is run again at all.
        slow: what is tried under :func:`fewer` of the seeds.
    """
    if not seeds:
        return {}
    # The second run comes in the process of the first, where something could be left over.
    runs = (0, SECOND_RUN, *range(1, seeds))
    jobs = [
        SeedsJob(
            bench.lab.folder, runs[i : i + _BATCH], tuple(bench.exercises(only)), slow,
            fewer(seeds),
        )
        for i in range(0, len(runs), _BATCH)
    ]  # fmt: skip
    marks: Marks = {}
    for part in pool.map(run_seeds, jobs, "seeds"):
        marks.update(part)
    return marks


def fewer(seeds: int) -> int:
    """Under how many of the seeds something is tried that takes long."""
    return min(seeds, max(2, seeds // _SHARE))


def run_seeds(job: SeedsJob) -> Marks:
    """Run solution, variants and misconceptions under some seeds; this is what a worker does.

    Exercises do not touch each other, so one run tries one implementation of each of them.
    """
    bench = workbench_of(job.folder)
    marks: Marks = {}
    for seed in job.seeds:
        for lineup in _lineups(bench, job.exercises):
            tried = {
                exercise: (subject, entry)
                for exercise, (subject, entry) in lineup.items()
                if seed < job.few or subject not in job.slow
            }
            if tried:
                _run_lineup(bench, tried, seed, marks)
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
        evidence=False,
    )
    for exercise, (subject, _) in lineup.items():
        marks[subject, seed] = frozenset(
            f"{'hidden ' if outcome.hidden else ''}{outcome.test}"
            for outcome in outcomes
            if outcome.exercise == exercise and not outcome.passed
        )
