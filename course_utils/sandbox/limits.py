"""What a submission may use, and how the per-process part of it is set."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from course_utils.devices import CONTEXT_BYTES

MIB = 2**20
_EXITING = 0x4  # PF_EXITING of the kernel's include/linux/sched.h


@dataclass(frozen=True)
class Limits:
    """Limits of one submission.

    Attributes:
        cell_seconds: wall time of one cell; it is interrupted, then killed.
        call_seconds: wall time of one call of a student's function by a test.
        submission_seconds: wall time of everything that is run for one submission.
        memory_bytes: what all its processes may hold beyond what the imports take.
        processes: how many processes may exist at once.
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


def has_ended(pid: int | str) -> bool:
    """Whether a process can run no more of its own code, though it may not have given up its
    memory yet; see proc_pid_stat(5)."""
    with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
        state, *numbers = file.read().rpartition(")")[2].split()
    return state in ("Z", "X") or bool(int(numbers[5]) & _EXITING)


def kibibytes(status: dict[str, str], field: str) -> int:
    """A field such as ``VmData: 1024 kB``, in bytes; 0 where it is missing."""
    return int(status.get(field, "0").split()[0]) * 1024


def apply_process_limits(limits: Limits) -> None:
    """Set the limits that the kernel enforces on each process by itself."""
    import resource

    settings = [
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, limits.file_bytes),
        (resource.RLIMIT_NOFILE, 2048),  # a CUDA context opens some dozens of device files
    ]
    if not limits.on_gpu:
        # Private writable memory. RLIMIT_AS would count what allocators merely reserve, and so
        # does this one what CUDA's driver reserves: there only the supervisor's watch bounds it.
        data = kibibytes(status_of(), "VmData") + limits.memory_bytes
        settings.append((resource.RLIMIT_DATA, data))
    for what, value in settings:
        # A machine's own limit may be lower, and nobody may raise it.
        hard = resource.getrlimit(what)[1]
        value = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(what, (value, value))
