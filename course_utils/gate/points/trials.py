"""Every right and wrong implementation tried once, under one exercise's own tests.

So are those of other exercises whose functions its tests call. Points 1, 2 and 8 judge what comes
of it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from course_utils.calls.limited import LimitedBackend
from course_utils.diagnosis.record import Recorder
from course_utils.diagnosis.traces import key_of
from course_utils.gate.books import Books
from course_utils.gate.pool import Pool
from course_utils.gate.workbench import Workbench, workbench_of
from course_utils.ground.statuses import Aspect, Status
from course_utils.testing.catalogue import Entry
from course_utils.testing.run import run_tests
from course_utils.verdict.exercise import share
from course_utils.verdict.outcome import TestOutcome


@dataclass(frozen=True)
class TrialsJob:
    """The variants and misconceptions of one exercise."""

    folder: Path
    exercise: str
    pairs: bool


@dataclass(frozen=True)
class Failure:
    """One failed test: its name, what its claim is about, and what was said."""

    test: str
    about: Aspect
    message: str

    def __str__(self) -> str:
        return f"{self.test} ({self.message})"


@dataclass(frozen=True)
class Trial:
    """What one entry came to under the tests with seed 0.

    Attributes:
        public, hidden: (failed, all) tests of its own exercise.
        own: the failed tests of its exercise.
        keys: the same tests by key, a hidden one told from a public one of its name.
        kept: the share of the exercise's points that it keeps.
        hangs: whether a call in them was cut off at its time limit.
        named, named_by_check: the names in the diagnoses, from all tests and from public ones.
    """

    exercise: str
    name: str
    about: Aspect
    cost: float | None
    public: tuple[int, int]
    hidden: tuple[int, int]
    own: tuple[Failure, ...]
    keys: tuple[str, ...]
    kept: float
    hangs: bool
    named: str = ""
    named_by_check: str = ""


@dataclass(frozen=True)
class Stray:
    """An entry of one exercise that fails tests of another, which call its function."""

    kind: str
    exercise: str
    name: str
    tests: tuple[str, ...]
    of: str


@dataclass(frozen=True)
class Trials:
    """The trials of one exercise's entries, the strays of others, and the mistakes' traces."""

    exercise: str
    variants: list[Trial]
    misconceptions: list[Trial]
    strays: list[Stray]
    books: Books


def trials(
    bench: Workbench, pool: Pool, exercises: Sequence[str], *, pairs: bool = True
) -> list[Trials]:
    """What came of the entries of some exercises."""
    jobs = [TrialsJob(bench.lab.folder, exercise, pairs) for exercise in exercises]
    entries = Counter(entry.exercise for entry in bench.misconceptions)
    return pool.map(
        try_exercise, jobs, "variants and misconceptions",
        size=lambda job: entries[job.exercise] ** 2,  # it is pairs that take long
    )  # fmt: skip


def try_exercise(job: TrialsJob) -> Trials:
    """Run the entries of one exercise under its tests; this is what a worker does."""
    bench = workbench_of(job.folder)
    own = [job.exercise]
    called, fails_anyway = _called(bench, job.exercise)
    tried = {
        id(entry): bench.run(entry, exercises=own)
        for entry in [*bench.variants, *bench.misconceptions] if entry.exercise == job.exercise
    }  # fmt: skip
    # Taken in runs of their own, as in a release: a mistake must be named by another run.
    recorder = Recorder.of(bench.originals, hidden=True, exercises=own)
    books = Books(
        recorder.of_public().book(own, pairs=job.pairs, plain=not job.pairs),
        recorder.book(own, pairs=False, plain=not job.pairs),
    )
    return Trials(
        job.exercise,
        [_trial(entry, tried[id(entry)], None) for entry in bench.variants if id(entry) in tried],
        [
            _trial(entry, tried[id(entry)], books)
            for entry in bench.misconceptions if id(entry) in tried
        ],
        list(_strays(bench, job.exercise, called, fails_anyway)),
        books,
    )  # fmt: skip


class _Noting(dict[str, Any]):
    """A namespace that notes which of its names are asked for."""

    def __init__(self, namespace: dict[str, Any]) -> None:
        super().__init__(namespace)
        self.asked: set[str] = set()

    def __contains__(self, name: object) -> bool:
        self.asked.add(str(name))
        return super().__contains__(name)


def _called(bench: Workbench, exercise: str) -> tuple[set[str], set[str]]:
    """Which of the notebook's names an exercise's tests ask for, and the tests that fail anyway."""
    namespace = _Noting(bench.namespace)
    backend = LimitedBackend(namespace)
    outcomes = run_tests(bench.lab.test_files, lambda mark: backend, exercises=[exercise])
    return namespace.asked, {outcome.test for outcome in outcomes if not outcome.passed}


def _strays(
    bench: Workbench, exercise: str, called: set[str], fails_anyway: set[str]
) -> Iterator[Stray]:
    for kind, entries in (("variant", bench.variants), ("misconception", bench.misconceptions)):
        for entry in entries:
            if entry.exercise == exercise or called.isdisjoint(
                bench.originals.of(entry.exercise)[0].names
            ):
                continue
            outcomes = bench.run(entry, exercises=[exercise])
            failed = [o.test for o in outcomes if not o.passed and o.test not in fails_anyway]
            if failed:
                yield Stray(kind, entry.exercise, entry.name, tuple(failed), exercise)


def _trial(entry: Entry, own: Sequence[TestOutcome], books: Books | None) -> Trial:
    public = [outcome for outcome in own if not outcome.hidden]
    failed = [o for o in own if not o.passed and o.status is not Status.UNJUDGED]
    named = books.name(own) if books else None
    by_check = books.name(own, check=True) if books else None
    return Trial(
        entry.exercise,
        entry.name,
        entry.about,
        entry.cost,
        _count(public),
        _count([outcome for outcome in own if outcome.hidden]),
        tuple(Failure(o.test, o.about, o.message) for o in failed),
        tuple(key_of(o) for o in failed),
        share(own),
        any(outcome.status is Status.TIMEOUT for outcome in own),
        named.name if named else "",
        by_check.name if by_check else "",
    )


def _count(outcomes: Sequence[TestOutcome]) -> tuple[int, int]:
    return sum(not outcome.passed for outcome in outcomes), len(outcomes)
