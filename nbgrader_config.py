"""nbgrader's settings for this repository: every nbgrader command works here as it stands."""

from nbgrader.converters.autograde import Autograde
from nbgrader.converters.generate_assignment import GenerateAssignment
from nbgrader.preprocessors import ClearSolutions, Execute, SaveAutoGrades

from course_utils.grading import nbgrader_plugin

c = get_config()  # noqa: F821  # traitlets defines it while it reads this file

c.CourseDirectory.course_id = "training-neural-networks"
c.CourseDirectory.source_directory = "solutions"
c.CourseDirectory.release_directory = "labs"
# What students never get: hidden tests, caches, and whatever an editor leaves behind.
c.CourseDirectory.ignore = [
    "hidden", "__pycache__", "*.pyc", ".ipynb_checkpoints", ".pytest_cache", ".*",
]  # fmt: skip

# Stubs that name their exercise.
c.GenerateAssignment.preprocessors = [
    nbgrader_plugin.ClearSolutions if step is ClearSolutions else step
    for step in GenerateAssignment.preprocessors.default()
]

# Marks from outside the student's process.
_OURS = {Execute: nbgrader_plugin.Execute, SaveAutoGrades: nbgrader_plugin.SaveAutoGrades}
c.Autograde.autograde_preprocessors = [
    _OURS.get(step, step) for step in Autograde.autograde_preprocessors.default()
]
# Every folder that was handed in is graded, whatever it holds.
nbgrader_plugin.use_our_converter()
