"""The judge's end of the sandbox: run a notebook's cells, then call what they defined.

One :class:`Sandbox` a worker holds a warm zygote; one :class:`Session` a submission holds the
processes forked for it.
"""

from __future__ import annotations

import contextlib
import signal
import socket
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from course_utils.outcome import Reason, Status
from course_utils.sandbox.channel import Channel, ChannelClosed, ChannelTimeout
from course_utils.sandbox.launch import Isolation, SandboxError, start_zygote
from course_utils.sandbox.limits import Limits
from course_utils.student import StudentFault
from course_utils.wire import WireError

_START_SECONDS = 120.0
# After its own alarm a process gets this long to answer before it is killed from outside.
_GRACE_SECONDS = 2.0
_SUPERVISOR_SECONDS = 10.0


@dataclass
class CellRun:
    """How one cell ended, and what it showed (in nbformat's form)."""

    index: int
    outputs: list[dict[str, Any]] = field(default_factory=list)
    execution_count: int | None = None
    reason: Reason | None = None
    message: str = ""
    seconds: float = 0.0


class Sandbox:
    """A warm zygote and the way to open sessions in it.

    Args:
        isolation: bubblewrap, or bare processes where that was asked for.
        limits: for every session.

    Raises:
        SandboxError: the isolation asked for does not work here.
    """

    def __init__(
        self, isolation: Isolation = Isolation.BUBBLEWRAP, limits: Limits | None = None
    ) -> None:
        self.isolation = isolation
        self.limits = limits or Limits()
        self._process: subprocess.Popen[bytes] | None = None
        self._control: Channel | None = None
        self.hello: dict[str, Any] = {}

    def __enter__(self) -> Sandbox:
        self.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def start(self) -> None:
        """Start the zygote unless it is running."""
        if self._process is not None and self._process.poll() is None:
            return
        self.close()
        self._process, ours = start_zygote(self.isolation)
        self._control = Channel(ours)
        try:
            self.hello = self._control.receive(_START_SECONDS)
        except (ChannelClosed, ChannelTimeout):
            self.close()
            raise SandboxError(
                "the sandbox did not start; what it printed above says why "
                "(course doctor checks its parts)"
            ) from None

    def close(self) -> None:
        """End the zygote and everything in it."""
        if self._control is not None:
            self._control.close()
            self._control = None
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    @property
    def environment(self) -> dict[str, str]:
        """Versions inside the sandbox and the isolation, for reports."""
        isolation = str(self.isolation)
        if self.isolation is Isolation.PROCESS:
            isolation += " (no sandbox)"
        elif not self.hello.get("seccomp"):
            isolation += " (without seccomp)"
        return {**self.hello.get("versions", {}), "isolation": isolation}

    def open(self) -> Session:
        """A session for one submission."""
        self.start()
        return Session(self)

    def spawn(self) -> tuple[int, Channel, Channel]:
        """Fork a supervisor and its runner; their pid and connections (supervisor, runner)."""
        assert self._control is not None
        ours_control, theirs_control = socket.socketpair()
        ours_data, theirs_data = socket.socketpair()
        with theirs_control, theirs_data:
            request = {"op": "spawn", "limits": self.limits.to_dict()}
            self._control.send(request, [theirs_control.fileno(), theirs_data.fileno()])
            answer = self._control.receive(_START_SECONDS)
        if "pid" not in answer:
            raise SandboxError(
                f"a submission's sandbox could not be made: {answer.get('error')}"
            )
        data = Channel(ours_data, self.limits.message_bytes)
        return answer["pid"], Channel(ours_control), data

    def reap(self, pid: int, seconds: float) -> float:
        """Wait for a supervisor to end (or end it); the CPU seconds of its submission."""
        assert self._control is not None
        self._control.send({"op": "wait", "pid": pid, "seconds": seconds})
        return float(self._control.receive(_START_SECONDS)["cpu_seconds"])


class _Processes:
    """A supervisor and its runner, and what is known about how they ended."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self.pid, self.control, self.data = sandbox.spawn()
        self.exceeded: str | None = None
        self.exit_code: int | None = None
        self.cpu_seconds = 0.0

    def note_events(self, seconds: float = 0.0) -> None:
        """Read what the supervisor has reported; wait up to ``seconds`` for a first report."""
        with contextlib.suppress(ChannelClosed, ChannelTimeout, WireError):
            while True:
                knows = self.exceeded is not None or self.exit_code is not None
                self._note(self.control.receive(0.01 if knows else seconds))

    def _note(self, event: dict[str, Any]) -> str:
        kind = str(event.get("event"))
        if kind == "limit":
            self.exceeded = str(event.get("kind"))
        elif kind == "runner_exit":
            self.exit_code = int(event.get("code", 0))
        return kind

    def kill_exercises(self) -> None:
        """End every process but the runner; returns when that is done, so that the command
        cannot reach a process that is forked after it."""
        with contextlib.suppress(ChannelClosed, ChannelTimeout, WireError):
            self.control.send({"op": "kill"})
            while self._note(self.control.receive(_SUPERVISOR_SECONDS)) != "killed":
                pass

    def end(self) -> None:
        """End every process and count the CPU time they took."""
        with contextlib.suppress(ChannelClosed):
            self.control.send({"op": "finish"})
        with contextlib.suppress(ChannelClosed, ChannelTimeout):
            self.cpu_seconds = self._sandbox.reap(self.pid, _SUPERVISOR_SECONDS)
        self.control.close()
        self.data.close()

    def how_it_ended(self) -> str:
        if self.exit_code is None:
            return "its process ended"
        if self.exit_code < 0:
            return f"its process was ended by {_signal_name(-self.exit_code)}"
        return f"its process exited with code {self.exit_code}"


class Session:
    """One submission in the sandbox: its cells first, then calls to what they defined."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self._limits = sandbox.limits
        self._processes: _Processes | None = None
        self._cells: list[tuple[int, str]] = []
        self._can_fork = True
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
        self._processes = processes = self._spawn()
        runs: list[CellRun] = []
        for index, source in self._cells:
            allowed = min(self._limits.cell_seconds + _GRACE_SECONDS, max(0.1, self.seconds_left))
            try:
                processes.data.send({"op": "cell", "source": source})
                answer = processes.data.receive(allowed)
                runs.append(_cell_run(index, answer))
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

    def _spawn(self) -> _Processes:
        processes = _Processes(self._sandbox)
        try:
            processes.data.receive(_START_SECONDS)
        except (ChannelClosed, ChannelTimeout) as error:
            processes.end()
            raise SandboxError(f"a submission's process did not start: {error}") from None
        return processes

    def exercise(self, seconds: float | None = None) -> ExerciseBackend:
        """A backend whose calls share one process, forked from the state after the cells."""
        return ExerciseBackend(self, seconds or self._limits.call_seconds)

    def fork(self) -> Channel:
        """A connection to a fresh process in the state after the cells.

        Raises:
            StudentFault: there is no such state, because the submission's time is up or the
                process that held it has gone.
        """
        if not self._can_fork or self._processes is None:
            # Threads or a GPU context do not survive a fork: run the cells again instead.
            self._end()
            _, failed = self._run_once()
            if failed is not None:
                raise StudentFault(Status.CRASHED, f"on a second run, {failed.message}")
            assert self._processes is not None
            return self._processes.data
        ours, theirs = socket.socketpair()
        try:
            with theirs:
                self._processes.data.send({"op": "fork"}, [theirs.fileno()])
                self._processes.data.receive(_GRACE_SECONDS + 10)
        except (ChannelClosed, ChannelTimeout, WireError):
            ours.close()
            self._can_fork = False
            return self.fork()
        return Channel(ours, self._limits.message_bytes)

    def kill_exercise(self) -> None:
        """End the processes forked for an exercise, and what they may have started."""
        if self._processes is not None:
            if self._can_fork:
                self._processes.kill_exercises()
            else:
                self._end()

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

    A crash costs the test in which it happens; the next test gets a fresh process. A hang ends the
    exercise: its remaining tests are not waited for.
    """

    def __init__(self, session: Session, seconds: float) -> None:
        self._session = session
        self._seconds = seconds
        self._channel: Channel | None = None
        self._hung: StudentFault | None = None

    def request(self, request: dict[str, Any]) -> dict[str, Any]:
        """Carry out one request in the sandbox.

        Raises:
            StudentFault: the call hung, crashed, or ran out of memory.
        """
        if self._hung is not None:
            raise self._hung
        name = request["name"]
        if self._session.seconds_left <= 0:
            raise StudentFault(
                Status.TIMEOUT, "the time for this submission was used up before this call"
            )
        allowed = min(self._seconds, self._session.seconds_left)
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
            raise self._fault_of_crash(name) from None
        except WireError as error:
            self.close()
            raise StudentFault(
                Status.ERROR, f"{name} gave an unreadable answer: {error}", name=name
            ) from None
        if response.get("timeout"):
            self.close()
            self._hung = StudentFault(
                Status.TIMEOUT,
                f"{name} did not return within {self._seconds:g} s: a loop that never ends?",
                name=name,
            )
            raise self._hung
        if response.get("memory"):
            self.close()  # the next test gets a process that has room
        return response

    def _fault_of_crash(self, name: str) -> StudentFault:
        exceeded = self._session.exceeded()
        if exceeded == "memory":
            return self._fault_of_memory(name)
        why = "it started too many processes" if exceeded else "it exited or was killed"
        return StudentFault(
            Status.CRASHED, f"{name} ended the whole process: {why}", name=name
        )

    @staticmethod
    def _fault_of_memory(name: str) -> StudentFault:
        return StudentFault(Status.MEMORY, f"{name} needed more memory than is allowed", name=name)

    def close(self) -> None:
        """End this exercise's process."""
        if self._channel is not None:
            self._channel.close()
            self._channel = None
            self._session.kill_exercise()


def _cell_run(index: int, answer: dict[str, Any]) -> CellRun:
    run = CellRun(
        index,
        outputs=_clean_outputs(answer["outputs"]),
        execution_count=int(answer["execution_count"]),
        seconds=float(answer["seconds"]),
    )
    if answer["timed_out"]:
        run.reason = Reason.CELL_TIMEOUT
        run.message = f"cell {index + 1} was interrupted: it took too long"
    elif not answer["ok"]:
        error = next((o for o in run.outputs if o["output_type"] == "error"), None)
        what = f"{error['ename']}: {error['evalue']}"[:200] if error else "an error"
        run.reason = Reason.CELL_ERROR
        run.message = f"cell {index + 1} raises {what}"
    elif answer["cut"]:
        run.reason = Reason.OUTPUT_CUT
        run.message = f"cell {index + 1} printed too much; its output was cut off"
    return run


def _clean_outputs(outputs: Any) -> list[dict[str, Any]]:
    """Outputs rebuilt field by field, so that nothing but nbformat's own shapes is passed on."""
    clean: list[dict[str, Any]] = []
    for output in outputs:
        kind = output["output_type"]
        if kind == "stream":
            name = "stderr" if output["name"] == "stderr" else "stdout"
            clean.append({"output_type": kind, "name": name, "text": str(output["text"])})
        elif kind == "error":
            clean.append(
                {
                    "output_type": kind,
                    "ename": str(output["ename"]),
                    "evalue": str(output["evalue"]),
                    "traceback": [str(line) for line in output["traceback"]],
                }
            )
        elif kind in ("display_data", "execute_result"):
            entry: dict[str, Any] = {
                "output_type": kind,
                "data": {str(k): _plain(v) for k, v in output["data"].items()},
                "metadata": {},
            }
            if kind == "execute_result":
                entry["execution_count"] = int(output["execution_count"])
            clean.append(entry)
    return clean


def _plain(value: Any) -> Any:
    if isinstance(value, (str, int, float, bool)) or value is None:
        return value
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {str(k): _plain(v) for k, v in value.items()}
    return str(value)


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
