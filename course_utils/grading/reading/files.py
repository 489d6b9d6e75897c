"""The files in a student's folder: what each is, and how it is opened safely.

Only regular files inside the folder are opened, never a pipe, a device or a link that leads away,
whatever takes a file's place between the look and the opening; what cannot be opened is told of,
with why.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import BinaryIO

from course_utils.grading.reading.naming import is_notebook_name, shown
from course_utils.grading.reading.unpacking import MAX_FILE_BYTES, is_packed
from course_utils.grading.reading.unreadable import UnreadableError
from course_utils.ground.statuses import Reason

_MAX_DEPTH = 5
_MAX_ENTRIES = 2000
_HEAD_BYTES = 4096
_LEFT_OVER = {"__MACOSX", "__pycache__", ".DS_Store", "timestamp.txt"}
_CHECKPOINTS = ".ipynb_checkpoints"
_OF_THE_MACHINE = {
    errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EIO, errno.ESTALE, errno.ETIMEDOUT,
    errno.ENOSPC, errno.EDQUOT, errno.EROFS,
}  # fmt: skip
_ARCHIVES = {".zip", ".gz", ".gzip", ""}  # other files begin so, too: .docx, .npz, .pt


class Kind(IntEnum):
    """What a file is to a grader: the lower, the rather it is graded."""

    NOTEBOOK = 0
    LIKE_A_NOTEBOOK = 1  # of another name, but it begins like one
    ARCHIVE = 2
    CHECKPOINT = 3  # Jupyter's own copy of an earlier state
    EMPTY_NOTEBOOK = 4
    OTHER = 5
    CLOSED = 6


@dataclass(frozen=True)
class File:
    """Something in a submission: its name from the folder on, and what it is."""

    name: str
    path: Path
    kind: Kind
    why_not: str = ""


def own_place(folder: Path) -> Path:
    """A submission's folder by its real path, but for its last two parts, which are named after a
    student and a lab: a student may have made those, and they are never followed as links."""
    return Path(os.path.realpath(folder.parent.parent), folder.parent.name, folder.name)


def is_own_folder(place: Path) -> bool:
    """Whether a submission's folder is one, and neither it nor the student's is a link.

    Args:
        place: from :func:`own_place`.
    """
    try:
        return all(stat.S_ISDIR(os.lstat(part).st_mode) for part in (place.parent, place))
    except OSError as error:
        raise_if_the_machines(error)
        return False


def files_in(root: Path) -> Iterator[File]:
    """Everything in a submission that is no folder, nearest first, up to a bound.

    Args:
        root: its folder, from :func:`own_place`.
    """
    waiting, seen = [(root, 0)], 0
    while waiting:
        folder, depth = waiting.pop(0)
        try:
            inside = entries(folder)
        except OSError as error:
            raise_if_the_machines(error)
            inside = []
            yield _closed(folder, root, "a folder that cannot be opened")
        for entry in inside:
            seen += 1
            path = folder / entry.name
            hidden = entry.name.startswith(".") and entry.name != _CHECKPOINTS
            if seen > _MAX_ENTRIES or entry.name in _LEFT_OVER:
                continue
            if hidden:
                yield _closed(path, root, "hidden")
            elif not entry.is_dir(follow_symlinks=False):
                yield _examined(path, os.path.relpath(path, root), root)
            elif depth == _MAX_DEPTH:
                yield _closed(path, root, "a folder too deep to be looked into")
            else:
                waiting.append((path, depth + 1))


def _closed(path: Path, root: Path, why: str) -> File:
    return File(os.path.relpath(path, root), path, Kind.CLOSED, why)


def entries(folder: Path) -> list[os.DirEntry[str]]:
    """A folder's entries, notebooks first.

    Raises:
        OSError: it cannot be read.
    """
    with os.scandir(folder) as found:
        return sorted(found, key=lambda entry: (not is_notebook_name(entry.name), entry.name))


def _examined(path: Path, name: str, home: Path) -> File:
    """What a file is, by its name and by how it begins."""
    try:
        real = Path(os.path.realpath(path, strict=True))
        if home not in real.parents:
            return File(name, path, Kind.CLOSED, "a link that leads out of the submission")
        head = read_head(real, _HEAD_BYTES)
    except OSError as error:
        raise_if_the_machines(error)
        why = error.strerror or str(error)
        return File(name, path, Kind.CLOSED, f"cannot be read: {why}")
    if is_notebook_name(path.name):
        kind = Kind.NOTEBOOK if head.strip() else Kind.EMPTY_NOTEBOOK
    elif _begins_as_notebook(head):
        kind = Kind.LIKE_A_NOTEBOOK
    elif is_packed(head) and path.suffix.lower() in _ARCHIVES:
        kind = Kind.ARCHIVE
    else:
        kind = Kind.OTHER
    if path.parent.name == _CHECKPOINTS and kind is not Kind.OTHER:
        kind = Kind.CHECKPOINT
    return File(name, real, kind)


def _begins_as_notebook(head: bytes) -> bool:
    """Whether a file of any name begins as Jupyter writes notebooks."""
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n")
    return text.startswith(b"{") and any(
        key in text for key in (b'"cells"', b'"nbformat"', b'"worksheets"')
    )


def read_file(path: Path) -> bytes:
    """A file's bytes.

    Raises:
        UnreadableError: it is too large, no file, or cannot be read.
    """
    try:
        return read_found(Path(os.path.realpath(path)))
    except OSError as error:
        message = f"{shown(path.name)} cannot be read: {error.strerror or error}"
        raise UnreadableError(Reason.NO_NOTEBOOK, message) from None


def read_found(path: Path) -> bytes:
    """The bytes of a file that could be read a moment ago.

    Args:
        path: its real path.

    Raises:
        UnreadableError: it is too large.
        OSError: it cannot be read now, for which nobody who handed it in is to blame.
    """
    with opened(path) as (file, size):
        data = file.read(MAX_FILE_BYTES + 1)
    if len(data) > MAX_FILE_BYTES:
        raise UnreadableError(
            Reason.TOO_LARGE,
            f"{shown(path.name)} has {max(len(data), size) / 2**20:.0f} MiB; at most "
            f"{MAX_FILE_BYTES // 2**20} MiB are accepted. Clear its outputs (Kernel > Restart and "
            "Clear) and submit it again",
        )
    return data


def raise_if_the_machines(error: OSError) -> None:
    """Let an error through that says nothing about what was handed in: no descriptors, no memory,
    no room, a disk or a server that fails."""
    if error.errno in _OF_THE_MACHINE:
        raise error


def read_head(path: Path, limit: int) -> bytes:
    """The beginning of a regular file, by its real path.

    Raises:
        OSError: it is no regular file, or cannot be opened.
    """
    with opened(path) as (file, _):
        return file.read(limit)


@contextmanager
def opened(path: Path) -> Iterator[tuple[BinaryIO, int]]:
    """A regular file, open for reading, and its size; a pipe is never waited for.

    Args:
        path: its real path, of which no part may be a link by now.

    Raises:
        OSError: it is no regular file, or cannot be opened.
    """
    handle = _open(path)
    with os.fdopen(handle, "rb") as file:
        found = os.fstat(handle)
        _refuse_irregular(found.st_mode)
        yield file, found.st_size


def _open(path: Path) -> int:
    """Open a file folder by folder, each in the one before."""
    plain = os.O_CLOEXEC | os.O_NOFOLLOW
    folder = getattr(os, "O_PATH", os.O_RDONLY) | os.O_DIRECTORY  # the right to read it: not needed
    at = os.open(path.anchor, folder | plain)
    try:
        for part in path.parts[1:-1]:
            below = os.open(part, folder | plain, dir_fd=at)
            os.close(at)
            at = below
        # Opening is an act for some devices, and for a pipe that nobody writes to it is a wait.
        _refuse_irregular(os.stat(path.name, dir_fd=at, follow_symlinks=False).st_mode)
        return os.open(path.name, os.O_RDONLY | os.O_NONBLOCK | plain, dir_fd=at)
    finally:
        os.close(at)


def _refuse_irregular(mode: int) -> None:
    if not stat.S_ISREG(mode):
        raise OSError("it is no regular file")
