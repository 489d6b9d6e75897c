"""nbgrader's settings for this repository: every nbgrader command works here as it stands."""

from nbgrader.converters.autograde import Autograde
from nbgrader.converters.generate_feedback import GenerateFeedback
from nbgrader.preprocessors import Execute, SaveAutoGrades

from course_utils.grading import formulas, nbgrader_plugin
from course_utils.grading.release_steps import KEPT_BACK, release_steps
from course_utils.grading.rubrics import DropRubrics

c = get_config()  # noqa: F821  # traitlets defines it while it reads this file

c.CourseDirectory.course_id = "training-neural-networks"
c.CourseDirectory.source_directory = "solutions"
c.CourseDirectory.release_directory = "labs"
c.CourseDirectory.ignore = KEPT_BACK
c.GenerateAssignment.preprocessors = release_steps()
# What a good answer is, formgrader shows below each answer, and feedback does not; without this
# line no graded notebook holds it.
c.GenerateFeedback.preprocessors = [
    DropRubrics, *GenerateFeedback.preprocessors.default()
]
# Formulas that need no script from elsewhere, in formgrader and in feedback.
c.HTMLExporter.filters = {"markdown2html": formulas.markdown2html}

# Marks from outside the student's process.
_OURS = {Execute: nbgrader_plugin.Execute, SaveAutoGrades: nbgrader_plugin.SaveAutoGrades}
c.Autograde.autograde_preprocessors = [
    _OURS.get(step, step) for step in Autograde.autograde_preprocessors.default()
]
# Every folder that was handed in is graded, whatever it holds.
nbgrader_plugin.use_our_converter()
