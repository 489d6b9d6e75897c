"""Patterns of what a wrong result is made of: the right one, or the arguments of the call.

Each takes one failed comparison and gives an observation, or None where the relation does not hold.
They speak of arrays only: of a few numbers almost any relation holds by chance.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import combinations

import numpy as np

from course_utils.diagnosis.comparison import close
from course_utils.diagnosis.observation import CAUSE, Array, Case, Observation, of

ENTRIES = 4
_ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth")
_TERMS_NEED = 6

# What may have been done to the right values. Negative numbers and zeros make some of them NaN,
# and then the relation does not hold.
_FUNCTIONS: dict[str, tuple[str, Callable[[Array], Array]]] = {
    "squared": ("the square of the right one", np.square),
    "rooted": ("the square root of the right one", np.sqrt),
    "inverted": ("1 / the right one: a division is the wrong way up", lambda e: 1 / e),
    "exponential": ("exp of the right one: is a logarithm missing?", np.exp),
    "logarithm": ("the logarithm of the right one: is an exp missing?", np.log),
    "absolute": ("the right one without its sign", np.abs),
    "cut_below": ("the right one where that is positive, and 0 elsewhere", lambda e: np.fmax(e, 0)),
    "cut_above": ("the right one where that is negative, and 0 elsewhere", lambda e: np.fmin(e, 0)),
    "centred": ("the right one minus the mean over all entries", lambda e: e - e.mean()),
    "divided_by_sum": ("the right one divided by the sum over all entries", lambda e: e / e.sum()),
    "summed_up": ("a running sum of the right ones", np.cumsum),
}  # fmt: skip

# Where a small constant may have been added: inside what, and what undoes that.
_INSIDE: list[tuple[str, Callable[[Array], Array]]] = [
    ("a logarithm", np.exp),
    ("a logarithm", lambda v: np.exp(-v)),
    ("a square root", np.square),
    ("a denominator", lambda v: 1 / v),
]


def _plain(case: Case) -> tuple[Array, Array] | None:
    """Both sides as finite arrays of one shape with enough entries that differ, or None."""
    if case.arrays is None:
        return None
    actual, expected = case.arrays
    if actual.shape != expected.shape or expected.dtype.kind != "f":
        return None
    if actual.dtype.kind not in "iuf" or np.unique(expected).size < ENTRIES:
        return None
    if not np.all(np.isfinite(actual) & np.isfinite(expected)):
        return None
    return actual.astype(np.float64), expected.astype(np.float64)


def _arguments(case: Case, shape: tuple[int, ...]) -> Iterator[tuple[str, Array]]:
    """The array arguments of the failed call that fit a shape, with what a student calls them."""
    call = case.outcome.calls[-1] if case.outcome.calls else None
    for place, argument in enumerate(call.arguments if call is not None else ()):
        if argument.values is None or argument.values.size < 2:
            continue
        if not np.all(np.isfinite(argument.values)):
            continue
        try:
            values = np.broadcast_to(argument.values, shape)
        except ValueError:
            continue
        if argument.name:
            yield f"the argument {argument.name}", values
        elif place < len(_ORDINALS):
            yield f"the {_ORDINALS[place]} argument", values


@of("value", least=ENTRIES)
def made_of_arguments(case: Case) -> Observation | None:
    """An argument as it came, or a sum, difference, product or quotient of two."""
    both = _plain(case)
    if both is None:
        return None
    actual, expected = both
    known = list(_arguments(case, expected.shape))
    for name, values in known:
        for sign, what in ((1.0, name), (-1.0, f"minus {name}")):
            if close(actual, sign * values, case.rtol):
                return _made(f"is_{what}", f"The function returns {what}, and nothing more.")
    for (one, a), (other, b) in combinations(known, 2):
        made = {
            f"the sum of {one} and {other}": a + b,
            f"{one} minus {other}": a - b,
            f"{other} minus {one}": b - a,
            f"the product of {one} and {other}": a * b,
            f"{one} divided by {other}": a / b,
            f"{other} divided by {one}": b / a,
        }
        for what, values in made.items():
            if np.all(np.isfinite(values)) and close(actual, values, case.rtol):
                return _made(f"is_{what}", f"What comes back is {what}, entry by entry.")
    return None


@of("value", least=ENTRIES)
def function_of_right(case: Case) -> Observation | None:
    """A simple function of the right values."""
    both = _plain(case)
    if both is None:
        return None
    actual, expected = both
    if not np.any(actual):
        return _made("zero", "Each wrong value is 0.")
    for name, (what, function) in _FUNCTIONS.items():
        values = np.asarray(function(expected)).reshape(expected.shape)
        if close(values, expected, 10 * case.rtol) or not np.all(np.isfinite(values)):
            continue
        if close(actual, values, case.rtol):
            return _made(name, f"Each wrong value is {what}{'' if what.endswith('?') else '.'}")
    return None


@of("value", least=ENTRIES)
def constant_inside(case: Case) -> Observation | None:
    """The right values, had a small constant not been added inside a logarithm or a root."""
    both = _plain(case)
    if both is None or case.arrays is None:
        return None
    actual, expected = both
    for name, undo in _INSIDE:
        a, e = undo(actual), undo(expected)
        if not np.all(np.isfinite(a) & np.isfinite(e)):
            continue
        added, size = a - e, float(np.max(np.abs(e)))
        constant = float(np.median(added))
        # Of values that hardly differ, or are equal before and after, anything could be said.
        rounding = 100 * float(np.finfo(case.arrays[1].dtype).eps) * size
        if np.std(e) < 0.05 * size or not rounding < abs(constant) < size:
            continue
        if np.max(np.abs(added - constant)) > 1e-2 * abs(constant):
            continue
        hint = "The values are what comes out if a constant"
        where = f"is added inside {name}: the formula has none there."
        seen = f"{hint} ({constant:.1e}) {where}"
        return _made(f"constant_in_{name}", f"{hint} {where}", seen)
    return None


@of("value")
def cut_off(case: Case) -> Observation | None:
    """The right values up to a bound, and the bound beyond it."""
    if case.arrays is None:
        return None
    actual, expected = case.arrays
    if actual.shape != expected.shape or expected.dtype.kind != "f" or expected.size < ENTRIES:
        return None
    scale = float(np.max(np.abs(expected), initial=0.0, where=np.isfinite(expected)))
    wrong = ~np.isclose(actual, expected, rtol=case.rtol, atol=case.rtol * scale, equal_nan=True)
    bounds, beyond, within = np.unique(actual[wrong]), expected[wrong], expected[~wrong]
    if len(bounds) != 1 or not np.isfinite(bounds[0]) or not within.size:
        return None
    bound = float(bounds[0])
    # One entry alone has some value or other; that of a logarithm of 1e-12 is telling.
    if len(np.unique(beyond)) < 2 and not _log_of_a_power_of_ten(bound):
        return None
    for side, sign in (("below", 1.0), ("above", -1.0)):
        if np.all(sign * beyond < sign * bound) and np.all(sign * within >= sign * bound):
            hint = "right up to a bound, and what should lie"
            cause = "a clip, a maximum, or a small constant inside a logarithm cuts it off"
            return _made(
                f"cut_off_{side}",
                f"The values are {hint} {side} it comes back as the bound: {cause}.",
                f"The values are {hint} {side} {bound:.4g} comes back as that: {cause}.",
            )
    return None


def _log_of_a_power_of_ten(value: float) -> bool:
    power = value / np.log(10)
    return power < -3 and bool(np.isclose(power, np.round(power), rtol=0, atol=1e-4))


@of("value", least=_TERMS_NEED)
def term_of_argument(case: Case) -> Observation | None:
    """The right result plus a multiple of an argument, or an argument plus a multiple of it."""
    both = _plain(case)
    if both is None:
        return None
    actual, expected = both
    for name, values in _arguments(case, expected.shape):
        terms = np.stack([expected.ravel(), values.ravel()], axis=1)
        scale = np.max(np.abs(terms), axis=0)
        if expected.size < _TERMS_NEED or not np.all(scale):
            continue
        (right, other), _, rank, singular = np.linalg.lstsq(
            terms / scale, actual.ravel(), rcond=None
        )
        if rank < len(scale) or singular[-1] < 1e-3 * singular[0]:
            continue
        fitted = (terms / scale) @ np.array([right, other])
        least = 100 * case.rtol * float(np.max(np.abs(actual)))
        if not close(actual.ravel(), fitted, case.rtol) or min(abs(right), abs(other)) < least:
            continue
        right, other = right / scale[0], other / scale[1]
        if np.isclose(right, 1.0, rtol=1e-4):
            hint, seen = (
                f"What comes back is the right result {multiple}: is a term with it missing, or "
                "there twice?"
                for multiple in _multiples(other, name)
            )
            return _made(f"plus_{name}", hint, seen)
        if np.isclose(abs(other), 1.0, rtol=1e-4):
            first = name if other > 0 else f"minus {name}"
            hint, seen = (
                f"What comes back is {first} {multiple}."
                for multiple in _multiples(right, "the right result")
            )
            return _made(f"of_{first}", hint, seen)
    return None


def _multiples(number: float, name: str) -> tuple[str, str]:
    """A term of a sum in words, without its number and with it."""
    sign = "plus" if number > 0 else "minus"
    if np.isclose(abs(number), 1.0, rtol=1e-4):
        return f"{sign} {name}", f"{sign} {name}"
    return f"{sign} a multiple of {name}", f"{sign} {abs(number):.4g} × {name}"


def _made(name: str, hint: str, seen: str = "") -> Observation:
    return Observation(name, hint[0].upper() + hint[1:], CAUSE, seen=seen)
