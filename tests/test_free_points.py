"""An answer that knows nothing earns nothing, in every exercise of every lab.

Here each lab is asked one exercise and a few answers; ``make free``, or COURSE_ALL_ANSWERS=1,
takes them all.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import free_points
import numpy as np
import pytest
from tiny import as_bytes, cell, tiny_notebook, write_tiny_lab

from course_utils.calls.backend import NamespaceBackend
from course_utils.diagnosis import ignorance
from course_utils.grading import feedback
from course_utils.grading.judge import Grader
from course_utils.ground.lab import Lab
from course_utils.sandbox.client import Sandbox
from course_utils.testing.run import run_tests
from course_utils.verdict.exercise import share

WHOLE = bool(os.environ.get("COURSE_ALL_ANSWERS"))
SAMPLE = {  # they earned something once, each for another reason
    "lab01_likelihood": "information",
    "lab02_softmax_nll": "softmax_backward",
    "lab03_backprop": "break_it",
    "lab04_optimizers": "parameter_groups",
    "lab05_regularization": "l1_step",
    "lab06_signals": "gradient_norms_by_depth",
    "lab07_training": "confusion_matrix",
}
ANSWERS = ["zero", "an empty dict", "zeros of the right shape", "ones of the right shape"]
LABS = Lab.all_in(free_points.ROOT)


@pytest.mark.parametrize("lab", LABS, ids=[lab.name for lab in LABS])
def test_an_answer_that_knows_nothing_earns_nothing(lab: Lab) -> None:
    exercises = [e.name for e in lab.exercises] if WHOLE else [SAMPLE[lab.name]]
    answers = list(free_points.ANSWERS) if WHOLE else ANSWERS
    assert [str(found) for found in free_points.earned(lab, exercises, answers)] == []


def test_what_is_right_in_part_keeps_its_marks(tiny_lab: Lab) -> None:
    """Not the claims that hold for a constant are worth nothing, but constants are."""

    def share_of(softmax: Callable[..., Any]) -> float:
        backend = NamespaceBackend({"softmax": softmax})
        outcomes = run_tests(
            tiny_lab.test_files, lambda mark: backend, exercises=["softmax"], device="cpu"
        )
        return share(ignorance.marked_hollow(tiny_lab, outcomes))

    def unstable(x: Any, axis: int = -1) -> Any:
        e = np.exp(x)
        return e / e.sum(axis=axis, keepdims=True)

    assert share_of(unstable) == 0.25
    assert share_of(lambda x, axis=-1: 0.0 * x) == 0.0
    assert share_of(lambda x, axis=-1: 0.0) == 0.0


ABOUT_NOTHING = '''

@exercise("scale", about="edge")
def test_scale_of_nothing(student):
    """Zeros stay zeros."""
    assert_close(student.scale(np.zeros(3), 3.0), np.zeros(3))
'''


def test_a_graded_constant_gets_nothing_and_is_told_why(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    folder = write_tiny_lab(tmp_path)
    tests = folder / "test_public.py"
    tests.write_text(tests.read_text("utf-8") + ABOUT_NOTHING, "utf-8")
    lab = Lab.load(folder)
    notebook = tiny_notebook()
    notebook["cells"].append(cell("def scale(x, factor):\n    return np.zeros(x.shape)"))
    found = Grader(lab, sandbox).grade(as_bytes(notebook)).exercises[1]
    assert [test.passed for test in found.tests] == [False, True]
    assert (found.score, found.score_by_values) == (0.0, 0.0)
    assert "would hold for an answer" in feedback.exercise_panel(found).text
