"""One submission in the sandbox: its cells first, then processes in the state after them."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Sequence
from typing import Any

from course_utils.calls.fault import StudentFault
from course_utils.ground.errors import SandboxError
from course_utils.ground.fields import flag_of
from course_utils.ground.statuses import Reason, Status
from course_utils.ground.wire import WireError
from course_utils.sandbox.cells import Allowance, CellRun, cell_run
from course_utils.sandbox.channel import Channel, ChannelClosed, ChannelTimeout
from course_utils.sandbox.exercise import GRACE_SECONDS, ExerciseBackend
from course_utils.sandbox.limits import Limits
from course_utils.sandbox.processes import BROKEN, Processes

START_SECONDS = 120.0
# To look at itself, or to fork, is a moment's work for a runner, on a busy machine some seconds'.
_STATE_SECONDS = 10.0


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
        self.end()

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
            self.end()
            self._cells = [(index, source) for index, source in cells if index not in lost]
            runs, failed = self._run_once()
            if failed is None:
                break
            lost[failed.index] = failed
            if self.seconds_left <= 0:
                lost |= {i: self._not_run(i) for i, _ in self._cells[len(runs) + 1 :]}
                break
        if self.seconds_left <= 0:
            self.end()
        done = {run.index: run for run in runs} | lost
        return [done[index] for index, _ in cells]

    def _run_once(self) -> tuple[list[CellRun], CellRun | None]:
        """Run the cells until one is lost; those that ran, and the one that did not."""
        self._used = False
        self._processes = processes = self._spawn()
        allowance = Allowance(self._limits.output_bytes)
        runs: list[CellRun] = []
        for index, source in self._cells:
            if self.seconds_left <= 0:
                return runs, self._not_run(index)
            try:
                answer = self._ask({"op": "cell", "source": source}, self._limits.cell_seconds)
                runs.append(cell_run(index, answer, allowance))
            except ChannelTimeout:
                return runs, self._lost_cell(index, Reason.CELL_TIMEOUT)
            except ChannelClosed:
                processes.note_events(1.0)
                if processes.exceeded == "memory":
                    return runs, self._lost_cell(index, Reason.CELL_MEMORY)
                return runs, self._lost_cell(index, Reason.CELL_KILLED)
            except WireError:
                return runs, self._lost_cell(index, Reason.UNREADABLE_ANSWER)
        try:
            self._can_fork = flag_of(self._ask({"op": "state"}, _STATE_SECONDS).get("can_fork"))
        except BROKEN:
            self.end()  # an answer that came later would be taken for another one
            return runs, None
        if not processes.keep_scratch():
            self.end()
        return runs, None

    def _ask(
        self, command: dict[str, Any], seconds: float, descriptors: Sequence[int] = ()
    ) -> dict[str, Any]:
        """The runner's answer to a command, within the submission's time whatever it does.

        Raises:
            ChannelTimeout, ChannelClosed, WireError: there was none.
        """
        assert self._processes is not None
        data, allowed = self._processes.data, seconds + GRACE_SECONDS
        data.send(command, descriptors, min(allowed, self.seconds_left))
        answer = data.receive(min(allowed, self.seconds_left))
        if not isinstance(answer, dict):
            raise WireError("it is no answer")
        return answer

    def _not_run(self, index: int) -> CellRun:
        message = f"cell {index + 1} was not run: {self.time_used_up} before it"
        return CellRun(index, reason=Reason.SUBMISSION_TIMEOUT, message=message)

    @property
    def time_used_up(self) -> str:
        """The words for it."""
        return f"the submission's {self._limits.submission_seconds:g} s were used up"

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
            Reason.UNREADABLE_ANSWER: (
                "did not end as cells do: what its process answered cannot be read"
            ),
        }[reason]
        message = f"cell {index + 1} {what}; the notebook was run again without it"
        if self.seconds_left <= 0:
            reason = Reason.SUBMISSION_TIMEOUT
            message = f"cell {index + 1} did not end: {self.time_used_up} while it ran"
        output = {"output_type": "stream", "name": "stderr", "text": f"[{message}]\n"}
        return CellRun(index, [output], reason=reason, message=message)

    def _spawn(self) -> Processes:
        processes = self._fork_processes()
        try:
            processes.data.receive(START_SECONDS)
        except BROKEN as error:
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
            except BROKEN:
                self._replay()
        assert self._processes is not None
        self._used = True
        return self._processes.data

    def _replay(self) -> None:
        """Run the cells again in a fresh runner."""
        self.end()
        _, failed = self._run_once()
        if failed is not None:
            raise StudentFault(Status.CRASHED, f"on a second run, {failed.message}")
        if self._processes is None:
            raise StudentFault(
                Status.CRASHED, "after the cells had run, their process did not answer"
            )

    def _fork_runner(self) -> Channel:
        ours, theirs = socket.socketpair()
        channel = Channel(ours, self._limits.message_bytes, self._limits.submission_seconds)
        try:
            with theirs:
                self._ask({"op": "fork"}, _STATE_SECONDS, [theirs.fileno()])
        except BaseException:
            channel.close()
            raise
        return channel

    def kill_exercise(self) -> None:
        """End an exercise's processes, and what they may have started."""
        if self._processes is None:
            return
        if self._used or not self._processes.kill_exercises():
            self.end()

    def exceeded(self) -> str | None:
        """Which limit the supervisor has just acted on, if any; forgotten once told."""
        if self._processes is None:
            return None
        self._processes.note_events(0.1)
        kind, self._processes.exceeded = self._processes.exceeded, None
        return kind

    def end(self) -> None:
        """End every process of the submission."""
        if self._processes is not None:
            self._processes.end()
            self.cpu_seconds += self._processes.cpu_seconds
            self._processes = None
