"""The machine before, during and after a run: what may not change, and what may not be left."""

from __future__ import annotations

import ctypes
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from class_of import alive, descendants

_PR_SET_CHILD_SUBREAPER = 36
_SYSCTL = Path("/proc/sys")
# What the kernel counts or draws there, whoever runs.
_COUNTS = (
    "fs/aio-nr", "fs/binfmt_misc", "fs/dentry-state", "fs/file-nr", "fs/inode-", "fs/quota",
    "kernel/ns_last_pid", "kernel/pty/nr", "kernel/random", "net/netfilter", "kernel/seccomp",
    "net/ipv4/route", "net/ipv6/route", "vm/stat_refresh", "kernel/sched_domain",
)  # fmt: skip
# What attacks leave is called like this, so that it can be told from other people's.
LEFT = "pwned"
_ENDS_WITHIN_SECONDS = 5.0
_PUBLIC_FOLDERS = ("/tmp", "/var/tmp", "/dev/shm", "/run", "/dev/mqueue")


def adopt_orphans() -> None:
    """Become the parent of all that a run leaves behind, so that it can be found."""
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


@dataclass(frozen=True)
class Machine:
    """What of a machine a run may not change."""

    settings: dict[str, str]
    mounts: frozenset[str]
    leftovers: frozenset[str]
    groups: frozenset[str]

    @staticmethod
    def now() -> Machine:
        return Machine(
            _settings(), frozenset(Path("/proc/self/mounts").read_text().splitlines()),
            frozenset(_leftovers()), frozenset(_groups()),
        )  # fmt: skip

    def changes(self, after: Machine) -> list[str]:
        """What is not as it was, a few words for each."""
        names = self.settings.keys() & after.settings.keys()
        found = [f"{n} was changed" for n in names if self.settings[n] != after.settings[n]]
        found += [f"a mount: {line.split()[1]}" for line in after.mounts - self.mounts]
        found += [f"left: {name}" for name in after.leftovers - self.leftovers]
        return found + [f"a cgroup: {name}" for name in after.groups - self.groups]


def _settings() -> dict[str, str]:
    found = {"hostname": os.uname().nodename}
    for folder, _, files in os.walk(_SYSCTL):
        for name in files:
            path = os.path.join(folder, name)
            label = os.path.relpath(path, _SYSCTL)
            if not label.startswith(_COUNTS):
                with suppress(OSError, UnicodeDecodeError):
                    found[label] = Path(path).read_text("utf-8")
    return found


def _leftovers() -> Iterator[str]:
    for folder in _PUBLIC_FOLDERS:
        with suppress(OSError):
            yield from (f"{folder}/{name}" for name in os.listdir(folder) if LEFT in name)
    for kind in ("shm", "msg", "sem"):
        lines = Path("/proc/sysvipc", kind).read_text().splitlines()[1:]
        for fields in map(str.split, lines):
            # Whose maker lives is another program's, such as a database's: an attack's is dead.
            if kind != "shm" or not Path("/proc", fields[4]).exists():
                yield f"System V {kind} {fields[0]}"
    sockets = Path("/proc/net/unix").read_text().splitlines()
    yield from (line.split()[-1] for line in sockets if LEFT in line)


def _groups() -> Iterator[str]:
    """The control groups in which no process is."""
    for folder, _, files in os.walk("/sys/fs/cgroup"):
        if "cgroup.procs" in files:
            with suppress(OSError):
                if not Path(folder, "cgroup.procs").read_text():
                    yield folder


@dataclass
class Watched:
    """The largest that was seen while a run was under way.

    Attributes:
        judge_bytes: of one process outside the sandbox.
        sandbox_bytes: of all processes inside together, shared pages counted once a process.
        processes: inside the sandbox.
        used_bytes: how much less memory the machine had than before.
        coordinator: (seconds, bytes, open descriptors) of the command itself, from time to time.
    """

    judge_bytes: int = 0
    sandbox_bytes: int = 0
    processes: int = 0
    used_bytes: int = 0
    coordinator: list[tuple[float, int, int]] = field(default_factory=list)


@contextmanager
def watched(pid: int) -> Iterator[Watched]:
    """Watch a run's processes while the block runs.

    Args:
        pid: the command's.
    """
    seen = Watched()
    over = threading.Event()
    thread = threading.Thread(target=_watch, args=(pid, seen, over), daemon=True)
    thread.start()
    try:
        yield seen
    finally:
        over.set()
        thread.join()


def _watch(pid: int, seen: Watched, over: threading.Event) -> None:
    began, before = time.monotonic(), _available()
    depth = len(_status("self").get("NSpid", "").split())
    while not over.wait(0.1):
        inside = count = 0
        for one in {pid, *descendants(pid)}:
            status = _status(one)
            held = int(status.get("VmRSS", "0").split()[0]) * 1024
            if len(status.get("NSpid", "").split()) > depth:
                inside, count = inside + held, count + 1
            else:
                seen.judge_bytes = max(seen.judge_bytes, held)
        seen.sandbox_bytes = max(seen.sandbox_bytes, inside)
        seen.processes = max(seen.processes, count)
        seen.used_bytes = max(seen.used_bytes, before - _available())
        with suppress(OSError):
            held = int(_status(pid).get("VmRSS", "0").split()[0]) * 1024
            descriptors = len(os.listdir(f"/proc/{pid}/fd"))
            seen.coordinator.append((time.monotonic() - began, held, descriptors))


def _status(pid: int | str) -> dict[str, str]:
    try:
        lines = Path(f"/proc/{pid}/status").read_text("utf-8", "replace").splitlines()
    except OSError:
        return {}
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


def _available() -> int:
    lines = Path("/proc/meminfo").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable"))


def left_processes(known: set[int]) -> list[str]:
    """Descendants of this process that live on after a run, by name, but for known ones."""
    deadline = time.monotonic() + _ENDS_WITHIN_SECONDS
    while (left := alive(descendants(os.getpid()) - known)) and time.monotonic() < deadline:
        time.sleep(0.05)
    names = [_status(pid).get("Name", "?") for pid in left]
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    return names
