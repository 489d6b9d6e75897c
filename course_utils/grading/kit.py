"""What decides verdicts besides the submissions and the lab: the versions at work here."""

from __future__ import annotations

import hashlib
import platform
from functools import cache
from importlib import metadata
from pathlib import Path

import course_utils

_PACKAGES = ("ipython", "numpy", "torch", "pytest", "scipy", "sympy")
_OURS = "course-utils"


@cache
def kit() -> dict[str, str]:
    """Name → version. That of this package is a checksum of its files, too: a working copy is
    changed more often than it is numbered."""
    versions = {name: metadata.version(name) for name in _PACKAGES}
    return {_OURS: f"{_version()} ({_checksum()[:16]})", "Python": _python(), **versions}


def differences(theirs: dict[str, str], ours: dict[str, str]) -> list[str]:
    """What differs in two kits, as "torch 2.12.0 (here 2.13.0)"."""
    return [
        f"{name} {theirs.get(name, 'of no known version')} (here {version})"
        for name, version in ours.items()
        if theirs.get(name) != version
    ]


def _version() -> str:
    try:
        return metadata.version(_OURS)
    except metadata.PackageNotFoundError:
        return "not installed"  # it is run from a folder


def _python() -> str:
    major, minor, _ = platform.python_version_tuple()
    return f"{major}.{minor}"


def _checksum() -> str:
    checksum = hashlib.sha256()
    package = Path(course_utils.__file__).parent
    for path in sorted(package.rglob("*.py")):
        checksum.update(str(path.relative_to(package)).encode())
        checksum.update(path.read_bytes())
    return checksum.hexdigest()
