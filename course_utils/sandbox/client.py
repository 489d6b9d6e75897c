"""The judge's end of the sandbox: a warm zygote, from which each submission gets its processes."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Sequence
from typing import Any

from course_utils import devices
from course_utils.sandbox.channel import Channel, ChannelClosed
from course_utils.sandbox.launch import Isolation, SandboxError, start_zygote
from course_utils.sandbox.limits import Limits
from course_utils.sandbox.processes import BROKEN, SUPERVISOR_SECONDS, Processes
from course_utils.sandbox.session import START_SECONDS, Session

# What zygote and supervisor say is short.
_REPORT_BYTES = 64 * 2**10


class Sandbox:
    """A warm zygote and the way to open sessions in it.

    Args:
        isolation: bubblewrap, or bare processes where that was asked for.
        limits: for every session.
        preload: modules to import once, before anything is forked; the fewer, the cheaper is
            every fork. Others can be imported by a notebook all the same.

    Raises:
        SandboxError: the isolation asked for does not work here.
    """

    def __init__(
        self,
        isolation: Isolation = Isolation.BUBBLEWRAP,
        limits: Limits | None = None,
        preload: Sequence[str] = ("numpy", "torch"),
    ) -> None:
        self.isolation = isolation
        self.limits = limits or Limits()
        self._preload = list(preload)
        self._process: subprocess.Popen[bytes] | None = None
        self._control: Channel | None = None
        self.hello: dict[str, Any] = {}

    def __enter__(self) -> Sandbox:
        self.start()
        self._await_ready()
        return self

    def try_out(self) -> None:
        """Start and end the sandbox, to see whether it works here.

        Raises:
            SandboxError: it does not.
        """
        with self:
            pass

    def __exit__(self, *exception: object) -> None:
        self.close()

    def start(self) -> None:
        """Start the zygote unless it is running, and let it import while we do other things."""
        if self._process is not None and self._process.poll() is None:
            return
        self.close()
        self._process, ours = start_zygote(self.isolation, self._preload, self.limits)
        self._control = Channel(ours, _REPORT_BYTES, START_SECONDS)
        self.hello = {}

    def _await_ready(self) -> None:
        if self.hello:
            return
        assert self._control is not None
        try:
            self.hello = self._answer()
        except ChannelClosed:
            raise SandboxError(
                "the sandbox did not start; what it printed above says why "
                "(course doctor checks its parts)"
            ) from None

    def _ask(self, request: dict[str, Any], descriptors: Sequence[int] = ()) -> dict[str, Any]:
        """The zygote's answer to a request.

        Raises:
            ChannelClosed: it is gone, or was ended because it did not answer as it should: a late
                answer would be taken for that to the next request.
        """
        if self._control is None:
            raise ChannelClosed("the sandbox has ended")
        try:
            self._control.send(request, descriptors)
        except BROKEN as error:
            self.close()
            raise ChannelClosed(str(error)) from None
        return self._answer()

    def _answer(self) -> dict[str, Any]:
        assert self._control is not None
        try:
            answer = self._control.receive()
            if not isinstance(answer, dict):
                raise ChannelClosed("it gave no answer")
        except BROKEN as error:
            self.close()
            raise ChannelClosed(str(error)) from None
        return answer

    def close(self) -> None:
        """End the zygote and everything in it."""
        if self._control is not None:
            self._control.close()
            self._control = None
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def alive(self) -> bool:
        """Whether the zygote still answers; what was seen of student code counts only then."""
        try:
            self._ask({"op": "ping"})
        except ChannelClosed:
            return False
        return True

    @property
    def environment(self) -> dict[str, str]:
        """Versions inside the sandbox, the device and the isolation, for reports."""
        isolation = str(self.isolation)
        if self.isolation is Isolation.PROCESS:
            isolation += " (no sandbox)"
        elif not self.hello.get("seccomp"):
            isolation += " (without seccomp)"
        found = {**self.hello.get("versions", {}), "isolation": isolation}
        found["device"] = self.limits.device
        if self.limits.on_gpu:
            found["gpu"] = str(devices.gpu())
        return found

    def open(self) -> Session:
        """A session for one submission.

        Raises:
            SandboxError: the zygote did not start.
        """
        self.start()
        self._await_ready()
        return Session(self.limits, self._spawn)

    def _spawn(self) -> Processes:
        """Fork a supervisor and its runner."""
        ours_control, theirs_control = socket.socketpair()
        ours_data, theirs_data = socket.socketpair()
        control = Channel(ours_control, _REPORT_BYTES, SUPERVISOR_SECONDS)
        data = Channel(ours_data, self.limits.message_bytes, self.limits.submission_seconds)
        request = {"op": "spawn", "limits": self.limits.to_dict()}
        try:
            with theirs_control, theirs_data:
                answer = self._ask(request, [theirs_control.fileno(), theirs_data.fileno()])
            if not isinstance(answer.get("pid"), int):
                raise SandboxError(
                    f"a submission's sandbox could not be made: {answer.get('error')}"
                )
        except (ChannelClosed, SandboxError) as error:
            control.close()
            data.close()
            if isinstance(error, SandboxError):
                raise
            raise SandboxError("the sandbox ended while it was in use") from None
        return Processes(answer["pid"], control, data, self._reap)

    def _reap(self, pid: int, seconds: float) -> float:
        """Wait for a supervisor to end (or end it); the CPU seconds of its submission."""
        answer = self._ask({"op": "wait", "pid": pid, "seconds": seconds})
        return float(answer.get("cpu_seconds", 0.0))
