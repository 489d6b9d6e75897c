"""What the gate proves of one exercise by itself, from its own tests, so that it can be remembered.

Points 1, 2, 4, 7, 8 and 9, but for what concerns the lab as a whole (:mod:`.whole`).
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from course_utils.gate.books import Books
from course_utils.gate.figures import Flakes, MatrixRow, MutationRow, NamingRow
from course_utils.gate.finding import Finding
from course_utils.gate.points import (
    apt_names,
    blindness,
    claims,
    equivalents,
    full_marks,
    mutation,
    named_mistakes,
    naming_runs,
    noticed_mutants,
    same_marks,
    seed_runs,
    strays,
)
from course_utils.gate.points.mutants import Mutant
from course_utils.gate.points.seed_runs import Slow
from course_utils.gate.points.trials import Trials, trials
from course_utils.gate.points.unknown_mistakes import Verdict
from course_utils.gate.pool import Pool
from course_utils.gate.workbench import Workbench
from course_utils.verdict.outcome import TestOutcome


@dataclass(frozen=True)
class Options:
    """How thoroughly a lab is proven; see :func:`course_utils.gate.verify.verify`."""

    seeds: int = 100
    mutants: bool = True
    pairs: bool = True


@dataclass(frozen=True)
class Proof:
    """What was seen of one exercise.

    Attributes:
        tests: (passed, all) of the solution's.
        variants: (with full marks, all).
        books: the traces of its mistakes.
    """

    exercise: str
    findings: list[Finding]
    tests: tuple[int, int]
    variants: tuple[int, int]
    matrix: list[MatrixRow]
    flakes: Flakes
    mutation: list[MutationRow]
    naming: list[NamingRow]
    books: Books


def prove(
    bench: Workbench,
    solution: Sequence[TestOutcome],
    exercises: Sequence[str],
    pool: Pool,
    options: Options,
) -> list[Proof]:
    """Prove some exercises of a lab.

    Args:
        solution: the outcomes of all tests on the solution.
    """
    jobs = [blindness.BlindnessJob(bench.lab.folder, exercise) for exercise in exercises]
    tried = trials(bench, pool, exercises, pairs=options.pairs)
    blind_tests = pool.map(blindness.blind_tests, jobs, "wrong answers")
    slow = _slow(solution, tried)
    again = seed_runs.under_seeds(bench, options.seeds, pool, exercises, slow)
    books = Books.joined(bench.lab, [one.books for one in tried])
    mutated = _mutated(bench, books, exercises, pool) if options.mutants else None
    proofs = []
    for of_entries, unseeing in zip(tried, blind_tests, strict=True):
        exercise = of_entries.exercise
        own = [outcome for outcome in solution if outcome.exercise == exercise]
        of_exercise = {run: failed for run, failed in again.items() if run[0][1] == exercise}
        flakes, flaky = same_marks.judge(of_exercise, options.seeds, slow)
        findings = [
            *full_marks.judge_variants(of_entries.variants),
            *named_mistakes.judge_misconceptions(of_entries.misconceptions),
            *strays.judge(of_entries.strays),
            *named_mistakes.judge_duplicates(of_entries.books.hidden),
            *claims.judge_aspects(of_entries.misconceptions),
            *claims.judge_costs(of_entries.misconceptions),
            *unseeing, *flaky,
        ]  # fmt: skip
        rows: list[MutationRow] = []
        named: list[NamingRow] = []
        if mutated is not None:
            row, unkilled = noticed_mutants.judge_mutants(
                bench.lab, exercise, mutated.made[exercise], mutated.tried[exercise]
            )
            rows, named = [row], apt_names.rows(mutated.said, exercise)
            findings += unkilled
            if not equivalents.is_exempt(bench.lab, exercise):
                by_mistakes = {key for trial in of_entries.misconceptions for key in trial.keys}
                noticed = by_mistakes | mutated.tried[exercise].noticed
                findings += blindness.judge_unmoved(exercise, own, noticed)
        right = sum(not trial.own for trial in of_entries.variants)
        proofs.append(
            Proof(
                exercise, findings, (sum(outcome.passed for outcome in own), len(own)),
                (right, len(of_entries.variants)),
                named_mistakes.matrix(of_entries.misconceptions), flakes, rows, named,
                of_entries.books,
            )
        )  # fmt: skip
    return proofs


def _slow(solution: Sequence[TestOutcome], tried: Sequence[Trials]) -> Slow:
    """What takes so long in each run that it cannot be tried under every seed."""
    hanging = frozenset(
        (kind, trial.exercise, trial.name)
        for one in tried
        for kind, found in (("variant", one.variants), ("misconception", one.misconceptions))
        for trial in found if trial.hangs
    )  # fmt: skip
    return Slow(frozenset(outcome.exercise for outcome in solution if outcome.trains), hanging)


@dataclass(frozen=True)
class _Mutated:
    made: dict[str, list[Mutant]]
    tried: dict[str, mutation.Tried]
    said: dict[str, list[Verdict]]


def _mutated(bench: Workbench, books: Books, exercises: Sequence[str], pool: Pool) -> _Mutated:
    made = mutation.by_exercise(bench, exercises)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "books"
        books.save(path)
        tried = mutation.try_all(bench, path, made, pool)
        single = [verdict for one in tried.values() for verdict in one.verdicts]
        return _Mutated(made, tried, naming_runs.prove(bench, path, made, single, pool))

