"""Exercise by exercise, and claim by claim: what was hard, what tells students apart, what is
asked by hidden tests only."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from course_utils.grading.insight.measures import correlation, mean
from course_utils.grading.insight.roll import Roll, Work
from course_utils.verdict import panel
from course_utils.verdict.exercise import ExerciseResult
from course_utils.verdict.outcome import TestOutcome

# Where hidden claims fail so much more often than public ones, `check` has promised too much.
_FAR_MORE = 0.15
_SOME = 3


@dataclass(frozen=True)
class ClaimCount:
    """A claim, and how it went for those who wrote its exercise.

    Attributes:
        failed: for how many it does not hold.
        unjudged: for how many it cannot be said, since something else is wrong.
    """

    claim: str
    hidden: bool
    asked: int
    failed: int
    unjudged: int

    @property
    def failing(self) -> float:
        """The share for whom it does not hold, of those for whom it was judged."""
        judged = self.asked - self.unjudged
        return self.failed / judged if judged else 0.0


@dataclass(frozen=True)
class Item:
    """An exercise, or an answer that a person reads, over the class.

    Attributes:
        shares: of the points, of everybody who has a mark.
        unread: how many answers a person has still to read.
        discrimination: the correlation of the shares with the points of the rest of the lab.
        not_written: by how many there is nothing to judge.
        claims: in the tests' order; none of a written answer.
        green: students for whom all public claims hold and a hidden one does not.
    """

    name: str
    max_score: float
    shares: tuple[float, ...]
    unread: int = 0
    discrimination: float | None = None
    not_written: int = 0
    claims: tuple[ClaimCount, ...] = ()
    green: tuple[str, ...] = ()

    @property
    def earned(self) -> float | None:
        """The share of its points that the class earned: the lower, the harder."""
        return mean(self.shares)

    @property
    def full(self) -> int:
        """How many have all its points."""
        return sum(share >= 1 - 1e-9 for share in self.shares)

    def failing(self, *, hidden: bool) -> float | None:
        """The mean share of its public, or its hidden, claims that do not hold."""
        return mean([claim.failing for claim in self.claims if claim.hidden is hidden])

    @property
    def surprises(self) -> bool:
        """Whether hidden claims fail far more often than public ones."""
        public, hidden = self.failing(hidden=False), self.failing(hidden=True)
        if public is None or hidden is None or len(self.green) < _SOME:
            return False
        return hidden - public >= _FAR_MORE

    @property
    def failed(self) -> list[ClaimCount]:
        """The claims that do not hold for somebody, those of most first."""
        found = [claim for claim in self.claims if claim.failed]
        return sorted(found, key=lambda claim: -claim.failed)


def items(roll: Roll) -> list[Item]:
    """All exercises of a lab, then its written answers."""
    judged = roll.judged
    return [_item(roll, judged, name, worth) for name, worth in roll.worth.items()]


def _item(roll: Roll, judged: Sequence[Work], name: str, worth: float) -> Item:
    known = [work for work in judged if work.shares.get(name) is not None]
    shares = [work.shares[name] or 0.0 for work in known]
    rests = [_rest(roll, work, name) for work in known]
    verdicts = list(roll.verdicts(name))
    there = [(work, one) for work, one in verdicts if not panel.is_open(one.tests)]
    return Item(
        name, worth, tuple(shares),
        unread=sum(name in work.shares and work.shares[name] is None for work in judged),
        discrimination=correlation(shares, rests),
        not_written=len(verdicts) - len(there),
        claims=tuple(_claims([one for _, one in there])),
        green=tuple(work.student for work, one in there if _is_green(one.tests)),
    )  # fmt: skip


def _rest(roll: Roll, work: Work, name: str) -> float:
    """The points of everything else."""
    shares = work.shares
    return sum(
        worth * (shares.get(other) or 0.0) for other, worth in roll.worth.items() if other != name
    )


def _is_green(tests: Iterable[TestOutcome]) -> bool:
    some = list(tests)
    refuted = any(test.refuted for test in some if test.hidden)
    return refuted and all(test.passed for test in some if not test.hidden)


def _claims(verdicts: Sequence[ExerciseResult]) -> Iterable[ClaimCount]:
    by_test: dict[tuple[bool, str], list[TestOutcome]] = {}
    for verdict in verdicts:
        for test in verdict.tests:
            by_test.setdefault((test.hidden, test.test), []).append(test)
    said = [outcomes[0].claim for outcomes in by_test.values()]
    for (hidden, name), outcomes in by_test.items():
        claim = outcomes[0].claim
        if said.count(claim) > 1:  # a parametrised test, or the same asked again
            claim += f" ({name.partition('[')[2].removesuffix(']') or name})"
        yield ClaimCount(
            claim, hidden, len(outcomes),
            failed=sum(one.refuted for one in outcomes),
            unjudged=sum(not one.refuted and not one.passed for one in outcomes),
        )  # fmt: skip
