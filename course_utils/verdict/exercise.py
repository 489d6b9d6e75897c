"""The verdict on one exercise: its tests, and the score they are worth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from course_utils.calls.policy import Cost, ForbiddenCall
from course_utils.ground.statuses import Aspect, Status
from course_utils.verdict.outcome import Diagnosis, TestOutcome


def share(tests: Sequence[TestOutcome], *, by_values: bool = False) -> float:
    """The share of an exercise's points that its tests' outcomes are worth, from 0 to 1.

    Half of the points are for the main idea: they are earned when all claims about it hold. The
    other half is shared by all claims by weight. So a mistake in the main idea costs at least
    half, one in a detail or at the edge a little. An exercise of several parts is worth the mean
    of its parts, each weighing as much as its tests.

    A part in which no claim holds but such as hold for an answer that knows nothing is worth
    nothing. So is a part in which a forbidden call was made, unless the exercise's policy lets that
    call cost the one test, or nothing (:class:`~course_utils.calls.policy.Cost`).

    Args:
        tests: the outcomes.
        by_values: what they would be worth if forbidden calls cost nothing.
    """
    parts: dict[str, list[TestOutcome]] = {}
    for test in tests:
        parts.setdefault(test.part, []).append(test)
    total = sum(test.weight for test in tests)
    withheld = set() if by_values else _withheld(tests)
    if not total or "" in withheld:
        return 0.0
    passed = {
        id(test) for test in tests
        if (test.passed_by_values if by_values else test.passed) and not test.hollow
    }  # fmt: skip
    earned = 0.0
    for part, some in parts.items():
        if part in withheld:
            continue
        idea = [test for test in some if test.about is Aspect.IDEA] or some
        weight = sum(test.weight for test in some)
        held = sum(test.weight for test in some if id(test) in passed)
        earned += (weight * all(id(test) in passed for test in idea) + held) / 2
    return earned / total


def _withheld(tests: Sequence[TestOutcome]) -> set[str]:
    """The parts of which a forbidden call costs all points; the part "" is the whole exercise."""
    calls = ((test.part, test.forbidden) for test in tests)
    return {part for part, call in calls if call is not None and call.cost is Cost.EXERCISE}


@dataclass(frozen=True)
class ExerciseResult:
    """The verdict on one exercise: its tests, and the score they are worth.

    ``derivation`` says where in the lab's derivation to look when something is wrong.
    """

    name: str
    max_score: float
    tests: tuple[TestOutcome, ...] = ()
    diagnosis: Diagnosis | None = None
    derivation: str = ""

    @property
    def status(self) -> Status:
        """That of the test that says most about it."""
        return Status.gravest(test.status for test in self.tests)

    @cached_property
    def score(self) -> float:
        """Points × :func:`share`, rounded to a hundredth of a point."""
        return round(self.max_score * share(self.tests), 2)

    @property
    def score_by_values(self) -> float:
        """What the score would be if a forbidden call cost nothing."""
        return round(self.max_score * share(self.tests, by_values=True), 2)

    @property
    def forbidden(self) -> ForbiddenCall | None:
        """The forbidden call that was made, if there was one: the first that may be told."""
        calls = [test.forbidden for test in self.tests if test.forbidden is not None]
        return next((call for call in calls if call.call), calls[0] if calls else None)

    def count(self, *, hidden: bool) -> dict[str, int]:
        """``{"passed": …, "total": …}`` over the public or over the hidden tests."""
        tests = [test for test in self.tests if test.hidden is hidden]
        return {"passed": sum(test.passed for test in tests), "total": len(tests)}

    def to_dict(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "status": str(self.status),
            "score": self.score,
            "max_score": self.max_score,
            "score_by_values": self.score_by_values,
            "forbidden": self.forbidden.to_dict() if self.forbidden else None,
            "public": self.count(hidden=False),
            "hidden": self.count(hidden=True),
            "diagnosis": self.diagnosis.to_dict() if self.diagnosis else None,
            "tests": [test.to_dict() for test in self.tests],
        }
