"""This package on its way to where it is not: its sources, and the wheel that pip installs."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path

import course_utils
from course_utils.ground.errors import LabError

_OF_THE_PROJECT = ("pyproject.toml", "constraints.txt", "README.md", "LICENSE")
_LEFT_OUT = {"__pycache__", ".ipynb_checkpoints", ".pytest_cache"}
_1980 = "315532800"  # the first date that a zip can hold, in seconds


def sources() -> dict[str, bytes]:
    """This package as pip installs it from a folder, with the versions that it was tested with.

    Raises:
        LabError: it was not installed from its repository, which has them.
    """
    package = Path(course_utils.__file__).resolve().parent
    missing = [name for name in _OF_THE_PROJECT if not (package.parent / name).is_file()]
    if missing:
        raise LabError(
            f"{package.parent} has no {missing[0]}: this package's sources are sent, so run this "
            "where it is installed from its repository (make env)"
        )
    if strays := _untracked(package):
        raise LabError(
            f"{', '.join(strays)}: not in the repository, and would be sent with the package; add "
            "what belongs there, and move the rest away"
        )
    found = {name: (package.parent / name).read_bytes() for name in _OF_THE_PROJECT}
    return found | {f"{package.name}/{name}": data for name, data in files_in(package).items()}


def _untracked(package: Path) -> list[str]:
    """Files in the package's folder that git does not know, where there is git to ask."""
    try:
        asked = subprocess.run(
            ["git", "ls-files", "--others", "--exclude-standard", "--", package.name],
            cwd=package.parent, capture_output=True, text=True, check=True,
        )  # fmt: skip
    except (OSError, subprocess.CalledProcessError):
        return []  # no git, or no checkout: a copy of the sources
    return asked.stdout.splitlines()


@cache
def wheel() -> tuple[str, bytes]:
    """The file's name and its bytes: the same sources, the same bytes.

    Raises:
        LabError: as :func:`sources`; or pip could not build it.
    """
    with tempfile.TemporaryDirectory() as folder:
        for name, data in sources().items():
            path = Path(folder) / "package" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        done = subprocess.run(
            [sys.executable, "-m", "pip", "wheel", "--quiet", "--disable-pip-version-check",
             "--no-deps", "--no-build-isolation", "--wheel-dir", folder, f"{folder}/package"],
            env={**os.environ, "SOURCE_DATE_EPOCH": _1980},
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        made = list(Path(folder).glob("*.whl"))
        if done.returncode or not made:
            why = (done.stderr.strip().splitlines() or ["pip said nothing"])[-1]
            raise LabError(f"the package's wheel could not be built: {why}")
        return made[0].name, made[0].read_bytes()


def files_in(folder: Path) -> dict[str, bytes]:
    """A folder's files by name, without what programs leave there."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not _LEFT_OUT & set(path.parts)
    }
