"""What was made of files, remembered in a process until one of them changes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Generic, TypeVar

Made = TypeVar("Made")

# When a file was last written and its size; None for one that is not there.
_Stamp = tuple[int, int] | None


class FileMemo(Generic[Made]):
    """Things made of files, each made again only when a file that it was made of has changed.

    A file counts as changed when it was written again, or has appeared or gone. What is decided by
    more than files is better kept under a name made of all that decides it.
    """

    def __init__(self) -> None:
        self._known: dict[tuple[Path, ...], tuple[tuple[_Stamp, ...], Made]] = {}

    def get(self, paths: Sequence[Path], make: Callable[[], Made]) -> Made:
        """What was made of these files, or is made of them now.

        Args:
            paths: the files, of which some may be missing.
            make: makes it; whatever it raises is raised, and nothing is remembered.
        """
        key = tuple(paths)
        stamps = tuple(_stamp(path) for path in key)  # before: a change meanwhile is seen next time
        known = self._known.get(key)
        if known is None or known[0] != stamps:
            known = self._known[key] = (stamps, make())
        return known[1]


def _stamp(path: Path) -> _Stamp:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size
