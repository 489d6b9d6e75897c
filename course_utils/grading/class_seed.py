"""The seed of a class's hidden tests: made once a course, stored with it, and no student's to know.

What leaks of a hidden test is then worth nothing to anybody else, and verdicts can be repeated.
"""

from __future__ import annotations

import secrets
from pathlib import Path

from course_utils.grading.own_file import own_file
from course_utils.ground.errors import LabError

_FILE = Path(".course", "hidden_seed")
_BITS = 62


def class_seed(root: Path) -> int:
    """The seed of a course, made now if it has none.

    Args:
        root: the course's folder.

    Raises:
        LabError: it cannot be read or made; the message says what to do.
    """
    path = root / _FILE
    try:
        return _number(path, own_file(path, lambda: f"{secrets.randbits(_BITS)}\n"))
    except OSError as error:
        raise LabError(
            f"the seed of the hidden tests, {path}, cannot be read or made ({error.strerror}): "
            "give this user the right to"
        ) from None


def known_seed(root: Path) -> int | None:
    """The seed of a course; None where none was made yet.

    Raises:
        LabError: the file holds no number.
        OSError: it cannot be read.
    """
    path = root / _FILE
    try:
        return _number(path, path.read_text("ascii", errors="replace"))
    except FileNotFoundError:
        return None


def _number(path: Path, text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise LabError(
            f"{path} holds no number: put there the seed that the last run printed, or delete the "
            "file and grade the class again under a new one"
        ) from None
