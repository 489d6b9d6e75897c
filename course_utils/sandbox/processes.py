"""A submission's processes as the judge sees them: connections, events, and an end."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Callable
from typing import Any

from course_utils.sandbox.channel import Channel, ChannelClosed, ChannelTimeout
from course_utils.wire import WireError

SUPERVISOR_SECONDS = 10.0


class Processes:
    """A supervisor and its runner, and what is known about how they ended.

    Args:
        pid: the supervisor's, in the zygote's pid namespace.
        control: the connection to the supervisor.
        data: the connection to the runner.
        reap: waits for the supervisor to end (or ends it) and gives the CPU seconds of its
            submission; takes the pid and how long to wait.
    """

    def __init__(
        self, pid: int, control: Channel, data: Channel, reap: Callable[[int, float], float]
    ) -> None:
        self.pid, self.control, self.data, self._reap = pid, control, data, reap
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

    def keep_scratch(self) -> None:
        """Have what lies in the scratch places now put back there after every exercise."""
        self._command("keep", "kept")

    def kill_exercises(self) -> None:
        """End every process but the runner, and undo what they have done to the scratch places;
        returns when that is done, so that the command cannot reach a process that is forked after
        it."""
        self._command("kill", "killed")

    def _command(self, command: str, done: str) -> None:
        with contextlib.suppress(ChannelClosed, ChannelTimeout, WireError):
            self.control.send({"op": command})
            while self._note(self.control.receive(SUPERVISOR_SECONDS)) != done:
                pass

    def end(self) -> None:
        """End every process and count the CPU time they took."""
        with contextlib.suppress(ChannelClosed):
            self.control.send({"op": "finish"})
        with contextlib.suppress(ChannelClosed, ChannelTimeout):
            self.cpu_seconds = self._reap(self.pid, SUPERVISOR_SECONDS)
        self.control.close()
        self.data.close()

    def how_it_ended(self) -> str:
        if self.exit_code is None:
            return "its process ended"
        if self.exit_code < 0:
            return f"its process was ended by {_signal_name(-self.exit_code)}"
        return f"its process exited with code {self.exit_code}"


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
