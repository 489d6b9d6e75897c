"""Point 7, the judging: each mutant is noticed by a test, or marked as equivalent."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from course_utils.gate.figures import MutationRow
from course_utils.gate.finding import Finding
from course_utils.gate.lab_files import EQUIVALENT
from course_utils.gate.points.equivalents import marked_equivalent
from course_utils.gate.points.mutants import Mutant
from course_utils.gate.points.mutation import Tried
from course_utils.ground.lab import Lab

GOAL = 0.95


def judge_mutants(
    lab: Lab, exercise: str, made: Sequence[Mutant], tried: Tried
) -> tuple[MutationRow, list[Finding]]:
    """Who notices an exercise's mutants, and which must be noticed or marked as equivalent."""
    marked, findings = marked_equivalent(lab, exercise)
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
