"""A fresh clone of this repository, as it is now, for tests of what a user does in one."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from tiny import REPOSITORY


def fresh_clone(root: Path) -> Path:
    """Copy the files that git keeps to ``root``: no gradebook, no environment, no caches.

    ``git clone`` would bring the last commit and leave out what is being worked on.
    """
    if not (REPOSITORY / ".git").exists():
        pytest.skip("this copy of the course is no git repository, so there is nothing to clone")
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=REPOSITORY, capture_output=True, text=True, check=True,
    )  # fmt: skip
    for name in filter(None, listed.stdout.split("\0")):
        source = REPOSITORY / name
        if source.is_file() and not source.is_symlink():
            target = root / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)
            target.chmod(source.stat().st_mode)
    return root
