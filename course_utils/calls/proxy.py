"""The far side of a call: the handle through which a test reaches a student's definitions.

``student.softmax(x)`` sends ``x``, gets a value back, and remembers it in the trace. Whether the
function lives in this process or in a sandbox is the backend's business.
"""

from __future__ import annotations

import inspect
import random
import re
import sys
import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol, overload

import numpy as np

from course_utils.calls import dispatcher
from course_utils.calls.digest import Returned, ended, returned
from course_utils.calls.evidence import CallInfo, describe_call
from course_utils.calls.response import Response, checked
from course_utils.ground import kinds, wire
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


def caller(request: dict[str, Any]) -> str:
    """What a request calls, as a sentence for students says it: of a probe they know nothing."""
    return "your code" if request.get("probe") else str(request["name"])


class Backend(Protocol):
    """Something that carries out requests (see :func:`~course_utils.calls.dispatcher.invoke`), and
    answers with a response of the form that :func:`~course_utils.calls.response.checked` grants.

    A request's ``"seconds"`` is the time limit that its test sets, or None; a backend that runs
    in the student's own kernel has no limit.
    """

    def request(self, request: dict[str, Any]) -> Response:
        """Carry out one request.

        Raises:
            StudentFault: the code on the other side hung, crashed or ran out of memory.
        """
        ...


class NamespaceBackend:
    """Calls functions of a namespace in this process: the student's own kernel, or trusted code.

    Arguments and results are copied as the wire would copy them, so a test sees the same values
    as it would in grading, and the process's random generators and NumPy's error handling are left
    as they were.
    """

    def __init__(self, namespace: dispatcher.Namespace) -> None:
        self._namespace = namespace

    def request(self, request: dict[str, Any]) -> Response:
        kept, errors = _random_states(), np.geterr()
        try:
            response = dispatcher.invoke(self._namespace, wire.loads(wire.dumps(request)))
            return checked(wire.loads(wire.dumps(response)), request)
        except (wire.UnsendableError, wire.WireError) as error:
            raise StudentFault(
                Status.ERROR, f"{caller(request)} gave an unreadable answer: {error}"
            ) from None
        finally:
            _restore_random_states(kept)
            np.seterr(**errors)


@dataclass(frozen=True)
class Probe:
    """A function of a test file that runs next to the student's code; see :func:`probe`."""

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


class Student:
    """A handle on a student's definitions: attributes are functions, calls return values.

    Attributes:
        modified: (function, argument) for every argument that a call changed in place; a probe's
            function is "", since its name and arguments mean nothing to a student.
        trace: what is kept of what each call returned, in order: the raw material of the
            diagnosis. The values themselves are the test's, and nobody else's.
        calls: what each call was like, in the same order.
        seconds: time spent inside the student's code.
        forbidden: notes of forbidden calls, as the student's side took them.
    """

    def __init__(
        self,
        backend: Backend,
        *,
        seed: int = 0,
        forbid: Sequence[str] = (),
        seconds: float | None = None,
        unwritten: re.Pattern[str] | None = None,
    ) -> None:
        self._backend = backend
        self._seed: int | None = seed
        self._forbid = list(forbid)
        self._seconds = seconds
        self._unwritten = unwritten
        self.modified: list[tuple[str, str]] = []
        self.trace: list[Returned] = []
        self.calls: list[CallInfo] = []
        self.seconds = 0.0
        self.forbidden: list[Any] = []

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name.startswith("_"):
            raise AttributeError(name)

        def call(*args: Any, **kwargs: Any) -> Any:
            return self._request(name, args, kwargs)

        return call

    def run(self, what: Probe, *args: Any, **kwargs: Any) -> Any:
        """Run a probe next to the student's code and return what it returns."""
        return self._request(what.name, args, kwargs, probe=what)

    def seen_as(self, value: Any) -> None:
        """Let the diagnosis see one value in place of what the calls so far have returned.

        Args:
            value: an account of them, of which "twice the right one" cannot be said.
        """
        call = replace(self.calls[0], summary=True, fingerprint=None)
        self.calls[:], self.trace[:] = [call], [returned(value, call)]

    def _request(
        self, name: str, args: Sequence[Any], kwargs: dict[str, Any], probe: Probe | None = None
    ) -> Any:
        request = {
            "name": name, "args": list(args), "kwargs": kwargs, "seed": self._seed,
            "forbid": self._forbid, "probe": probe.source if probe else "",
            "seconds": self._seconds,
        }  # fmt: skip
        self._seed = None  # once a test: later calls continue the stream
        summary = probe is not None and not probe.values
        self.calls.append(replace(describe_call(name, args, kwargs), summary=summary))
        try:
            return self._accept(request, self._backend.request(request))
        except StudentFault as fault:
            self.trace.append(ended(str(fault.status), fault.raised, self.calls[-1]))
            raise

    def _accept(self, request: dict[str, Any], response: dict[str, Any]) -> Any:
        who = caller(request)
        self.forbidden += response.get("forbidden", [])
        if "value" in response:
            value = response["value"]
            unjudgeable = kinds.unjudgeable(value)
            if unjudgeable:
                raise _unusable(who, unjudgeable)
            self.seconds += response["seconds"]
            labels = tuple(
                f"number {argument + 1}" if isinstance(argument, int) else str(argument)
                for argument in response["modified"]
            )
            self.calls[-1] = replace(self.calls[-1], modified=labels)
            self.trace.append(returned(value, self.calls[-1]))
            function = "" if request["probe"] else who
            self.modified += [(function, label) for label in labels]
            return value
        if "missing" in response:
            raise _missing(request, response)
        if response.get("memory") == "device":
            raise StudentFault(
                Status.MEMORY,
                f"{who} needed more memory than there is on the GPU, or is allowed there: "
                f"{OUT_OF_MEMORY_ADVICE}",
                reason=Reason.DEVICE_OUT_OF_MEMORY,
            )
        if response.get("memory"):
            raise StudentFault(
                Status.MEMORY, f"{who} needed more memory than there is or is allowed"
            )
        if "unsendable" in response:
            raise _unusable(who, response["unsendable"])
        raise _raised(who, response["raised"], self._unwritten)


def _unusable(who: str, what: str) -> StudentFault:
    return StudentFault(
        Status.ERROR,
        f"{who} returned {what}; return numbers, arrays or tensors, or lists and dicts of them",
    )


def _raised(
    who: str, error: dict[str, Any], unwritten: re.Pattern[str] | None
) -> StudentFault:
    """The fault for an exception, by its own words; they come from the student's side and may be
    anything."""
    kind, said, line = error["type"], error["message"], error["line"]
    if kind == "NotImplementedError" and unwritten is not None and unwritten.fullmatch(said):
        return StudentFault(Status.NOT_WRITTEN, said)
    raised = f"{kind}: {said}"
    seen = raised.strip(" :")
    if error["in_probe"]:
        # None has no attributes, and a comparison with it is a plain bool.
        of_none = error["gave_none"] and re.search("'(NoneType|bool)'", seen)
        seen = f"{error['gave_none'][0]} returned None" if of_none else seen
        message = f"what your code gave cannot be used here: {seen}"
    else:
        message = f"{who} raised {seen}{f', in the line: {line}' if line else ''}"
    return StudentFault(Status.ERROR, message, raised=raised)


def _missing(request: dict[str, Any], response: dict[str, Any]) -> StudentFault:
    """The fault for a name that the notebook lacks; which one, a probe alone knows."""
    name = response["missing"] if request["probe"] else str(request["name"])
    near = response["near"]
    if not name.isidentifier():
        return StudentFault(Status.MISSING, Status.MISSING.ending)
    hint = f"; it defines {near}: was the function renamed?" if near.isidentifier() else ""
    return StudentFault(Status.MISSING, f"the notebook does not define {name}{hint}")


def _random_states() -> tuple[Any, Any, Any]:
    torch = sys.modules.get("torch")
    return random.getstate(), np.random.get_state(), torch.get_rng_state() if torch else None


def _restore_random_states(states: tuple[Any, Any, Any]) -> None:
    random.setstate(states[0])
    np.random.set_state(states[1])
    if states[2] is not None:
        sys.modules["torch"].set_rng_state(states[2])
