"""The archive that is uploaded as a programming assignment's autograder.

It holds the lab with its hidden tests and solutions, and the seed of the class: instructors' only.
"""

from __future__ import annotations

from importlib import resources
from pathlib import Path

import course_utils
from course_utils.grading.class_seed import class_seed
from course_utils.grading.course import Course
from course_utils.grading.gradescope.settings import FILE, LABS, Settings, Show
from course_utils.grading.zipping import zipped
from course_utils.ground.errors import LabError
from course_utils.ground.lab import Lab
from course_utils.sandbox.launch import Isolation

# The two that Gradescope looks for at the archive's root.
_PROGRAMS = {"setup.sh": "gradescope_setup.sh", "run_autograder": "gradescope_run.sh"}
_OF_THE_PROJECT = ("pyproject.toml", "constraints.txt", "README.md", "LICENSE")
_LEFT_OUT = {"__pycache__", ".ipynb_checkpoints", ".pytest_cache"}


def autograder(course: Course, lab: Lab, isolation: Isolation, show: Show) -> bytes:
    """The archive; the same files, the same bytes.

    Raises:
        LabError: this package was not installed from its repository, which is what is sent.
    """
    settings = Settings(lab.name, isolation, show, class_seed(course.root))
    files = {name: _template(template) for name, template in _PROGRAMS.items()}
    files[FILE] = settings.to_json()
    files |= {f"{LABS}/{lab.name}/{name}": data for name, data in _files_in(lab.folder).items()}
    for other in lab.neighbours:  # by which another lab's notebook is recognized
        files[f"{LABS}/{other.parent.name}/{other.name}"] = other.read_bytes()
    files |= {f"package/{name}": data for name, data in _package().items()}
    return zipped(files, programs=_PROGRAMS)


def _template(name: str) -> bytes:
    return resources.files("course_utils.grading").joinpath("templates", name).read_bytes()


def _package() -> dict[str, bytes]:
    """This package as pip installs it from a folder, with the versions that it was tested with."""
    package = Path(course_utils.__file__).resolve().parent
    missing = [name for name in _OF_THE_PROJECT if not (package.parent / name).is_file()]
    if missing:
        raise LabError(
            f"{package.parent} has no {missing[0]}: Gradescope is sent this package's sources, so "
            "run this where it is installed from its repository (make env)"
        )
    found = {name: (package.parent / name).read_bytes() for name in _OF_THE_PROJECT}
    return found | {f"{package.name}/{name}": data for name, data in _files_in(package).items()}


def _files_in(folder: Path) -> dict[str, bytes]:
    """A folder's files by name, without what programs leave there."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not _LEFT_OUT & set(path.parts)
    }
