"""Findings before which nothing can be run, and the words that they share."""

from __future__ import annotations

import difflib
from collections.abc import Collection

from course_utils.gate.finding import Finding


def broken(place: str, what: str) -> Finding:
    """A fault of a file: where it is, what it is, and what to do."""
    return Finding(6, f"{place}: {what}", fatal=True)


def no_python(place: str, error: SyntaxError | ValueError) -> tuple[str, str]:
    """Where and how a text in some place is no Python."""
    line = getattr(error, "lineno", None)
    said = error.msg if isinstance(error, SyntaxError) else str(error)
    text = (getattr(error, "text", None) or "").strip()
    quoted = f", in “{text[:60]}”" if text else ""
    where = f"{place}, line {line}" if line else place
    return where, f"this is no Python ({said}{quoted}): mend it"


def raised(error: Exception) -> str:
    """What was raised, in a sentence about it."""
    return f"{type(error).__name__}: {error}"


def near(name: str, known: Collection[str]) -> str:
    """ "; did you mean …?" where something known looks like a name, else nothing."""
    found = difflib.get_close_matches(name, sorted(known), n=1)
    return f"; did you mean {found[0]}?" if found else ""
