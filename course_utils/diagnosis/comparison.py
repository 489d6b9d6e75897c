"""Digests compared: whether two calls returned the same, and by which factor they differ."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from course_utils.calls.digest import ALL, FLOOR, Array, Digest, Facet, Returned

MAX_CALLS = 64


def of_trace(trace: Sequence[Returned]) -> list[Digest]:
    """The digests of a test's calls, at most the first 64."""
    return [one.digest for one in trace[:MAX_CALLS]]


def differing(wrong: Digest, right: Digest) -> Digest | None:
    """A digest's sides that are not the right ones; None where all are right.

    That an argument was changed counts only where it is the one difference: the same mistake may
    be made in place or not. So does the kind of array.
    """
    facets = Facet(0)
    for facet in (Facet.FORM, Facet.ODD, Facet.VALUES):
        if not same(wrong, right, facet):
            facets |= facet
    if Facet.FORM in facets:
        facets |= Facet.VALUES | Facet.ODD
    for facet in (Facet.KIND, Facet.CHANGED):
        if not facets and not same(wrong, right, facet):
            facets |= facet
    return _only(wrong, facets) if facets else None


def _only(digest: Digest, facets: Facet) -> Digest:
    values = Facet.VALUES in facets
    return replace(
        digest,
        facets=facets,
        kind=digest.kind if Facet.KIND in facets else 0,
        form=digest.form if Facet.FORM in facets else 0,
        odd=digest.odd if Facet.ODD in facets else 0,
        changed=digest.changed if Facet.CHANGED in facets else 0,
        scale=digest.scale if values else 0.0,
        projections=digest.projections if values else (),
    )


def same(first: Digest, second: Digest, facets: Facet = ALL) -> bool:
    """Whether two digests agree in the given sides, values within the coarser one's precision."""
    if Facet.KIND in facets and first.kind != second.kind:
        return False
    if Facet.FORM in facets and first.form != second.form:
        return False
    if Facet.ODD in facets and first.odd != second.odd:
        return False
    if Facet.CHANGED in facets and first.changed != second.changed:
        return False
    return Facet.VALUES not in facets or ratio(first, second) == 1.0


def ratio(first: Digest, second: Digest) -> float | None:
    """The number by which the first's values are a multiple of the second's; None if by none.

    Exactly 1.0 where they are equal within their precision.
    """
    if len(first.projections) != len(second.projections):
        return None
    rtol = max(first.rtol, second.rtol)
    one, two = max(first.scale, FLOOR), max(second.scale, FLOOR)
    a, b = np.asarray(first.projections) * one, np.asarray(second.projections) * two
    if abs(first.scale - second.scale) <= rtol * two and np.all(np.abs(a - b) <= 3 * rtol * two):
        return 1.0
    if min(first.scale, second.scale) <= FLOOR or not np.any(b):
        return None
    factor = math.copysign(first.scale / second.scale, float(np.dot(a, b)))
    return factor if np.all(np.abs(a - factor * b) <= 6 * rtol * one) else None


def close(first: Array, second: Array, rtol: float) -> bool:
    """Whether two arrays of one shape agree, small entries within ``rtol`` × the largest.

    Where all entries are rounding errors of zero, within ``rtol`` × 1e-5.
    """
    if first.shape != second.shape:
        return False
    if first.dtype.kind in "biu" and second.dtype.kind in "biu":
        return bool(np.array_equal(first, second))
    finite = np.abs(second[np.isfinite(second)])
    scale = max(float(np.max(finite)) if finite.size else 0.0, FLOOR)
    return bool(np.allclose(first, second, rtol=rtol, atol=rtol * scale, equal_nan=True))
