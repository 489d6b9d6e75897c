"""A few numbers about many, and None where there are too few for one."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

BINS = 10
# The standard error of a correlation is about 1/√n: below this many it is noise.
ENOUGH = 10


@dataclass(frozen=True)
class Spread:
    """Where values lie: five of them, their mean and how far they are from it.

    Attributes:
        deviation: the standard deviation, of these values and no others (divided by their count).
        low, quarter, median, three_quarters, high: so much of the values is not above.
    """

    count: int
    mean: float
    deviation: float
    low: float
    quarter: float
    median: float
    three_quarters: float
    high: float


def spread(values: Sequence[float]) -> Spread | None:
    """The spread of some values; None where there is none."""
    if not values:
        return None
    ordered = sorted(values)
    quarters = [_quantile(ordered, share) for share in (0.0, 0.25, 0.5, 0.75, 1.0)]
    return Spread(len(ordered), statistics.fmean(ordered), statistics.pstdev(ordered), *quarters)


def _quantile(ordered: Sequence[float], share: float) -> float:
    """Between two values, in proportion, as NumPy has it by default."""
    place = share * (len(ordered) - 1)
    below, above = ordered[math.floor(place)], ordered[math.ceil(place)]
    return below + (above - below) * (place - math.floor(place))


def mean(values: Sequence[float]) -> float | None:
    return statistics.fmean(values) if values else None


def correlation(first: Sequence[float], second: Sequence[float]) -> float | None:
    """Pearson's correlation; None where there are too few pairs, or one of the two is constant."""
    if len(first) < ENOUGH or _constant(first) or _constant(second):
        return None
    return max(-1.0, min(1.0, statistics.correlation(first, second)))


def reliability(points: Sequence[Sequence[float]]) -> float | None:
    """Cronbach's alpha: how far the parts of a lab measure the same, from 1 downwards.

    Args:
        points: of every student, a row: of every part, in the same order.

    Returns:
        None for fewer than ``ENOUGH`` students or two parts, and where all have the same total.
    """
    count = len(points[0]) if points else 0
    if len(points) < ENOUGH or count < 2:
        return None
    whole: float = statistics.variance([sum(row) for row in points])
    if whole < 1e-18:
        return None
    parts: float = sum(statistics.variance(column) for column in zip(*points, strict=True))
    return count / (count - 1) * (1 - parts / whole)


def _constant(values: Sequence[float]) -> bool:
    return max(values) - min(values) < 1e-9


def histogram(shares: Sequence[float]) -> list[int]:
    """How many shares lie in each tenth of 0 to 1; a full one lies in the last."""
    counts = [0] * BINS
    for share in shares:
        # 0.3 is in the fourth tenth, whatever 3/10 is in binary.
        counts[min(BINS - 1, max(0, math.floor(share * BINS + 1e-9)))] += 1
    return counts
