"""Point 2: wrong code loses marks, in its own exercise only, and is named."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations

from course_utils.diagnosis.record import equal_dresses
from course_utils.diagnosis.traces import TraceBook
from course_utils.gate.figures import MatrixRow
from course_utils.gate.finding import Finding
from course_utils.gate.points.trials import Trial
from course_utils.ground.statuses import Status

# Where all is NaN, or one exception ends every call, nothing is left to tell a mistake by.
BEYOND_NAMES = ("not_finite", str(Status.ERROR))


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
