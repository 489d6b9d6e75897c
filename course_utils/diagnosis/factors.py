"""Constant factors: whether an array is a multiple of another, and what the number is called."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import isclose, isfinite
from typing import Any

import numpy as np
import numpy.typing as npt

from course_utils.calls.evidence import Argument, CallInfo
from course_utils.verdict.outcome import TestOutcome

Array = npt.NDArray[Any]

MINUS_ONE = "−1"
# How a name begins whose value depends on the inputs of the test.
OF_THE_INPUTS = ("the ", "1 / ", "2 / ", "2 × ", "minus ")

_CONSTANTS = {
    -1.0: MINUS_ONE,
    2.0: "2",
    0.5: "1/2",
    -2.0: "−2: the sign is flipped, and there is a 2 too many",
    -0.5: "−1/2: the sign is flipped, and there is a 2 too few",
    float(np.log(2)): "ln 2: is the logarithm to the right base?",
    float(1 / np.log(2)): "1/ln 2: is the logarithm to the right base?",
}
_NEGATIVE = "minus {}: the sign is flipped as well"


def constant(actual: Array, expected: Array, rtol: float) -> float | None:
    """The number c ≠ 1 with actual = c · expected within a tolerance, if there is one.

    Entries that are not finite must agree; an expected array of zeros gives None. Any number is
    a multiple of another, so what is said of a single entry must rest on the factor's name.
    """
    if actual.shape != expected.shape or actual.dtype.kind not in "iuf":
        return None
    if expected.dtype.kind not in "iuf":
        return None
    a, e = actual.astype(np.float64).ravel(), expected.astype(np.float64).ravel()
    finite = np.isfinite(e)
    if not np.array_equal(a[~finite], e[~finite], equal_nan=True):
        return None
    a, e = a[finite], e[finite]
    if not np.all(np.isfinite(a)) or not np.any(e):
        return None
    with np.errstate(all="ignore"):
        scale = np.max(np.abs(e))
        c = float(np.dot(a / scale, e / scale) / np.dot(e / scale, e / scale))
    if not isfinite(c) or abs(c) < 1e-12 or isclose(c, 1.0, rel_tol=rtol):
        return None
    close = np.all(np.abs(a - c * e) <= 2 * rtol * abs(c) * (np.abs(e) + scale))
    return c if close else None


def name_common(found: Sequence[tuple[float, TestOutcome]]) -> str | None:
    """What the factors of several tests are called, if one name fits all of them.

    A name says "the number of rows", never how many: it may be shown for hidden tests.

    Args:
        found: each test's factor, with its outcome (for the shapes and numbers of its calls).
    """
    names: list[str] | None = None
    for factor, outcome in found:
        here = list(_names(factor, outcome.calls))
        names = here if names is None else [name for name in names if name in here]
    return names[0] if names else None


def _names(factor: float, calls: Sequence[CallInfo]) -> Iterator[str]:
    for value, name in _CONSTANTS.items():
        if isclose(factor, value, rel_tol=1e-5):
            yield name
    for value, name in _quantities(calls):
        if isclose(factor, value, rel_tol=1e-5):
            yield name
        elif isclose(factor, -value, rel_tol=1e-5):
            yield _NEGATIVE.format(name)


def _quantities(calls: Sequence[CallInfo]) -> Iterator[tuple[float, str]]:
    """Numbers that a call's arguments suggest, with their names; the likeliest first."""
    for call in calls:
        for argument in call.arguments:
            yield from _of_argument(argument)


def _of_argument(argument: Argument) -> Iterator[tuple[float, str]]:
    if argument.shape:
        rows, columns, size = argument.shape[0], argument.shape[-1], float(np.prod(argument.shape))
        sizes: list[tuple[float, str]] = [(rows, "the number of rows (batch size)")]
        if len(argument.shape) > 1:
            sizes += [
                (columns, "the number of columns (classes or features)"),
                (size, "the number of entries"),
            ]
        for count, name in sizes:
            if count > 2:
                yield float(count), name
                yield 1 / count, f"1 / {name}"
                yield float(count) ** 2, f"the square of {name}"
                yield 1 / count**2, f"1 / the square of {name}"
                yield 2.0 * count, f"2 × {name}"
                yield 2.0 / count, f"2 / {name}"
                yield 0.5 / count, f"1 / (2 × {name})"
            if count > 1:
                yield count / (count - 1), f"n/(n−1), where n is {name}"
                yield (count - 1) / count, f"(n−1)/n, where n is {name}"
    elif argument.number is not None and argument.number not in (0.0, 1.0, -1.0):
        p, name = argument.number, argument.name or "one of the arguments"
        yield p, name
        yield 1 / p, f"1/{name}"
        yield p * p, f"{name}²"
        yield 1 / (p * p), f"1/{name}²"
        yield 1 - p, f"1 − {name}"
        yield 1 / (1 - p), f"1/(1 − {name})"
        yield p / (1 - p), f"{name}/(1 − {name})"
        yield (1 - p) / p, f"(1 − {name})/{name}"
