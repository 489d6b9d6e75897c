"""Reason codes and whose they are, and how long submissions took."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from course_utils.grading.insight.measures import Spread, spread
from course_utils.grading.insight.roll import Roll, Work
from course_utils.ground.statuses import Reason

SLOWEST = 5


@dataclass
class Noticed:
    """A reason code, with everybody who has it: student → what was noticed."""

    reason: Reason
    who: dict[str, list[str]] = field(default_factory=dict)


def noticed(roll: Roll) -> list[Noticed]:
    """The reason codes of a class, the gravest first."""
    found = {reason: Noticed(reason) for reason in Reason}
    for student, why in roll.faults.items():
        found[Reason.INTERNAL_ERROR].who.setdefault(student, []).append(why)
    for work in roll.works:
        for notice in work.result.notices:
            found[notice.code].who.setdefault(work.student, []).append(notice.message)
    return [one for one in found.values() if one.who]


@dataclass(frozen=True)
class Times:
    """Seconds that judged submissions took: of one kind, with those that took longest."""

    label: str
    spread: Spread
    longest: list[tuple[str, float]]


_KINDS: tuple[tuple[str, Callable[[Work], float]], ...] = (
    ("on the clock", lambda work: work.result.wall_seconds),
    ("of the students' own computing (CPU)", lambda work: work.result.student_cpu_seconds),
)


def times(roll: Roll) -> list[Times]:
    """How long the judged submissions took."""
    made = []
    for label, seconds in _KINDS:
        taken = [(work.student, seconds(work)) for work in roll.judged]
        found = spread([value for _, value in taken])
        if found is not None:
            longest = sorted(taken, key=lambda one: -one[1])[:SLOWEST]
            made.append(Times(label, found, longest))
    return made
