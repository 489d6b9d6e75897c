"""What a call to a student's code was like: enough to explain a wrong result in words.

What is noted (shapes, numbers, how large the entries are, and small arrays themselves) stays with
the judge; of a hidden test none of it is ever shown.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from course_utils.ground.arrays import as_array

_LARGEST_SUMMARISED = 1_000_000
_LARGEST_KEPT = 4_096


@dataclass(frozen=True)
class Argument:
    """One argument of a call.

    Attributes:
        name: the keyword, or empty for a positional argument.
        shape: of an array or tensor; None for anything else.
        number: the value of a plain number; None for anything else.
        text: of a string; None for anything else.
        largest: the largest finite absolute value among the entries.
        zeros, infinite: whether an array of floating-point numbers holds a zero, an infinity.
        values: a copy of a small array of floating-point numbers, as float64; else None.
    """

    name: str
    shape: tuple[int, ...] | None = None
    number: float | None = None
    largest: float = 0.0
    zeros: bool = False
    infinite: bool = False
    text: str | None = None
    values: np.ndarray[Any, Any] | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True)
class CallInfo:
    """One call.

    Attributes:
        name: the function that was called, or the probe.
        arguments: what went in.
        fingerprint: equal for calls with equal arguments; None where a generator was among them.
        modified: labels of the arguments that the call changed in place.
        summary: whether what came back is a probe's account (counts, shares, sizes) and not the
            student's own values.
    """

    name: str
    arguments: tuple[Argument, ...]
    fingerprint: int | None
    modified: tuple[str, ...] = ()
    summary: bool = False


def describe_call(name: str, args: Sequence[Any], kwargs: dict[str, Any]) -> CallInfo:
    """Note what a call's arguments are like, before they are sent."""
    named = [("", value) for value in args] + list(kwargs.items())
    arguments = tuple(_describe(label, value) for label, value in named)
    mark: int | None = 0
    for label, value in named:
        mark = _mark(value, zlib.crc32(label.encode(), mark)) if mark is not None else None
    return CallInfo(name, arguments, mark)


def _describe(name: str, value: Any) -> Argument:
    if isinstance(value, (bool, int, float, np.generic)):
        return Argument(name, number=float(value))
    if isinstance(value, str):
        return Argument(name, text=value)
    array = as_array(value)
    if array is None:
        return Argument(name)
    if array.dtype.kind != "f" or not 0 < array.size <= _LARGEST_SUMMARISED:
        return Argument(name, array.shape)
    finite = array[np.isfinite(array)]
    return Argument(
        name,
        array.shape,
        largest=float(np.max(np.abs(finite))) if finite.size else 0.0,
        zeros=bool(np.any(array == 0)),
        infinite=bool(np.any(np.isinf(array))),
        values=array.astype(np.float64) if array.size <= _LARGEST_KEPT else None,
    )


def _mark(value: Any, start: int) -> int | None:
    """A running checksum over a value; None where the value is a stream of random numbers."""
    if type(value).__name__ == "Generator":
        return None
    array = as_array(value)
    if array is not None:
        head = f"{array.dtype}{array.shape}".encode()
        return zlib.crc32(np.ascontiguousarray(array).tobytes(), zlib.crc32(head, start))
    mark: int | None = start
    if isinstance(value, dict):
        value = list(value.items())
    if isinstance(value, (list, tuple)):
        for item in value:
            mark = _mark(item, mark) if mark is not None else None
        return mark
    return zlib.crc32(repr(value).encode(), start)
