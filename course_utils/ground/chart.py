"""Where an array differs from what was expected, as a chart of signs, one for every entry.

A sentence names one entry; that a whole column, one half or only the diagonal is wrong is seen at
once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

AGREES, LARGE, SMALL, OTHER, NOT_FINITE = "·", "+", "−", "≠", "?"
WORDS = {
    AGREES: "as it should be",
    LARGE: "too large",
    SMALL: "too small",
    OTHER: "not the same",  # labels, places and truth values are not large or small
    NOT_FINITE: "nan or infinite, or should be",
}
_DIFFERING = (LARGE, SMALL, OTHER, NOT_FINITE)
_MOST_ROWS, _MOST_COLUMNS = 12, 32


def chart(actual: Any, expected: Any, tolerance: float | None) -> tuple[str, ...]:
    """The chart's rows.

    Args:
        actual, expected: what was compared.
        tolerance: the allowed difference, as a share of the largest finite expected entry; 0 where
            there is none.

    Returns:
        Strings of the same length, an array of one axis in one of them. None at all where there is
        nothing to see: no arrays of one shape, too many entries or axes, a single entry that
        differs, or none that agrees.
    """
    both = actual, expected
    if not all(isinstance(one, np.ndarray) and one.dtype.kind in "biuf" for one in both):
        return ()
    if actual.shape != expected.shape or not expected.size:
        return ()
    got, want = (np.atleast_2d(np.squeeze(one)) for one in both)
    if want.ndim > 2 or want.shape[0] > _MOST_ROWS or want.shape[1] > _MOST_COLUMNS:
        return ()
    if want.dtype.kind in "biu":
        signs = np.where(got == want, AGREES, OTHER)
    else:
        with np.errstate(all="ignore"):  # infinities that agree, and what overflows
            signs = _signs(got.astype(np.float64), want.astype(np.float64), tolerance or 0.0)
    differing = int(np.sum(signs != AGREES))
    return tuple("".join(row) for row in signs) if 1 < differing < want.size else ()


def _signs(got: Any, want: Any, tolerance: float) -> Any:
    finite = np.isfinite(want)
    scale = float(np.max(np.abs(want[finite]), initial=0.0)) or 1.0
    gap = got - want
    signs = np.full(want.shape, AGREES)
    signs[gap > tolerance * scale] = LARGE
    signs[gap < -tolerance * scale] = SMALL
    special = ~(finite & np.isfinite(got))
    signs[special] = NOT_FINITE
    signs[special & ((got == want) | (np.isnan(got) & np.isnan(want)))] = AGREES
    return signs


def key(rows: Sequence[str]) -> str:
    """What the signs of a chart mean: "· as it should be, + too large"."""
    found = set("".join(rows))
    return ", ".join(f"{sign} {words}" for sign, words in WORDS.items() if sign in found)


def spoken(rows: Sequence[str]) -> str:
    """The chart for who cannot see it: "4 of 12 entries differ: 3 too large, 1 too small"."""
    counts = Counter("".join(rows))
    total = sum(counts.values())
    parts = [f"{counts[sign]} {WORDS[sign]}" for sign in _DIFFERING if counts[sign]]
    return f"{total - counts[AGREES]} of {total} entries differ: {', '.join(parts)}"
