"""Marks on their way out, as plugins of ``nbgrader export``.

::

    nbgrader export --exporter=course_utils.grading.exports.CanvasExport --to canvas.csv

Each takes nbgrader's ``--assignment`` and ``--student``, and settings of its own, on the command
line or in ``nbgrader_config.py`` (``c.CanvasExport.titles = {...}``).
"""

from __future__ import annotations

from course_utils.grading.exports.canvas import CanvasExport
from course_utils.grading.exports.moodle import MoodleExport
from course_utils.grading.exports.table import TableExport

__all__ = ["CanvasExport", "MoodleExport", "TableExport"]
