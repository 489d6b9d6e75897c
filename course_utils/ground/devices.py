"""Where the labs compute, "cpu" or "cuda": decided and checked here, for notebooks and for grading.

A person says it in one of three words, with ``--device`` or in the variable ``COURSE_DEVICE``.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from course_utils.ground.errors import DeviceError

VARIABLE = "COURSE_DEVICE"
WORDS = ("auto", "cpu", "cuda")

# What a CUDA context with torch's kernels takes by itself, of the GPU's memory and of the
# machine's: generous, since it differs from one GPU and driver to another.
CONTEXT_BYTES = 2**30

OUT_OF_MEMORY_ADVICE = (
    "make the batches smaller, and keep no tensor of an earlier step that still holds its graph "
    "(losses += loss.item(), not losses += loss)"
)


def resolve(wanted: str | None = None) -> str:
    """ "cpu" or "cuda", for one of the three words.

    Args:
        wanted: "auto" for a GPU where torch sees one, or "cpu", or "cuda"; by default what
            ``COURSE_DEVICE`` says, and "auto" where it says nothing.

    Raises:
        DeviceError: it is another word, or "cuda" where torch sees no GPU.
    """
    asked = wanted or os.environ.get(VARIABLE) or "auto"
    if asked not in WORDS:
        where = "--device" if wanted else VARIABLE
        raise DeviceError(
            f"{where} is {asked!r}, which is none of the devices that the course knows: "
            "say auto, cpu or cuda (CUDA_VISIBLE_DEVICES chooses among several GPUs)"
        )
    if asked == "cpu":
        return asked
    if sees_gpu():
        return "cuda"
    if asked == "cuda":
        raise DeviceError(
            f"cuda was asked for but torch sees no GPU: {why_no_gpu()}. "
            "Say cpu, or auto, to compute without one"
        )
    return "cpu"


def sees_gpu() -> bool:
    """Whether torch can compute on a GPU here."""
    files = nodes() or os.path.exists("/dev/kfd")  # the latter is AMD's
    if sys.platform == "linux" and not files and "torch" not in sys.modules:
        return False  # without importing torch for it, which takes seconds

    import torch

    return torch.cuda.is_available()


def why_no_gpu() -> str:
    """The likely reason why torch sees no GPU."""
    import torch

    if torch.version.cuda is None and torch.version.hip is None:
        return f"this torch ({torch.__version__}) is built without CUDA"
    if os.environ.get("CUDA_VISIBLE_DEVICES") in ("", "-1"):
        return "CUDA_VISIBLE_DEVICES is set and names none"
    if sys.platform == "linux" and not nodes():
        return "there is no /dev/nvidia0; the driver is missing, or this container was given no GPU"
    return "the driver does not answer, or is too old for this torch (nvidia-smi says more)"


def nodes() -> list[str]:
    """The device files through which a program reaches the GPUs of this machine."""
    found = [str(path) for path in Path("/dev").glob("nvidia*")]
    # Windows' own Linux reaches its GPU through a file of another name.
    return sorted(found + [path for path in ("/dev/dxg",) if os.path.exists(path)])


@dataclass(frozen=True)
class Gpu:
    """The GPU that torch computes on."""

    name: str
    memory_bytes: int

    def __str__(self) -> str:
        return f"{self.name}, {self.memory_bytes / 2**30:.0f} GiB"


@lru_cache(maxsize=1)
def gpu() -> Gpu:
    """The GPU there is; initialises CUDA in this process, which must not be forked afterwards."""
    import torch

    found = torch.cuda.get_device_properties(0)
    return Gpu(found.name, found.total_memory)


def workers_on(found: Gpu, cores: int, submission_bytes: int) -> int:
    """How many workers a GPU has room for: each holds two contexts, its own and a submission's."""
    each = submission_bytes + 2 * CONTEXT_BYTES
    return max(1, min(cores, found.memory_bytes // each))


def out_of_memory(kind: str, message: str) -> bool:
    """Whether an exception's kind and text say that the GPU's memory is used up.

    torch has a class for it, but cuBLAS, and libraries that pass it on, raise plain RuntimeErrors.
    """
    texts = ("CUDA out of memory", "CUDA error: out of memory", "_STATUS_ALLOC_FAILED")
    return kind == "OutOfMemoryError" or any(text in message for text in texts)


def context_lost(message: str) -> bool:
    """Whether an exception's text says that its process can use the GPU no more: after a failed
    assertion on the device, say, every later call fails in the same way."""
    return "CUDA error:" in message
