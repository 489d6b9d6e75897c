"""What notebooks of a class import though their lab does not is imported for them."""

from __future__ import annotations

from tiny import as_bytes, cell, tiny_notebook

from course_utils.grading.habits import Habits
from course_utils.grading.judge import Grader
from course_utils.ground.lab import Lab
from course_utils.sandbox.client import Sandbox
from course_utils.verdict.submission import SubmissionResult


def test_what_two_notebooks_import_is_worth_it() -> None:
    habits = Habits()
    cells = [(1, "x = 1\nimport torch.nn as nn"), (2, "  from scipy.special import logsumexp")]
    assert habits.of(cells) == []
    assert habits.of([(1, "# import torch\nimport numpy, torchvision")]) == []
    assert habits.of([(1, "import torch\nimport torch.nn")]) == ["torch"]
    assert habits.of([(1, "import os\nimport this")]) == ["torch"]  # nothing but known packages
    assert habits.of([(1, "from scipy.special import softmax")]) == ["torch", "scipy.special"]


def test_torch_in_a_numpy_lab(tiny_lab: Lab, sandbox: Sandbox) -> None:
    """From the third notebook on it is there when the cells begin; the verdict is the same."""
    looks = tiny_notebook()
    looks["cells"].insert(1, cell("import sys\nprint('torch' in sys.modules)\nimport torch"))
    with Sandbox(limits=sandbox.limits, preload=tiny_lab.imports) as own:
        grader = Grader(tiny_lab, own)
        results = [grader.grade(as_bytes(looks)) for _ in range(3)]
    assert [_printed(result) for result in results] == ["False\n", "True\n", "True\n"]
    assert {result.score for result in results} == {tiny_lab.max_score}


def _printed(result: SubmissionResult) -> str:
    assert result.notebook is not None
    (output,) = result.notebook["cells"][1]["outputs"]
    return str(output["text"])
