"""A call that did not come back with a value, in words for the student."""

from __future__ import annotations

import re

from course_utils.calls.endings import (
    Failure,
    MissingName,
    OutOfMemory,
    Raised,
    TimedOut,
    Unsendable,
)
from course_utils.calls.protocol import Request
from course_utils.ground.devices import OUT_OF_MEMORY_ADVICE
from course_utils.ground.statuses import Reason, Status


class StudentFault(Exception):
    """A call did not come back with a value; ``status`` says in which way.

    ``raised`` is the exception that the student's code raised ("ValueError: …"), if it did;
    ``reason`` a grader's code for it, where the status leaves open which.
    """

    def __init__(
        self, status: Status, message: str, *, raised: str = "", reason: Reason | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.raised = raised
        self.reason = reason


def fault_of(
    request: Request, ending: Failure, unwritten: re.Pattern[str] | None = None
) -> StudentFault:
    """The fault for a call that failed.

    Args:
        request: what was asked for.
        ending: how it ended, by the words of the student's side, which may be anything.
        unwritten: what an exercise that is not written yet says of itself.
    """
    who = request.caller
    match ending:
        case MissingName():
            return _missing(request, ending)
        case OutOfMemory(on_device=True):
            return StudentFault(
                Status.MEMORY,
                f"{who} needed more memory than there is on the GPU, or is allowed there: "
                f"{OUT_OF_MEMORY_ADVICE}",
                reason=Reason.DEVICE_OUT_OF_MEMORY,
            )
        case OutOfMemory():
            return StudentFault(
                Status.MEMORY, f"{who} needed more memory than there is or is allowed"
            )
        case Unsendable(what):
            return unusable(who, what)
        case Raised():
            return _raised(who, ending, unwritten)
        case TimedOut():
            return StudentFault(Status.TIMEOUT, f"{who} did not return in time")


def unusable(who: str, what: str) -> StudentFault:
    """The fault for a value that no test can look at.

    Args:
        who: what was called.
        what: what it returned, in a few words.
    """
    return StudentFault(
        Status.ERROR,
        f"{who} returned {what}; return numbers, arrays or tensors, or lists and dicts of them",
    )


def _raised(who: str, error: Raised, unwritten: re.Pattern[str] | None) -> StudentFault:
    """The fault for an exception, by its own words."""
    is_stub = error.kind == "NotImplementedError"
    if is_stub and unwritten is not None and unwritten.fullmatch(error.message):
        return StudentFault(Status.NOT_WRITTEN, error.message)
    seen = error.text.strip(" :")
    if error.in_probe:
        # None has no attributes, and a comparison with it is a plain bool.
        of_none = error.gave_none and re.search("'(NoneType|bool)'", seen)
        seen = f"{error.gave_none[0]} returned None" if of_none else seen
        message = f"what your code gave cannot be used here: {seen}"
    else:
        where = f", in the line: {error.line}" if error.line else ""
        message = f"{who} raised {seen}{where}"
    return StudentFault(Status.ERROR, message, raised=error.text)


def _missing(request: Request, missing: MissingName) -> StudentFault:
    """The fault for a name that the notebook lacks; which one, a probe alone knows."""
    name = missing.name if request.probe else request.name
    near = missing.near
    if not name.isidentifier():
        return StudentFault(Status.MISSING, Status.MISSING.ending)
    hint = f"; it defines {near}: was the function renamed?" if near.isidentifier() else ""
    return StudentFault(Status.MISSING, f"the notebook does not define {name}{hint}")
