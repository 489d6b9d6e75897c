"""A gradient without autograd: by central differences."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from course_utils.ground.arrays import Array


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
