"""System calls that student code has no business making are refused by the kernel."""

from __future__ import annotations

import errno
import mmap
import os
import socket
from typing import Any

from course_utils.sandbox import calls, linux


def available() -> bool:
    """Whether libseccomp can be loaded on this machine."""
    try:
        import pyseccomp  # noqa: F401  # importing it loads the C library
    except (ImportError, RuntimeError, OSError):
        return False
    return True


class Filter:
    """The rules, made and compiled once; installing them in a forked process then is one call.

    Args:
        gpu: whether what CUDA's driver needs is allowed, shared memory without a file included.
    """

    def __init__(self, *, gpu: bool) -> None:
        import pyseccomp

        self._arg, self._masked = pyseccomp.Arg, pyseccomp.MASKED_EQ
        self._equal, self._unequal = pyseccomp.EQ, pyseccomp.NE
        self._allow, self._refuse = pyseccomp.ALLOW, pyseccomp.ERRNO(errno.EPERM)
        self._rules = pyseccomp.SyscallFilter(pyseccomp.ERRNO(errno.ENOSYS))
        driver = self._allow if gpu else self._refuse
        groups = {calls.ALLOWED: self._allow, calls.REFUSED: self._refuse, calls.DRIVER: driver}
        for names, action in groups.items():
            for name in sorted(names):
                self._add(action, name)
        self._add_new_processes()
        self._add_sockets()
        self._add_mappings(gpu=gpu)
        self._add_own_settings()
        self._program = self._compiled()

    def install(self) -> None:
        """Keep to the rules in this process and all that it starts; cannot be undone. The process
        has given up its privileges before (``linux.drop_privileges``)."""
        linux.filter_calls(self._program)

    def _compiled(self) -> bytes:
        with open(os.memfd_create("rules"), "w+b") as file:
            self._rules.export_bpf(file)
            file.seek(0)
            return file.read()

    def _add(self, action: int, name: str, *arguments: Any) -> None:
        try:
            self._rules.add_rule(action, name, *arguments)
        except (ValueError, OSError, RuntimeError):
            return  # a call that this architecture or libseccomp does not know

    def _add_new_processes(self) -> None:
        """Processes and threads, but no namespaces. clone3 hides its flags behind a pointer; told
        that it does not exist, libc uses clone."""
        self._add(self._allow, "clone", self._arg(0, self._masked, sum(linux.NAMESPACES), 0))
        for flag in linux.NAMESPACES:
            self._add(self._refuse, "clone", self._arg(0, self._masked, flag, flag))

    def _add_sockets(self) -> None:
        """Only local and (unconnected) internet sockets: vsock and netlink reach past a network
        namespace or into the kernel."""
        families = (socket.AF_UNIX, socket.AF_INET, socket.AF_INET6)
        for family in range(46):
            if family not in families:
                self._add(self._refuse, "socket", self._arg(0, self._equal, family))
            for protocol in calls.PROTOCOLS if family in families else ():
                self._add(
                    self._allow, "socket",
                    self._arg(0, self._equal, family), self._arg(2, self._equal, protocol),
                )  # fmt: skip

    def _add_mappings(self, *, gpu: bool) -> None:
        """Shared memory without a file could be held unseen: it outlives all but the last page of
        its mapping, and is counted for no process that does not look at it."""
        unseen = mmap.MAP_SHARED | mmap.MAP_ANONYMOUS
        for flags in (0, mmap.MAP_SHARED, mmap.MAP_ANONYMOUS, unseen):
            action = self._refuse if flags == unseen and not gpu else self._allow
            self._add(action, "mmap", self._arg(3, self._masked, unseen, flags))

    def _add_own_settings(self) -> None:
        """A process may set its own limits and priority, and not the supervisor's."""
        first, second = (self._arg(position, self._equal, 0) for position in (0, 1))
        other, second_other = (self._arg(position, self._unequal, 0) for position in (0, 1))
        self._add(self._allow, "prlimit64", first)
        self._add(self._refuse, "prlimit64", other)
        self._add(self._allow, "setpriority", first, second)
        self._add(self._refuse, "setpriority", other)
        self._add(self._refuse, "setpriority", first, second_other)
        self._add_listed("prctl", 0, {self._allow: calls.PRCTL})
        self._add_listed("fcntl", 1, {self._allow: calls.FCNTL, self._refuse: calls.RANGE_LOCKS})

    def _add_listed(self, name: str, position: int, values: dict[int, frozenset[int]]) -> None:
        for action, numbers in values.items():
            for number in sorted(numbers):
                self._add(action, name, self._arg(position, self._equal, number))
