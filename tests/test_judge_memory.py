"""What student code sends may be large: the judge's memory is bounded, and its loss costs one."""

from __future__ import annotations

import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import LIMITS
from tiny import SCALE, TEST_PUBLIC, as_bytes, tiny_notebook, write_tiny_lab

from course_utils.calls.backend import NamespaceBackend
from course_utils.calls.proxy import Student
from course_utils.grading.classroom import grade_class
from course_utils.grading.crew import LOCAL
from course_utils.grading.submissions import Submission
from course_utils.grading.worker import Settings
from course_utils.ground.lab import Lab
from course_utils.ground.mismatch import Mismatch
from course_utils.ground.solution import solution_namespace
from course_utils.ground.statuses import Reason, SubmissionStatus
from course_utils.testing.run import run_tests

LARGE = 2**20  # entries, of eight bytes each


def held(run: Any) -> tuple[Any, int]:
    """What a function gives, and how many bytes are held since it was called."""
    tracemalloc.start()
    try:
        return run(), tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()


def test_a_handle_keeps_no_value() -> None:
    student = Student(NamespaceBackend({"f": lambda: [np.ones(LARGE)]}))

    def call() -> None:
        for _ in range(12):
            student.f()

    _, size = held(call)
    assert len(student.trace) == 12
    assert size < 8 * LARGE


def test_outcomes_keep_no_large_value(tiny_lab: Lab) -> None:
    """Neither as traces, nor as what differed, nor in the frames of a failed test."""
    namespace = solution_namespace(tiny_lab)
    large = {"softmax": lambda x, axis=-1: np.ones((LARGE // 3, 3)),
             "scale": lambda x, factor: np.ones(LARGE)}  # fmt: skip
    backend = NamespaceBackend({**namespace, **large})
    run_tests(tiny_lab.test_files, lambda mark: backend)  # what is imported once
    outcomes, size = held(lambda: run_tests(tiny_lab.test_files, lambda mark: backend))
    assert sum(isinstance(o.mismatch, Mismatch) for o in outcomes) >= 3
    assert size < 8 * LARGE


ROOM = TEST_PUBLIC + '''

@exercise("scale")
def test_room(student):
    """There is room for as many entries as come back."""
    np.ones(int(np.sum(student.scale(np.ones(1), 3.0)))).sum()
'''


@pytest.mark.usefixtures("sandbox")
def test_a_worker_that_runs_out_of_memory_costs_one_submission(tmp_path: Path) -> None:
    folder = write_tiny_lab(tmp_path / "solutions")
    (folder / "test_public.py").write_text(ROOM, "utf-8")
    lab = Lab.load(folder)
    hungry = tiny_notebook()
    hungry["cells"][4]["source"] = SCALE.replace("factor * x", "factor * x * 3e8 / 3")
    submissions = []
    for name in ("anna", "ben", "hungry", "carl", "dora"):
        path = tmp_path / f"{name}.ipynb"
        path.write_bytes(as_bytes(hungry if name == "hungry" else tiny_notebook()))
        submissions.append(Submission(name, str(path)))
    with LOCAL.at_work(lab, Settings(workers=2, limits=LIMITS), len(submissions)) as work:
        graded = list(grade_class(lab, submissions, work))
    rows = {handed.submission.student: handed.result for handed in graded}
    assert len(graded) == 5
    assert {rows[name].score for name in ("anna", "ben", "carl", "dora")} == {5.0}
    row = rows["hungry"]
    assert (row.status, row.reason) == (SubmissionStatus.INTERNAL_ERROR, Reason.INTERNAL_ERROR)
    assert "needed more than the 2048 MiB" in row.message
