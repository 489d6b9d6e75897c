"""What a submission may use, and how the per-process part of it is set."""

from __future__ import annotations

import os
import re
import sys
from dataclasses import asdict, dataclass
from typing import Any

from course_utils.ground.devices import CONTEXT_BYTES

MIB = 2**20
# How many more the kernel lets be than are allowed: the supervisor, who looks now and then, ends a
# submission with too many and says so; what grows faster than it looks comes no further than this.
SPARE_PROCESSES = 50
# Empty files take memory, too, which is not in a file system's size.
_BYTES_A_FILE = 16 * 1024


@dataclass(frozen=True)
class Limits:
    """Limits of one submission.

    Attributes:
        cell_seconds: wall time of one cell; it is interrupted, then killed.
        call_seconds: wall time of one call of a student's function by a test.
        submission_seconds: wall time of everything that is run for one submission.
        memory_bytes: what all its processes may hold beyond what the imports take, files in memory
            included.
        processes: how many processes may exist at once, or threads, of which each has at least one.
        output_bytes: what one cell may print or display; the rest is cut off.
        file_bytes: size of the scratch file system, and of one file in it.
        message_bytes: size of one answer to the judge.
        device: where it computes, "cpu" or "cuda".
        device_bytes: what one of its processes may hold in tensors on a GPU.
    """

    cell_seconds: float = 30.0
    call_seconds: float = 10.0
    submission_seconds: float = 180.0
    memory_bytes: int = 2048 * MIB
    processes: int = 48
    output_bytes: int = MIB
    file_bytes: int = 64 * MIB
    message_bytes: int = 32 * MIB
    device: str = "cpu"
    device_bytes: int = 2048 * MIB

    @property
    def on_gpu(self) -> bool:
        return self.device != "cpu"

    @property
    def files(self) -> int:
        """How many files may exist in a scratch file system at once."""
        return max(256, self.file_bytes // _BYTES_A_FILE)

    @property
    def resident_bytes(self) -> int:
        """What its processes may hold, that of a CUDA context on the machine's side included."""
        return self.memory_bytes + CONTEXT_BYTES * self.on_gpu

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


def status_of(pid: int | str = "self") -> dict[str, str]:
    """The fields of ``/proc/<pid>/status``."""
    with open(f"/proc/{pid}/status", encoding="utf-8", errors="replace") as status:
        pairs = (line.partition(":") for line in status)
        return {name: value.strip() for name, _, value in pairs}


def size_in_bytes(status: dict[str, str], field: str) -> int:
    """A field such as ``VmData: 1024 kB``, in bytes; 0 where it is missing."""
    return int(status.get(field, "0").split()[0]) * 1024


def bound_data(more: int, *, on_gpu: bool) -> None:
    """Bound what this process may hold in private writable memory to so much more than now.

    Beyond that, allocations fail. Only the soft limit is set: a child may set its own. On a GPU it
    is not set at all, since it would count what CUDA's driver reserves.
    """
    if on_gpu or sys.platform != "linux":
        return
    import resource

    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    most = size_in_bytes(status_of(), "VmData") + more
    resource.setrlimit(
        resource.RLIMIT_DATA, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard)
    )


def apply_process_limits(limits: Limits, *, isolated: bool) -> None:
    """Set the limits that the kernel enforces by itself, on each process and on their number.

    Args:
        limits: what the submission may use.
        isolated: whether it has a user namespace of its own.
    """
    import resource

    settings = [
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, limits.file_bytes),
        (resource.RLIMIT_NOFILE, 2048),  # a CUDA context opens some dozens of device files
    ]
    if isolated and _counts_by_namespace():
        settings.append((resource.RLIMIT_NPROC, limits.processes + SPARE_PROCESSES))
    if not limits.on_gpu:
        # Private writable memory. RLIMIT_AS would count what allocators merely reserve, and so
        # does this one what CUDA's driver reserves: there only the supervisor's watch bounds it.
        data = size_in_bytes(status_of(), "VmData") + limits.memory_bytes
        settings.append((resource.RLIMIT_DATA, data))
    for what, value in settings:
        # A machine's own limit may be lower, and nobody may raise it.
        hard = resource.getrlimit(what)[1]
        value = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(what, (value, value))


def _counts_by_namespace() -> bool:
    """Whether RLIMIT_NPROC counts a user namespace's processes and threads, as from Linux 5.14 on;
    before, it counts all that the user has on the machine."""
    major, minor = re.findall(r"\d+", os.uname().release)[:2]
    return (int(major), int(minor)) >= (5, 14)
