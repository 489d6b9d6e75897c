"""nbgrader's steps, judged by our engine: named in ``nbgrader_config.py``.

``nbgrader autograde`` and ``course grade`` give the same marks because both call
:class:`~course_utils.grading.judge.Grader`. A score never passes through printed output: it goes
from the verdict straight into the gradebook.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nbformat
from nbgrader import utils
from nbgrader.coursedir import CourseDirectory
from nbgrader.preprocessors import ClearSolutions as NbgraderClearSolutions
from nbgrader.preprocessors import NbGraderPreprocessor
from nbgrader.preprocessors import SaveAutoGrades as NbgraderSaveAutoGrades
from traitlets import Unicode

from course_utils.devices import resolve
from course_utils.grading.judge import Grader
from course_utils.lab import CHECK_PREFIX, Lab
from course_utils.outcome import SubmissionResult
from course_utils.sandbox.client import Sandbox
from course_utils.sandbox.launch import Isolation
from course_utils.sandbox.limits import Limits
from course_utils.stub import stub_code

_VERDICT = "course_verdict"
_graders: dict[tuple[Path, str, str], Grader] = {}


class ClearSolutions(NbgraderClearSolutions):  # type: ignore[misc]  # nbgrader is untyped
    """Replace each solution region by a line that names the exercise when it is run."""

    def preprocess(self, nb: Any, resources: Any) -> Any:
        self._lab = resources["nbgrader"]["assignment"]
        return super().preprocess(nb, resources)

    def preprocess_cell(self, cell: Any, resources: Any, cell_index: int) -> Any:
        if cell.cell_type == "code" and utils.is_solution(cell):
            exercise = cell.metadata.nbgrader["grade_id"]
            self.code_stub = {"python": stub_code(self._lab, exercise)}
        return super().preprocess_cell(cell, resources, cell_index)


class Execute(NbGraderPreprocessor):  # type: ignore[misc]  # nbgrader is untyped
    """Run and judge a submission in the sandbox, in place of a kernel."""

    isolation = Unicode(
        Isolation.BUBBLEWRAP.value,
        help="'bubblewrap', or 'process' to grade without a sandbox (said on every report)",
    ).tag(config=True)
    device = Unicode(
        help="'auto', 'cpu' or 'cuda'; where it is empty, COURSE_DEVICE says it, else it is 'auto'",
    ).tag(config=True)

    def preprocess(self, nb: Any, resources: Any) -> Any:
        names = resources["nbgrader"]
        result = self._grader(names["assignment"]).grade(
            nbformat.writes(nb).encode(), names["student"]
        )
        for notice in result.notices:
            self.log.warning("%s: %s", notice.code, notice.message)
        resources[_VERDICT] = result
        if result.notebook is not None:
            nb.cells = nbformat.from_dict(result.notebook["cells"])
        return nb, resources

    def _grader(self, assignment: str) -> Grader:
        """The lab's grader, kept for all submissions that this process grades."""
        course = CourseDirectory(config=self.config)
        folder = Path(course.format_path(course.source_directory, ".", assignment))
        key = (folder.resolve(), self.isolation, resolve(self.device))
        if key not in _graders:
            lab = Lab.load(key[0])
            limits = Limits(device=key[2])
            sandbox = Sandbox(Isolation(self.isolation), limits, lab.imports)
            _graders[key] = Grader(lab, sandbox)
        return _graders[key]


class SaveAutoGrades(NbgraderSaveAutoGrades):  # type: ignore[misc]  # nbgrader is untyped
    """Write the verdict's scores, whatever the executed cells may have printed."""

    def _add_score(self, cell: Any, resources: Any) -> None:
        grade_id = cell.metadata["nbgrader"]["grade_id"]
        result: SubmissionResult = resources[_VERDICT]
        if not grade_id.startswith(CHECK_PREFIX):
            super()._add_score(cell, resources)  # a written answer, to be graded by hand
            return
        grade = self.gradebook.find_grade(
            grade_id, self.notebook_id, self.assignment_id, self.student_id
        )
        scores = {exercise.name: exercise.score for exercise in result.exercises}
        grade.auto_score = scores.get(grade_id.removeprefix(CHECK_PREFIX), 0.0)
        grade.needs_manual_grade = grade.manual_score is not None
        self.gradebook.db.commit()
