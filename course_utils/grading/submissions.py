"""What students handed in: found under ``submitted/``, and read once, safely.

One folder is looked at in one place, :func:`look`, for every way into grading. It never raises for
what a student put there: links that lead away, pipes, folders that cannot be opened and names that
are no text become notices.
"""

from __future__ import annotations

import os
import stat
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from enum import IntEnum
from pathlib import Path
from typing import TYPE_CHECKING

from course_utils.grading.naming import is_notebook_name, listed, plain_stem, printable, shown
from course_utils.grading.unpacking import MAX_FILE_BYTES, is_packed
from course_utils.grading.unreadable import UnreadableError
from course_utils.lab import Lab
from course_utils.outcome import Notice, Reason

if TYPE_CHECKING:  # the workers do without nbgrader
    from course_utils.grading.course import Course

_MAX_DEPTH = 5
_MAX_ENTRIES = 2000
_HEAD_BYTES = 4096
_LEFT_OVER = {"__MACOSX", "__pycache__", ".DS_Store", "timestamp.txt"}
_CHECKPOINTS = ".ipynb_checkpoints"
_ARCHIVES = {".zip", ".gz", ".gzip", ""}  # other files begin so, too: .docx, .npz, .pt


@dataclass(frozen=True)
class Submission:
    """One student's folder: the notebook to grade, if there is one, and what was noticed."""

    student: str
    path: Path | None
    notices: tuple[Notice, ...] = ()

    def read(self) -> bytes:
        """The notebook's bytes, as they are now; a caller reads once and grades what it has read.

        Raises:
            UnreadableError: there is no notebook, or it cannot be read (any more).
        """
        if self.path is None:
            notice = self.notices[0]
            raise UnreadableError(notice.code, notice.message)
        return read_file(self.path)


def find_submissions(course: Course, lab: Lab) -> list[Submission]:
    """The submissions under ``submitted/*/LAB``, by student."""
    folders = submission_folders(course.folder("submitted", "*", lab.name))
    found = [look(printable(student), folder, lab) for student, folder in folders]
    return _note_lookalikes(found)


def submission_folders(pattern: Path) -> list[tuple[str, Path]]:
    """(student, folder) for a path with ``*`` for the student, as nbgrader would match it."""
    base, _, rest = str(pattern).partition("*")
    found = []
    for entry in _entries(Path(base)) if os.path.isdir(base) else []:
        folder = Path(base) / entry.name / rest.lstrip("/")
        if not entry.name.startswith(".") and os.path.lexists(folder):
            found.append((entry.name, folder))
    return sorted(found)


def look(student: str, folder: Path, lab: Lab) -> Submission:
    """Choose what is graded in one student's folder; never raises.

    The notebook of the lab's own name is taken where it holds anything; else the only other
    notebook, wherever it lies and whatever became of its name; else the only archive, and at last
    the copy that Jupyter keeps by itself.
    """
    expected = lab.notebook_path.name
    if not os.path.isdir(folder):
        message = f"{shown(folder.name)} should be a folder and is none that can be opened"
        return Submission(student, None, (Notice(Reason.NO_NOTEBOOK, message),))
    files = list(_files(folder))
    candidates = _candidates(files)
    chosen = _chosen(candidates, expected)
    if chosen is None:
        return Submission(student, None, (_nothing(files, candidates, expected),))
    notices = []
    if chosen.name != expected:
        message = f"{shown(chosen.name)} was graded in place of {expected}"
        notices.append(Notice(Reason.RENAMED_NOTEBOOK, message))
    others = [file.name for file in candidates if file is not chosen]
    if others:
        message = f"further notebooks were not graded: {listed(others)}"
        notices.append(Notice(Reason.EXTRA_NOTEBOOK, message))
    return Submission(student, chosen.path, tuple(notices))


class _Kind(IntEnum):
    """What a file is to a grader: the lower, the rather it is graded."""

    NOTEBOOK = 0
    LIKE_A_NOTEBOOK = 1  # of another name, but it begins like one
    ARCHIVE = 2
    CHECKPOINT = 3  # Jupyter's own copy of an earlier state
    EMPTY_NOTEBOOK = 4
    OTHER = 5
    CLOSED = 6


@dataclass(frozen=True)
class _File:
    """Something in a submission: its name from the folder on, and what it is."""

    name: str
    path: Path
    kind: _Kind
    why_not: str = ""


def _candidates(files: list[_File]) -> list[_File]:
    """The files of the best kind there is."""
    best = min((file.kind for file in files), default=_Kind.OTHER)
    return [file for file in files if file.kind is best < _Kind.OTHER]


def _chosen(candidates: list[_File], expected: str) -> _File | None:
    """The one of the right name, else the only one that can be meant."""
    for meant in (
        [file for file in candidates if file.name == expected],
        candidates,
        [f for f in candidates if plain_stem(os.path.basename(f.name)) == plain_stem(expected)],
        [file for file in candidates if os.path.basename(file.name) == expected],
    ):
        if len(meant) == 1:
            return meant[0]
    return None


def _nothing(files: list[_File], candidates: list[_File], expected: str) -> Notice:
    """Say that there is no notebook to grade, and what there is."""
    if candidates:
        names = listed([file.name for file in candidates])
        message = f"there is no {expected} but {len(candidates)} other notebooks or archives"
        return Notice(Reason.NO_NOTEBOOK, f"{message}: {names}; rename the one to be graded")
    closed = [file for file in files if file.why_not]
    names = listed([file.name for file in files if not file.why_not])
    parts = [f"{shown(file.name)} ({file.why_not})" for file in closed[:3]]
    there = ", ".join([*parts, *([names] if names else [])]) or "nothing"
    return Notice(
        Reason.NO_NOTEBOOK, f"the submission holds no notebook {expected}; it holds {there}"
    )


def _files(root: Path) -> Iterator[_File]:
    """Everything in a submission that is no folder, nearest first, up to a bound."""
    home = Path(os.path.realpath(root))
    waiting, seen = [(root, 0)], 0
    while waiting:
        folder, depth = waiting.pop(0)
        try:
            entries = _entries(folder)
        except OSError:
            entries = []
            yield _closed(folder, root, "a folder that cannot be opened")
        for entry in entries:
            seen += 1
            path = folder / entry.name
            hidden = entry.name.startswith(".") and entry.name != _CHECKPOINTS
            if seen > _MAX_ENTRIES or entry.name in _LEFT_OVER:
                continue
            if hidden:
                yield _closed(path, root, "hidden")
            elif not entry.is_dir(follow_symlinks=False):
                yield _examined(path, os.path.relpath(path, root), home)
            elif depth == _MAX_DEPTH:
                yield _closed(path, root, "a folder too deep to be looked into")
            else:
                waiting.append((path, depth + 1))


def _closed(path: Path, root: Path, why: str) -> _File:
    return _File(os.path.relpath(path, root), path, _Kind.CLOSED, why)


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    """A folder's entries, notebooks first.

    Raises:
        OSError: it cannot be read.
    """
    with os.scandir(folder) as entries:
        return sorted(entries, key=lambda entry: (not is_notebook_name(entry.name), entry.name))


def _examined(path: Path, name: str, home: Path) -> _File:
    """What a file is, by its name and by how it begins."""
    try:
        real = Path(os.path.realpath(path, strict=True))
        if home not in real.parents:
            return _File(name, path, _Kind.CLOSED, "a link that leads out of the submission")
        head = _read(real, _HEAD_BYTES)
    except OSError as error:
        why = error.strerror or str(error)
        return _File(name, path, _Kind.CLOSED, f"cannot be read: {why}")
    if is_notebook_name(path.name):
        kind = _Kind.NOTEBOOK if head.strip() else _Kind.EMPTY_NOTEBOOK
    elif _begins_as_notebook(head):
        kind = _Kind.LIKE_A_NOTEBOOK
    elif is_packed(head) and path.suffix.lower() in _ARCHIVES:
        kind = _Kind.ARCHIVE
    else:
        kind = _Kind.OTHER
    if path.parent.name == _CHECKPOINTS and kind is not _Kind.OTHER:
        kind = _Kind.CHECKPOINT
    return _File(name, real, kind)


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
    name = shown(path.name)
    try:
        data = _read(path, MAX_FILE_BYTES + 1)
        size = max(len(data), path.stat().st_size)
    except OSError as error:
        message = f"{name} cannot be read: {error.strerror or error}"
        raise UnreadableError(Reason.NO_NOTEBOOK, message) from None
    if len(data) > MAX_FILE_BYTES:
        raise UnreadableError(
            Reason.TOO_LARGE,
            f"{name} has {size / 2**20:.0f} MiB; at most {MAX_FILE_BYTES // 2**20} MiB are "
            "accepted. Clear its outputs (Kernel > Restart and Clear) and submit it again",
        )
    return data


def _read(path: Path, limit: int) -> bytes:
    """The beginning of a regular file; a pipe is never waited for.

    Raises:
        OSError: it is no regular file, or cannot be opened.
    """
    # Opening a pipe that nobody writes to would wait for ever.
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | getattr(os, "O_NONBLOCK", 0))
    with os.fdopen(handle, "rb") as file:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise OSError("it is no regular file")
        return file.read(limit)


def submitted_at(folder: Path) -> tuple[datetime | None, tuple[Notice, ...]]:
    """When a submission was handed in, by nbgrader's ``timestamp.txt``; None where nothing says so,
    with a notice where the file cannot be understood."""
    from nbgrader.utils import parse_utc

    path = folder / "timestamp.txt"
    if not os.path.lexists(path):
        return None, ()
    try:
        text = _read(path, 200).decode("utf-8-sig").strip()
        moment: datetime | None = parse_utc(text) if text else None
    except (OSError, ValueError, OverflowError):
        message = "timestamp.txt holds no date that can be read; the submission counts as in time"
        return None, (Notice(Reason.TIMESTAMP_UNREADABLE, message),)
    return moment, ()


def _note_lookalikes(submissions: list[Submission]) -> list[Submission]:
    """Tell a grader about student ids that differ in nothing but case and blanks."""
    counts = Counter(_plain_id(s.student) for s in submissions)
    noted = []
    for submission in submissions:
        same = [
            other.student for other in submissions
            if other is not submission and counts[_plain_id(submission.student)] > 1
            and _plain_id(other.student) == _plain_id(submission.student)
        ]
        if same:
            message = f"looks like the same student as {', '.join(same)}; each was graded"
            notice = Notice(Reason.DUPLICATE_STUDENT, message)
            submission = replace(submission, notices=(*submission.notices, notice))
        noted.append(submission)
    return noted


def _plain_id(student: str) -> str:
    return "".join(student.split()).casefold()
