"""The judge's end of the sandbox: a warm zygote, from which each submission gets its processes."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from contextlib import ExitStack
from functools import partial
from typing import Any, BinaryIO

from course_utils.ground import devices
from course_utils.ground.errors import SandboxError
from course_utils.sandbox import cgroups
from course_utils.sandbox.channel import Channel, ChannelClosed
from course_utils.sandbox.launch import Isolation, Started, start_zygote
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
        self._started: Started | None = None
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
        if self._started is not None and self._started.process.poll() is None:
            return
        self.close()
        self._started = start_zygote(self.isolation, self._preload, self.limits)
        self._control = Channel(self._started.connection, _REPORT_BYTES, START_SECONDS)
        self.hello = {}

    def _await_ready(self) -> None:
        if self.hello:
            return
        started = self._started
        assert started is not None
        try:
            self.hello = self._answer()
        except BROKEN:
            why = started.why_it_ended()
            self.close()
            raise SandboxError(why) from None

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
            return self._answer()
        except BROKEN as error:
            self.close()
            raise ChannelClosed(str(error)) from None

    def _answer(self) -> dict[str, Any]:
        assert self._control is not None
        answer = self._control.receive()
        if not isinstance(answer, dict):
            raise ChannelClosed("it gave no answer")
        return answer

    def close(self) -> None:
        """End the zygote and everything in it."""
        self._control = None
        if self._started is not None:
            self._started.close()
            self._started = None

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
        group = self._group()
        ours_control, theirs_control = socket.socketpair()
        ours_data, theirs_data = socket.socketpair()
        control = Channel(ours_control, _REPORT_BYTES, SUPERVISOR_SECONDS)
        data = Channel(ours_data, self.limits.message_bytes, self.limits.submission_seconds)
        request = {"op": "spawn", "limits": self.limits.to_dict()}
        try:
            with ExitStack() as handed_on:
                handed: list[socket.socket | BinaryIO] = [theirs_control, theirs_data]
                if group is not None:
                    handed += [group.entrance(), group.events()]
                for file in handed:
                    handed_on.enter_context(file)
                answer = self._ask(request, [file.fileno() for file in handed])
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
        return Processes(answer["pid"], control, data, partial(self._reap, group))

    def _group(self) -> cgroups.Group | None:
        """A group of the kernel's for one submission, where that can be had."""
        folder = cgroups.place().folder if self.isolation is Isolation.BUBBLEWRAP else None
        try:
            return cgroups.Group(folder, cgroups.settings(self.limits)) if folder else None
        except OSError as error:
            raise SandboxError(f"a submission's group could not be made: {error}") from None

    def _reap(self, group: cgroups.Group | None, pid: int, seconds: float) -> float:
        """Wait for a supervisor to end (or end it); the CPU seconds of its submission."""
        try:
            answer = self._ask({"op": "wait", "pid": pid, "seconds": seconds})
            return float(answer.get("cpu_seconds", 0.0))
        finally:
            if group is not None:
                group.remove()
