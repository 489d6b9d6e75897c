"""What students handed in: found under ``submitted/``, and read once, safely.

One folder is looked at in one place, :func:`look`, for every way into grading. It never raises for
what a student put there: links that lead away, pipes, folders that cannot be opened and names that
are no text become notices.
"""

from __future__ import annotations

import hashlib
import os
import re
import warnings
from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from course_utils.grading.reading.files import (
    File,
    Kind,
    entries,
    files_in,
    is_own_folder,
    own_place,
    read_found,
    read_head,
)
from course_utils.grading.reading.naming import listed, plain_stem, shown
from course_utils.grading.reading.unreadable import UnreadableError
from course_utils.ground.escaping import escaped
from course_utils.ground.lab import Lab
from course_utils.ground.statuses import Reason
from course_utils.verdict.submission import Notice

if TYPE_CHECKING:  # the workers do without nbgrader
    from course_utils.grading.course import Course

# Folders that programs leave among the students'.
_NOBODYS = {".git", ".ipynb_checkpoints"}
_LONGEST_ID = 128  # what nbgrader's table of students has room for
# A zone's name is looked up as a file's.
_DATE = re.compile(r"(?!.*\.\.)(?!.* /)[\w:.,+/ -]{1,100}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Submission:
    """One student's folder: the notebook to grade, if there is one, and what was noticed.

    ``place`` is where the notebook lies, as text: a class has many, and a path is four times as
    large. ``fault`` says why the folder could not be looked at, where that is no student's doing.
    """

    student: str
    place: str | None
    notices: tuple[Notice, ...] = ()
    fault: str = ""

    @property
    def path(self) -> Path | None:
        """Where the notebook lies; None where there is none to grade."""
        return None if self.place is None else Path(self.place)

    def read(self) -> bytes:
        """The notebook's bytes, as they are now; a caller reads once and grades what it has read.

        Raises:
            UnreadableError: there is no notebook, or too large a one.
            OSError: the one that was found cannot be read now.
        """
        if self.fault:
            raise OSError(self.fault)
        if self.place is None:
            notice = self.notices[0]
            raise UnreadableError(notice.code, notice.message)
        return read_found(Path(self.place))


def find_submissions(course: Course, lab: Lab) -> list[Submission]:
    """The submissions under ``submitted/*/LAB``, by student."""
    return _note_lookalikes([_seen(*found, lab) for found in _handed_in(course, lab)])


def students_with_folder(course: Course, lab: Lab) -> set[str]:
    """Those of whom :func:`find_submissions` gives a submission."""
    return {student for student, _ in _handed_in(course, lab)}


def folder_of(course: Course, lab: Lab, student: str) -> Path:
    """The folder of a student's submission, whose name may be another one than the student's id."""
    folder = course.folder("submitted", student, lab.name)
    if os.path.lexists(folder):
        return folder
    return next((found for name, found in _handed_in(course, lab) if name == student), folder)


def student_id(name: str) -> str:
    """The id of the student whose folder has a name: the same, unless nbgrader or a terminal could
    not do with it. Then it is escaped, and a long one is cut, with a checksum of the whole."""
    text = escaped(name)
    if len(text) <= _LONGEST_ID and len(os.fsencode(text)) <= 2 * _LONGEST_ID - 1:
        return text
    return f"{text[: _LONGEST_ID // 4]}-{_checksum(name)}"


def _handed_in(course: Course, lab: Lab) -> list[tuple[str, Path]]:
    """(student's id, folder) of all submissions; no two with one id."""
    folders = submission_folders(course.folder("submitted", "*", lab.name))
    names = {name for name, _ in folders}
    named = []
    for name, folder in folders:
        student = student_id(name)
        taken = student != name and student in names
        named.append((f"{student}-{_checksum(name)}" if taken else student, folder))
    return named


def _checksum(name: str) -> str:
    return hashlib.sha256(os.fsencode(name)).hexdigest()[:12]


def _seen(student: str, folder: Path, lab: Lab) -> Submission:
    """A submission; whatever goes wrong in one folder is told of that one."""
    try:
        return look(student, folder, lab)
    except Exception as error:
        return Submission(student, None, fault=f"the folder cannot be looked at: {error}")


def submission_folders(pattern: Path) -> list[tuple[str, Path]]:
    """(name, folder) for a path with ``*`` for the student, as nbgrader would match it; hidden
    folders, too, if the lab is in them."""
    base, _, rest = str(pattern).partition("*")
    found = []
    for entry in entries(Path(base)) if os.path.isdir(base) else []:
        folder = Path(base) / entry.name / rest.lstrip("/")
        if entry.name not in _NOBODYS and os.path.lexists(folder):
            found.append((entry.name, folder))
    return sorted(found)


def look(student: str, folder: Path, lab: Lab) -> Submission:
    """Choose what is graded in one student's folder; never raises for what is in it.

    A folder that is a link, or lies in one, is not followed: it could be anybody's.

    The notebook of the lab's own name is taken where it holds anything; else the only other
    notebook, wherever it lies and whatever became of its name; else the only archive, and at last
    the copy that Jupyter keeps by itself.
    """
    expected = lab.notebook_path.name
    place = own_place(folder)
    if not is_own_folder(place):
        message = (
            f"{shown(folder.name)} should be a folder and is none that can be opened (a link is "
            "not followed)"
        )
        return Submission(student, None, (Notice(Reason.NO_NOTEBOOK, message),))
    files = list(files_in(place))
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
    return Submission(student, os.fspath(chosen.path), tuple(notices))


def _candidates(files: list[File]) -> list[File]:
    """The files of the best kind there is."""
    best = min((file.kind for file in files), default=Kind.OTHER)
    return [file for file in files if file.kind is best < Kind.OTHER]


def _chosen(candidates: list[File], expected: str) -> File | None:
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


def _nothing(files: list[File], candidates: list[File], expected: str) -> Notice:
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


def submitted_at(folder: Path) -> tuple[datetime | None, tuple[Notice, ...]]:
    """When a submission was handed in, by nbgrader's ``timestamp.txt``; None where nothing says so,
    with a notice where the file cannot be understood."""
    from nbgrader.utils import parse_utc

    path = own_place(folder) / "timestamp.txt"
    if not os.path.lexists(path):
        return None, ()
    try:
        text = read_head(path, 200).decode("utf-8-sig").strip()
        if text and not _DATE.fullmatch(text):
            raise ValueError("it is no date")
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # dateutil's, of a zone that it does not know
            moment: datetime | None = parse_utc(text) if text else None
    except (OSError, ValueError, OverflowError, TypeError, Warning):
        message = "timestamp.txt holds no date that can be read; the submission counts as in time"
        return None, (Notice(Reason.TIMESTAMP_UNREADABLE, message),)
    return moment, ()


def _note_lookalikes(submissions: list[Submission]) -> list[Submission]:
    """Tell a grader about student ids that differ in nothing but case and blanks."""
    alike: defaultdict[str, list[str]] = defaultdict(list)
    for submission in submissions:
        alike[_plain_id(submission.student)].append(submission.student)
    noted = []
    for submission in submissions:
        same = [name for name in alike[_plain_id(submission.student)] if name != submission.student]
        if same:
            message = f"looks like the same student as {', '.join(same)}; each was graded"
            notice = Notice(Reason.DUPLICATE_STUDENT, message)
            submission = replace(submission, notices=(*submission.notices, notice))
        noted.append(submission)
    return noted


def _plain_id(student: str) -> str:
    return "".join(student.split()).casefold()
