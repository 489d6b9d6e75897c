"""A lab as the package sees it: a folder with a notebook, tests and exercises with points.

The same class reads an instructor's folder (``solutions/…``) and a student's (``labs/…``); in the
latter there is no ``hidden`` folder. Points come from one place: the check cells' nbgrader
metadata.
"""

from __future__ import annotations

import ast
import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from course_utils.ground.cells import check_of, is_check, is_run, points, source
from course_utils.ground.errors import LabError


@dataclass(frozen=True)
class Exercise:
    """One automatically graded exercise: its name and what it is worth."""

    name: str
    points: float


@dataclass(frozen=True)
class Lab:
    """A lab's folder.

    Attributes:
        name: the folder's name, e.g. ``lab02_softmax_nll``; nbgrader's assignment id.
        folder: where it is.
        notebook_path: its only notebook.
    """

    name: str
    folder: Path
    notebook_path: Path

    @classmethod
    def load(cls, folder: Path) -> Lab:
        """Read a lab's folder.

        Raises:
            LabError: there is no such folder, or not exactly one notebook in it.
        """
        folder = Path(folder).resolve()
        if not folder.is_dir():
            raise LabError(f"there is no lab folder {folder}")
        notebooks = sorted(folder.glob("*.ipynb"))
        if len(notebooks) != 1:
            raise LabError(f"{folder} must hold exactly one notebook; it holds {len(notebooks)}")
        return cls(folder.name, folder, notebooks[0])

    @classmethod
    def find(cls, name: str, root: Path | None = None) -> Lab:
        """The lab called ``name`` in a course repository's ``solutions`` folder.

        Raises:
            LabError: there is none; the message lists those that there are.
        """
        solutions = (root or Path.cwd()) / "solutions"
        if (solutions / name).is_dir():
            return cls.load(solutions / name)
        known = sorted(path.name for path in solutions.glob("*/") if list(path.glob("*.ipynb")))
        listing = ", ".join(known) or "none: run this from the course repository's folder"
        raise LabError(f"there is no lab {name!r} in {solutions} (labs there: {listing})")

    @classmethod
    def all_in(cls, root: Path) -> list[Lab]:
        """Every lab of a course repository's ``solutions`` folder, by name."""
        folders = sorted((root / "solutions").glob("*/"))
        return [cls.load(folder) for folder in folders if list(folder.glob("*.ipynb"))]

    @property
    def notebook_id(self) -> str:
        """nbgrader's name of the notebook: the file name without its ending."""
        return self.notebook_path.stem

    @property
    def test_public(self) -> Path:
        return self.folder / "test_public.py"

    @property
    def test_hidden(self) -> Path:
        return self.folder / "hidden" / "test_hidden.py"

    @property
    def test_files(self) -> list[Path]:
        """The public tests and, in an instructor's folder, the hidden ones."""
        return [self.test_public, *([self.test_hidden] if self.test_hidden.exists() else [])]

    @property
    def misconceptions_path(self) -> Path:
        return self.folder / "hidden" / "misconceptions.py"

    @property
    def variants_path(self) -> Path:
        return self.folder / "hidden" / "variants.py"

    @property
    def traces_path(self) -> Path:
        """The misconceptions' traces that are released with the lab."""
        return self.folder / "traces.msgpack"

    @cached_property
    def notebook(self) -> dict[str, Any]:
        """The notebook as parsed JSON."""
        parsed: dict[str, Any] = json.loads(self.notebook_path.read_text("utf-8"))
        return parsed

    @cached_property
    def exercises(self) -> list[Exercise]:
        """The automatically graded exercises, in the notebook's order."""
        return [
            Exercise(check_of(cell), points(cell))
            for cell in self.notebook["cells"]
            if is_check(cell)
        ]

    @cached_property
    def imports(self) -> list[str]:
        """The modules that cells which are run in grading import, e.g. ``matplotlib.pyplot``."""
        found: set[str] = set()
        for cell in self.notebook["cells"]:
            if is_run(cell):
                for node in ast.walk(_parsed(source(cell))):
                    if isinstance(node, ast.Import):
                        found |= {alias.name for alias in node.names}
                    elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                        found.add(node.module)
        return sorted(found)

    @property
    def neighbours(self) -> list[Path]:
        """The notebooks of the course's other labs: what this lab may be mistaken for."""
        folders = sorted(path for path in self.folder.parent.glob("*/") if path != self.folder)
        return [path for folder in folders for path in sorted(folder.glob("*.ipynb"))]

    @property
    def max_score(self) -> float:
        """What the automatically graded exercises are worth together."""
        return sum(exercise.points for exercise in self.exercises)


def _parsed(code: str) -> ast.Module:
    try:
        return ast.parse(code)
    except SyntaxError:  # magics
        return ast.Module([], [])
