"""Which files of a lab's folder are its authors' own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from course_utils.ground.lab import Lab

HIDDEN = "hidden"
# The mutants of solutions that compute the same; see :mod:`.points.equivalents`.
EQUIVALENT = f"{HIDDEN}/equivalent_mutants.txt"
# What editors and programs leave there.
_LEFT_BEHIND = ("__pycache__", ".ipynb_checkpoints", ".pytest_cache")


def own_files(lab: Lab) -> Iterator[Path]:
    """The files of a lab's folder in order, but for the traces, which are made from them."""
    for path in sorted(lab.folder.rglob("*")):
        left_behind = set(_LEFT_BEHIND) & set(path.relative_to(lab.folder).parts)
        if path.is_file() and path != lab.traces_path and not left_behind:
            yield path
