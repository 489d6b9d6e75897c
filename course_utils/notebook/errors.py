"""Errors that are sentences: in a notebook they show as one line, without a traceback."""

from __future__ import annotations


class NotebookError(Exception):
    """Something the student, or the instructor, has to mend; the message says what and how."""

    def _render_traceback_(self) -> list[str]:
        """What IPython shows instead of a traceback."""
        return [str(self)]


class CheckFailed(NotebookError):
    """Not every public claim of an exercise holds; raised so that Validate sees it."""
