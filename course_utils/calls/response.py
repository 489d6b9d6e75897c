"""The form of a response: what came back from a call, checked once, before anybody uses it.

What arrives was written beside student code, and may have been written by it. Here it gets the
types that everything above relies on, or is refused; what it *says* is believed by nobody.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from course_utils.ground.wire import WireError

Response = dict[str, Any]

MAX_TEXT = 4_000
_MAX_NOTES = 20
_MAX_CALLERS = 50
_MAX_SECONDS = 1e6


def checked(response: Any, request: dict[str, Any]) -> Response:
    """The response to a request, with what :func:`~course_utils.calls.dispatcher.invoke` documents.

    Besides, there may be ``{"timeout": True}``, where an alarm rang inside the sandbox.

    Raises:
        WireError: it is of another form; a part of the wrong type is as bad as none.
    """
    if not isinstance(response, dict):
        raise WireError("it is no response")
    kinds = response.keys() & _ENDS.keys()
    if len(kinds) != 1:
        raise WireError("it does not say in one way how the call ended")
    (kind,) = kinds
    found: Response = {kind: _ENDS[kind](response[kind])}
    if kind == "value":
        found["modified"] = _labels(response.get("modified"), request)
        found["seconds"] = seconds_of(response.get("seconds"))
    elif kind == "missing":
        found["near"] = text_of(response.get("near"))
    if "forbidden" in response:
        found["forbidden"] = _notes(response["forbidden"])
    if response.keys() - found.keys():
        raise WireError("it says more than a response does")
    return found


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


def _anything(value: Any) -> Any:
    return value


def _true(value: Any) -> bool:
    if value is not True:
        raise WireError("it says how the call did not end")
    return True


def _memory(value: Any) -> bool | str:
    return "device" if value == "device" else _true(value)


def _raised(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict) or value.keys() != _RAISED.keys():
        raise WireError("it does not say what was raised")
    return {name: read(value[name]) for name, read in _RAISED.items()}


def _names(value: Any) -> list[str]:
    if not isinstance(value, list) or len(value) > _MAX_CALLERS:
        raise WireError("names in it are none")
    return [text_of(name) for name in value]


def _notes(value: Any) -> list[dict[str, Any]]:
    """The notes of :class:`course_utils.calls.watching.CallWatch`."""
    if not isinstance(value, list) or len(value) > _MAX_NOTES:
        raise WireError("its notes of forbidden calls are none")
    if not all(isinstance(note, dict) and note.keys() == {"call", "by"} for note in value):
        raise WireError("a note of a forbidden call is none")
    return [{"call": text_of(note["call"]), "by": _names(note["by"])} for note in value]


def _labels(value: Any, request: dict[str, Any]) -> list[int | str]:
    """Which arguments were changed: places of positional ones, names of the others."""
    known = [*range(len(request["args"])), *request["kwargs"]]
    if not isinstance(value, list) or len(value) > len(known):
        raise WireError("the arguments that it says were changed are none")
    if not all(type(label) in (int, str) and label in known for label in value):
        raise WireError("it says that arguments were changed which there are not")
    return value


_RAISED: dict[str, Callable[[Any], Any]] = {
    "type": text_of, "message": text_of, "line": text_of, "in_probe": flag_of,
    "stopped": flag_of, "gave_none": _names,
}  # fmt: skip
_ENDS: dict[str, Callable[[Any], Any]] = {
    "value": _anything, "missing": text_of, "memory": _memory, "unsendable": text_of,
    "raised": _raised, "timeout": _true,
}  # fmt: skip
