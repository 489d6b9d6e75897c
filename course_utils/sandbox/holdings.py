"""What a submission's processes hold: memory, in all the ways there are, and threads.

Looked at often and from outside, so there are two measures. The quick one reads counters and counts
what processes share with one another once for each of them: never too little. Only where that is
too much is the exact one taken, which walks page tables.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from course_utils.sandbox.limits import Limits, size_in_bytes, status_of

# What a process alone holds: pages, swapped ones, page tables (reading a large empty mapping makes
# many), huge pages.
_OWN = ("RssAnon", "VmSwap", "VmPTE", "HugetlbPages")
# What a local socket may keep for a reader who does not read: net.core.wmem_default.
_SOCKET_BYTES = 208 * 1024
_EXITING = 0x4  # PF_EXITING of the kernel's include/linux/sched.h


@dataclass(frozen=True)
class Process:
    """A process of the submission.

    Attributes:
        pid: its number in the submission's own namespace.
        outside: its number in ``/proc``, which is the sandbox's, one level up.
        memory: at most what it holds, in bytes.
        threads: how many it has.
    """

    pid: int
    outside: str
    memory: int
    threads: int

    def has_ended(self) -> bool:
        """Whether it can run no more of its own code, though it may not have given up its memory
        yet; see proc_pid_stat(5)."""
        try:
            with open(f"/proc/{self.outside}/stat", encoding="utf-8", errors="replace") as file:
                state, *numbers = file.read().rpartition(")")[2].split()
        except OSError:
            return True
        return state in ("Z", "X") or bool(int(numbers[5]) & _EXITING)

    def exact_memory(self) -> int:
        """What it holds, its part of what it shares with others included, in bytes.

        A process that hides itself (``PR_SET_DUMPABLE``) is counted in full.
        """
        try:
            with open(f"/proc/{self.outside}/smaps_rollup", encoding="ascii") as file:
                lines = (line.partition(":") for line in file)
                shares = {name: value.strip() for name, _, value in lines}
        except OSError:
            return self.memory
        if "Pss_Anon" not in shares:  # a kernel before 5.4
            return self.memory
        apart = self.memory - size_in_bytes(shares, "Anonymous") - size_in_bytes(shares, "Swap")
        return max(0, apart) + size_in_bytes(shares, "Pss_Anon") + size_in_bytes(shares, "SwapPss")


def inhabitants(*, shared: bool = False) -> list[Process]:
    """The other processes of this pid namespace.

    A second ``/proc`` may not be mounted here; in the sandbox's, a process of this namespace has a
    second number, its own in here. A zygote has one submission at a time, so there is no other.

    Args:
        shared: whether what is mapped of shared memory belongs to a process's memory.
    """
    found = []
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        with suppress(OSError):
            status = status_of(name)
            numbers = status.get("NSpid", "").split()
            if len(numbers) > 1 and numbers[-1] != "1":
                fields = (*_OWN, "RssShmem") if shared else _OWN
                memory = sum(size_in_bytes(status, field) for field in fields)
                found.append(Process(int(numbers[-1]), name, memory, int(status["Threads"])))
    return found


class Holdings:
    """What of its limits a submission uses.

    Args:
        limits: what it may use.
        folders: where its file systems in memory are mounted.
        unseen: whether there can be shared memory besides these, because nothing refuses it.
    """

    def __init__(self, limits: Limits, folders: Iterable[str], *, unseen: bool) -> None:
        self._limits = limits
        self._folders = list(folders)
        self._unseen = unseen
        # Before student code has run: what the imports hold. All processes forked from these share
        # it, so it is nobody's, but once and not once for each.
        self._imports = sum(process.memory for process in self.look())

    def look(self) -> list[Process]:
        """The submission's processes."""
        return inhabitants(shared=self._unseen)

    def too_many(self, found: Iterable[Process]) -> bool:
        """Whether there are more threads than are allowed; a process has one or more."""
        return sum(process.threads for process in found) > self._limits.processes

    def too_large(self, found: Iterable[Process]) -> list[int]:
        """The processes without which the others keep to the memory that is allowed: the largest
        first, none where all is well."""
        room = self._limits.resident_bytes + self._imports - self._common()
        if sum(process.memory for process in found) <= room:
            return []
        held = {process.pid: process.exact_memory() for process in found}
        ending: list[int] = []
        while held and sum(held.values()) > room:
            ending.append(max(held, key=lambda pid: held[pid]))
            del held[ending[-1]]
        return ending

    def _common(self) -> int:
        """Bytes in file systems, and at most in sockets."""
        used = 0
        for folder in self._folders:
            system = os.statvfs(folder)
            used += (system.f_blocks - system.f_bfree) * system.f_frsize
        return used + _SOCKET_BYTES * _sockets()


def _sockets() -> int:
    """How many sockets there are in this network namespace: ``sockets: used 5``."""
    first = Path("/proc/net/sockstat").read_text("ascii").split(maxsplit=3)
    return int(first[2])
