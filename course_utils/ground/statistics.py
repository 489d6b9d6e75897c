"""Comparisons of what is random: a count, a mean, held against what chance alone would give.

The quantiles are those of ``scipy.stats``, taken from ``scipy.special``: the former takes half a
second to import and 60 MiB, at a student's first check and wherever a class is graded.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

import numpy as np

from course_utils.ground.arrays import array_of
from course_utils.ground.describing import describe
from course_utils.ground.mismatch import Mismatch

_MOST_DIGITS = 9


def assert_rate(successes: int, trials: int, rate: float, *, false_alarm: float = 1e-7) -> None:
    """Assert that a count is one that Bernoulli(rate) trials could have given.

    Args:
        false_alarm: the probability with which a right implementation is rejected (exact binomial
            tails, two-sided).
    """
    low = max(_least_count(false_alarm / 2, trials, rate) - 1, 0)
    high = trials - max(_least_count(false_alarm / 2, trials, 1 - rate) - 1, 0)
    if not low <= successes <= high:
        seen, chance = _chance(successes / trials, rate, low / trials, high / trials)
        raise Mismatch(
            f"{seen} of {trials:,} draws; {chance}",
            kind="rate", actual=np.asarray(successes / trials), expected=np.asarray(rate),
        )


def assert_mean(
    samples: Any, mean: float, std: float, *, name: str = "the mean", false_alarm: float = 1e-7
) -> None:
    """Assert that the mean of independent samples is compatible with a known mean and deviation.

    Args:
        samples: array of independent draws.
        mean, std: of one draw, in theory.
        false_alarm: the probability with which a right implementation is rejected (normal
            approximation; use hundreds of samples).
    """
    from scipy.special import ndtri

    values = array_of(samples)[0].ravel()
    if values.dtype.kind not in "biuf":
        raise Mismatch(
            f"{name}: {describe(samples)} instead of numbers", kind="type", actual=samples
        )
    bound = -float(ndtri(false_alarm / 2)) * std / np.sqrt(values.size)
    seen = float(np.mean(values))
    if not abs(seen - mean) <= bound:
        shown, chance = _chance(seen, mean, mean - bound, mean + bound)
        raise Mismatch(
            f"{name} over {values.size:,} draws: {shown}; {chance}",
            kind="rate", actual=np.asarray(seen), expected=np.asarray(mean),
        )


def _least_count(level: float, trials: int, rate: float) -> int:
    """The least count that Bernoulli(rate) trials stay at or below with probability ``level``."""
    from scipy.special import bdtr, bdtrik

    if rate in (0.0, 1.0):
        return int(trials * rate)
    count: int = math.ceil(bdtrik(level, trials, rate))  # it may be off by rounding, upwards
    return count - 1 if count and bdtr(count - 1, trials, rate) >= level else count


def _chance(seen: float, right: float, low: float, high: float) -> tuple[str, str]:
    """What came out over many draws, and what chance alone would have given.

    With two decimals, or as many as set the four numbers apart.
    """
    edge, ordered = low if seen < low else high, (low, right, high)
    size = max(abs(low), abs(high))
    most = _MOST_DIGITS - min(int(np.log10(size)), 0) if size else _MOST_DIGITS
    decimals = 2
    while decimals < most and (
        any(a != b and round(a, decimals) == round(b, decimals) for a, b in pairwise(ordered))
        or abs(round(seen, decimals) - round(edge, decimals) - (seen - edge)) > abs(seen - edge) / 2
    ):
        decimals += 1
    shown = [f"{value:.{decimals}f}" for value in (seen, right, low, high)]
    return shown[0], (
        f"it should be near {shown[1]}, and chance alone gives {shown[2]} to {shown[3]}"
    )
