"""What a comparison has come to: a sentence with both sides, or a figure that is remembered."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Comparison:
    """One comparison that was made: its largest relative error and what was allowed."""

    relative_error: float
    tolerance: float


_made: ContextVar[list[Comparison] | None] = ContextVar("comparisons", default=None)
_dtypes: ContextVar[bool] = ContextVar("dtypes", default=True)


@contextmanager
def recording(*, dtypes: bool = True) -> Iterator[list[Comparison]]:
    """Collect the comparisons made inside the ``with`` block.

    Args:
        dtypes: whether they look at dtypes, unless one says so itself: a claim about values does
            not fail for a dtype, of which a claim about form speaks.
    """
    made: list[Comparison] = []
    tokens = _made.set(made), _dtypes.set(dtypes)
    try:
        yield made
    finally:
        _made.reset(tokens[0])
        _dtypes.reset(tokens[1])


def looks_at_dtypes() -> bool:
    """Whether comparisons look at dtypes here, unless one says so itself."""
    return _dtypes.get()


def remember(error: float, allowed: float) -> None:
    """Note a comparison that held."""
    made = _made.get()
    if made is not None:
        made.append(Comparison(error, allowed))


class Mismatch(AssertionError):
    """Two values that were claimed to be close are not.

    Attributes:
        kind: "type", "structure", "shape", "dtype", "device", "nonfinite" or "value".
        actual, expected: arrays (or whatever was returned, for kind "type"); of a list of numbers
            all of them.
        relative_error, tolerance: for kind "value".
        beside: what else differs in the same list or dict of arrays, at most 16 of them; a test
            ends with the first, and a diagnosis must be true of all.
    """

    def __init__(
        self,
        message: str,
        *,
        kind: str,
        actual: Any = None,
        expected: Any = None,
        relative_error: float | None = None,
        tolerance: float | None = None,
    ) -> None:
        super().__init__(message)
        self.kind = kind
        self.actual = actual
        self.expected = expected
        self.relative_error = relative_error
        self.tolerance = tolerance
        self.beside: tuple[Mismatch, ...] = ()

    def kept(self) -> Mismatch:
        """A copy that may be kept until the diagnosis, of at most 512 KiB for each array that
        differs: without the frames of the test, and without large values, of which this one lets
        go as well."""
        self.actual, self.expected = _small(self.actual), _small(self.expected)
        copy = Mismatch(
            str(self), kind=self.kind, actual=self.actual, expected=self.expected,
            relative_error=self.relative_error, tolerance=self.tolerance,
        )  # fmt: skip
        copy.beside = tuple(one.kept() for one in self.beside)
        return copy


class LeftOut:
    """Stands for a value that was too large to be kept."""


_MOST_KEPT = 2**18


def _small(value: Any) -> Any:
    """A value that takes little room; else a sign that there was one."""
    if value is None or isinstance(value, (bool, int, float, np.generic)):
        return value
    if isinstance(value, np.ndarray) and value.nbytes <= _MOST_KEPT:
        return value.copy() if value.base is not None else value
    return LeftOut()
