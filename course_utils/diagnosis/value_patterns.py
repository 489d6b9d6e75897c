"""Patterns in the values of a wrong result: factors, signs, axes, NaN, and where they are.

Each takes one failed comparison and gives an observation, or None where it does not apply.
"""

from __future__ import annotations

import numpy as np

from course_utils.diagnosis import factors
from course_utils.diagnosis.comparison import close
from course_utils.diagnosis.observation import CAUSE, PLACE, Array, Case, Observation, equal, of

_LARGE = 80.0  # exp of more than 88 overflows in single precision
# An amount without a name is no help.
_OFFSETS = {
    1.0: "1 too large", -1.0: "1 too small", 0.5: "1/2 too large", -0.5: "1/2 too small",
}  # fmt: skip


@of("nonfinite")
def not_finite(case: Case) -> Observation | None:
    if case.arrays is None:
        return None
    actual, expected = case.arrays
    wrong = ~np.isfinite(actual) & ~((actual == expected) | (np.isnan(actual) & np.isnan(expected)))
    if not np.any(wrong):
        return Observation(
            "finite_for_infinite",
            "The result is finite where it should be infinite or NaN: does a clip or a small "
            "constant inside a logarithm hide it?",
            PLACE,
        )
    what = "NaN" if np.any(np.isnan(actual[wrong])) else "infinity"
    inputs = _inputs(case)
    hint, seen = f"The result holds {what}. {inputs}", f"{_where(wrong, what)} {inputs}"
    return Observation("not_finite", hint, PLACE, seen=seen)


def _where(wrong: Array, what: str) -> str:
    at = np.argwhere(wrong)
    if wrong.ndim == 0:
        return f"The result is {what}."
    first = ", ".join(str(int(i)) for i in at[0])
    return f"The result holds {what} at {len(at)} of {wrong.size} entries, first at [{first}]."


def _inputs(case: Case) -> str:
    """What the inputs are like where that may be the reason; a question, since it need not be."""
    arguments = [a for call in case.outcome.calls for a in call.arguments]
    likely = []
    if any(argument.infinite for argument in arguments):
        likely.append("−inf − (−inf) or 0 · inf (an input is infinite)")
    elif any(argument.largest > _LARGE for argument in arguments):
        likely.append("an exp of a large number (the inputs are large)")
    if any(argument.zeros for argument in arguments):
        likely.append("a log of 0 or 0/0 (an input is 0)")
    likely += ["a division by zero", "a log of zero", "a root of a negative number"]
    *others, last = likely[:3]
    return f"Where does it come from: {', '.join(others)}, or {last}?"


def factor_of(case: Case) -> float | None:
    """The number c ≠ 1 with actual = c · expected, if there is one."""
    if case.arrays is None:
        return None
    return factors.constant(*case.arrays, case.rtol)


def factor_observation(factor: float, name: str) -> Observation:
    """What is said of a constant factor."""
    if name == factors.MINUS_ONE:
        hint = (
            "Each wrong value has the right size and the wrong sign: two terms have changed "
            "places, or a minus is missing."
        )
        return Observation("sign", hint, CAUSE, factor)
    value = f"{factor:.4g}, which is " if name.startswith(factors.OF_THE_INPUTS) else ""
    stop = "" if name.endswith("?") else "."
    hint = "Each wrong value is the right one times "
    return Observation(
        "constant_factor", f"{hint}{name}{stop}", CAUSE, factor, f"{hint}{value}{name}{stop}"
    )


@of("value")
def constant_offset(case: Case) -> Observation | None:
    if case.arrays is None:
        return None
    actual, expected = case.arrays
    if expected.size < 3 or expected.dtype.kind not in "f" or actual.shape != expected.shape:
        return None
    if actual.dtype.kind == "c" or not np.all(np.isfinite(actual) & np.isfinite(expected)):
        return None
    offset = float(np.mean(actual - expected))
    name = next((name for value, name in _OFFSETS.items() if np.isclose(offset, value)), None)
    if name is None or not equal(case, actual - offset, expected):
        return None
    return Observation(f"constant_offset_{name}", f"Each wrong value is {name}.", CAUSE)


@of("value")
def permuted(case: Case) -> Observation | None:
    """The slices along one axis are right but stand in another order."""
    if case.arrays is None:
        return None
    actual, expected = case.arrays
    if actual.shape != expected.shape or expected.dtype.kind not in "f" or expected.size > 10_000:
        return None
    if equal(case, actual, expected):
        return None  # off by so little that any order would do
    for axis in range(expected.ndim):
        a = np.moveaxis(actual, axis, 0).reshape(actual.shape[axis], -1)
        e = np.moveaxis(expected, axis, 0).reshape(expected.shape[axis], -1)
        if len(e) < 3 or not np.all(np.isfinite(e)) or not np.all(np.isfinite(a)):
            continue
        a, e = a[np.lexsort(a.T)], e[np.lexsort(e.T)]
        gaps = np.max(np.abs(np.diff(e, axis=0)), axis=1)
        if np.any(gaps <= case.rtol * np.max(np.abs(e))):
            continue  # slices that are equal to each other say nothing about their order
        if close(a, e, case.rtol):
            order = "in another order: an index or a sort is wrong."
            seen = f"The right values along axis {axis}, {order}"
            return Observation("permuted", f"The right values, {order}", CAUSE, seen=seen)
    return None


@of("value")
def wrong_axis(case: Case) -> Observation | None:
    """Sums along an axis are 1 (or 0) as they should be along another."""
    if case.arrays is None:
        return None
    actual, expected = case.arrays
    if actual.shape != expected.shape or expected.ndim < 1 or expected.dtype.kind != "f":
        return None
    for total in (1.0, 0.0):
        right = [i for i in range(expected.ndim) if _sums_to(case, expected, i, total)]
        seen = [i for i in range(actual.ndim) if _sums_to(case, actual, i, total)]
        if not right or set(right) & set(seen):
            continue
        if seen:
            hint = f"The sums along the asked-for axis should be {total:g}"
            other = "It works along another axis."
            shown = f"{hint}: they do along axis {seen[0]}. {other}"
            return Observation("wrong_axis", f"{hint}. {other}", CAUSE, seen=shown)
        if expected.ndim > 1 and total and np.isclose(actual.sum(), 1.0, rtol=case.rtol):
            return Observation(
                "axis_ignored", "All entries together sum to 1: the sum has lost its axis.", CAUSE
            )
        if total:
            return Observation(
                "not_normalised",
                "The sums along the asked-for axis should be 1; they are not.",
                PLACE,
            )
    return None


def _sums_to(case: Case, array: Array, axis: int, total: float) -> bool:
    if array.shape[axis] < 2 or not np.all(np.isfinite(array)) or not np.any(array):
        return False
    size = max(float(np.max(np.abs(array))), 1e-3)
    return bool(np.all(np.abs(array.sum(axis=axis) - total) <= 10 * case.rtol * max(total, size)))


@of("rate", "value")
def complement(case: Case) -> Observation | None:
    """A rate that is one minus the asked-for one: keep and drop have changed places."""
    if case.arrays is None:
        return None
    actual, expected = case.arrays
    if actual.shape != expected.shape or not np.all((expected >= 0) & (expected <= 1)):
        return None
    tolerance = 0.05 if case.kind == "rate" else case.rtol
    if np.allclose(expected, 0.5, atol=0.1) or not np.any(expected % 1):
        return None
    if not np.allclose(actual, 1 - expected, atol=tolerance):
        return None
    return Observation(
        "complement",
        "What came back is one minus what was asked for: two cases have changed "
        "places (keep and drop, p and 1 − p, the classes 0 and 1).",
        CAUSE,
    )


@of("value")
def some_entries(case: Case) -> Observation | None:
    """Where the wrong entries are, when the others are right."""
    if case.arrays is None:
        return None
    actual, expected = case.arrays
    if actual.shape != expected.shape or expected.ndim < 1 or expected.dtype.kind not in "iuf":
        return None
    size = np.abs(expected[np.isfinite(expected)])
    scale = float(np.max(size)) if size.size else 1.0
    with np.errstate(invalid="ignore"):
        wrong = np.abs(actual - expected) > case.rtol * (scale + np.abs(expected))
    count = int(np.sum(wrong))
    if not 0 < count <= expected.size // 2:
        return None
    first = ", ".join(str(int(i)) for i in np.argwhere(wrong)[0])
    return Observation(
        "some_entries",
        "Some entries are right and some are wrong.",
        PLACE,
        seen=f"{count} of {expected.size} entries are wrong, first [{first}]; the "
        "others are right. What sets these apart?",
    )
