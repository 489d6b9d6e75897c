"""What lab tests have in common: a gradient by differences, arguments left alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from course_utils.ground.arrays import Array
from course_utils.ground.closeness import Mismatch


def assert_unmodified(student: Any) -> None:
    """Assert that no call in this test so far changed its arguments in place."""
    if student.modified:
        function, argument = student.modified[0]
        what = f"its argument {argument}" if function else "an array that it was handed"
        raise Mismatch(
            f"{function or 'your code'} changes {what} in place; work on a copy instead",
            kind="modified",
        )


def central_difference(
    f: Callable[[Array], float], x: Array, step: float = 1e-5
) -> Array:
    """The gradient of a scalar function by central differences, in float64.

    Args:
        f: takes an array of x's shape, returns a number.
        x: where to differentiate; not changed.
        step: the half-width h of (f(x+h) − f(x−h)) / 2h.
    """
    x = np.array(x, dtype=np.float64)
    gradient = np.zeros_like(x)
    for index in np.ndindex(x.shape):
        kept = x[index]
        x[index] = kept + step
        above = float(f(x.copy()))
        x[index] = kept - step
        below = float(f(x.copy()))
        x[index] = kept
        gradient[index] = (above - below) / (2 * step)
    return gradient
