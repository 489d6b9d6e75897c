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
from collections.abc import Iterable
from contextlib import suppress

from course_utils.sandbox import cgroups, linux, runner
from course_utils.sandbox.channel import Channel, ChannelClosed
from course_utils.sandbox.holdings import Holdings, inhabitants
from course_utils.sandbox.limits import Limits, apply_process_limits
from course_utils.sandbox.outbox import Event, Outbox
from course_utils.sandbox.scratch import Scratch, ScratchError
from course_utils.sandbox.seccomp import Filter

_POLL_SECONDS = 0.02
# Looking takes at most this part of a core's time, unless so much is going on that it must be more.
_SHARE_OF_TIME = 0.1
_LONGEST_POLL_SECONDS = 0.1
# How long the killed are waited for: what is left then is no matter of a signal on its way.
_DEATH_SECONDS = 2.0
# They share this process's core, and can only end while it sleeps.
_DEATH_POLL_SECONDS = 0.0003
_SHARED_MEMORY, _TERMINALS = "/dev/shm", "/dev/pts"
_MOST_TERMINALS = 16


def enter_namespaces() -> None:
    """Leave the zygote's world: new user, pid (for children), mount, ipc, uts and net namespaces.

    The network one has not even a loopback device that is up; the host name is set anew, although
    nothing could have changed the zygote's.
    """
    linux.show_memory()
    uid, gid = os.getuid(), os.getgid()
    linux.unshare(
        linux.CLONE_NEWUSER | linux.CLONE_NEWPID | linux.CLONE_NEWNS | linux.CLONE_NEWIPC
        | linux.CLONE_NEWUTS | linux.CLONE_NEWNET
    )  # fmt: skip
    linux.map_own_ids(uid, gid)


def supervise(
    control: socket.socket,
    data: socket.socket,
    limits: Limits,
    *,
    isolated: bool,
    rules: Filter | None,
    events: int | None,
) -> None:
    """Run a submission's processes until told to finish; never returns.

    Args:
        control: takes commands (``kill``, ``finish``) and gives events (``exit``, ``limit``).
        data: the runner's connection to the judge, which is handed on.
        limits: what the submission may use.
        isolated: whether this is pid 1 of a namespace of its own; otherwise only a process group.
        rules: which system calls are refused, where the kernel can be asked to do so.
        events: a descriptor that tells what the kernel has ended for want of memory, where the
            submission has a group; see :mod:`course_utils.sandbox.cgroups`.
    """
    if isolated:
        _prepare_file_systems(limits)
        linux.drop_privileges()
        if rules is not None:
            rules.install()
        linux.hide_memory()
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # which cannot reach a namespace's first
    runner_pid = os.fork()
    if runner_pid == 0:
        control.close()
        if events is not None:
            os.close(events)
        if isolated:
            linux.show_memory()
        else:
            os.setpgid(0, 0)
        apply_process_limits(limits, isolated=isolated)
        runner.serve(Channel(data), limits)
        os._exit(0)
    data.close()
    holdings = None
    if isolated:
        folders = (tempfile.gettempdir(), _SHARED_MEMORY)
        holdings = Holdings(limits, folders, unseen=rules is None or limits.on_gpu)
    _Supervisor(control, runner_pid, holdings, events).loop()
    os._exit(0)


def _prepare_file_systems(limits: Limits) -> None:
    linux.make_mounts_private()
    scratch = tempfile.gettempdir()
    linux.mount_tmpfs(scratch, limits.file_bytes, limits.files)
    linux.mount_tmpfs(_SHARED_MEMORY, limits.file_bytes, limits.files)
    linux.mount_terminals(_TERMINALS, _MOST_TERMINALS)
    # A process could make itself the last to be killed where memory is short, for one.
    linux.close_for_writing("/proc")
    os.chdir(scratch)


class _Supervisor:
    def __init__(
        self,
        control: socket.socket,
        runner_pid: int,
        holdings: Holdings | None,
        events: int | None,
    ) -> None:
        self._channel = Channel(control)
        self._outbox = Outbox(control)
        self._runner = runner_pid
        self._holdings = holdings
        self._events = events
        self._kernels_kills = 0
        self._scratch: Scratch | None = None

    def loop(self) -> None:
        pause = _POLL_SECONDS
        while True:
            readable, _, _ = select.select([self._channel], [], [], pause)
            began = time.process_time()
            self._reap()
            self._outbox.flush()
            if self._holdings is not None:
                self._watch(self._holdings)
            took = time.process_time() - began
            pause = min(max(_POLL_SECONDS, took / _SHARE_OF_TIME), _LONGEST_POLL_SECONDS)
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
                # Only now may the next exercise be forked.
                self._tell({"event": "killed"})
            elif command == "finish":
                self._kill(spare_runner=False)
                return

    def _keep_scratch(self) -> None:
        """Note what the cells have left in the scratch places; without isolation these are the
        machine's own, and nothing there is touched."""
        if self._holdings is not None:
            with suppress(ScratchError):
                self._scratch = Scratch(tempfile.gettempdir(), _SHARED_MEMORY)

    def _restore_scratch(self) -> None:
        """Undo what an exercise has done to the scratch places; where that is not possible, end the
        runner, so that its state is made anew from the beginning."""
        if self._holdings is None:
            return
        try:
            if self._scratch is None or self._others():
                raise ScratchError("the state after the cells cannot be had again")
            self._scratch.restore()
        except ScratchError:
            self._kill(spare_runner=False)

    def _others(self) -> list[int]:
        """What can still run, besides the runner."""
        found = [one.pid for one in inhabitants() if not one.has_ended()]
        return [pid for pid in found if pid != self._runner]

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

    def _watch(self, holdings: Holdings) -> None:
        """Kill what has grown too large, or everything where there are too many threads."""
        found = holdings.look()
        if self._kernel_has_killed():
            self._tell({"event": "limit", "kind": "memory"})
        if holdings.too_many(found):
            self._tell({"event": "limit", "kind": "processes"})
            self._kill(spare_runner=False)
        elif ending := holdings.too_large(found):
            self._tell({"event": "limit", "kind": "memory"})
            _end(ending)

    def _kernel_has_killed(self) -> bool:
        before = self._kernels_kills
        if self._events is not None:
            self._kernels_kills = cgroups.kills(self._events)
        return self._kernels_kills > before

    def _kill(self, *, spare_runner: bool) -> None:
        if self._holdings is None:
            # Without a pid namespace all we have is the process group, which the runner leads.
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self._runner, signal.SIGKILL)
        elif not spare_runner:
            _end([-1])  # everything in this namespace but ourselves
        else:
            deadline = time.monotonic() + _DEATH_SECONDS
            # A process may fork while we look, and a signal takes a moment to arrive.
            while (others := self._others()) and time.monotonic() < deadline:
                _end(others)
                time.sleep(_DEATH_POLL_SECONDS)
        if not spare_runner:
            with suppress(ChildProcessError):
                while True:
                    os.waitpid(-1, 0)  # so that their CPU time is counted as ours
        self._reap()

    def _tell(self, event: Event) -> None:
        self._outbox.put(event)


def _end(pids: Iterable[int]) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
