"""Whether a copy of this process, made by fork, would be able to work."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable


def obstacle(*, gpu: bool) -> str:
    """What a forked copy of this process would trip over; "" where there is nothing.

    Args:
        gpu: whether the copy is to compute on a GPU.
    """
    if threading.active_count() > 1 or len(os.listdir("/proc/self/task")) > 1:
        return "other threads are running, and a fork has only the one that calls it"
    if cuda_is_live():
        return "CUDA is initialised, and its contexts do not survive a fork"
    if gpu and "torch" in sys.modules and _in_a_fork(_refusal):
        return "CUDA's driver has been started, and torch refuses to use it in a fork"
    return ""


def cuda_is_live() -> bool:
    """Whether CUDA is initialised in this process."""
    torch = sys.modules.get("torch")
    return torch is not None and bool(torch.cuda.is_initialized())


def cuda_trouble() -> str:
    """What happens to a fork of this process that uses the GPU; "" where it works.

    Nothing is tried where torch is not imported: then nothing that is forked from here needs it.
    """
    return _in_a_fork(_use) if "torch" in sys.modules else ""


def _use() -> str:
    sys.modules["torch"].zeros(1, device="cuda").item()
    return ""


def _refusal() -> str:
    """Whether torch refuses to start CUDA in this process, which is a fork.

    It does so not only where the parent has initialised CUDA: already torch.cuda.is_available()
    starts the driver, unless PYTORCH_NVML_BASED_CUDA_CHECK=1 is set and NVML answers instead (see
    https://docs.pytorch.org/docs/stable/notes/multiprocessing.html#poison-fork-in-multiprocessing).
    The parent itself has no way to see that it has happened.
    """
    return "refused" if sys.modules["torch"].cuda._is_in_bad_fork() else ""


def _in_a_fork(question: Callable[[], str]) -> str:
    """The answer of a fork of this process, or the exception that it met."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            answer = question()
        except BaseException as error:
            answer = f"{type(error).__name__}: {error}"
        try:
            os.write(writing, answer.encode("utf-8", "replace")[:4096])
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        answer = pipe.read().decode("utf-8", "replace")
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    return answer or (f"it ended with {status}" if status else "")
