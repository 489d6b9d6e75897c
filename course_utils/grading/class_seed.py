"""The seed of a class's hidden tests: made once a course, stored with it, and no student's to know.

What leaks of a hidden test is then worth nothing to anybody else, and verdicts can be repeated.
"""

from __future__ import annotations

import os
import secrets
import tempfile
from pathlib import Path

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
        known = known_seed(root)
        return _make(path) if known is None else known
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
        text = path.read_text("ascii", errors="replace")
    except FileNotFoundError:
        return None
    try:
        return int(text)
    except ValueError:
        raise LabError(
            f"{path} holds no number: put the seed of the last run's report there, or delete the "
            "file and grade the class again under a new one"
        ) from None


def _make(path: Path) -> int:
    """Make the file, with all its content at once; of two that do so, the first counts."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, made = tempfile.mkstemp(dir=path.parent)  # which no other user can read
    try:
        with open(descriptor, "w", encoding="ascii") as file:
            file.write(f"{secrets.randbits(_BITS)}\n")
        os.link(made, path)
    except FileExistsError:
        pass
    finally:
        os.unlink(made)
    return int(path.read_text("ascii"))
