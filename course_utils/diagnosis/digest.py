"""Digests: what one call returned, as a few numbers from which the values cannot be had.

A digest looks at a call from several sides (:class:`Facet`): what kind of thing came back, its
form, where it is NaN or infinite, its finite values, and which arguments were changed. Of the
values only their size and three random projections are kept, of the rest checksums.
"""

from __future__ import annotations

import math
import sys
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import IntFlag
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from course_utils import compare
from course_utils.calls import CallInfo, as_array

Array = npt.NDArray[Any]

MAX_CALLS = 64
_MAX_ENTRIES = 2**15
_MAX_DEPTH = 8
_PROJECTIONS = 3
# Two programs with the same mistake order their operations differently; tests hold a student to
# compare.tolerance, a digest to little more than that. Projections are kept in single precision,
# and plain numbers may have been computed in it.
_SLACK = 3.0
_PRECISION = 2e-7
_OF_NUMBERS = 1e-6
# Where all entries are rounding errors of zero, they are held against this.
_FLOOR = 1e-5


class Facet(IntFlag):
    """A side from which a call is looked at."""

    KIND = 1  # array or tensor, dtype, requires_grad
    FORM = 2  # structure, shapes, texts; how the call ended, where it did not return
    ODD = 4  # where NaN and infinities are
    VALUES = 8  # the finite numbers
    CHANGED = 16  # which arguments the call has changed


@dataclass(frozen=True)
class Digest:
    """What one call returned.

    Attributes:
        facets: which sides are known; of those of a mistake that the solution shares, nothing is.
        kind, form, odd, changed: checksums; 0 for nothing of the kind.
        scale: the largest finite absolute value.
        projections: of the finite values onto three random directions, relative to the scale.
        rtol: within which values of this precision count as equal.
    """

    facets: Facet
    kind: int = 0
    form: int = 0
    odd: int = 0
    changed: int = 0
    scale: float = 0.0
    projections: tuple[float, ...] = ()
    rtol: float = _PRECISION

    @property
    def raised(self) -> bool:
        """Whether the call ended in an exception; ``odd`` then stands for its text."""
        return bool(self.odd) and not self.kind and not self.projections

    @property
    def telling(self) -> bool:
        """Whether it says more than that something is NaN, infinite or zero."""
        return self.numeric or bool(self.facets & (Facet.KIND | Facet.FORM | Facet.CHANGED))

    @property
    def numeric(self) -> bool:
        """Whether it holds wrong numbers that are finite and not zero: where NaN has taken some,
        those that are left may well be right."""
        return self.facets & (Facet.VALUES | Facet.ODD) == Facet.VALUES and self.scale > _FLOOR


ALL = Facet.KIND | Facet.FORM | Facet.ODD | Facet.VALUES | Facet.CHANGED


def of_call(value: Any, call: CallInfo | None = None) -> Digest:
    """The digest of a call from what it returned and what is known of it."""
    changed = ",".join(call.modified) if call is not None else ""
    if isinstance(value, dict) and "fault" in value:
        raised = str(value.get("raised", ""))
        return Digest(
            ALL, form=_checksum(f"{value['fault']} {raised.partition(':')[0]}"),
            odd=_checksum(raised), changed=_checksum(changed),
        )  # fmt: skip
    leaves = list(_leaves(value, 0))
    arrays = [leaf for leaf in leaves if not isinstance(leaf, str)]
    texts = [leaf if isinstance(leaf, str) else f"array{leaf[1].shape}" for leaf in leaves]
    flat = np.concatenate([_numbers(array) for _, array in arrays]) if arrays else np.zeros(0)
    finite = np.isfinite(flat)
    scale = float(np.max(np.abs(flat[finite]))) if np.any(finite) else 0.0
    odd = "" if np.all(finite) else _places(flat, ~finite)
    return Digest(
        ALL,
        kind=_checksum(" ".join(kind for kind, _ in arrays)),
        form=_checksum(" ".join(texts)),
        odd=_checksum(odd),
        changed=_checksum(changed),
        scale=scale,
        projections=_project(np.where(finite, flat, 0.0), scale),
        rtol=max((_rtol(kind) for kind, _ in arrays), default=_PRECISION),
    )


def of_trace(trace: Sequence[Any], calls: Sequence[CallInfo] = ()) -> list[Digest]:
    """The digests of a test's calls, at most the first 64."""
    known = calls if len(calls) == len(trace) else [None] * len(trace)
    return [
        of_call(value, call)
        for value, call in zip(trace[:MAX_CALLS], known[:MAX_CALLS], strict=True)
    ]


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
    one, two = max(first.scale, _FLOOR), max(second.scale, _FLOOR)
    a, b = np.asarray(first.projections) * one, np.asarray(second.projections) * two
    if abs(first.scale - second.scale) <= rtol * two and np.all(np.abs(a - b) <= 3 * rtol * two):
        return 1.0
    if min(first.scale, second.scale) <= _FLOOR or not np.any(b):
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
    scale = max(float(np.max(finite)) if finite.size else 0.0, _FLOOR)
    return bool(np.allclose(first, second, rtol=rtol, atol=rtol * scale, equal_nan=True))


def rtol_of(dtype: str) -> float:
    """The relative tolerance within which arrays of a dtype count as equal in a diagnosis."""
    if not dtype:
        return _OF_NUMBERS
    allowed = compare.tolerance(dtype)
    return min(_SLACK * allowed, max(allowed, 1e-2))  # half precision needs no more slack


def _leaves(value: Any, depth: int) -> Iterator[str | tuple[str, Array]]:
    """Texts and numeric arrays (with their kind), in order, with the structure as texts."""
    if isinstance(value, dict):
        yield "{"
        for key in sorted(value, key=str) if depth < _MAX_DEPTH else ():
            yield f"{key}:"
            yield from _leaves(value[key], depth + 1)
        yield "}"
    elif isinstance(value, (list, tuple)):
        yield f"[{len(value)}"
        for item in value if depth < _MAX_DEPTH else ():
            yield from _leaves(item, depth + 1)
        yield "]"
    elif isinstance(value, str) or value is None:
        yield repr(value)[:200]
    elif isinstance(value, (bool, int, float, complex)):
        yield "", np.asarray(value)
    else:
        yield _leaf(value)


def _leaf(value: Any) -> str | tuple[str, Array]:
    array = np.asarray(value) if isinstance(value, np.generic) else as_array(value)
    if array is None or array.dtype.kind not in "biufc":
        return type(value).__name__
    if "torch" in sys.modules and hasattr(value, "requires_grad"):
        dtype = str(value.dtype).removeprefix("torch.")
        return f"tensor {dtype} {bool(value.requires_grad)}", array
    return f"array {array.dtype}", array


def _numbers(array: Array) -> Array:
    flat = array.ravel()
    if flat.size > _MAX_ENTRIES:
        flat = flat[np.linspace(0, flat.size - 1, _MAX_ENTRIES).astype(np.int64)]
    if flat.dtype.kind == "c":
        flat = np.concatenate([flat.real, flat.imag])
    return flat.astype(np.float64)


def _project(flat: Array, scale: float) -> tuple[float, ...]:
    if not flat.size:
        return ()
    relative = flat / max(scale, _FLOOR)
    found = _directions(flat.size) @ relative / math.sqrt(flat.size)
    return tuple(float(number) for number in found.astype(np.float32))


@lru_cache(maxsize=64)
def _directions(size: int) -> Array:
    """Rows of random weights, each between 1/2 and 3/2 in size and of either sign; one row only
    where three would give the entries away."""
    rows = _PROJECTIONS if size > _PROJECTIONS else 1
    generator = np.random.default_rng(size)
    signs = generator.choice(np.array([-1.0, 1.0], np.float32), size=(rows, size))
    found: Array = signs * generator.uniform(0.5, 1.5, size=(rows, size)).astype(np.float32)
    return found


def _places(flat: Array, odd: npt.NDArray[np.bool_]) -> str:
    """Which entries are NaN, infinity or minus infinity."""
    indices = np.flatnonzero(odd).astype("<i8")
    kinds = np.where(np.isnan(flat[odd]), 0, np.sign(flat[odd])).astype(np.int8)
    return f"{zlib.crc32(indices.tobytes())} {zlib.crc32(kinds.tobytes())}"


def _rtol(kind: str) -> float:
    dtype = kind.split(" ")[1] if kind else ""
    if not dtype:
        return _OF_NUMBERS
    return max(rtol_of(dtype) if dtype.startswith(("float", "bfloat")) else 0.0, _PRECISION)


def _checksum(text: str) -> int:
    return zlib.crc32(text.encode()) if text else 0
