"""What the release step does to a lab, said once: nbgrader runs it, the gate looks at it first."""

from __future__ import annotations

from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from nbgrader.converters.generate_assignment import GenerateAssignment
from nbgrader.preprocessors import ClearSolutions

from course_utils.grading import nbgrader_plugin

# What students never get, by patterns of a file's or folder's name: hidden tests, caches, and
# whatever an editor leaves behind.
KEPT_BACK = [
    "hidden", "__pycache__", "*.pyc", ".ipynb_checkpoints", ".pytest_cache", ".*",
]  # fmt: skip


def release_steps() -> list[Any]:
    """nbgrader's own preprocessors in their order, with stubs that name their exercise."""
    return [
        nbgrader_plugin.ClearSolutions if step is ClearSolutions else step
        for step in GenerateAssignment.preprocessors.default()
    ]


def is_kept_back(name: Path) -> bool:
    """Whether students never get a file, by its path in the lab's folder."""
    return any(fnmatch(part, pattern) for part in name.parts for pattern in KEPT_BACK)
