"""A submission's scratch places, put back to what its cells have left there.

What a call leaves in a file is none of the next exercise's business, while a file that a cell has
written is part of the state that every exercise begins with. So the places are read once after the
cells, and written back whenever an exercise has ended.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_MOST_ENTRIES = 10_000


class ScratchError(Exception):
    """A place cannot be read or put back; nothing that began with its state can go on."""


@dataclass(frozen=True)
class _Entry:
    """A folder, a file with its content, or a link with its target."""

    mode: int
    inode: int
    content: bytes | None = None
    target: str | None = None


class Scratch:
    """What some folders hold now.

    Args:
        places: the folders; they are on file systems of limited size.

    Raises:
        ScratchError: there is more or something else in them than folders, files and links.
    """

    def __init__(self, *places: str) -> None:
        self._places = places
        with _told():
            self._kept = {path: _read(path) for place in places for path in _below(place)}
            self._give_modes_back()

    def restore(self) -> None:
        """Put the folders back to what they held; nobody else may be writing there.

        Files that are still there are written in place, so that whoever has them open or mapped
        sees the same.

        Raises:
            ScratchError: that is not possible.
        """
        with _told():
            for place in self._places:
                for path in list(_below(place)):
                    kept = self._kept.get(path)
                    if os.path.lexists(path) and (kept is None or not _is_same(kept, path)):
                        _remove(path)
            for path, entry in self._kept.items():
                _write(path, entry)
            self._give_modes_back()

    def _give_modes_back(self) -> None:
        for path, entry in reversed(self._kept.items()):  # a folder may be closed to its owner
            if entry.target is None:
                os.chmod(path, entry.mode)


@contextmanager
def _told() -> Iterator[None]:
    """Make every error of a block a :class:`ScratchError`."""
    try:
        yield
    except (OSError, RecursionError) as error:
        raise ScratchError(str(error)) from None


def _below(place: str) -> Iterator[str]:
    """The paths of all that is below a folder, folders before what they hold; these are opened."""
    left = [place]
    count = 0
    while left:
        folder = left.pop()
        if folder != place:
            os.chmod(folder, 0o700)  # whatever its owner has made of it, who is this process's
        for name in os.listdir(folder):
            count += 1
            if count > _MOST_ENTRIES:
                raise ScratchError(f"more than {_MOST_ENTRIES} files")
            path = os.path.join(folder, name)
            yield path
            if os.path.isdir(path) and not os.path.islink(path):
                left.append(path)


def _read(path: str) -> _Entry:
    found = os.lstat(path)
    mode = stat.S_IMODE(found.st_mode)
    if stat.S_ISDIR(found.st_mode):
        return _Entry(mode, found.st_ino)
    if stat.S_ISLNK(found.st_mode):
        return _Entry(mode, found.st_ino, target=os.readlink(path))
    if not stat.S_ISREG(found.st_mode):
        raise ScratchError(f"{path} is neither a file nor a folder nor a link")
    os.chmod(path, 0o600)
    content = Path(path).read_bytes()
    return _Entry(mode, found.st_ino, content)


def _is_same(kept: _Entry, path: str) -> bool:
    return os.lstat(path).st_ino == kept.inode


def _remove(path: str) -> None:
    if os.path.islink(path) or not os.path.isdir(path):
        os.unlink(path)
        return
    os.chmod(path, 0o700)
    for name in os.listdir(path):
        _remove(os.path.join(path, name))
    os.rmdir(path)


def _write(path: str, entry: _Entry) -> None:
    there = os.path.lexists(path)
    if entry.target is not None:
        if not there:
            os.symlink(entry.target, path)
        return
    if entry.content is None:
        if not there:
            os.mkdir(path)
    else:
        if there:
            os.chmod(path, 0o600)
        with open(path, "r+b" if there else "wb") as file:
            file.write(entry.content)
            file.truncate()
