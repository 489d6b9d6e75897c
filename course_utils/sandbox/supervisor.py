"""The first process of a submission's own pid namespace; it runs no student code.

It starts the runner, reaps whatever dies, watches memory and the number of processes, and kills
on command. When it exits, the kernel ends everything else in the namespace, daemons included.
"""

from __future__ import annotations

import os
import select
import signal
import socket
import tempfile
import time
from contextlib import suppress

from course_utils.sandbox import linux, runner, seccomp
from course_utils.sandbox.channel import Channel, ChannelClosed
from course_utils.sandbox.limits import (
    Limits,
    apply_process_limits,
    has_ended,
    kibibytes,
    status_of,
)
from course_utils.sandbox.scratch import Scratch, ScratchError

_POLL_SECONDS = 0.02
_SHARED_MEMORY = "/dev/shm"
# How long the killed are waited for: what is left then is no matter of a signal on its way.
_DEATH_SECONDS = 2.0


def enter_namespaces() -> None:
    """Leave the zygote's world: new user, pid (for children), mount and ipc namespaces."""
    linux.show_memory()
    uid, gid = os.getuid(), os.getgid()
    linux.unshare(
        linux.CLONE_NEWUSER | linux.CLONE_NEWPID | linux.CLONE_NEWNS | linux.CLONE_NEWIPC
    )
    linux.map_own_ids(uid, gid)


def supervise(
    control: socket.socket, data: socket.socket, limits: Limits, *, isolated: bool
) -> None:
    """Run a submission's processes until told to finish; never returns.

    Args:
        control: takes commands (``kill``, ``finish``) and gives events (``exit``, ``limit``).
        data: the runner's connection to the judge, which is handed on.
        limits: what the submission may use.
        isolated: whether this is pid 1 of a namespace of its own; otherwise only a process group.
    """
    if isolated:
        _prepare_file_systems(limits)
        linux.drop_privileges()
        if seccomp.available():
            seccomp.install()
    runner_pid = os.fork()
    if runner_pid == 0:
        control.close()
        if not isolated:
            os.setpgid(0, 0)
        apply_process_limits(limits)
        runner.serve(Channel(data), limits)
        os._exit(0)
    data.close()
    if isolated:
        linux.hide_memory()
    _Supervisor(Channel(control), runner_pid, limits, isolated).loop()
    os._exit(0)


def _prepare_file_systems(limits: Limits) -> None:
    linux.make_mounts_private()
    scratch = tempfile.gettempdir()
    linux.mount_tmpfs(scratch, limits.file_bytes)
    linux.mount_tmpfs(_SHARED_MEMORY, limits.file_bytes)
    os.chdir(scratch)


class _Supervisor:
    def __init__(
        self, channel: Channel, runner_pid: int, limits: Limits, isolated: bool
    ) -> None:
        self._channel = channel
        self._runner = runner_pid
        self._limits = limits
        self._isolated = isolated
        self._scratch: Scratch | None = None
        # What the runner holds before it has run anything is the imports', not the student's.
        self._baseline = self._inhabitants().get(runner_pid, 0) if isolated else 0

    def loop(self) -> None:
        while True:
            readable, _, _ = select.select([self._channel], [], [], _POLL_SECONDS)
            self._reap()
            if self._isolated:
                self._watch()
            if not readable:
                continue
            try:
                command = self._channel.receive(1.0)["op"]
            except (ChannelClosed, TimeoutError):
                command = "finish"
            if command == "keep":
                self._keep_scratch()
                self._tell({"event": "kept"})
            elif command == "kill":
                self._kill(spare_runner=True)
                self._restore_scratch()
                self._tell({"event": "killed"})  # only now may the next exercise be forked
            elif command == "finish":
                self._kill(spare_runner=False)
                return

    def _keep_scratch(self) -> None:
        """Note what the cells have left in the scratch places; without isolation these are the
        machine's own, and nothing there is touched."""
        if self._isolated:
            with suppress(ScratchError):
                self._scratch = Scratch(tempfile.gettempdir(), _SHARED_MEMORY)

    def _restore_scratch(self) -> None:
        """Undo what an exercise has done to the scratch places; where that is not possible, end the
        runner, so that its state is made anew from the beginning."""
        if not self._isolated:
            return
        try:
            if self._scratch is None or self._others():
                raise ScratchError("the state after the cells cannot be had again")
            self._scratch.restore()
        except ScratchError:
            self._kill(spare_runner=False)

    def _others(self) -> set[int]:
        """What can still run, besides the runner."""
        return set(self._inhabitants(dead=False)) - {self._runner}

    def _reap(self) -> None:
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            if pid == self._runner:
                self._tell({"event": "runner_exit", "code": os.waitstatus_to_exitcode(status)})

    def _watch(self) -> None:
        """Kill what has grown too large, or everything where there are too many processes."""
        held = self._inhabitants()
        if len(held) > self._limits.processes:
            self._tell({"event": "limit", "kind": "processes"})
            self._kill(spare_runner=False)
            return
        used = {pid: max(0, memory - self._baseline) for pid, memory in held.items()}
        if sum(used.values()) > self._limits.resident_bytes:
            largest = max(used, key=lambda pid: used[pid])
            self._tell({"event": "limit", "kind": "memory"})
            with suppress(ProcessLookupError):
                os.kill(largest, signal.SIGKILL)

    @staticmethod
    def _inhabitants(*, dead: bool = True) -> dict[int, int]:
        """The other processes of this pid namespace and the private memory each holds, in bytes.

        ``/proc`` is the sandbox's, one level up (a nested one may not be mounted); a process of
        this namespace has a second number there, its own in here. A zygote has one submission at
        a time, so there is no other nested namespace. ``dead`` says whether those are among them
        that are at their end or were not waited for.
        """
        found: dict[int, int] = {}
        for name in os.listdir("/proc"):
            if not name.isdigit():
                continue
            with suppress(OSError):
                status = status_of(name)
                numbers = status.get("NSpid", "").split()
                if len(numbers) > 1 and numbers[-1] != "1" and (dead or not has_ended(name)):
                    memory = kibibytes(status, "RssAnon") + kibibytes(status, "RssShmem")
                    found[int(numbers[-1])] = memory
        return found

    def _kill(self, *, spare_runner: bool) -> None:
        if not self._isolated:
            # Without a pid namespace all we have is the process group, which the runner leads.
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self._runner, signal.SIGKILL)
        elif not spare_runner:
            with suppress(ProcessLookupError):
                os.kill(-1, signal.SIGKILL)  # everything in this namespace but ourselves
        else:
            deadline = time.monotonic() + _DEATH_SECONDS
            # A process may fork while we look, and a signal takes a moment to arrive.
            while (others := self._others()) and time.monotonic() < deadline:
                for pid in others:
                    with suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGKILL)
        if not spare_runner:
            with suppress(ChildProcessError):
                while True:
                    os.waitpid(-1, 0)  # so that their CPU time is counted as ours
        self._reap()

    def _tell(self, event: dict[str, object]) -> None:
        with suppress(ChannelClosed):
            self._channel.send(event)
