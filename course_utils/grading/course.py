"""The course repository as nbgrader sees it: its settings, folders and gradebook address."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from nbgrader.coursedir import CourseDirectory
from traitlets.config import Config
from traitlets.config.loader import PyFileConfigLoader

from course_utils.grading import database
from course_utils.ground.errors import LabError


class Course:
    """A folder with ``nbgrader_config.py``.

    Raises:
        LabError: there is no such file in the folder.
    """

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()
        if not (self.root / "nbgrader_config.py").exists():
            raise LabError(
                f"{self.root} has no nbgrader_config.py: run this from the course repository"
            )
        _put_own_programs_on_path()
        self.config: Config = PyFileConfigLoader(
            "nbgrader_config.py", path=str(self.root)
        ).load_config()
        self.config.CourseDirectory.root = str(self.root)
        self.directory: Any = CourseDirectory(config=self.config)

    @property
    def db_url(self) -> str:
        return database.waiting_briefly(str(self.directory.db_url))

    @property
    def shown_db_url(self) -> str:
        """Where the gradebook is, for people: without a password."""
        return database.shown(self.db_url)

    @property
    def course_id(self) -> str:
        return str(self.directory.course_id)

    def folder(self, step: str, student: str, lab: str) -> Path:
        """Where nbgrader keeps a step's files ("submitted", "autograded", "feedback", …)."""
        directory = getattr(self.directory, f"{step}_directory")
        return Path(self.directory.format_path(directory, student, lab))


def _put_own_programs_on_path() -> None:
    """nbgrader calls ``alembic`` as a program; an environment that is not activated hides it."""
    own = str(Path(sys.executable).parent)
    paths = os.environ.get("PATH", "").split(os.pathsep)
    if own not in paths:
        os.environ["PATH"] = os.pathsep.join([own, *paths])
