"""Point 9, the figures: unknown mistakes are named rightly or not at all."""

from __future__ import annotations

from collections.abc import Sequence

from course_utils.gate.figures import NamingRow
from course_utils.gate.finding import Finding
from course_utils.gate.points.unknown_mistakes import Said, Verdict

GOAL = 0.02
# Groups of mistakes; what is judged are these.
SINGLE, PAIRS_OF_MUTANTS = "mutants", "pairs of mutants"


def rows(groups: dict[str, list[Verdict]], exercise: str) -> list[NamingRow]:
    """What was said of one exercise's mistakes, counted."""
    return [
        _row(group, [v for v in verdicts if v.exercise == exercise])
        for group, verdicts in groups.items()
    ]


def _row(group: str, verdicts: Sequence[Verdict]) -> NamingRow:
    counts = {said: sum(v.said is said for v in verdicts) for said in Said}
    misleading = [f"{v.exercise}: {v.sentence}" for v in verdicts if v.said is Said.MISLEADING]
    return NamingRow(
        group, counts[Said.NAMED], counts[Said.APT], counts[Said.SILENT], counts[Said.MISLEADING],
        tuple(misleading),
    )  # fmt: skip


def summed(every: Sequence[NamingRow]) -> list[NamingRow]:
    """The rows of several exercises as those of the lab."""
    found: dict[str, NamingRow] = {}
    for row in every:
        known = found.get(row.group, NamingRow(row.group, 0, 0, 0, 0))
        found[row.group] = NamingRow(
            row.group, known.named + row.named, known.apt + row.apt, known.silent + row.silent,
            known.misleading + row.misleading, known.sentences + row.sentences,
        )  # fmt: skip
    return list(found.values())


def judge_rows(of_lab: Sequence[NamingRow]) -> list[Finding]:
    """Whether too many changes of a lab's solutions get a misleading name."""
    judged = [row for row in of_lab if row.group in (SINGLE, PAIRS_OF_MUTANTS)]
    misleading, total = sum(row.misleading for row in judged), sum(row.total for row in judged)
    if misleading <= GOAL * total:
        return []
    return [
        Finding(
            9,
            f"{misleading} of {total} mutants and pairs of them get a misleading name (at most "
            f"{100 * GOAL:.0f} %; listed above): write the change as another way (also=…) of the "
            "mistake that it is called, as a mistake of its own, or add a public test that tells "
            "the two apart",
        )
    ]
