"""Points 1 and 2: right code gets full marks; wrong code loses them, and is named."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

from course_utils.diagnosis.catalogue import Entry
from course_utils.diagnosis.kept import made_from
from course_utils.diagnosis.record import Recorder, equal_dresses
from course_utils.diagnosis.traces import TraceBook
from course_utils.grading.verify.bench import Bench, bench_of
from course_utils.grading.verify.books import Books
from course_utils.grading.verify.pool import Map
from course_utils.grading.verify.report import Finding, MatrixRow
from course_utils.limited import LimitedBackend
from course_utils.outcome import Aspect, Status, TestOutcome, share
from course_utils.plugin import run_tests

# Where all is NaN, or one exception ends every call, nothing is left to tell a mistake by.
BEYOND_NAMES = ("not_finite", str(Status.ERROR))


@dataclass(frozen=True)
class Job:
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
        kept: the share of the exercise's points that it keeps.
        others: "test of exercise" of failed tests of other exercises.
        named, named_by_check: the names in the diagnoses, from all tests and from public ones.
    """

    exercise: str
    name: str
    about: Aspect
    cost: float | None
    public: tuple[int, int]
    hidden: tuple[int, int]
    own: tuple[Failure, ...]
    kept: float
    others: tuple[str, ...]
    named: str = ""
    named_by_check: str = ""


@dataclass(frozen=True)
class Trials:
    """The trials of entries, and the mistakes' traces."""

    variants: list[Trial]
    misconceptions: list[Trial]
    books: Books


def try_exercise(job: Job) -> Trials:
    """Run the entries of one exercise under the tests; this is what a worker does."""
    bench = bench_of(job.folder)
    solution = bench.run()
    fails_anyway = {outcome.test for outcome in solution if not outcome.passed}
    variants = [entry for entry in bench.variants if entry.exercise == job.exercise]
    wrong = [entry for entry in bench.misconceptions if entry.exercise == job.exercise]
    defined = bench.originals.of(job.exercise)[0].names
    touched = sorted(_touched(bench, defined, fails_anyway) | {job.exercise})
    outcomes = {id(entry): bench.run(entry, exercises=touched) for entry in [*variants, *wrong]}
    # Taken in runs of their own, as in a release: a mistake must be named by another run.
    books = Books(
        *(
            Recorder.of(bench.originals, hidden=hidden).book(
                [job.exercise], pairs=job.pairs and not hidden
            )
            for hidden in (False, True)
        )
    )
    return Trials(
        [_trial(entry, outcomes[id(entry)], None, fails_anyway) for entry in variants],
        [_trial(entry, outcomes[id(entry)], books, fails_anyway) for entry in wrong],
        books,
    )


def _touched(bench: Bench, names: set[str], fails_anyway: set[str]) -> set[str]:
    """The exercises whose tests call one of some names of the notebook."""

    def poisoned(*args: object, **kwargs: object) -> None:
        raise RuntimeError("called")

    backend = LimitedBackend({**bench.namespace, **dict.fromkeys(names, poisoned)})
    outcomes = run_tests(bench.lab.test_files, lambda mark: backend)
    failed = [outcome for outcome in outcomes if not outcome.passed]
    return {outcome.exercise for outcome in failed if outcome.test not in fails_anyway}


def _trial(
    entry: Entry, outcomes: Sequence[TestOutcome], books: Books | None, fails_anyway: set[str]
) -> Trial:
    own = [outcome for outcome in outcomes if outcome.exercise == entry.exercise]
    public = [outcome for outcome in own if not outcome.hidden]
    others = [
        o
        for o in outcomes
        if o.exercise != entry.exercise and not o.passed and o.test not in fails_anyway
    ]
    named = books.name(own) if books else None
    by_check = books.name(own, check=True) if books else None
    return Trial(
        entry.exercise,
        entry.name,
        entry.about,
        entry.cost,
        _count(public),
        _count([outcome for outcome in own if outcome.hidden]),
        tuple(
            Failure(o.test, o.about, o.message)
            for o in own
            if not o.passed and o.status is not Status.UNJUDGED
        ),
        share(own),
        tuple(f"{o.test} of {o.exercise}" for o in others),
        named.name if named else "",
        by_check.name if by_check else "",
    )


def _count(outcomes: Sequence[TestOutcome]) -> tuple[int, int]:
    return sum(not outcome.passed for outcome in outcomes), len(outcomes)


def trials(
    bench: Bench, spread: Map, only: Sequence[str] = (), *, pairs: bool = True
) -> Trials:
    """Every variant's and every misconception's trial, and the lab's books of traces."""
    exercises = bench.exercises(only)
    jobs = [Job(bench.lab.folder, exercise, pairs) for exercise in exercises]
    found = spread(try_exercise, jobs, "variants and misconceptions")
    return Trials(
        [trial for one in found for trial in one.variants],
        [trial for one in found for trial in one.misconceptions],
        Books(
            _merged(bench, [one.books.public for one in found]),
            _merged(bench, [one.books.hidden for one in found]),
        ),
    )


def _merged(bench: Bench, books: Sequence[TraceBook]) -> TraceBook:
    """The books of single exercises as one of the lab."""
    return TraceBook(
        bench.lab.name,
        made_from(bench.lab),
        {name: entries for book in books for name, entries in book.exercises.items()},
        set().union(*(book.random for book in books)),
    )


def judge_solution(outcomes: Sequence[TestOutcome]) -> Iterator[Finding]:
    """Point 1, for the solution."""
    for outcome in outcomes:
        if not outcome.passed:
            yield Finding(
                1,
                f"the solution of {outcome.exercise} fails {outcome.test} ({outcome.message}): "
                "mend the solution or the test",
            )


def judge_variants(found: Sequence[Trial]) -> Iterator[Finding]:
    """Point 1, for the variants."""
    for trial in found:
        for failure in (*trial.own, *trial.others):
            yield Finding(
                1,
                f"the variant {trial.name} of {trial.exercise} is right but fails {failure}: "
                "make the test accept it, or take the variant out if it is wrong",
            )


def judge_misconceptions(found: Sequence[Trial]) -> Iterator[Finding]:
    """Point 2, for each misconception by itself."""
    for trial in found:
        what = f"the misconception {trial.name} of {trial.exercise}"
        if not trial.own:
            yield Finding(2, f"{what} gets full marks: add a test that it fails, or take it out")
            continue
        if trial.others:
            yield Finding(
                2,
                f"{what} also fails {', '.join(trial.others)}: make the other exercise's solution "
                "or test independent of it, so that one mistake does not cost twice",
            )
        if trial.named in BEYOND_NAMES:
            continue  # that is said instead
        if trial.named != trial.name:
            yield Finding(
                2,
                f"{what} is caught but not named ({_called(trial.named)}): add a test in which its "
                "values differ from the solution's and from the other misconceptions'",
            )
        elif trial.public[0] and trial.named_by_check != trial.name:
            yield Finding(
                2,
                f"{what} is not named by check ({_called(trial.named_by_check)}), though a public "
                "test fails: move what tells it apart from a hidden test to a public one",
            )


def _called(name: str) -> str:
    return f"the diagnosis says {name}" if name else "the diagnosis says nothing"


def matrix(found: Sequence[Trial]) -> list[MatrixRow]:
    """The rows of the printed matrix."""
    return [
        MatrixRow(
            t.exercise, t.name, t.public, t.hidden, t.named == t.name, t.named_by_check == t.name,
            t.kept, t.named in BEYOND_NAMES,
        )
        for t in found
    ]


def judge_duplicates(book: TraceBook) -> Iterator[Finding]:
    """Point 2: misconceptions of one exercise that no test tells apart."""
    for exercise, entries in book.exercises.items():
        own = [m for m in entries if len(m.names) == 1 and not m.origin and m.dresses]
        for first, second in combinations(own, 2):
            if equal_dresses(first.dresses[0], second.dresses[0]):
                yield Finding(
                    2,
                    f"the misconceptions {first.name} and {second.name} of {exercise} return the "
                    "same values in every test: merge them, or add a test in which they differ",
                )
