"""Which mistakes are held, by how many, and what they were told."""

from __future__ import annotations

from dataclasses import dataclass, field

from course_utils.grading.insight.roll import Roll
from course_utils.ground.statuses import Status

# What is known by how a test ended is no mistake in the matter: it stands among claims and reasons.
_ENDINGS = frozenset(Status)


@dataclass
class Held:
    """A mistake of an exercise, and who holds it.

    Attributes:
        named: whether the catalogue has it; else it is what the numbers say.
        hint: what students were told.
        sure, unsure: whose failures it explains all, and in part.
        lost: points that these students have lost in the exercise.
    """

    exercise: str
    name: str
    named: bool
    hint: str = ""
    sure: list[str] = field(default_factory=list)
    unsure: list[str] = field(default_factory=list)
    lost: float = 0.0

    @property
    def count(self) -> int:
        return len(self.sure) + len(self.unsure)

    @property
    def title(self) -> str:
        return self.name.replace("_", " ")


def mistakes(roll: Roll) -> list[Held]:
    """Every mistake that was diagnosed: those that most hold first, then those that cost most.

    Who made two at once holds both.
    """
    found: dict[tuple[str, str, bool], Held] = {}
    alone: set[tuple[str, str, bool]] = set()
    for exercise in (one.name for one in roll.lab.exercises):
        for work, verdict in roll.verdicts(exercise):
            diagnosis = verdict.diagnosis
            if diagnosis is None or diagnosis.name in _ENDINGS:
                continue
            for name in diagnosis.names:
                key = (exercise, name, diagnosis.named)
                held = found.setdefault(key, Held(*key))
                (held.sure if diagnosis.sure else held.unsure).append(work.student)
                held.lost += verdict.max_score - verdict.score
                if key not in alone:  # a hint of its own rather than that of a pair
                    held.hint = diagnosis.hint
                if name == diagnosis.name:
                    alone.add(key)
    return sorted(found.values(), key=lambda held: (-held.count, -held.lost))
