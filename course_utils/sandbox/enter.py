"""The first Python code in the sandbox: it gives up what rights it was started with.

Run as ``python -m course_utils.sandbox.enter UID GROUPS CORE FD ISOLATED DEVICE MODULE…``.
bubblewrap mounts what root may read, whoever else may; nothing large is imported, and no connection
served, before the process is an ordinary user's. UID is 0 where it is one already, GROUPS has
commas, CORE is -1 where it may run on any.
"""

from __future__ import annotations

import os
import sys

# As in sysexits.h: the environment's files cannot be read by that user.
UNREADABLE = 77


def main(uid: int, groups: list[int], core: int, arguments: list[str]) -> None:
    """Become that user on that core, then serve as the zygote, to which the rest is handed on."""
    if uid:
        from course_utils.sandbox import linux

        linux.become(uid, groups)
        linux.die_with_parent()  # which the change of user has undone
        if path := _unreadable():
            print(f"sandbox: user {uid} may not read {path}", file=sys.stderr, flush=True)
            sys.exit(UNREADABLE)
    if core >= 0:
        os.sched_setaffinity(0, {core})
    from course_utils.sandbox import zygote

    descriptor, mode, device, *preload = arguments
    zygote.main(int(descriptor), mode == "isolated", device, preload)


def _unreadable() -> str:
    """Something that imports need and this process may not read; "" where there is nothing.

    Looked for on purpose: an import says of a package that may not be read that there is none.
    """
    for folder in [os.path.dirname(sys.executable), *sys.path]:
        try:
            entries = list(os.scandir(folder))
        except (FileNotFoundError, NotADirectoryError):
            continue
        except PermissionError:
            return folder
        for entry in entries:
            if entry.name != "__pycache__" and not os.access(entry.path, _rights(entry)):
                return entry.path
    return ""


def _rights(entry: os.DirEntry[str]) -> int:
    return os.R_OK | os.X_OK if entry.is_dir() else os.R_OK


if __name__ == "__main__":
    named = [int(group) for group in sys.argv[2].split(",") if group]
    main(int(sys.argv[1]), named, int(sys.argv[3]), sys.argv[4:])
