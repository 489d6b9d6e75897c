"""What is said of tests that did not come as far as a comparison."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from course_utils.ground.statuses import Status
from course_utils.verdict.outcome import Diagnosis, TestOutcome


def by_status(failed: Sequence[TestOutcome], statuses: Collection[Status]) -> Diagnosis | None:
    """The diagnosis of tests that did not come as far as a comparison, by the gravest of some
    statuses that one of them has; what was seen in a public one is quoted."""
    ended = {outcome.status for outcome in failed if outcome.status in statuses}
    if not ended:
        return None
    gravest = Status.gravest(ended)
    seen = (one.quoted(one.message) for one in failed if one.status is gravest)
    details = tuple(filter(None, seen))[:1]
    return Diagnosis(str(gravest), gravest.advice, details, named=False)


def mostly(failed: Sequence[TestOutcome], statuses: Collection[Status]) -> bool:
    """Whether at least half of the claims that were judged and do not hold ended so.

    One call that did not return in time says little where eight others returned wrong values.
    """
    refuted = [outcome for outcome in failed if outcome.refuted]
    ended = sum(outcome.status in statuses for outcome in refuted)
    return ended > 0 and 2 * ended >= len(refuted)
