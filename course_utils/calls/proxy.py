"""The judge's side of a call: the proxy through which a test reaches a student's definitions.

``student.softmax(x)`` sends ``x``, gets a value back, and notes in the ledger what it was like.
Whether the function lives in this process or in a sandbox is the backend's business.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from course_utils.calls.backend import Backend
from course_utils.calls.digest import Returned, ended, returned
from course_utils.calls.endings import Value
from course_utils.calls.evidence import CallInfo, describe_call
from course_utils.calls.fault import StudentFault, fault_of, unusable
from course_utils.calls.probe import Probe
from course_utils.calls.protocol import ForbiddenNote, Request, Response
from course_utils.ground import kinds


@dataclass
class Ledger:
    """What is kept of the calls of one test.

    Attributes:
        modified: (function, argument) for every argument that a call changed in place; a probe's
            function is "", since its name and arguments mean nothing to a student.
        trace: what is kept of what each call returned, in order: the raw material of the
            diagnosis. The values themselves are the test's, and nobody else's.
        calls: what each call was like, in the same order.
        seconds: time spent inside the student's code.
        forbidden: notes of forbidden calls, as the student's side took them.
        evidence: whether trace and calls are kept at all: they are nothing to a run of which only
            the marks are wanted.
    """

    modified: list[tuple[str, str]] = field(default_factory=list)
    trace: list[Returned] = field(default_factory=list)
    calls: list[CallInfo] = field(default_factory=list)
    seconds: float = 0.0
    forbidden: list[ForbiddenNote] = field(default_factory=list)
    evidence: bool = True

    def begun(self, name: str, args: Sequence[Any], kwargs: dict[str, Any], summary: bool) -> None:
        """Note what a call is like, before it is sent."""
        if self.evidence:
            self.calls.append(replace(describe_call(name, args, kwargs), summary=summary))

    def came_back(self, value: Any, modified: Sequence[str]) -> None:
        """Note what the call returned, and the arguments that it changed."""
        if self.evidence:
            self.calls[-1] = replace(self.calls[-1], modified=tuple(modified))
            self.trace.append(returned(value, self.calls[-1]))

    def ended(self, fault: StudentFault) -> None:
        """Note that the call did not return."""
        if self.evidence:
            self.trace.append(ended(str(fault.status), fault.raised, self.calls[-1]))

    def seen_as(self, value: Any) -> None:
        """Put one value in the place of what the calls so far have returned."""
        if self.evidence:
            call = replace(self.calls[0], summary=True, fingerprint=None)
            self.calls[:], self.trace[:] = [call], [returned(value, call)]


class Student:
    """The student's definitions: attributes are functions, calls return values.

    A few names are the proxy's own, for tests to use: ``run``, ``modified``, ``trace``, ``calls``
    and ``seen_as``. A student's function of whatever name is found in brackets, too:
    ``student["trace"](matrix)``.

    Args:
        backend: carries the calls out.
        ledger: takes down what they were like.
        seed: of the random generators on the student's side, at the first call.
        forbid: dotted names of built-ins whose calls are noted.
        seconds: the time limit of each call, if the test sets one.
        unwritten: what an exercise that is not written yet says of itself.
    """

    def __init__(
        self,
        backend: Backend,
        ledger: Ledger | None = None,
        *,
        seed: int = 0,
        forbid: Sequence[str] = (),
        seconds: float | None = None,
        unwritten: re.Pattern[str] | None = None,
    ) -> None:
        self._backend = backend
        self._ledger = Ledger() if ledger is None else ledger
        self._seed: int | None = seed
        self._forbid = forbid
        self._seconds = seconds
        self._unwritten = unwritten

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name.startswith("_"):
            raise AttributeError(name)
        return self[name]

    def __getitem__(self, name: str) -> Callable[..., Any]:
        """The student's function of a name, be it one of the proxy's own."""

        def call(*args: Any, **kwargs: Any) -> Any:
            return self._call(name, args, kwargs)

        return call

    def run(self, what: Any, *args: Any, **kwargs: Any) -> Any:
        """Run a probe next to the student's code and return what it returns; called with anything
        but a probe, it is the student's own function ``run``."""
        if isinstance(what, Probe):
            return self._call(what.name, args, kwargs, probe=what)
        return self._call("run", (what, *args), kwargs)

    @property
    def modified(self) -> list[tuple[str, str]]:
        """(function, argument) for every argument that a call changed in place."""
        return self._ledger.modified

    @property
    def trace(self) -> list[Returned]:
        """What is kept of what each call returned."""
        return self._ledger.trace

    @property
    def calls(self) -> list[CallInfo]:
        """What each call was like."""
        return self._ledger.calls

    def seen_as(self, value: Any) -> None:
        """Let the diagnosis see one value in place of what the calls so far have returned.

        Args:
            value: an account of them, of which "twice the right one" cannot be said.
        """
        self._ledger.seen_as(value)

    def _call(
        self, name: str, args: Sequence[Any], kwargs: dict[str, Any], probe: Probe | None = None
    ) -> Any:
        request = Request(
            name, args, kwargs, seed=self._seed, forbid=self._forbid,
            probe=probe.source if probe else "", seconds=self._seconds,
        )  # fmt: skip
        self._seed = None  # once a test: later calls continue the stream
        summary = probe is not None and not probe.values
        self._ledger.begun(name, args, kwargs, summary)
        try:
            return self._accept(request, self._backend.request(request))
        except StudentFault as fault:
            self._ledger.ended(fault)
            raise

    def _accept(self, request: Request, response: Response) -> Any:
        self._ledger.forbidden += response.forbidden
        ending = response.ending
        if not isinstance(ending, Value):
            raise fault_of(request, ending, self._unwritten)
        unjudgeable = kinds.unjudgeable(ending.value)
        if unjudgeable:
            raise unusable(request.caller, unjudgeable)
        self._ledger.seconds += ending.seconds
        labels = [
            f"number {label + 1}" if isinstance(label, int) else label for label in ending.modified
        ]
        self._ledger.came_back(ending.value, labels)
        function = "" if request.probe else request.caller
        self.modified.extend((function, label) for label in labels)
        return ending.value
