"""nbgrader's exchange, from the release of a lab to the feedback in the student's hands."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tiny import SCALE, TINY_LAB

from course_utils.sandbox import launch

COURSE = "training-neural-networks"


@pytest.mark.skipif(not launch.availability().works, reason=launch.availability().detail)
def test_a_lab_goes_out_and_its_feedback_comes_back(released_course: Path, tmp_path: Path) -> None:
    """The commands of docs/jupyterhub.md, and those that a student's server gives."""
    course = Path(shutil.copytree(released_course, tmp_path / "course"))
    exchange, student = tmp_path / "exchange", tmp_path / "student"
    exchange.mkdir()
    exchange.chmod(0o777)
    student.mkdir()

    def nbgrader(command: str, cwd: Path, *arguments: str) -> str:
        place = [f"--Exchange.root={exchange}", f"--CourseDirectory.course_id={COURSE}"]
        return run("nbgrader", command, TINY_LAB, *place, *arguments, cwd=cwd)

    nbgrader("release_assignment", course)
    nbgrader("fetch_assignment", student)
    path = student / TINY_LAB / "tiny.ipynb"
    notebook = json.loads(path.read_text("utf-8"))
    for cell in notebook["cells"]:
        if cell["metadata"].get("nbgrader", {}).get("grade_id") == "scale":
            cell["source"] = SCALE
    path.write_text(json.dumps(notebook), "utf-8")
    nbgrader("submit", student)
    nbgrader("collect", course)
    assert "1/7" in run("course_utils", "grade", TINY_LAB, cwd=course)
    nbgrader("release_feedback", course)
    nbgrader("fetch_feedback", student)
    (page,) = (student / TINY_LAB / "feedback").rglob("*.html")
    assert "1 <small>of 7 points" in page.read_text("utf-8")
    # When it is made anew, it can be released anew.
    run("course_utils", "feedback", TINY_LAB, cwd=course)
    nbgrader("release_feedback", course)
    # A newer upload that is not graded yet does not get the page of the graded one.
    (secret,) = course.glob(f"submitted/*/{TINY_LAB}/submission_secret.txt")
    (beside,) = course.glob(f"feedback/*/{TINY_LAB}/submission_secret.txt")
    before = beside.read_text("utf-8")
    secret.write_text("another", "utf-8")
    run("course_utils", "feedback", TINY_LAB, cwd=course)
    assert beside.read_text("utf-8") == before


def run(*command: str, cwd: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-m", *command], cwd=cwd, capture_output=True, text=True, check=False,
        env={**os.environ, "COLUMNS": "120"},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
