"""The whole collection of odd submissions through our engine."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import nbformat
import pytest
from odd_cases import Odd
from odd_lab import FULL, write_odd_course
from odd_submissions import SUBMISSIONS
from tiny import TINY_LAB

from course_utils.grading.judge import Grader, grade_submission
from course_utils.grading.submissions import look
from course_utils.ground.lab import Lab
from course_utils.sandbox.client import Sandbox
from course_utils.verdict.submission import SubmissionResult


@pytest.fixture(scope="module")
def odd_lab(tmp_path_factory: pytest.TempPathFactory) -> Lab:
    return Lab.find(TINY_LAB, write_odd_course(tmp_path_factory.mktemp("odd")))


@pytest.fixture(scope="module")
def odd_grader(odd_lab: Lab, sandbox: Sandbox) -> Grader:
    return Grader(odd_lab, sandbox)


def hand_in(odd: Odd, grader: Grader, root: Path) -> SubmissionResult:
    folder = root / odd.name / grader.lab.name
    folder.mkdir(parents=True)
    odd.make(folder)
    return grade_submission(look(odd.name, folder, grader.lab), grader)


@pytest.mark.parametrize("odd", SUBMISSIONS, ids=lambda odd: odd.name)
def test_what_comes_of_it(odd: Odd, odd_grader: Grader, tmp_path: Path) -> None:
    result = hand_in(odd, odd_grader, tmp_path)
    told = [notice.message for notice in result.notices]
    found = (result.score, result.reason, tuple(a.state for a in result.written))
    assert found == (odd.score, odd.reason, odd.written), told
    for message in told:
        assert message.isprintable(), "a name's bytes must not reach a terminal"
        assert str(tmp_path) not in message
    check_graded_notebook(result)


def check_graded_notebook(result: SubmissionResult) -> None:
    """What a person will read must be a notebook that every tool can open and write."""
    if result.notebook is None:
        return
    text = json.dumps(result.notebook, allow_nan=False)
    text.encode("utf-8")
    notebook: Any = nbformat.reads(text, as_version=4)
    nbformat.validate(notebook)
    named = [cell.metadata for cell in notebook.cells if "nbgrader" in cell.metadata]
    ids = [metadata.nbgrader.grade_id for metadata in named]
    assert len(ids) == len(set(ids))
    wanted = {"setup", "check_softmax", "check_scale", "written_why", "written_when"}
    assert wanted <= set(ids)


def test_the_collection_is_large_and_its_names_are_students(odd_lab: Lab) -> None:
    names = [odd.name for odd in SUBMISSIONS]
    assert len(names) == len(set(names)) >= 60
    assert sum(odd.score == FULL for odd in SUBMISSIONS) > 50
