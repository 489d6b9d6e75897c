"""A submission's processes as the judge sees them: connections, events, and an end."""

from __future__ import annotations

import contextlib
import signal
import time
from collections.abc import Callable
from typing import Any

from course_utils.ground.wire import WireError
from course_utils.sandbox.channel import Channel, ChannelClosed, ChannelTimeout

SUPERVISOR_SECONDS = 10.0
# What may come of a connection whose other end is not ours to answer for.
BROKEN = (ChannelClosed, ChannelTimeout, WireError)


class Processes:
    """A supervisor and its runner, and what is known about how they ended.

    Args:
        pid: the supervisor's, in the zygote's pid namespace.
        control: the connection to the supervisor.
        data: the connection to the runner.
        reap: waits for the supervisor to end (or ends it) and gives the CPU seconds of its
            submission; takes the pid and how long to wait. Raises ChannelClosed where the zygote
            is lost, and all of its processes with it.
    """

    def __init__(
        self, pid: int, control: Channel, data: Channel, reap: Callable[[int, float], float]
    ) -> None:
        self.pid, self.control, self.data, self._reap = pid, control, data, reap
        self.exceeded: str | None = None
        self.exit_code: int | None = None
        self.cpu_seconds = 0.0

    def note_events(self, seconds: float) -> None:
        """Read what the supervisor has reported; wait up to ``seconds`` for a first report."""
        deadline = time.monotonic() + seconds
        with contextlib.suppress(*BROKEN):
            while (left := deadline - time.monotonic()) > 0:
                knows = self.exceeded is not None or self.exit_code is not None
                self._note(self.control.receive(min(left, 0.01) if knows else left))

    def _note(self, event: Any) -> str:
        if not isinstance(event, dict):
            return ""
        kind, code = event.get("event"), event.get("code")
        if kind == "limit":
            self.exceeded = str(event.get("kind"))
        elif kind == "runner_exit" and isinstance(code, int):
            self.exit_code = code
        return str(kind)

    def keep_scratch(self) -> bool:
        """Have what lies in the scratch places now put back there after every exercise; False where
        the supervisor does not say in time that it will."""
        return self._command("keep", "kept")

    def kill_exercises(self) -> bool:
        """End every process but the runner, and undo what they have done to the scratch places;
        returns when that is done, so that the command cannot reach a process that is forked after
        it. False where the supervisor does not say so in time."""
        return self._command("kill", "killed")

    def _command(self, command: str, done: str) -> bool:
        deadline = time.monotonic() + SUPERVISOR_SECONDS
        with contextlib.suppress(*BROKEN):
            self.control.send({"op": command})
            while self._note(self.control.receive(deadline - time.monotonic())) != done:
                pass
            return True
        return False

    def end(self) -> None:
        """End every process and count the CPU time they took."""
        with contextlib.suppress(ChannelClosed, ChannelTimeout):
            self.control.send({"op": "finish"})
        with contextlib.suppress(ChannelClosed):
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
