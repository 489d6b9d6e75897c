"""Comparisons that explain themselves, with a tolerance that follows dtype and device.

A failed comparison raises :class:`Mismatch`, which carries the two arrays for the numeric look and
a sentence for the student. A passed one is remembered as well, so that a report can show the
relative error beside the tolerance it was held against.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from course_utils.ground.arrays import Array, array_of, is_numeric, is_plain_number, is_tensor
from course_utils.ground.describing import describe, figures
from course_utils.ground.mismatch import Mismatch, looks_at_dtypes, recording, remember

# Relative tolerances. A right implementation that orders its operations differently from torch is
# off by a few units in the last place times the length of a reduction; a wrong formula, with the
# exaggerated settings the tests use, is off by far more than any of these.
_RTOL = {"float64": 1e-8, "float32": 2e-5, "float16": 5e-3, "bfloat16": 3e-2}
# GPUs sum in another order and may fuse multiply-adds; half a digit or so is theirs.
_DEVICE_FACTOR = {"cpu": 1.0, "cuda": 5.0, "mps": 5.0}
_OF_NUMBERS = ("value", "nonfinite")
_MOST_BESIDE = 16


def tolerance(dtype: str, device: str = "cpu") -> float:
    """The relative tolerance for values of a dtype computed on a device ("cpu", "cuda", …)."""
    return _RTOL.get(dtype, 1e-8) * _DEVICE_FACTOR.get(device, 5.0)


def assert_close(
    actual: Any,
    expected: Any,
    *,
    name: str = "the result",
    rtol: float | None = None,
    atol: float | None = None,
    check_dtype: bool | None = None,
    oracle: str = "torch",
) -> None:
    """Assert that what a student returned equals what torch computed.

    Floating-point values are close where :func:`relative_error` is at most ``rtol``, and that is
    the figure that messages and reports show; whole numbers and truth values are compared exactly.

    Args:
        actual: the student's value: array, tensor, number, or a list, tuple or dict of them.
        expected: the reference's value, of the same structure.
        name: how the value is called in messages ("the gradient"); what lies in a list or a dict
            is called after it ("the gradients, number 2").
        rtol: relative tolerance; by default it follows the dtype and the device.
        atol: differences up to this much are close whatever ``rtol`` says: for results that are
            zero, or small only because large terms cancel.
        check_dtype: whether an array must have the expected dtype; by default where the test's
            claim is about form.
        oracle: who computed what was expected, as messages call it.

    Raises:
        Mismatch: with a sentence that says how the two differ.
    """
    if atol is not None and rtol == 0:
        raise ValueError("atol needs an rtol above 0: errors are shown relative to a scale")
    rules = _Rules(rtol, atol, looks_at_dtypes() if check_dtype is None else check_dtype, oracle)
    # Wrong values overflow here as they like, whatever a notebook has asked of np.seterr.
    with np.errstate(all="ignore"):
        _assert_close(actual, expected, name, rules)


@dataclass(frozen=True)
class _Rules:
    """What one :func:`assert_close` was asked for."""

    rtol: float | None
    atol: float | None
    dtypes: bool
    oracle: str


def _assert_close(actual: Any, expected: Any, name: str, rules: _Rules) -> None:
    if isinstance(expected, (list, tuple)):
        if not isinstance(actual, (list, tuple)) or len(actual) != len(expected):
            raise Mismatch(
                f"{name}: {describe(actual)} instead of {describe(expected)}",
                kind="structure",
                actual=actual,
                expected=expected,
            )
        names = [f"{name}, number {number}" for number in range(1, len(expected) + 1)]
        _assert_all_close(actual, expected, names, rules)
    elif isinstance(expected, dict):
        if not isinstance(actual, dict) or set(actual) != set(expected):
            raise Mismatch(
                f"{name}: {describe(actual)} instead of {describe(expected)}",
                kind="structure",
                actual=actual,
                expected=expected,
            )
        names = [_inside(name, key) for key in expected]
        _assert_all_close([actual[key] for key in expected], list(expected.values()), names, rules)
    else:
        _assert_leaf_close(actual, expected, name, rules)


def _assert_all_close(
    actual: Sequence[Any], expected: Sequence[Any], names: Sequence[str], rules: _Rules
) -> None:
    """All that lies in a list or a dict: the first that differs is what is said, and what differs
    beside it goes with it, so that nobody takes the first for all."""
    wrong: list[Mismatch] = []
    items = iter(zip(actual, expected, names, strict=True))
    for a, e, name in items:
        try:
            _assert_close(a, e, name, rules)
        except Mismatch as mismatch:
            wrong.append(mismatch)
            break
    if not wrong:
        return
    first = wrong[0]
    if first.kind in _OF_NUMBERS and all(map(is_plain_number, [*actual, *expected])):
        first.actual, first.expected = _in_a_row(actual), _in_a_row(expected)
        raise first
    with recording(dtypes=rules.dtypes):  # what held before the first is what a report shows
        for a, e, name in items:
            try:
                _assert_close(a, e, name, rules)
            except Mismatch as mismatch:
                wrong.append(mismatch)
    beside = [*first.beside, *(each for one in wrong[1:] for each in (one, *one.beside))]
    first.beside = tuple(beside[:_MOST_BESIDE])
    raise first


def _in_a_row(numbers: Sequence[Any]) -> Array | None:
    """Numbers as an array; None where one is a whole number too large for it."""
    try:
        return np.asarray(numbers)
    except OverflowError:
        return None


def _inside(name: str, key: Any) -> str:
    """What a dict's entry is called: "momentum", "the state: momentum"."""
    return str(key) if name == "the result" else f"{name}, {key}"


def _assert_leaf_close(actual: Any, expected: Any, name: str, rules: _Rules) -> None:
    if isinstance(expected, str) or expected is None:
        if type(actual) is not type(expected) or actual != expected:
            raise Mismatch(
                f"{name}: {describe(actual)} instead of {describe(expected)}",
                kind="value", actual=actual, expected=expected,
            )
        return
    want, want_dtype, device = array_of(expected)
    is_number = isinstance(expected, (bool, int, float, np.generic)) or want.ndim == 0
    wrong_type = (
        not is_numeric(actual)
        or (is_plain_number(actual) and not is_number)
        or (is_tensor(expected) and not is_tensor(actual) and not is_number)
    )
    if wrong_type:
        raise Mismatch(
            f"{name}: {describe(actual)} instead of {describe(expected)}",
            kind="type", actual=actual, expected=want,
        )
    got, got_dtype, got_device = array_of(actual)
    if got.shape != want.shape:
        raise Mismatch(
            f"{name}: shape {got.shape} instead of {want.shape}",
            kind="shape", actual=got, expected=want,
        )
    if is_tensor(expected) and is_tensor(actual) and got_device != device:
        raise Mismatch(
            f"{name}: on the device {got_device} instead of {device}",
            kind="device", actual=got, expected=want,
        )
    both_arrays = not is_plain_number(actual) and not isinstance(expected, (bool, int, float))
    if rules.dtypes and both_arrays and got_dtype != want_dtype:
        raise Mismatch(
            f"{name}: dtype {got_dtype} instead of {want_dtype}",
            kind="dtype", actual=got, expected=want,
        )
    if want.dtype.kind in "biu":
        _assert_equal(got, want, name)
    else:
        rtol = tolerance(want_dtype, device) if rules.rtol is None else rules.rtol
        _assert_values_close(got, want, name, rtol, rules.atol, rules.oracle)


def _assert_equal(got: Array, want: Array, name: str) -> None:
    wrong = got != want
    if not np.any(wrong):
        remember(0.0, 0.0)
        return
    at = tuple(np.argwhere(wrong)[0])
    seen, right = figures(got[at], want[at])
    count = f"{int(np.sum(wrong)):,} of {want.size:,} entries wrong, " if want.size > 1 else ""
    first = "the first " if count and np.sum(wrong) > 1 else ""
    raise Mismatch(
        f"{name}: {count}{first}{seen} instead of {right}{_at(at)}",
        kind="value", actual=got, expected=want,
    )


def _assert_values_close(
    got: Array, want: Array, name: str, rtol: float, atol: float | None, oracle: str
) -> None:
    same_special = (np.isnan(got) == np.isnan(want)) & (
        ~np.isinf(want) & ~np.isinf(got) | (got == want)
    )
    if not np.all(same_special):
        where = np.argwhere(~same_special)
        at = tuple(where[0])
        seen, right = figures(got[at], want[at])
        raise Mismatch(
            f"{name}: you {seen}, {oracle} {right}{_at(at)}{_more(len(where))}",
            kind="nonfinite", actual=got, expected=want,
        )
    error = relative_error(got, want, at_least=atol / rtol if atol else 0.0)
    if not error <= rtol:
        gap = np.where(np.isfinite(want), _gap(got, want), -1.0)
        at = tuple(int(i) for i in np.unravel_index(int(np.argmax(gap)), want.shape))
        seen, right = figures(got[at], want[at])
        shown, allowed = figures(error, rtol, digits=1)
        raise Mismatch(
            f"{name}: you {seen}, {oracle} {right}{_at(at)} "
            f"(relative error {shown}, allowed {allowed})",
            kind="value", actual=got, expected=want, relative_error=error, tolerance=rtol,
        )
    remember(error, rtol)


def relative_error(actual: Array, expected: Array, *, at_least: float = 0.0) -> float:
    """The largest difference, as a share of the scale of what was expected.

    max |actual − expected| / scale over the entries where both are finite. The scale is the
    largest finite |expected|, or ``at_least`` where that is more; where it would be zero it is 1.
    So tiny entries of a large result are not held to their own last digit.
    """
    finite = np.isfinite(expected) & np.isfinite(actual)
    if not np.any(finite):
        return 0.0
    scale = max(_largest(expected), at_least) or 1.0
    return float(np.max(_gap(actual[finite], expected[finite]))) / scale


def _gap(actual: Array, expected: Array) -> Array:
    """|actual − expected|, in double precision: half precision would overflow or round it."""
    with np.errstate(invalid="ignore"):  # infinities that agree
        gap: Array = np.abs(_widened(actual) - _widened(expected))
    return gap


def _widened(values: Array) -> Array:
    return values.astype(np.result_type(values.dtype, np.float64))


def _largest(values: Array) -> float:
    finite = np.abs(values[np.isfinite(values)])
    return float(np.max(finite)) if finite.size else 0.0


def _at(index: Sequence[Any]) -> str:
    """Where an entry is: " at [2, 4]"; nothing for a single number."""
    return f" at [{', '.join(str(int(i)) for i in index)}]" if len(index) else ""


def _more(count: int) -> str:
    return "" if count < 2 else f" and {count - 1:,} more place{'' if count == 2 else 's'}"
