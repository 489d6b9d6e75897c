"""What of the package's requirements is not installed, in a sentence that says how to get it.

pyproject.toml is the one list; the metadata of the installed package is a copy of it.
"""

from __future__ import annotations

import sys
import traceback
from importlib import metadata

from course_utils.ground.errors import RequirementError

_DISTRIBUTION = "course-utils"
_EXTRA = "grading"  # students do without it; the command does not
# What only some ways of grading need: the name of the extra, and what asks for it.
_MORE = {"cluster": "`course grade --scheduler`"}


def install(*extras: str) -> str:
    """How to get the packages of some extras: double quotes and the whole path, so that it can be
    pasted into any shell."""
    return f'"{sys.executable}" -m pip install ".[{",".join((_EXTRA, *extras))}]"'


INSTALL = install()


def missing(extra: str = _EXTRA) -> list[str]:
    """The packages that the ``course`` command, or an extra, needs and that are not installed, by
    name.

    Empty as well where this package is run from a folder without having been installed: then
    nothing is known of what it needs.
    """
    try:
        from packaging.requirements import Requirement
    except ImportError:
        return ["packaging"]
    try:
        lines = metadata.requires(_DISTRIBUTION) or []
    except metadata.PackageNotFoundError:
        return []
    wanted = [Requirement(line) for line in lines]
    return sorted(
        requirement.name
        for requirement in wanted
        if (requirement.marker is None or requirement.marker.evaluate({"extra": extra}))
        and not _is_installed(requirement.name)
    )


def check(extra: str = _EXTRA) -> None:
    """Return where nothing is missing.

    Raises:
        RequirementError: something is.
    """
    if names := missing(extra):
        raise RequirementError(_sentence(names, extra))


def explained(error: ImportError) -> str:
    """Why an import failed and what to do, in a sentence or two."""
    if names := missing():
        return _sentence(names)
    frames = traceback.extract_tb(error.__traceback__)
    where = [frame for frame in frames if not frame.filename.startswith("<frozen importlib")]
    place = f"{where[-1].filename}, line {where[-1].lineno}: " if where else ""
    return (
        f"{place}{error}. If that file is one of a lab's, mend its import; else this environment "
        "is damaged: make it anew (rm -rf .venv, then make env)"
    )


def _is_installed(name: str) -> bool:
    try:
        metadata.distribution(name)
    except metadata.PackageNotFoundError:
        return False
    return True


def _sentence(names: list[str], extra: str = _EXTRA) -> str:
    *others, last = names
    listed = f"{', '.join(others)} and {last} are" if others else f"{last} is"
    what = _MORE.get(extra, "`course`")
    how = install(extra) if extra in _MORE else INSTALL
    return (
        f"{listed} not installed here, and {what} does not work without. "
        f"In the course's folder, run:  {how}"
    )
