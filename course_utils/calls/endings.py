"""How a call ended: it returned, or failed in one of five ways.

Each way is a class with its form on the wire. ``from_wire`` is told what to call the arguments
that there were, and believes nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from course_utils.ground import wire
from course_utils.ground.fields import flag_of, seconds_of, text_of, texts_of
from course_utils.ground.wire import WireError

Message = dict[str, Any]
# What an argument goes by: its place, or its keyword.
Label = int | str

# Of the student's functions that are named in one message.
MAX_NAMES = 50


@dataclass(frozen=True)
class Value:
    """The call returned.

    Attributes:
        value: what; it is packed until it has crossed.
        modified: the arguments that the call changed in place.
        seconds: how long it took.
    """

    value: Any
    modified: tuple[Label, ...] = ()
    seconds: float = 0.0

    def to_wire(self) -> Message:
        return {"value": self.value, "modified": list(self.modified), "seconds": self.seconds}

    @classmethod
    def from_wire(cls, message: Message, labels: list[Label]) -> Value:
        packed = message["value"]
        value = packed.unpack() if isinstance(packed, wire.Packed) else packed
        modified = _known(message.get("modified"), labels)
        return cls(value, modified, seconds_of(message.get("seconds")))


@dataclass(frozen=True)
class MissingName:
    """The notebook does not define a name that was asked for.

    Attributes:
        name: that name.
        near: one like it that the notebook defines; empty if there is none.
    """

    name: str
    near: str = ""

    def to_wire(self) -> Message:
        return {"missing": self.name, "near": self.near}

    @classmethod
    def from_wire(cls, message: Message, labels: list[Label]) -> MissingName:
        return cls(text_of(message["missing"]), text_of(message.get("near")))


@dataclass(frozen=True)
class OutOfMemory:
    """The call needed more memory than there is, or is allowed.

    Attributes:
        on_device: whether it was a GPU's.
    """

    on_device: bool = False

    def to_wire(self) -> Message:
        return {"memory": "device" if self.on_device else True}

    @classmethod
    def from_wire(cls, message: Message, labels: list[Label]) -> OutOfMemory:
        where = message["memory"]
        on_device = type(where) is str and where == "device"
        return cls(on_device or not _true(where))


@dataclass(frozen=True)
class Raised:
    """The call ended in an exception.

    Attributes:
        kind: the name of its class.
        message: what it says.
        line: the last line of the notebook's on the way to it; empty if there is none.
        in_probe: whether a probe tripped over what it was given, with no student's code at work.
        stopped: whether it is the stop button's.
        gave_none: functions of the student's that had returned None to the probe.
    """

    kind: str
    message: str
    line: str = ""
    in_probe: bool = False
    stopped: bool = False
    gave_none: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """The exception as Python prints it."""
        return f"{self.kind}: {self.message}"

    def to_wire(self) -> Message:
        raised = {
            "type": self.kind, "message": self.message, "line": self.line,
            "in_probe": self.in_probe, "stopped": self.stopped, "gave_none": list(self.gave_none),
        }  # fmt: skip
        return {"raised": raised}

    @classmethod
    def from_wire(cls, message: Message, labels: list[Label]) -> Raised:
        raised = message["raised"]
        if not isinstance(raised, dict) or raised.keys() != _OF_RAISED:
            raise WireError("it does not say what was raised")
        return cls(
            text_of(raised["type"]), text_of(raised["message"]), text_of(raised["line"]),
            flag_of(raised["in_probe"]), flag_of(raised["stopped"]),
            texts_of(raised["gave_none"], MAX_NAMES),
        )  # fmt: skip


_OF_RAISED = Raised("", "").to_wire()["raised"].keys()


@dataclass(frozen=True)
class Unsendable:
    """The call returned what cannot cross.

    Attributes:
        what: what it is, in a few words.
    """

    what: str

    def to_wire(self) -> Message:
        return {"unsendable": self.what}

    @classmethod
    def from_wire(cls, message: Message, labels: list[Label]) -> Unsendable:
        return cls(text_of(message["unsendable"]))


@dataclass(frozen=True)
class TimedOut:
    """The call was ended by an alarm."""

    def to_wire(self) -> Message:
        return {"timeout": True}

    @classmethod
    def from_wire(cls, message: Message, labels: list[Label]) -> TimedOut:
        _true(message["timeout"])
        return cls()


Failure = MissingName | OutOfMemory | Raised | Unsendable | TimedOut
Ending = Value | Failure

# By the key that stands for each on the wire.
ENDINGS: dict[str, type[Ending]] = {
    "value": Value, "missing": MissingName, "memory": OutOfMemory, "unsendable": Unsendable,
    "raised": Raised, "timeout": TimedOut,
}  # fmt: skip


def _true(value: Any) -> bool:
    if value is not True:
        raise WireError("it says how the call did not end")
    return True


def _known(value: Any, labels: list[Label]) -> tuple[Label, ...]:
    """Which arguments were changed, of those that there are."""
    if not isinstance(value, list) or len(value) > len(labels):
        raise WireError("the arguments that it says were changed are none")
    if not all(type(label) in (int, str) and label in labels for label in value):
        raise WireError("it says that arguments were changed which there are not")
    return tuple(value)
