"""A group of the kernel's (cgroup v2) for each submission, on machines where one can be had.

It bounds memory of every kind, processes and threads, and shares out the processors by weight. The
supervisor watches all the same, and its reasons are the ones that people read; the group holds
between two looks, and whatever the watch cannot see.
"""

from __future__ import annotations

import itertools
import os
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO

from course_utils.sandbox import identity
from course_utils.sandbox.limits import SPARE_PROCESSES, Limits

_NEEDED = frozenset({"memory", "pids"})
_WANTED = (*sorted(_NEEDED), "cpu")
_PREFIX = "course-"
_numbers = itertools.count()


@dataclass(frozen=True)
class Place:
    """Where groups may be made, or why nowhere.

    Attributes:
        folder: the group in which submissions get theirs; None where limits cannot be had.
        detail: for people.
        shares_processors: whether a submission's part of them is bounded, too.
    """

    folder: Path | None
    detail: str
    shares_processors: bool = False


@lru_cache(maxsize=1)
def place() -> Place:
    """Look for a group above this process's own whose members' memory and number can be bounded."""
    mount = mounted_at(Path("/proc/self/mountinfo").read_text("utf-8", "surrogateescape"))
    own = own_group(Path("/proc/self/cgroup").read_text("utf-8", "surrogateescape"))
    if mount is None or own is None:
        return Place(None, "there is no cgroup v2 hierarchy here")
    reasons = []
    for folder in above(mount, own):
        if not (reason := _why_not(folder)):
            _remove_left(folder)
            passed_on = _words(folder / "cgroup.subtree_control")
            return Place(folder, f"cgroup v2 ({folder})", "cpu" in passed_on)
        reasons.append(f"{folder}: {reason}")
    return Place(None, "; ".join(reasons))


def mounted_at(mountinfo: str) -> Path | None:
    """Where the hierarchy is mounted, by ``/proc/self/mountinfo``."""
    for line in mountinfo.splitlines():
        before, _, after = line.partition(" - ")
        if after.split(" ", 1)[0] == "cgroup2":
            return Path(before.split(" ")[4].encode("latin-1").decode("unicode_escape"))
    return None


def own_group(cgroup: str) -> str | None:
    """This process's group in it, by ``/proc/self/cgroup``: ``0::/user.slice/…``."""
    for line in cgroup.splitlines():
        if line.startswith("0::"):
            return line[3:]
    return None


def above(mount: Path, own: str) -> Iterator[Path]:
    """The groups above one's own, nearest first. One's own has members, and of such a group the
    kernel divides nothing among groups below it, unless it is the root of all."""
    names = [name for name in own.split("/") if name]
    if ".." in names:  # a group outside the part that this container sees
        return
    for count in range(len(names) - 1, -1, -1):
        yield mount.joinpath(*names[:count])
    if not names:
        yield mount


def _why_not(folder: Path) -> str:
    """What stands in the way of groups with limits in that one; "" where nothing does."""
    if not os.access(folder, os.W_OK) or not os.access(folder / "cgroup.procs", os.W_OK):
        return "not ours to write"
    if missing := _NEEDED - _words(folder / "cgroup.controllers"):
        return f"without the controllers {' and '.join(sorted(missing))}"
    for name in _WANTED:
        with suppress(OSError):  # there already, or not to be had: what counts is looked at below
            (folder / "cgroup.subtree_control").write_text(f"+{name}")
    if missing := _NEEDED - _words(folder / "cgroup.subtree_control"):
        return f"{' and '.join(sorted(missing))} cannot be passed on"
    try:
        try_out(folder, settings(Limits()))
    except (OSError, subprocess.CalledProcessError) as error:
        return f"groups in it cannot be used: {error}"
    return ""


def try_out(folder: Path, values: Mapping[str, str]) -> None:
    """Make a group and let a process of the sandbox's user enter it; both are gone afterwards.

    Raises:
        OSError: the group cannot be made.
        subprocess.CalledProcessError: it may not be entered, as with kernels before 5.16 that ask
            who writes instead of who has opened.
    """
    group, user = Group(folder, values), identity.unprivileged()
    try:
        with group.entrance() as entrance:
            subprocess.run(
                ["echo", "0"], stdout=entrance, stderr=subprocess.DEVNULL, check=True, user=user
            )
    finally:
        group.remove()


def _words(path: Path) -> set[str]:
    return set(path.read_text("ascii").split())


def _remove_left(folder: Path) -> None:
    """Remove groups whose worker was killed before it could; they have no members any more."""
    for left in folder.glob(f"{_PREFIX}*"):
        if not os.path.exists(f"/proc/{left.name.split('-')[1]}"):
            with suppress(OSError):
                left.rmdir()


def settings(limits: Limits) -> dict[str, str]:
    """What is written into a submission's group: its files' names and contents."""
    return {
        "memory.max": str(limits.resident_bytes),
        "memory.swap.max": "0",
        # One process of those that are too large ends, and the others' marks are kept.
        "memory.oom.group": "0",
        "pids.max": str(limits.processes + SPARE_PROCESSES),
        "cpu.weight": "100",
    }


class Group:
    """A submission's group.

    Args:
        folder: the group in which it is made.
        values: what is written into its files; those of a controller that is not there are not.

    Raises:
        OSError: it cannot be made.
    """

    def __init__(self, folder: Path, values: Mapping[str, str]) -> None:
        self.folder = folder / f"{_PREFIX}{os.getpid()}-{next(_numbers)}"
        self.folder.mkdir()
        for name, value in values.items():
            if (self.folder / name).exists():
                (self.folder / name).write_text(value)

    def entrance(self) -> BinaryIO:
        """A file; who writes "0" to it becomes a member.

        Whether that is allowed is decided by who opened it, so an ordinary user in the sandbox may.
        """
        return open(self.folder / "cgroup.procs", "wb", buffering=0)

    def events(self) -> BinaryIO:
        """A file that says how many members were ended for want of memory; see :func:`kills`."""
        return open(self.folder / "memory.events", "rb", buffering=0)

    def remove(self) -> None:
        """End its members, if there are any left, and remove it."""
        with suppress(OSError):
            (self.folder / "cgroup.kill").write_text("1")
        with suppress(OSError):
            self.folder.rmdir()


def kills(events: int) -> int:
    """How many members of a group the kernel has ended for want of memory.

    Args:
        events: a descriptor of its ``memory.events``.
    """
    words = os.pread(events, 4096, 0).split()
    return int(dict(zip(words[::2], words[1::2], strict=True)).get(b"oom_kill", b"0"))
