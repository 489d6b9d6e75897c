"""The sandbox's world: what bubblewrap mounts, and with whose rights.

Nothing else of the machine is visible: not the course repository, not submissions, not the
gradebook, not home directories; and of its GPUs nothing, unless they are to be used.
"""

from __future__ import annotations

import os
import sys
import sysconfig
from collections.abc import Mapping
from pathlib import Path

from course_utils.ground import devices
from course_utils.sandbox import gpu

_SANDBOX_PACKAGES = "/course"
# Where a submission may write. Not /tmp: the Python environment itself may lie below that.
SCRATCH = "/scratch"
# What enter.py needs in order to become an ordinary user, and to see what that one may not read.
_RIGHTS = ("CAP_SETUID", "CAP_SETGID", "CAP_SETPCAP", "CAP_DAC_OVERRIDE")
PATH = "/usr/local/bin:/usr/bin:/bin"
_PLACES = {
    "HOME": SCRATCH,
    "TMPDIR": SCRATCH,
    "MPLCONFIGDIR": f"{SCRATCH}/matplotlib",
    "IPYTHONDIR": f"{SCRATCH}/ipython",
    "PATH": PATH,
    "PYTHONPATH": _SANDBOX_PACKAGES,
    "USER": "student",
    "LOGNAME": "student",
}


def user_arguments(uid: int | None) -> list[str]:
    """How bubblewrap may mount things: as root, who becomes ``uid`` afterwards, or as root of a
    user namespace, in which an ordinary user has all rights over nothing but that."""
    if uid is None:
        return ["--unshare-user", "--uid", "1000", "--gid", "1000"]
    rights = [word for right in _RIGHTS for word in ("--cap-add", right)]
    return ["--cap-drop", "ALL", *rights]


def bwrap_arguments(settings: Mapping[str, str], uid: int | None) -> list[str]:
    """System libraries, this Python and this package, read-only; no network.

    Args:
        settings: the environment's variables, besides those that name places.
        uid: the user that everything inside will be; None for the one who starts it.
    """
    # The zygote is process 1 itself: bubblewrap's command line, which names what it was asked to
    # show, stays outside.
    arguments = [
        *user_arguments(uid),
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
    package = package_folder()
    return [*shown, "--ro-bind", str(package), f"{_SANDBOX_PACKAGES}/{package.name}"]


def _way_to(place: str) -> list[str]:
    """Folders above a place, open to everybody, whoever may pass through them outside."""
    above = [str(parent) for parent in reversed(Path(place).parents[:-1])]
    return [word for parent in above for word in ("--perms", "0755", "--dir", parent)]


def package_folder() -> Path:
    return Path(__file__).resolve().parents[1]


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
