"""What this machine has and what it lacks: each part with what to do about it."""

from __future__ import annotations

import importlib.util
import platform
import shutil
import sys
from dataclasses import dataclass
from importlib import metadata

from course_utils.sandbox import launch, seccomp

_PACKAGES = ("numpy", "torch", "jupyterlab", "nbgrader", "matplotlib", "pytest", "ipython")


@dataclass(frozen=True)
class Finding:
    """One part: whether it is as it should be, what was found, and what to do if it is not."""

    part: str
    ok: bool
    found: str
    advice: str = ""


def examine() -> list[Finding]:
    """Look at versions, device, isolation and programs."""
    return [
        Finding("python", sys.version_info >= (3, 11), platform.python_version(), "use 3.11+"),
        *(_package(name) for name in _PACKAGES),
        _device(),
        _isolation(),
        _seccomp(),
        _program("alembic", "nbgrader calls it: put the environment's bin folder on PATH"),
        _program("bwrap", "optional: the installed wheel's is used", optional=True),
    ]


def _package(name: str) -> Finding:
    if importlib.util.find_spec("IPython" if name == "ipython" else name) is None:
        return Finding(name, False, "not installed", "pip install -e '.[grading]'")
    return Finding(name, True, metadata.version(name))


def _device() -> Finding:
    import torch

    if torch.cuda.is_available():
        return Finding("device", True, f"cuda: {torch.cuda.get_device_name()}")
    return Finding("device", True, "cpu (no GPU found; GPU tests are skipped)")


def _isolation() -> Finding:
    found = launch.probe()
    if found.works:
        return Finding("isolation", True, f"bubblewrap ({found.detail})")
    advice = (
        "grading needs bubblewrap and user namespaces (kernel.unprivileged_userns_clone=1); "
        "--isolation process grades without a sandbox, for work you trust"
    )
    return Finding("isolation", False, found.detail, advice)


def _seccomp() -> Finding:
    if seccomp.available():
        return Finding("seccomp", True, "libseccomp found")
    return Finding("seccomp", False, "not found", "install libseccomp2 and pyseccomp")


def _program(name: str, advice: str, *, optional: bool = False) -> Finding:
    path = shutil.which(name)
    return Finding(name, optional or path is not None, path or "not on PATH", advice)
