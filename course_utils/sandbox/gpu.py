"""What the sandbox shows of a GPU, when it is asked to compute on one."""

from __future__ import annotations

import os
import stat
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from course_utils.ground import devices

# Where the driver and torch look up processors, buses and the driver's parts, read-only.
_SYSTEM = ("devices/system", "devices/pci*", "bus/pci", "module/nvidia*")
_DRIVER = ("libcuda.so.1", "libnvidia-ml.so.1")


def environment(where: str, memory_bytes: int, outer: Mapping[str, str]) -> dict[str, str]:
    """The variables of a process that runs student code.

    Args:
        where: "cpu" or "cuda".
        memory_bytes: how much of the GPU's memory one process may hold in tensors.
        outer: the grader's own environment.
    """
    settings = {
        devices.VARIABLE: where,
        # torch.cuda.is_available() then asks NVML. Asked otherwise it starts the driver, and torch
        # refuses to use that in a fork: see course_utils.sandbox.forking.
        "PYTORCH_NVML_BASED_CUDA_CHECK": "1",
    }
    if where == "cpu":
        return {**settings, "CUDA_VISIBLE_DEVICES": ""}
    share = min(1.0, memory_bytes / devices.gpu().memory_bytes)
    chosen = ("CUDA_VISIBLE_DEVICES", "LD_LIBRARY_PATH")
    return {
        **{name: outer[name] for name in chosen if name in outer},
        **settings,
        # Torch's allocator keeps to it, without initialising CUDA before it is needed.
        "PYTORCH_CUDA_ALLOC_CONF": f"per_process_memory_fraction:{share:.6f}",
    }


def arguments(covered: Sequence[str]) -> list[str]:
    """What bubblewrap needs to show of the GPU, its driver and its device files.

    Args:
        covered: folders that the sandbox shows already.
    """
    found: list[str] = []
    for path in devices.nodes():
        found += ["--dev-bind", path, path]
    for pattern in _SYSTEM:
        for place in sorted(Path("/sys").glob(pattern)):
            found += ["--ro-bind", str(place), str(place)]
    for folder in driver_folders():
        if not any(folder == c or folder.startswith(c + "/") for c in covered):
            found += ["--ro-bind", folder, folder]
    return found


def groups() -> list[int]:
    """Groups whose members may use the GPU's device files, where not everybody may; not root's."""
    found = [os.stat(path) for path in devices.nodes()]
    closed = {node.st_gid for node in found if not node.st_mode & stat.S_IWOTH}
    return sorted(closed - {0})


def driver_folders() -> list[str]:
    """The folders in which the loader finds the driver's libraries."""
    folders = {folder for folder in os.environ.get("LD_LIBRARY_PATH", "").split(":") if folder}
    for line in _loader_cache():
        name, _, path = line.strip().partition(" => ")
        if name.partition(" ")[0] in _DRIVER:
            folders.add(os.path.dirname(path))
    libraries = [os.path.join(folder, name) for folder in sorted(folders) for name in _DRIVER]
    there = [path for path in libraries if os.path.exists(path)]
    places = [os.path.dirname(p) for path in there for p in (path, os.path.realpath(path))]
    return list(dict.fromkeys(places))


def _loader_cache() -> list[str]:
    """Lines such as ``libcuda.so.1 (libc6,x86-64) => /usr/lib/x86_64-linux-gnu/libcuda.so.1``."""
    try:
        listed = subprocess.run(
            ["/sbin/ldconfig", "-p"], capture_output=True, text=True, check=False
        )
    except OSError:  # a distribution without one
        return []
    return listed.stdout.splitlines()
