"""What this machine has and what it lacks: each part with what to do about it."""

from __future__ import annotations

import importlib.util
import os
import platform
import shutil
import sys
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from course_utils.grading.worker import Settings
from course_utils.ground import devices, requirements
from course_utils.ground.errors import DeviceError, SandboxError
from course_utils.sandbox import cgroups, identity, launch, seccomp
from course_utils.sandbox.client import Sandbox
from course_utils.sandbox.limits import Limits

_PACKAGES = ("numpy", "torch", "jupyterlab", "nbgrader", "matplotlib", "pytest", "ipython")


@dataclass(frozen=True)
class HealthCheck:
    """One part: whether it is as it should be, what was found, and what to do if it is not."""

    part: str
    ok: bool
    found: str
    advice: str = ""


def examine() -> list[HealthCheck]:
    """Look at versions, device, isolation and programs."""
    return [
        HealthCheck("python", sys.version_info >= (3, 11), platform.python_version(), "use 3.11+"),
        *(_package(name) for name in _PACKAGES),
        _others(),
        _device(),
        _isolation(),
        _user(),
        _seccomp(),
        _limits(),
        _program("alembic", "nbgrader calls it, and it comes with nbgrader: make env"),
        _program("bwrap", "optional: the installed wheel's is used", optional=True),
    ]


def _package(name: str) -> HealthCheck:
    if importlib.util.find_spec("IPython" if name == "ipython" else name) is None:
        return HealthCheck(name, False, "not installed", requirements.INSTALL)
    return HealthCheck(name, True, metadata.version(name))


def _others() -> HealthCheck:
    """What else pyproject.toml asks for."""
    names = [name for name in requirements.missing() if name not in _PACKAGES]
    found = f"not installed: {', '.join(names)}" if names else "all installed"
    return HealthCheck("others", not names, found, requirements.INSTALL)


def _device() -> HealthCheck:
    """What --device and COURSE_DEVICE come to, and on a GPU whether the sandbox can use it."""
    if importlib.util.find_spec("torch") is None:
        return HealthCheck("device", False, "not known without torch", requirements.INSTALL)
    try:
        chosen = devices.resolve()
    except DeviceError as error:
        advice = f"set {devices.VARIABLE} to auto, or unset it"
        return HealthCheck("device", False, str(error), advice)
    if chosen == "cpu" and devices.sees_gpu():
        why = f"{devices.VARIABLE} says so; there is a GPU: {devices.gpu()}"
        return HealthCheck("device", True, f"cpu ({why})")
    if chosen == "cpu":
        return HealthCheck("device", True, f"cpu (torch sees no GPU: {devices.why_no_gpu()})")
    settings = Settings(limits=Limits(device=chosen))
    share = settings.limits.device_bytes / 2**20
    found = (
        f"cuda: {devices.gpu()}; {settings.processes} workers, each with two CUDA contexts at a "
        f"time (the judge's, and one of a submission's processes, which may hold {share:.0f} MiB)"
    )
    try:
        Sandbox(limits=settings.limits, preload=["torch"]).try_out()
    except SandboxError as error:
        advice = "grade with --device cpu; for what the sandbox shows of the GPU see sandbox/gpu.py"
        return HealthCheck("device", False, f"{found}; but {error}", advice)
    return HealthCheck("device", True, f"{found}; the sandbox can use it")


def _isolation() -> HealthCheck:
    found = launch.availability()
    if found.works:
        return HealthCheck("isolation", True, f"bubblewrap ({found.detail})")
    advice = (
        "grading needs bubblewrap, and user namespaces for ordinary users, which an administrator "
        "allows (user.max_user_namespaces, kernel.unprivileged_userns_clone=1, "
        "kernel.apparmor_restrict_unprivileged_userns=0); "
        "--isolation process grades without a sandbox, for work you trust"
    )
    return HealthCheck("isolation", False, found.detail, advice)


def _user() -> HealthCheck:
    """Who student code is for the machine, should it ever get out."""
    uid = identity.unprivileged()
    who = f"your own user, {os.geteuid()}" if uid is None else f"user {uid}, and not as root"
    return HealthCheck("user", True, f"student code runs as {who}")


def _limits() -> HealthCheck:
    """Whether the kernel keeps a submission's limits as a whole, or the supervisor watches them."""
    place = cgroups.place()
    if place.folder is None:
        found = f"kept by the supervisor's watch, on one core a worker (no cgroup: {place.detail})"
    elif place.shares_processors:
        found = f"kept by {place.detail}, and watched"
    else:
        found = f"kept by {place.detail}, and watched; on one core a worker (no controller cpu)"
    return HealthCheck("limits", True, found)


def _seccomp() -> HealthCheck:
    if seccomp.available():
        return HealthCheck("seccomp", True, "libseccomp found; only calls that notebooks need work")
    return HealthCheck("seccomp", False, "not found", "install libseccomp2 and pyseccomp")


def _program(name: str, advice: str, *, optional: bool = False) -> HealthCheck:
    own = str(Path(sys.executable).parent)  # not on PATH where nobody activated the environment
    path = shutil.which(name) or shutil.which(name, path=own)
    return HealthCheck(name, optional or path is not None, path or "not on PATH", advice)
