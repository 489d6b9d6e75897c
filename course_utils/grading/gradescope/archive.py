"""The archive that is uploaded as a programming assignment's autograder.

It holds the lab with its hidden tests and solutions, and the seed of the class: instructors' only.
"""

from __future__ import annotations

from importlib import resources

from course_utils.grading.class_seed import class_seed
from course_utils.grading.course import Course
from course_utils.grading.gradescope.settings import FILE, LABS, Settings, Show
from course_utils.grading.packing import files_in, sources
from course_utils.grading.zipping import zipped
from course_utils.ground.lab import Lab
from course_utils.sandbox.launch import Isolation

# The two that Gradescope looks for at the archive's root.
_PROGRAMS = {"setup.sh": "gradescope_setup.sh", "run_autograder": "gradescope_run.sh"}


def autograder(course: Course, lab: Lab, isolation: Isolation, show: Show) -> bytes:
    """The archive; the same files, the same bytes.

    Raises:
        LabError: this package was not installed from its repository, which is what is sent.
    """
    settings = Settings(lab.name, isolation, show, class_seed(course.root))
    files = {name: _template(template) for name, template in _PROGRAMS.items()}
    files[FILE] = settings.to_json()
    files |= {f"{LABS}/{lab.name}/{name}": data for name, data in files_in(lab.folder).items()}
    for other in lab.neighbours:  # by which another lab's notebook is recognized
        files[f"{LABS}/{other.parent.name}/{other.name}"] = other.read_bytes()
    files |= {f"package/{name}": data for name, data in sources().items()}
    return zipped(files, programs=_PROGRAMS)


def _template(name: str) -> bytes:
    return resources.files("course_utils.grading").joinpath("templates", name).read_bytes()
