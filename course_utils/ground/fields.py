"""Fields of a message that student code may have written: each gets its type, or is refused."""

from __future__ import annotations

from typing import Any

from course_utils.ground.wire import WireError

MAX_TEXT = 4_000
_MAX_SECONDS = 1e6


def text_of(value: Any) -> str:
    """A text of bearable length.

    Raises:
        WireError: it is none.
    """
    if type(value) is not str or len(value) > MAX_TEXT:
        raise WireError("a text in it is none, or too long")
    return value


def flag_of(value: Any) -> bool:
    """A truth value.

    Raises:
        WireError: it is none.
    """
    if type(value) is not bool:
        raise WireError("a truth value in it is none")
    return value


def seconds_of(value: Any) -> float:
    """A time that something may have taken, in seconds.

    Raises:
        WireError: it is none.
    """
    if type(value) not in (int, float) or not 0 <= value < _MAX_SECONDS:  # NaN is neither
        raise WireError("a time in it is none")
    return float(value)


def texts_of(value: Any, most: int) -> tuple[str, ...]:
    """Texts, as many as there may be at most.

    Raises:
        WireError: they are none, or more.
    """
    if not isinstance(value, list) or len(value) > most:
        raise WireError("names in it are none")
    return tuple(text_of(name) for name in value)
