"""Rubrics stand in graded notebooks only where feedback is made without them."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from class_of import grade, hand_in
from tiny import TINY_LAB, as_bytes, tiny_notebook
from traitlets.config import Config

from course_utils.grading.course import Course
from course_utils.grading.rubrics import DropRubrics, are_dropped
from course_utils.sandbox import launch

TOLD = "For graders, not for students"


def test_settings_say_whether_feedback_leaves_them_out() -> None:
    config = Config()
    assert not are_dropped(config)
    config.GenerateFeedback.preprocessors = ["nbgrader.preprocessors.GetGrades"]
    assert not are_dropped(config)
    config.GenerateFeedback.preprocessors = [DropRubrics]
    assert are_dropped(config)


@pytest.mark.skipif(not launch.availability().works, reason=launch.availability().detail)
def test_a_course_whose_settings_are_older_gets_none(released_course: Path, tmp_path: Path) -> None:
    root = Path(shutil.copytree(released_course, tmp_path / "course"))
    hand_in(root, "ada", as_bytes(tiny_notebook()))
    path = root / "autograded" / "ada" / TINY_LAB / "tiny.ipynb"
    grade(root)
    assert TOLD in path.read_text("utf-8")
    settings = root / "nbgrader_config.py"
    line = r"c\.GenerateFeedback\.preprocessors = \[[^\]]*\]"
    settings.write_text(re.sub(line, "", settings.read_text("utf-8")), "utf-8")
    assert not are_dropped(Course(root).config)
    grade(root, "--anew")
    assert TOLD not in path.read_text("utf-8")
