"""Calls to what a submission's cells have defined, in a process that an exercise has to itself."""

from __future__ import annotations

from typing import Protocol

from course_utils.calls.endings import OutOfMemory, Raised, TimedOut
from course_utils.calls.fault import StudentFault
from course_utils.calls.protocol import Request, Response
from course_utils.ground.devices import context_lost
from course_utils.ground.phases import phase
from course_utils.ground.statuses import Reason, Status
from course_utils.ground.wire import WireError
from course_utils.sandbox.channel import Channel, ChannelClosed, ChannelTimeout
from course_utils.sandbox.limits import Limits

# After its own alarm a process gets this long to answer before it is killed from outside.
GRACE_SECONDS = 2.0


class Host(Protocol):
    """The submission whose state a process begins with: a :class:`~.session.Session`."""

    @property
    def seconds_left(self) -> float: ...

    @property
    def time_used_up(self) -> str: ...

    def fork(self) -> Channel: ...

    def exceeded(self) -> str | None: ...

    def kill_exercise(self) -> None: ...

    def end(self) -> None: ...


class ExerciseBackend:
    """Calls into a process that one exercise has to itself; a backend (``calls/backend.py``).

    A crash costs the test in which it happens; the next test gets a fresh process. After a hang,
    no call of the exercise is waited for that long again.
    """

    def __init__(self, session: Host, limits: Limits) -> None:
        self._session = session
        self._limits = limits
        self._channel: Channel | None = None
        self._hung: StudentFault | None = None
        self._hung_seconds = 0.0

    def request(self, request: Request) -> Response:
        """Carry out one request in the sandbox, within its own time limit if it names one.

        Raises:
            StudentFault: the call hung, crashed, or ran out of memory.
        """
        seconds = float(request.seconds or self._limits.call_seconds)
        if self._hung is not None and seconds <= self._hung_seconds:
            raise self._hung
        who = request.caller
        left = self._session.seconds_left
        if left <= 0:
            self._session.end()
            why = f"{self._session.time_used_up} before {who} was called"
            raise StudentFault(Status.TIMEOUT, why)
        allowed = min(seconds, left)
        try:
            with phase("calls"):
                response = self._answer(request, allowed)
        except ChannelTimeout:
            response = Response(TimedOut())
        except ChannelClosed:
            self.close()
            raise self._fault_of_crash(who) from None
        except WireError as error:
            self.close()
            raise StudentFault(
                Status.ERROR, f"{who} gave an unreadable answer: {error}",
                reason=Reason.UNREADABLE_ANSWER,
            ) from None  # fmt: skip
        ending = response.ending
        if isinstance(ending, TimedOut):
            self.close()
            if left <= seconds:
                why = f"{self._session.time_used_up} while {who} was running"
            else:
                why = f"{who} did not return within {seconds:g} s"
            self._hung_seconds = allowed
            if self._session.seconds_left <= 0:
                self._session.end()
            self._hung = StudentFault(Status.TIMEOUT, f"{why}: a loop that never ends?")
            raise self._hung
        lost = isinstance(ending, Raised) and context_lost(ending.text)
        if lost or isinstance(ending, OutOfMemory):
            self.close()  # the next test gets a process that has room, and can use the GPU
        return response

    def _answer(self, request: Request, allowed: float) -> Response:
        """What the process says, within the call's time and the submission's, whatever it does."""
        if self._channel is None:
            with phase("forks"):
                self._channel = self._session.fork()
        command = {"op": "call", "request": request.to_wire(), "seconds": allowed}
        patience = allowed + GRACE_SECONDS
        self._channel.send(command, seconds=min(patience, self._session.seconds_left))
        answer = self._channel.receive(min(patience, self._session.seconds_left))
        return Response.from_wire(answer, request)

    def _fault_of_crash(self, who: str) -> StudentFault:
        exceeded = self._session.exceeded()
        if exceeded == "memory":
            mebibytes = self._limits.memory_bytes / 2**20
            return StudentFault(
                Status.MEMORY, f"{who} needed more memory than the {mebibytes:.0f} MiB allowed"
            )
        why = "it exited or was killed"
        if exceeded:
            why = f"it started more than the {self._limits.processes} processes allowed"
        return StudentFault(Status.CRASHED, f"{who} ended the whole process: {why}")

    def afresh(self) -> ExerciseBackend:
        """A backend with a process of its own, which waits for nothing that has hung here."""
        other = ExerciseBackend(self._session, self._limits)
        other._hung, other._hung_seconds = self._hung, self._hung_seconds
        return other

    def close(self) -> None:
        """End this exercise's process."""
        if self._channel is not None:
            self._channel.close()
            self._channel = None
            with phase("forks"):
                self._session.kill_exercise()
