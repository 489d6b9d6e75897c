"""A process's memory in huge pages, so that a fork of it is cheap.

A fork copies the tables that say where each page lies, and its end takes them down again: for the
200 MiB that torch's imports hold, that is most of what a fork costs. In pages of 2 MiB these tables
are small. What a child writes to, the kernel copies in small pages as before.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Iterator

_HUGE = 2 * 2**20
_MADV_COLLAPSE = 25  # from Linux 6.1 on; older kernels refuse, and nothing is lost


def collapse() -> int:
    """Put what this process has allocated into huge pages, where the kernel can.

    Returns:
        How many bytes were asked for and granted.
    """
    if sys.platform != "linux":
        return 0
    madvise = ctypes.CDLL(None).madvise
    madvise.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
    granted = 0
    for start, end in _allocated():
        start, end = -(-start // _HUGE) * _HUGE, end // _HUGE * _HUGE
        if end > start and madvise(start, end - start, _MADV_COLLAPSE) == 0:
            granted += end - start
    return granted


def _allocated() -> Iterator[tuple[int, int]]:
    """Where this process's own memory lies: the heap, and what is mapped from no file."""
    with open("/proc/self/maps", encoding="utf-8", errors="replace") as file:
        lines = file.read().splitlines()
    for line in lines:
        area, permissions, _, _, _, *name = line.split(maxsplit=5)
        if permissions == "rw-p" and (not name or name[0] == "[heap]"):
            start, end = area.split("-")
            yield int(start, 16), int(end, 16)
