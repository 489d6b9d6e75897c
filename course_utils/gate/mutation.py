"""Point 7, the judging: each mutant must be noticed by a test of its exercise.

A mutant that computes the same as the solution cannot be killed. It is marked in the lab's
``hidden/equivalent_mutants.txt``, one a line, as the report prints it, with the reason::

    softmax: e = np.exp(shifted) -> e = np.exp(1 * shifted)  # 1 · x is x

An exercise that asks for an answer rather than a computation is left out as a whole::

    break_it: *  # any logits on which the naive form gives NaN are right
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from course_utils.calls.limited import time_limit
from course_utils.diagnosis.traces import key_of
from course_utils.gate.figures import MutationRow
from course_utils.gate.finding import Finding
from course_utils.gate.lab_files import EQUIVALENT
from course_utils.gate.mutants import Mutant, mutants, spliced
from course_utils.gate.naming import Verdict, books_at, judge
from course_utils.gate.pool import Pool
from course_utils.gate.workbench import Workbench, workbench_of
from course_utils.ground.lab import Lab
from course_utils.ground.statuses import Status
from course_utils.verdict.outcome import TestOutcome

GOAL = 0.95

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


def judge_mutants(
    lab: Lab, exercise: str, made: Sequence[Mutant], tried: Tried
) -> tuple[MutationRow, list[Finding]]:
    """Who notices an exercise's mutants, and which must be noticed or marked as equivalent."""
    marked, findings = _equivalent(lab, exercise)
    row = _row(exercise, made, tried.survivors, marked)
    findings += _judge(row)
    known = {f"{exercise}: {mutant.change}" for mutant in tried.survivors}
    known |= {f"{exercise}: *"} if tried.survivors else set()
    findings += [
        Finding(
            7,
            f"{EQUIVALENT}, line {number}, marks “{line}” as equivalent, but a test kills it or "
            "there is no such mutant any more: take the line out",
        )
        for line, number in marked.items() if line not in known
    ]  # fmt: skip
    return row, findings


def is_exempt(lab: Lab, exercise: str) -> bool:
    """Whether an exercise asks for answers, and is left out as a whole."""
    return f"{exercise}: *" in _equivalent(lab, exercise)[0]


def _row(
    exercise: str, made: Sequence[Mutant], alive: Sequence[Mutant], marked: Collection[str]
) -> MutationRow:
    exempt = f"{exercise}: *" in marked
    left = [m for m in alive if not exempt and f"{exercise}: {m.change}" not in marked]
    return MutationRow(
        exercise,
        killed=len(made) - len(alive),
        equivalent=len(alive) - len(left),
        total=len(made),
        survivors=tuple(f"{exercise}: {mutant.change}" for mutant in left),
    )


def _judge(row: MutationRow) -> Iterator[Finding]:
    if row.survivors:
        below = f"only {100 * row.rate:.0f} % killed; " if row.rate < GOAL else ""
        yield Finding(
            7,
            f"{len(row.survivors)} mutants of {row.exercise} survive ({below}listed above): "
            f"add a test that fails for each, or mark it in {EQUIVALENT} with a reason",
        )


def _equivalent(lab: Lab, exercise: str) -> tuple[dict[str, int], list[Finding]]:
    """The marked mutants of an exercise, with their lines' numbers."""
    path = lab.folder / EQUIVALENT
    marked: dict[str, int] = {}
    findings = []
    lines = path.read_text("utf-8").splitlines() if path.exists() else []
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.startswith("#") or line.partition(":")[0] != exercise:
            continue
        change, mark, reason = line.partition("  # ")
        if not mark or not reason.strip():
            findings.append(
                Finding(
                    7,
                    f"{EQUIVALENT}, line {number}: “{line}” needs a reason: end it with two "
                    "spaces, #, and why",
                )
            )
        marked[change.strip()] = number
    return marked, findings


def judge_marks(lab: Lab) -> Iterator[Finding]:
    """Lines of the file of equivalent mutants that are about no exercise of the lab."""
    path, known = lab.folder / EQUIVALENT, {exercise.name for exercise in lab.exercises}
    lines = path.read_text("utf-8").splitlines() if path.exists() else []
    for number, line in enumerate(lines, 1):
        if line.strip() and not line.startswith("#") and line.partition(":")[0] not in known:
            yield Finding(
                7,
                f"{EQUIVALENT}, line {number}, names no exercise of this lab: begin it with the "
                "exercise and a colon, as the report prints a survivor",
            )
