"""Values in a few words, and numbers with as many digits as show how they differ."""

from __future__ import annotations

from typing import Any

import numpy as np

from course_utils.ground import kinds
from course_utils.ground.arrays import is_numeric, is_tensor

# What a sentence shows at most: digits of a number, letters of a text, keys of a dict.
_MOST_DIGITS = 9
_MOST_LETTERS = 40
_MOST_KEYS = 8


def figures(actual: Any, expected: Any, *, digits: int = 3) -> tuple[str, str]:
    """Two numbers with as many digits as show how they differ, up to nine.

    As many as it takes for the difference of what is shown to be within half of the true one.

    Args:
        digits: how many significant digits there are at least.

    Example:
        >>> figures(1.51234, 1.51241)
        ('1.5123', '1.5124')
        >>> figures(0.226, 0.789)
        ('0.226', '0.789')
    """
    first, second = (v.item() if isinstance(v, np.generic) else v for v in (actual, expected))
    if all(isinstance(value, int) for value in (first, second)):  # truth values too
        return str(first), str(second)
    gap = abs(first - second)
    shown = ("", "")
    for count in range(digits, _MOST_DIGITS + 1):
        shown = figure(first, count), figure(second, count)
        difference = abs(complex(shown[0]) - complex(shown[1]))
        if not np.isfinite(gap) or abs(difference - gap) <= gap / 2:
            break
    return shown


def figure(value: Any, digits: int) -> str:
    """A number with so many significant digits, but all of those before the point."""
    size = abs(value)
    before = len(str(round(size))) if size < 10**_MOST_DIGITS else 0
    return f"{value:.{max(digits, before)}g}"


def describe(value: Any) -> str:
    """What a value is, in a few words: "an array of shape (4, 3) and dtype float64", "None".

    Any object will do, also one that cannot be read, measured or printed.
    """
    try:
        return _described(value)
    except Exception:  # a length, a shape or a comparison of a student's own may raise
        return kinds.in_words(value)


def _described(value: Any) -> str:
    if value is None:
        return "None"
    if is_tensor(value):
        dtype = str(value.dtype).removeprefix("torch.")
        return f"a tensor of shape {tuple(value.shape)} and dtype {dtype}"
    if isinstance(value, np.ndarray):
        return f"an array of shape {value.shape} and dtype {value.dtype}"
    if isinstance(value, (bool, np.bool_)):
        return str(bool(value))
    if is_numeric(value):
        return f"the number {brief(value)}"
    if isinstance(value, str):
        return f"the text '{str(value)[:_MOST_LETTERS]}{'…' if len(value) > _MOST_LETTERS else ''}'"
    if isinstance(value, (list, tuple)):
        kind = "list" if isinstance(value, list) else "tuple"
        if not value:
            return f"an empty {kind}"
        return f"a {kind} of {len(value)} value{'' if len(value) == 1 else 's'}"
    if isinstance(value, dict):
        keys = [str(key)[:_MOST_LETTERS] for key in value]
        if not keys:
            return "an empty dict"
        more = ", …" if len(keys) > _MOST_KEYS else ""
        several = "s" if len(keys) > 1 else ""
        return f"a dict with the key{several} {', '.join(keys[:_MOST_KEYS])}{more}"
    return kinds.in_words(value)


def brief(value: Any) -> str:
    return figure(value, 4) if abs(value) < np.inf else f"{value}"
