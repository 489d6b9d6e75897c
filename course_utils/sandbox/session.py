"""One submission in the sandbox: its cells first, then calls to what they defined."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Sequence
from typing import Any

from course_utils.devices import context_lost
from course_utils.outcome import Reason, Status
from course_utils.sandbox.cells import CellRun, cell_run
from course_utils.sandbox.channel import Channel, ChannelClosed, ChannelTimeout
from course_utils.sandbox.launch import SandboxError
from course_utils.sandbox.limits import Limits
from course_utils.sandbox.processes import Processes
from course_utils.student import StudentFault, caller
from course_utils.wire import WireError

START_SECONDS = 120.0
# After its own alarm a process gets this long to answer before it is killed from outside.
_GRACE_SECONDS = 2.0


class Session:
    """One submission in the sandbox; use it as a context manager.

    Args:
        limits: what the submission may use.
        spawn: forks a supervisor and a runner from the zygote.
    """

    def __init__(self, limits: Limits, spawn: Callable[[], Processes]) -> None:
        self._limits = limits
        self._fork_processes = spawn
        self._processes: Processes | None = None
        self._cells: list[tuple[int, str]] = []
        self._can_fork = True
        self._used = False  # whether an exercise has the runner itself
        self._deadline = time.monotonic() + self._limits.submission_seconds
        self.cpu_seconds = 0.0

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *exception: object) -> None:
        self._end()

    @property
    def seconds_left(self) -> float:
        """How much of the submission's time is left; zero or less when it is up."""
        return self._deadline - time.monotonic()

    def run_cells(self, cells: Sequence[tuple[int, str]]) -> list[CellRun]:
        """Run cells in order.

        A cell that hangs or ends the process costs that cell: everything is run again without it.

        Args:
            cells: (number in the notebook, source).
        """
        lost: dict[int, CellRun] = {}
        while True:
            self._end()
            self._cells = [(index, source) for index, source in cells if index not in lost]
            runs, failed = self._run_once()
            if failed is None:
                break
            lost[failed.index] = failed
            if self.seconds_left <= 0:
                for index, _ in self._cells[len(runs) + 1 :]:
                    lost[index] = CellRun(
                        index,
                        reason=Reason.SUBMISSION_TIMEOUT,
                        message=(
                            f"cell {index + 1} was not run: the submission's "
                            f"{self._limits.submission_seconds:g} s were used up before it"
                        ),
                    )
                self._end()
                break
        done = {run.index: run for run in runs} | lost
        return [done[index] for index, _ in cells if index in done]

    def _run_once(self) -> tuple[list[CellRun], CellRun | None]:
        self._used = False
        self._processes = processes = self._spawn()
        runs: list[CellRun] = []
        for index, source in self._cells:
            allowed = min(self._limits.cell_seconds + _GRACE_SECONDS, max(0.1, self.seconds_left))
            try:
                processes.data.send({"op": "cell", "source": source})
                answer = processes.data.receive(allowed)
                runs.append(cell_run(index, answer))
            except ChannelTimeout:
                return runs, self._lost_cell(index, Reason.CELL_TIMEOUT)
            except ChannelClosed:
                processes.note_events(1.0)
                if processes.exceeded == "memory":
                    return runs, self._lost_cell(index, Reason.CELL_MEMORY)
                return runs, self._lost_cell(index, Reason.CELL_KILLED)
            except (WireError, KeyError, TypeError, ValueError, AttributeError):
                return runs, self._lost_cell(index, Reason.CELL_KILLED)
        try:
            processes.data.send({"op": "state"})
            self._can_fork = bool(processes.data.receive(_GRACE_SECONDS)["can_fork"])
        except (ChannelClosed, ChannelTimeout, WireError, KeyError, TypeError):
            self._can_fork = False
        processes.keep_scratch()
        return runs, None

    def _lost_cell(self, index: int, reason: Reason) -> CellRun:
        assert self._processes is not None
        what = {
            Reason.CELL_TIMEOUT: (
                f"did not end within {self._limits.cell_seconds:g} s and could not be interrupted"
            ),
            Reason.CELL_MEMORY: (
                f"needed more than {self._limits.memory_bytes / 2**20:.0f} MiB of memory"
            ),
            Reason.CELL_KILLED: (
                "started more processes than the "
                f"{self._limits.processes} that are allowed"
                if self._processes.exceeded == "processes"
                else f"did not survive: {self._processes.how_it_ended()}"
            ),
        }[reason]
        message = f"cell {index + 1} {what}; the notebook was run again without it"
        output = {"output_type": "stream", "name": "stderr", "text": f"[{message}]\n"}
        return CellRun(index, [output], reason=reason, message=message)

    def _spawn(self) -> Processes:
        processes = self._fork_processes()
        try:
            processes.data.receive(START_SECONDS)
        except (ChannelClosed, ChannelTimeout) as error:
            processes.end()
            raise SandboxError(f"a submission's process did not start: {error}") from None
        return processes

    def exercise(self) -> ExerciseBackend:
        """A backend whose calls share one process in the state after the cells."""
        return ExerciseBackend(self, self._limits)

    def fork(self) -> Channel:
        """A connection to a fresh process in the state after the cells.

        It is forked from the runner. Where the cells have started threads or CUDA, which do not
        survive that, it is the runner itself, and for the next exercise a fresh runner that runs
        the cells again; of these there is one at a time, and so is of their CUDA contexts.

        Raises:
            StudentFault: there is no such state, because the submission's time is up or the
                process that held it has gone.
        """
        if self._processes is None or self._used:
            self._replay()
        if self._can_fork:
            try:
                return self._fork_runner()
            except (ChannelClosed, ChannelTimeout, WireError):
                self._replay()
        assert self._processes is not None
        self._used = True
        return self._processes.data

    def _replay(self) -> None:
        """Run the cells again in a fresh runner."""
        self._end()
        _, failed = self._run_once()
        if failed is not None:
            raise StudentFault(Status.CRASHED, f"on a second run, {failed.message}")

    def _fork_runner(self) -> Channel:
        assert self._processes is not None
        ours, theirs = socket.socketpair()
        try:
            with theirs:
                self._processes.data.send({"op": "fork"}, [theirs.fileno()])
                self._processes.data.receive(_GRACE_SECONDS + 10)
        except BaseException:
            ours.close()
            raise
        return Channel(ours, self._limits.message_bytes)

    def kill_exercise(self) -> None:
        """End an exercise's processes, and what they may have started."""
        if self._used:
            self._end()
        elif self._processes is not None:
            self._processes.kill_exercises()

    def exceeded(self) -> str | None:
        """Which limit the supervisor has just acted on, if any; forgotten once told."""
        if self._processes is None:
            return None
        self._processes.note_events(0.1)
        kind, self._processes.exceeded = self._processes.exceeded, None
        return kind

    def _end(self) -> None:
        if self._processes is not None:
            self._processes.end()
            self.cpu_seconds += self._processes.cpu_seconds
            self._processes = None


class ExerciseBackend:
    """Calls into a process that one exercise has to itself; a ``course_utils.student.Backend``.

    A crash costs the test in which it happens; the next test gets a fresh process. After a hang,
    no call of the exercise is waited for that long again.
    """

    def __init__(self, session: Session, limits: Limits) -> None:
        self._session = session
        self._limits = limits
        self._channel: Channel | None = None
        self._hung: StudentFault | None = None
        self._hung_seconds = 0.0

    def request(self, request: dict[str, Any]) -> dict[str, Any]:
        """Carry out one request in the sandbox, within its own time limit if it names one.

        Raises:
            StudentFault: the call hung, crashed, or ran out of memory.
        """
        seconds = float(request.get("seconds") or self._limits.call_seconds)
        if self._hung is not None and seconds <= self._hung_seconds:
            raise self._hung
        who = caller(request)
        left = self._session.seconds_left
        if left <= 0:
            raise StudentFault(Status.TIMEOUT, f"{self._time_used_up} before {who} was called")
        allowed = min(seconds, left)
        try:
            if self._channel is None:
                self._channel = self._session.fork()
            self._channel.send({"op": "call", "request": request, "seconds": allowed})
            response = self._channel.receive(allowed + _GRACE_SECONDS)
            if not isinstance(response, dict):
                raise WireError("not a response")
        except ChannelTimeout:
            response = {"timeout": True}
        except ChannelClosed:
            self.close()
            raise self._fault_of_crash(who) from None
        except WireError as error:
            self.close()
            raise StudentFault(Status.ERROR, f"{who} gave an unreadable answer: {error}") from None
        if response.get("timeout"):
            self.close()
            if left <= seconds:
                why = f"{self._time_used_up} while {who} was running"
            else:
                why = f"{who} did not return within {seconds:g} s"
            self._hung_seconds = allowed
            self._hung = StudentFault(Status.TIMEOUT, f"{why}: a loop that never ends?")
            raise self._hung
        if response.get("memory") or context_lost(str(response.get("raised"))):
            self.close()  # the next test gets a process that has room, and can use the GPU
        return response

    @property
    def _time_used_up(self) -> str:
        return f"the submission's {self._limits.submission_seconds:g} s were used up"

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
        other = self._session.exercise()
        other._hung, other._hung_seconds = self._hung, self._hung_seconds
        return other

    def close(self) -> None:
        """End this exercise's process."""
        if self._channel is not None:
            self._channel.close()
            self._channel = None
            self._session.kill_exercise()
