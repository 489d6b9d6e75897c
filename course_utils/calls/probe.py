"""Probes: functions of a test file that run next to the student's code."""

from __future__ import annotations

import inspect
import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, overload


@dataclass(frozen=True)
class Probe:
    """A function of a test file that runs next to the student's code; see :func:`probe`.

    Attributes:
        name: its name.
        source: its source, which is what travels.
        values: whether what it returns are the student's own values.
    """

    name: str
    source: str
    values: bool = False


@overload
def probe(function: Callable[..., Any]) -> Probe: ...


@overload
def probe(*, values: bool) -> Callable[[Callable[..., Any]], Probe]: ...


def probe(
    function: Callable[..., Any] | None = None, *, values: bool = False
) -> Probe | Callable[[Callable[..., Any]], Probe]:
    """Mark a function to be run in the student's process, for objects that keep state.

    The function gets the student's definitions as its first argument and must return values that
    cross the wire. Only its source travels: it may use ``np``, ``torch`` and what it imports
    itself, and must not contain what the right answer is.

    Args:
        values: whether what it returns are the student's own values (parameters after a step, a
            gradient), of which "twice the right one" can be said; not so for counts, shares,
            sizes and other summaries, which is the default.

    Example:
        >>> @probe
        ... def run_sgd(student, parameters, gradients, **options):
        ...     optimizer = student.SGD(parameters, **options)
        ...     ...
    """
    if function is None:
        return lambda marked: _probe(marked, values)
    return _probe(function, values)


def _probe(function: Callable[..., Any], values: bool) -> Probe:
    source = textwrap.dedent(inspect.getsource(function))
    return Probe(function.__name__, source[source.index("def ") :], values)
