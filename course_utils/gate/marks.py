"""Points 1 and 2: right code gets full marks; wrong code loses them, and is named.

Everything is tried under one exercise's own tests: its entries, and those of other exercises whose
functions its tests call.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

from course_utils.calls.limited import LimitedBackend
from course_utils.diagnosis.record import Recorder, equal_dresses
from course_utils.diagnosis.rewriting import exercise_cells
from course_utils.diagnosis.traces import TraceBook, key_of
from course_utils.gate.books import Books
from course_utils.gate.figures import MatrixRow
from course_utils.gate.finding import Finding
from course_utils.gate.pool import Pool
from course_utils.gate.workbench import Workbench, workbench_of
from course_utils.ground.lab import Lab
from course_utils.ground.statuses import Aspect, Status
from course_utils.testing.catalogue import Entry
from course_utils.testing.run import run_tests
from course_utils.verdict.exercise import share
from course_utils.verdict.outcome import TestOutcome

# Where all is NaN, or one exception ends every call, nothing is left to tell a mistake by.
_OPEN = "cannot be judged: "
BEYOND_NAMES = ("not_finite", str(Status.ERROR))


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
        named.name if named else "",
        by_check.name if by_check else "",
    )


def _count(outcomes: Sequence[TestOutcome]) -> tuple[int, int]:
    return sum(not outcome.passed for outcome in outcomes), len(outcomes)


def trials(
    bench: Workbench, pool: Pool, exercises: Sequence[str], *, pairs: bool = True
) -> list[Trials]:
    """What came of the entries of some exercises."""
    jobs = [TrialsJob(bench.lab.folder, exercise, pairs) for exercise in exercises]
    return pool.map(try_exercise, jobs, "variants and misconceptions")


def judge_solution(lab: Lab, outcomes: Sequence[TestOutcome]) -> Iterator[Finding]:
    """Point 1, for the solution: one sentence for everything that goes wrong in one way."""
    seen: dict[tuple[str, str], list[TestOutcome]] = {}
    for outcome in outcomes:
        if not outcome.passed:
            raised = outcome.status in (Status.ERROR, Status.UNJUDGED)
            ways = outcome.message.removeprefix(_OPEN) if raised else outcome.test
            seen.setdefault((outcome.exercise, outcome.tripped or ways), []).append(outcome)
    for (exercise, _), failed in seen.items():
        first, place = failed[0], place_of_solution(lab, exercise)
        tests = f"{first.test} and {len(failed) - 1} more" if failed[1:] else first.test
        if first.tripped:
            sentence = f"{first.tripped}: {tests} of {exercise} cannot use what the solution gave"
            advice = f"mend the test, or the solution ({place})"
        elif first.status in (Status.ERROR, Status.UNJUDGED):
            sentence = f"{place}: the solution of {exercise} does not get through {tests}"
            advice = "mend the solution, or the test that calls it"
        else:
            sentence = f"the solution of {exercise} fails {tests}"
            advice = f"mend the solution ({place}) or the test"
        said = first.message.removeprefix("what your code gave cannot be used here: ")
        said = said.removeprefix(_OPEN)
        yield Finding(1, f"{sentence} ({said}): {advice}")


def place_of_solution(lab: Lab, exercise: str) -> str:
    """Where an exercise's solution stands: the notebook and its cell."""
    cells = exercise_cells(lab).get(exercise, [])
    numbers = [str(i) for i, cell in enumerate(lab.notebook["cells"]) if cell in cells]
    return f"{lab.notebook_path.name}, cell {' and '.join(numbers)}"


def judge_variants(found: Sequence[Trial]) -> Iterator[Finding]:
    """Point 1, for the variants."""
    for trial in found:
        for failure in trial.own:
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
        if trial.named in BEYOND_NAMES:
            continue  # that is said instead
        if trial.named != trial.name:
            yield Finding(
                2,
                f"{what} is caught but not named ({_diagnosed(trial.named)}): add a test in which "
                "its values differ from the solution's and from the other misconceptions'",
            )
        elif trial.public[0] and trial.named_by_check != trial.name:
            yield Finding(
                2,
                f"{what} is not named by check ({_diagnosed(trial.named_by_check)}), though a "
                "public test fails: move what tells it apart from a hidden test to a public one",
            )


def judge_strays(found: Sequence[Stray]) -> Iterator[Finding]:
    """Points 1 and 2, where an exercise's tests call another one's function."""
    for stray in found:
        what = f"the {stray.kind} {stray.name} of {stray.exercise}"
        tests = ", ".join(stray.tests)
        if stray.kind == "variant":
            yield Finding(
                1,
                f"{what} is right but fails {tests} of {stray.of}: make the test accept it, or "
                "take the variant out if it is wrong",
            )
        else:
            yield Finding(
                2,
                f"{what} also fails {tests} of {stray.of}: make the solution or test of {stray.of} "
                "independent of it, so that one mistake does not cost twice",
            )


def _diagnosed(name: str) -> str:
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
