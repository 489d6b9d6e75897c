"""What one call returned, as a few numbers and words that take its place at once.

A value that has come back is looked at and let go: what is kept of it for a diagnosis is a digest,
of some hundred bytes whatever the value's size. A digest looks at a call from several sides
(:class:`Facet`): what kind of thing came back, its form, where it is NaN or infinite, its finite
values, and which arguments were changed. Of the values only their size and two random
projections are kept, from which they cannot be had, of the rest checksums.
"""

from __future__ import annotations

import math
import sys
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntFlag
from functools import lru_cache
from itertools import islice
from typing import Any

import numpy as np
import numpy.typing as npt

from course_utils.calls.evidence import CallInfo
from course_utils.ground import closeness
from course_utils.ground.arrays import as_array
from course_utils.ground.describing import describe

Array = npt.NDArray[Any]

# Of one array; of a list of arrays, and of one of numbers.
_MAX_ENTRIES = 2**15
_MAX_ALL_ENTRIES = 2**18
_MAX_LEAVES = 2**15
_MAX_DEPTH = 8
PROJECTIONS = 2  # with the size, three numbers that agree to seven digits by no accident
# Two programs with the same mistake order their operations differently; tests hold a student to
# closeness.tolerance, a digest to little more than that. Projections are kept in single precision,
# and plain numbers may have been computed in it.
_SLACK = 3.0
_PRECISION = 2e-7
_OF_NUMBERS = 1e-6
# Where all entries are rounding errors of zero, they are held against this.
FLOOR = 1e-5


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
        projections: of the finite values onto two random directions, relative to the scale.
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
        return self.facets & (Facet.VALUES | Facet.ODD) == Facet.VALUES and self.scale > FLOOR


ALL = Facet.KIND | Facet.FORM | Facet.ODD | Facet.VALUES | Facet.CHANGED


@dataclass(frozen=True)
class Returned:
    """How one call came back, without the value.

    Attributes:
        digest: the sides of it.
        words: what the value is, in a few words; empty where there is none.
        nothing: whether it is None.
        requires_grad: of a tensor; None for anything else.
        raised: the exception that ended the call ("NameError: …"), if one did.
    """

    digest: Digest
    words: str = ""
    nothing: bool = False
    requires_grad: bool | None = None
    raised: str = ""


def returned(value: Any, call: CallInfo | None = None) -> Returned:
    """Look at what a call returned.

    Args:
        value: what came back.
        call: what is known of the call.
    """
    grad = getattr(value, "requires_grad", None)
    return Returned(
        of_call(value, call), describe(value), value is None,
        grad if isinstance(grad, bool) else None,
    )  # fmt: skip


def ended(status: str, raised: str = "", call: CallInfo | None = None) -> Returned:
    """Look at how a call ended that returned nothing.

    Args:
        status: in which way.
        raised: the exception that its code raised, if it did.
        call: what is known of the call.
    """
    digest = Digest(
        ALL, form=_checksum(f"{status} {raised.partition(':')[0]}"), odd=_checksum(raised),
        changed=_changed(call),
    )  # fmt: skip
    return Returned(digest, raised=raised)


def of_call(value: Any, call: CallInfo | None = None) -> Digest:
    """The digest of a call from what it returned and what is known of it."""
    with np.errstate(all="ignore"):  # whatever comes back may overflow on its way to a digest
        leaves = list(islice(_leaves(value, 0), _MAX_LEAVES))
        arrays = [leaf for leaf in leaves if not isinstance(leaf, str)]
        texts = [leaf if isinstance(leaf, str) else f"array{leaf[1].shape}" for leaf in leaves]
        flat = _entries([array for _, array in arrays])
        finite = np.isfinite(flat)
        scale = float(np.max(np.abs(flat[finite]))) if np.any(finite) else 0.0
        odd = "" if np.all(finite) else _places(flat, ~finite)
        return Digest(
            ALL,
            kind=_checksum(" ".join(kind for kind, _ in arrays)),
            form=_checksum(" ".join(texts)),
            odd=_checksum(odd),
            changed=_changed(call),
            scale=scale,
            projections=_project(np.where(finite, flat, 0.0), scale),
            rtol=max((_rtol(kind) for kind, _ in arrays), default=_PRECISION),
        )


def _changed(call: CallInfo | None) -> int:
    return _checksum(",".join(call.modified)) if call is not None else 0


def rtol_of(dtype: str) -> float:
    """The relative tolerance within which arrays of a dtype count as equal in a diagnosis."""
    if not dtype:
        return _OF_NUMBERS
    allowed = closeness.tolerance(dtype)
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


def _entries(arrays: list[Array]) -> Array:
    """The entries of some arrays in a row, as many as are looked at."""
    found: list[Array] = [np.zeros(0)]
    room = _MAX_ALL_ENTRIES
    for array in arrays:
        found.append(_numbers(array)[:room])
        room -= found[-1].size
        if not room:
            break
    return np.concatenate(found)


def _project(flat: Array, scale: float) -> tuple[float, ...]:
    if not flat.size:
        return ()
    relative = flat / max(scale, FLOOR)
    directions = _directions if flat.size <= _MAX_ENTRIES else _directions.__wrapped__
    found = directions(flat.size) @ relative / math.sqrt(flat.size)
    return tuple(float(number) for number in found.astype(np.float32))


@lru_cache(maxsize=64)
def _directions(size: int) -> Array:
    """Rows of random weights, each between 1/2 and 3/2 in size and of either sign; one row only
    where more would give the entries away."""
    rows = PROJECTIONS if size > PROJECTIONS else 1
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
