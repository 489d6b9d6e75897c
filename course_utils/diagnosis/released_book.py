"""The book of traces that students have: the one in a released lab's folder."""

from __future__ import annotations

from pathlib import Path

from course_utils.diagnosis.traces import TraceBook
from course_utils.ground.errors import TraceBookError
from course_utils.ground.fresh import FileMemo

TRACES_FILE = "traces.msgpack"

_books = FileMemo[TraceBook | None]()


def book_in(folder: Path) -> TraceBook | None:
    """The book of traces that lies in a lab's folder, read once a process until it changes."""
    path = folder / TRACES_FILE
    return _books.get([path], lambda: _read(path))


def _read(path: Path) -> TraceBook | None:
    try:
        return TraceBook.load(path) if path.exists() else None
    except (OSError, TraceBookError):
        return None  # a damaged file costs the names of mistakes, never the check
