"""nbgrader's steps, judged by our engine: named in ``nbgrader_config.py``.

``nbgrader autograde`` and ``course grade`` give the same marks because both look at a submission's
folder with :func:`~course_utils.grading.submissions.look`, grade the bytes that were handed in with
:class:`~course_utils.grading.judge.Grader`, and store the verdict with
:func:`~course_utils.grading.marks.write_marks`. A score never passes through printed output.
"""

from __future__ import annotations

import os
import sys
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import nbformat
from nbgrader import utils
from nbgrader.api import Gradebook, MissingEntry
from nbgrader.converters.autograde import Autograde as NbgraderAutograde
from nbgrader.converters.base import NbGraderException
from nbgrader.coursedir import CourseDirectory
from nbgrader.preprocessors import ClearSolutions as NbgraderClearSolutions
from nbgrader.preprocessors import NbGraderPreprocessor
from traitlets import Float, Integer, Unicode

from course_utils.grading.class_seed import class_seed
from course_utils.grading.judge import Grader, grade_submission, sandbox_of
from course_utils.grading.marks import stamped, write_marks
from course_utils.grading.reading.companions import copy_companions
from course_utils.grading.rubrics import are_dropped
from course_utils.grading.submissions import (
    look,
    student_id,
    submission_folders,
    submitted_at,
)
from course_utils.ground.devices import VARIABLE, resolve
from course_utils.ground.errors import DeviceError, LabError, SandboxError
from course_utils.ground.escaping import escaped
from course_utils.ground.lab import Lab
from course_utils.ground.stub import TEXT_STUB, stub_code
from course_utils.sandbox.launch import Isolation
from course_utils.sandbox.limits import MIB, Limits
from course_utils.verdict.submission import SubmissionResult

_VERDICT = "course_verdict"
# Where nbgrader's commands and formgrader look the converter up.
_PLACES = ("nbgrader.converters", "nbgrader.apps.autogradeapp", "nbgrader.apps.api")
_DEFAULTS = Limits()
_warm: dict[tuple[Any, ...], Grader] = {}


def use_our_converter() -> None:
    """Have ``nbgrader autograde`` and formgrader convert with :class:`Autograde`.

    nbgrader lets a course choose every step but the converter itself, and that one leaves out what
    it cannot parse, or what is not called ``*.ipynb``, before any step is reached.
    """
    for name in _PLACES:
        if name in sys.modules:
            sys.modules[name].Autograde = Autograde  # type: ignore[attr-defined]  # see above


class ClearSolutions(NbgraderClearSolutions):  # type: ignore[misc]  # nbgrader is untyped
    """Replace each solution region by a line that names the exercise when it is run."""

    def preprocess(self, nb: Any, resources: Any) -> Any:
        self._lab = resources["nbgrader"]["assignment"]
        self.text_stub = TEXT_STUB
        return super().preprocess(nb, resources)

    def preprocess_cell(self, cell: Any, resources: Any, cell_index: int) -> Any:
        if cell.cell_type == "code" and utils.is_solution(cell):
            exercise = cell.metadata.nbgrader["grade_id"]
            self.code_stub = {"python": stub_code(self._lab, exercise)}
        return super().preprocess_cell(cell, resources, cell_index)


class Autograde(NbgraderAutograde):  # type: ignore[misc]  # nbgrader is untyped
    """nbgrader's converter for every folder that was handed in, whatever is in it.

    The notebook is read by our engine, in the step :class:`Execute`. So nbgrader's own reading and
    sanitizing, which stop at broken metadata, are left out.
    """

    def init_notebooks(self) -> None:
        """Find the submissions, and see whether they can be graded before anything is touched.

        Raises:
            NbGraderException: there are none, or the sandbox does not work.
        """
        lab = _lab(self.coursedir, self.coursedir.assignment_id)
        pattern = self._format_source(lab.name, "*")
        self.assignments = {}
        for student, folder in submission_folders(Path(pattern)):
            if not fnmatchcase(student, self.coursedir.student_id):
                continue
            if student != student_id(student):
                self.log.error("%s: nbgrader cannot grade a student of this name; course grade "
                               "can", escaped(str(folder)))  # fmt: skip
                continue
            self.assignments[str(folder)] = [str(folder / lab.notebook_path.name)]
        if not self.assignments:
            raise self._told(f"there are no submissions like {pattern}")
        try:
            Execute(parent=self).grader(lab.name)
        except (SandboxError, DeviceError, LabError) as error:
            raise self._told(str(error)) from None

    def init_destination(self, assignment_id: str, student_id: str) -> bool:
        """Whether a submission is to be graded; a date that cannot be read makes it no newer."""
        graded = os.path.exists(self._format_dest(assignment_id, student_id))
        _, notices = submitted_at(Path(self._format_source(assignment_id, student_id)))
        if graded and not self.force and notices:
            return False
        return bool(super().init_destination(assignment_id, student_id))

    def init_assignment(self, assignment_id: str, student_id: str) -> None:
        """Enter the student and the submission in the gradebook.

        Raises:
            NbGraderException: the lab, or where students are not made, the student is not in it.
        """
        folder = Path(self._format_source(assignment_id, student_id))
        moment, notices = submitted_at(folder)
        for notice in notices:
            self.log.warning("%s: %s", notice.code, notice.message)
        with Gradebook(self.coursedir.db_url, self.coursedir.course_id) as book:
            try:
                book.find_assignment(assignment_id)
                if self.create_student:
                    book.update_or_create_student(student_id)
                book.find_student(student_id)
            except MissingEntry as error:
                raise self._told(f"{error}; release the lab, or add the student, first") from None
            extra = {"timestamp": moment} if moment else {}
            book.update_or_create_submission(assignment_id, student_id, **extra)
        copy_companions(folder, Path(self._format_dest(assignment_id, student_id)))

    def convert_single_notebook(self, notebook_filename: str) -> None:
        """Run the steps of ``autograde_preprocessors``, of which the first grades."""
        resources = self.init_single_notebook_resources(notebook_filename)
        self._sanitizing = False
        self._init_preprocessors()
        try:
            output, resources = self.exporter.from_notebook_node(
                nbformat.v4.new_notebook(), resources
            )
        finally:
            self._sanitizing = True
        if resources[_VERDICT].notebook is not None:
            self.write_single_notebook(output, resources)

    def _told(self, message: str) -> NbGraderException:
        self.log.error("%s", message)
        return NbGraderException(message)


class Execute(NbGraderPreprocessor):  # type: ignore[misc]  # nbgrader is untyped
    """Run and judge what was handed in, in the sandbox, in place of a kernel."""

    isolation = Unicode(
        Isolation.BUBBLEWRAP.value,
        help="'bubblewrap', or 'process' to grade without a sandbox (said on every report)",
    ).tag(config=True)
    device = Unicode(
        help="'auto', 'cpu' or 'cuda'; where it is empty, COURSE_DEVICE says it, else it is 'auto'",
    ).tag(config=True)
    cell_seconds = Float(_DEFAULTS.cell_seconds, help="Time limit of one cell").tag(config=True)
    call_seconds = Float(
        _DEFAULTS.call_seconds, help="Time limit of one call by a test"
    ).tag(config=True)
    memory_mib = Integer(
        _DEFAULTS.memory_bytes // MIB, help="Memory limit of a submission, in MiB"
    ).tag(config=True)
    hidden_seed = Integer(
        None, allow_none=True,
        help="Seed of the hidden tests; the class's own, which .course/hidden_seed holds, if empty",
    ).tag(config=True)
    device_memory_mib = Integer(
        _DEFAULTS.device_bytes // MIB,
        help="On a GPU: memory limit of each of a submission's processes, in MiB",
    ).tag(config=True)

    def preprocess(self, nb: Any, resources: Any) -> Any:
        names = resources["nbgrader"]
        course = CourseDirectory(config=self.config)
        grader = self.grader(names["assignment"])
        folder = course.format_path(
            course.submitted_directory, names["student"], names["assignment"]
        )
        result = grade_submission(look(names["student"], Path(folder), grader.lab), grader)
        for notice in result.notices:
            self.log.warning("%s: %s", notice.code, notice.message)
        resources[_VERDICT] = result
        if result.notebook is not None:
            with Gradebook(names["db_url"]) as book:
                nb = stamped(book, grader.lab, result, rubrics=are_dropped(self.config))
        return nb, resources

    def limits(self) -> Limits:
        """What a submission may use, by this step's settings.

        Raises:
            DeviceError: the device that was asked for cannot be used.
        """
        return Limits(
            cell_seconds=self.cell_seconds, call_seconds=self.call_seconds,
            memory_bytes=self.memory_mib * MIB, device=resolve(self.device),
            device_bytes=self.device_memory_mib * MIB,
        )  # fmt: skip

    def grader(self, assignment: str) -> Grader:
        """The lab's grader with a sandbox that answers, kept for all that this process grades.

        Raises:
            SandboxError: the sandbox does not work.
            DeviceError: the device that was asked for cannot be used.
            LabError: the class's seed cannot be had.
        """
        course = CourseDirectory(config=self.config)
        lab = _lab(course, assignment)
        limits = self.limits()
        seed = self.hidden_seed
        if seed is None:
            seed = class_seed(Path(course.root))
        changed = lab.notebook_path.stat().st_mtime_ns  # formgrader's process lives for days
        key = (lab, changed, self.isolation, limits, seed)
        if key not in _warm:
            os.environ[VARIABLE] = limits.device  # the lab's tests ask there
            sandbox = sandbox_of(lab, Isolation(self.isolation), limits)
            sandbox.__enter__()  # it ends with this process
            _warm[key] = Grader(lab, sandbox, hidden_seed=seed)
        return _warm[key]


class SaveAutoGrades(NbGraderPreprocessor):  # type: ignore[misc]  # nbgrader is untyped
    """Write the verdict's scores, whatever the executed cells may have printed."""

    def preprocess(self, nb: Any, resources: Any) -> Any:
        names = resources["nbgrader"]
        if _VERDICT not in resources:
            message = "marks come from running the notebooks: grade without --no-execute"
            self.log.error(message)
            raise NbGraderException(message)
        result: SubmissionResult = resources[_VERDICT]
        course = CourseDirectory(config=self.config)
        with Gradebook(names["db_url"]) as book:
            # What nbgrader has overwritten by now, nobody can compare with.
            lab = _lab(course, names["assignment"])
            write_marks(book, lab, result, stamped(book, lab, result), earlier={})
        return nb, resources


def _lab(course: Any, assignment: str) -> Lab:
    """An assignment's lab, in the course's source folder.

    Raises:
        NbGraderException: it has none.
    """
    try:
        return Lab.load(Path(course.format_path(course.source_directory, ".", assignment)))
    except LabError as error:
        raise NbGraderException(str(error)) from None
