"""Under which user of this machine student code runs."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

# Nobody's: above the users of containers, below the numbers that 32-bit programs read as negative
# (systemd's list of user numbers calls 1879048192…2147483647 unused). A process number is added,
# so that two workers' submissions are two users, with a user's own share of pipes and the like.
_UNUSED = 0x70000000
_NOBODY = 65534
_MAPS = (Path("/proc/self/uid_map"), Path("/proc/self/gid_map"))


def unprivileged() -> int | None:
    """The user, and group, that the sandbox's processes become where the grader is root.

    None where the grader is an ordinary user, also where that one is called root in a user
    namespace of its own: the sandbox's processes are then that user's.
    """
    if os.geteuid() != 0:
        return None
    maps = [path.read_text("ascii").splitlines() for path in _MAPS]
    for uid in (_UNUSED + os.getpid(), _NOBODY):
        if all(_exists(uid, lines) for lines in maps):
            return uid
    return None


def _exists(uid: int, lines: Iterable[str]) -> bool:
    """Whether a user namespace's map, of lines such as ``0 100000 65536``, knows that user."""
    ranges = [[int(word) for word in line.split()] for line in lines]
    return any(first <= uid < first + count for first, _, count in ranges)
