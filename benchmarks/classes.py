"""A course with a class of real notebooks: a lab's solution, its right variants, its mistakes."""

from __future__ import annotations

import itertools
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

from course_utils.gate.filled_in import Notebook, solved, with_entry
from course_utils.gate.release import release
from course_utils.grading.course import Course
from course_utils.ground.lab import Lab
from course_utils.testing import catalogue

# Notebooks that differ; larger classes hold them again and again, each time as another's.
DIFFERENT = 40
# nbgrader as it comes: only our folder names, its own Execute and SaveAutoGrades.
STOCK_CONFIG = """
c = get_config()
c.CourseDirectory.course_id = "training-neural-networks"
c.CourseDirectory.source_directory = "solutions"
c.CourseDirectory.release_directory = "labs"
c.CourseDirectory.ignore = ["hidden", "__pycache__", ".*"]
"""


def course_of(repository: Path, name: str, root: Path, size: int) -> Lab:
    """Make a course in a folder: the lab released, and a class handed in.

    Args:
        repository: where the lab's solution is.
        name: the lab's.
        root: the folder.
        size: how many students.

    Returns:
        The lab as it lies there.
    """
    left_out = shutil.ignore_patterns("__pycache__")
    shutil.copytree(
        repository / "solutions" / name, root / "solutions" / name, ignore=left_out
    )
    shutil.copy(repository / "nbgrader_config.py", root)
    lab = Lab.find(name, root)
    released = release(Course(root), lab)
    made = [json.dumps(notebook).encode() for notebook in _different(lab, released)]
    for number, data in zip(range(size), itertools.cycle(made), strict=False):
        folder = root / "submitted" / f"student{number:04}" / name
        folder.mkdir(parents=True)
        # Each is another file, or what is known of one would serve for the next.
        stamp = json.dumps({"student": number}).encode()
        parts = data.rpartition(b"}")
        (folder / lab.notebook_path.name).write_bytes(parts[0] + b', "bench": ' + stamp + b"}")
        # The stock grader runs check() in the kernel, which needs the released files.
        for file in ("test_public.py", "traces.msgpack"):
            (folder / file).hardlink_to(released / file)
    return lab


def _different(lab: Lab, released: Path) -> list[Notebook]:
    stub = released / lab.notebook_path.name
    return [solved(lab, stub), *itertools.islice(_others(lab, stub), DIFFERENT - 1)]


def _others(lab: Lab, stub: Path) -> Iterator[Notebook]:
    """Right and wrong notebooks by turns, as long as there are both."""
    kinds = [
        (with_entry(lab, stub, path, one) for one in catalogue.load(path) if not one.built_in)
        for path in (lab.misconceptions_path, lab.variants_path)
    ]
    for pair in zip(*kinds, strict=False):
        yield from pair
