"""A command run as an ordinary user, who sees the interpreter wherever it lies.

Run by root: ``python -m attacks.ordinary UID COMMAND…``. An interpreter below a closed folder (as
``/root``) is shown at its own place, in a mount namespace that ends with the command.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from tiny import REPOSITORY

from course_utils.sandbox import linux

UID = 60123  # nobody's


def _closed(path: Path) -> Path | None:
    """The first folder on the way to a path through which others may not go."""
    above = reversed(path.parents)
    return next((folder for folder in above if not folder.stat().st_mode & 0o001), None)


def _show(paths: set[Path]) -> None:
    """Show folders at their own places to everybody, whatever lies on the way to them."""
    closed = {path: folder for path in paths if (folder := _closed(path)) is not None}
    asides = {path: tempfile.mkdtemp() for path in closed}
    for path, aside in asides.items():
        _run("mount", "--bind", str(path), aside)
    for folder in set(closed.values()):
        _run("mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", str(folder))
    for path, aside in asides.items():
        _run("mkdir", "-p", "-m", "755", str(path))
        _run("mount", "--bind", aside, str(path))
        _run("umount", aside)
        os.rmdir(aside)


def _run(*command: str) -> None:
    subprocess.run(command, check=True)


def main(uid: int, command: list[str]) -> None:
    """Become that user and run the command in this process's place."""
    try:
        linux.unshare(linux.CLONE_NEWNS)
        linux.make_mounts_private()
    except OSError as error:
        sys.exit(f"root may not make a mount namespace here ({error}); run this as the user itself")
    _show({Path(sys.base_prefix).resolve(), Path(sys.prefix), REPOSITORY})
    os.setgroups([])
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)
    os.execv(command[0], command)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
