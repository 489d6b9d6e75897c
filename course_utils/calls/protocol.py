"""The call protocol: what the judge and a student's process say to one another about one call.

A :class:`Request` goes in, a :class:`Response` comes back; on the wire both are plain dicts. A
response was written beside student code, and may have been written by it:
:meth:`Response.from_wire` gives every part the type that everything above relies on, or refuses
it. What it *says* is believed by nobody.

An argument is encoded once, by :attr:`Request.encoded`, and a returned value once, by whoever
carries the call out (:class:`~course_utils.ground.wire.Packed`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from course_utils.calls.endings import ENDINGS, MAX_NAMES, Ending, Label, Message
from course_utils.ground import wire
from course_utils.ground.fields import text_of, texts_of
from course_utils.ground.wire import WireError

MAX_NOTES = 20


@dataclass(frozen=True)
class Request:
    """One call of a function of the student's, or of a probe.

    Attributes:
        name: the function in the student's namespace, or in the probe's source.
        args, kwargs: the arguments.
        seed: of the random generators; None to leave them as earlier calls have.
        forbid: dotted names of built-ins whose calls are noted.
        probe: the source of a function that takes the student's definitions first; empty for a
            call of the student's own function.
        seconds: the time limit that the test sets, if it does. A backend that runs in the
            student's own kernel has none.
    """

    name: str
    args: Sequence[Any] = ()
    kwargs: Mapping[str, Any] = field(default_factory=dict)
    seed: int | None = None
    forbid: Sequence[str] = ()
    probe: str = ""
    seconds: float | None = None

    @property
    def caller(self) -> str:
        """What is called, as a sentence for students says it: of a probe they know nothing."""
        return "your code" if self.probe else self.name

    @property
    def values(self) -> list[Any]:
        """The arguments, those by keyword last."""
        return [*self.args, *self.kwargs.values()]

    @property
    def labels(self) -> list[Label]:
        """What the arguments go by, in the same order."""
        return [*range(len(self.args)), *self.kwargs]

    @cached_property
    def encoded(self) -> tuple[bytes, ...]:
        """The arguments as they cross, each by itself, in the same order.

        Of a request that has crossed these are the bytes that came, and what a call leaves of its
        arguments is compared with them.

        Raises:
            UnsendableError: one of them cannot cross.
        """
        return tuple(wire.dumps(value) for value in self.values)

    def to_wire(self) -> Message:
        """The request as a plain value.

        Raises:
            UnsendableError: an argument cannot cross.
        """
        return {
            "name": self.name, "args": list(self.encoded[: len(self.args)]),
            "kwargs": dict(zip(self.kwargs, self.encoded[len(self.args) :], strict=True)),
            "seed": self.seed, "forbid": list(self.forbid), "probe": self.probe,
            "seconds": self.seconds,
        }  # fmt: skip

    @classmethod
    def from_wire(cls, message: Any) -> Request:
        """The request that came, with arguments of its own.

        Raises:
            WireError: it is none.
        """
        if not isinstance(message, dict) or message.keys() != _OF_REQUEST:
            raise WireError("it is no request")
        args, kwargs = message["args"], message["kwargs"]
        if not (isinstance(args, list) and isinstance(kwargs, dict)):
            raise WireError("a request's arguments are none")
        encoded = (*args, *kwargs.values())
        if not all(type(data) is bytes for data in encoded):
            raise WireError("a request's arguments are not encoded")
        values = [wire.loads(data) for data in encoded]
        request = cls(
            **message
            | {
                "args": values[: len(args)],
                "kwargs": dict(zip(kwargs, values[len(args) :], strict=True)),
            }
        )
        vars(request)["encoded"] = encoded  # no need to encode them again
        return request


_OF_REQUEST = Request.__dataclass_fields__.keys()


@dataclass(frozen=True)
class ForbiddenNote:
    """One forbidden call, as the student's side took note of it.

    Attributes:
        call: what was called.
        by: the student's functions in which it was called, the innermost first.
    """

    call: str
    by: tuple[str, ...]

    def to_wire(self) -> Message:
        return {"call": self.call, "by": list(self.by)}


@dataclass(frozen=True)
class Response:
    """What came of a request: how the call ended, and which forbidden calls were seen meanwhile."""

    ending: Ending
    forbidden: tuple[ForbiddenNote, ...] = ()

    def to_wire(self) -> Message:
        """The response as a plain value."""
        message = self.ending.to_wire()
        if self.forbidden:
            message["forbidden"] = [note.to_wire() for note in self.forbidden]
        return message

    @classmethod
    def from_wire(cls, message: Any, request: Request) -> Response:
        """The response to a request.

        Raises:
            WireError: it is of another form; a part of the wrong type is as bad as none.
        """
        if not isinstance(message, dict):
            raise WireError("it is no response")
        kinds = message.keys() & ENDINGS.keys()
        if len(kinds) != 1:
            raise WireError("it does not say in one way how the call ended")
        (kind,) = kinds
        ending = ENDINGS[kind].from_wire(message, request.labels)
        notes = _notes(message["forbidden"]) if "forbidden" in message else ()
        if message.keys() - ending.to_wire().keys() - {"forbidden"}:
            raise WireError("it says more than a response does")
        return cls(ending, notes)


def _notes(value: Any) -> tuple[ForbiddenNote, ...]:
    if not isinstance(value, list) or len(value) > MAX_NOTES:
        raise WireError("its notes of forbidden calls are none")
    if not all(isinstance(note, dict) and note.keys() == {"call", "by"} for note in value):
        raise WireError("a note of a forbidden call is none")
    return tuple(
        ForbiddenNote(text_of(note["call"]), texts_of(note["by"], MAX_NAMES)) for note in value
    )
