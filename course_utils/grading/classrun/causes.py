"""What has stopped a run, in one line for people."""

from __future__ import annotations

import sqlite3

from sqlalchemy.exc import SQLAlchemyError

from course_utils.ground.errors import CourseError


def sentence(error: Exception) -> str:
    """An error's own words, and what they are about where they do not say it."""
    cause = getattr(error, "orig", None) or error
    if isinstance(cause, OSError) and cause.strerror:
        return f"{cause.strerror} ({cause.filename})" if cause.filename else cause.strerror
    said = (str(cause).strip() or type(cause).__name__).splitlines()[0]
    if isinstance(error, sqlite3.Error):  # not the gradebook's: those come by SQLAlchemy
        return f"{said} (.course/journal.db, which may be deleted)"
    known = isinstance(error, SQLAlchemyError | CourseError)
    return said if known else f"{type(cause).__name__}: {said}"
