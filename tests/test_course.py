"""The whole journey with the real tools: release, class, gradebook, feedback, export."""

from __future__ import annotations

import csv
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from nbgrader.api import Gradebook
from tiny import REPOSITORY, SOFTMAX, TINY_LAB, as_bytes, cell, tiny_notebook, write_tiny_course

from course_utils.gate.filled_in import append_cell, solved
from course_utils.ground.lab import Lab
from course_utils.ground.statuses import Reason, SubmissionStatus
from course_utils.sandbox import launch

pytestmark = pytest.mark.skipif(
    not launch.availability().works, reason=launch.availability().detail
)

NO_SHIFT = SOFTMAX.replace(" - x.max(axis=axis, keepdims=True)", "")


def run(*command: str, cwd: Path, code: int = 0) -> str:
    """Run a command as a user would; its output."""
    bin_folder = str(Path(sys.executable).parent)
    environment = {**os.environ, "PATH": f"{bin_folder}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(
        command, cwd=cwd, env=environment, capture_output=True, text=True, check=False, timeout=240
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout


@contextmanager
def gradebook(root: Path) -> Iterator[Any]:
    with Gradebook(f"sqlite:///{root / 'gradebook.db'}", "training-neural-networks") as book:
        yield book


def marks(root: Path) -> dict[str, dict[str, float | None]]:
    """Student → cell → automatic score, as the gradebook has them."""
    with gradebook(root) as book:
        return {
            submission.student.id: {
                grade.name: grade.auto_score for grade in submission.notebooks[0].grades
            }
            for submission in book.assignment_submissions(TINY_LAB)
        }


def read_csv(path: Path, key: str) -> dict[str, dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return {row[key]: row for row in csv.DictReader(file)}


def hand_in(root: Path, student: str, data: bytes, name: str = "tiny.ipynb") -> None:
    folder = root / "submitted" / student / TINY_LAB
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(data)


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A course with its lab released by ``course release`` and a class handed in."""
    root = write_tiny_course(tmp_path_factory.mktemp("course"))
    run("course", "release", TINY_LAB, "--unverified", cwd=root)
    lab = Lab.find(TINY_LAB, root)
    stub = root / "labs" / TINY_LAB / "tiny.ipynb"
    written = solved(lab, stub)
    wrong = solved(lab, stub, {"softmax": NO_SHIFT})
    killer = append_cell(solved(lab, stub), "import os\nos._exit(0)")
    checks = [c for c in written["cells"] if not c["id"].startswith("check_")]
    hand_in(root, "right", as_bytes(written))
    hand_in(root, "wrong", as_bytes(wrong))
    hand_in(root, "stub", stub.read_bytes())
    hand_in(root, "killer", as_bytes(killer))
    hand_in(root, "no-checks", as_bytes({**written, "cells": checks}))
    return root


EXPECTED: dict[str, dict[str, float | None]] = {
    "right": {"check_softmax": 4.0, "check_scale": 1.0, "written_why": None},
    "wrong": {"check_softmax": 1.0, "check_scale": 1.0, "written_why": None},
    "stub": {"check_softmax": 0.0, "check_scale": 0.0, "written_why": 0.0},
    "killer": {"check_softmax": 4.0, "check_scale": 1.0, "written_why": None},
    "no-checks": {"check_softmax": 4.0, "check_scale": 1.0, "written_why": None},
}


def test_release_holds_what_students_get_and_no_more(released: Path) -> None:
    folder = released / "labs" / TINY_LAB
    names = sorted(path.name for path in folder.rglob("*"))
    assert names == ["test_public.py", "tiny.ipynb", "traces.msgpack"]
    text = (folder / "tiny.ipynb").read_text("utf-8")
    assert "BEGIN SOLUTION" not in text
    assert "np.exp" not in text
    assert "lab00 · softmax is not written yet" in text


def test_course_grade_fills_the_gradebook(released: Path) -> None:
    printed = run("course", "grade", TINY_LAB, cwd=released)
    assert marks(released) == EXPECTED
    assert "no_max_shift" in printed
    for student in EXPECTED:
        page = released / "feedback" / student / TINY_LAB / "tiny.html"
        assert page.read_text("utf-8").startswith("<!DOCTYPE html>")
        assert (released / "autograded" / student / TINY_LAB / "tiny.ipynb").exists()
    report = read_csv(released / "reports" / f"{TINY_LAB}.csv", "student")
    assert set(report) == set(EXPECTED)
    assert "'" not in {cell for row in report.values() for cell in row.values()}
    for student, cells in EXPECTED.items():
        assert float(report[student]["score"]) == sum(mark or 0 for mark in cells.values())


def test_nbgrader_goes_on_from_there(released: Path) -> None:
    """Manual grades, generate_feedback and export work on what ``course grade`` wrote."""
    run("course", "grade", TINY_LAB, cwd=released)
    with gradebook(released) as book:
        grade = book.find_grade("written_why", "tiny", TINY_LAB, "right")
        assert grade.needs_manual_grade
        grade.manual_score = 2.0
        grade.needs_manual_grade = False
        book.db.commit()
    # Who reads answers sees a good one below each; who gets feedback does not.
    graded = json.loads(
        (released / "autograded" / "right" / TINY_LAB / "tiny.ipynb").read_text("utf-8")
    )
    names = [cell["id"] for cell in graded["cells"]]
    rubric = graded["cells"][names.index("written_why") + 1]
    assert rubric["source"] == "> **For graders, not for students.**\n>\n> The logits."
    run("nbgrader", "generate_feedback", TINY_LAB, "--force", cwd=released)
    page = (released / "feedback" / "right" / TINY_LAB / "tiny.html").read_text("utf-8")
    assert "Every row is exp(x) divided by its sum." in page
    assert "For graders" not in page
    run("nbgrader", "export", "--to", "grades.csv", cwd=released)
    assert float(read_csv(released / "grades.csv", "student_id")["right"]["score"]) == 7.0
    # A regrade leaves what a person has graded.
    run("course", "grade", TINY_LAB, cwd=released)
    with gradebook(released) as book:
        assert book.find_grade("written_why", "tiny", TINY_LAB, "right").manual_score == 2.0


def test_nbgrader_autograde_gives_the_same_marks(released: Path, tmp_path: Path) -> None:
    root = write_tiny_course(tmp_path / "plain")
    run("nbgrader", "generate_assignment", TINY_LAB, cwd=root)
    shutil.copytree(released / "submitted", root / "submitted")
    run("nbgrader", "autograde", TINY_LAB, cwd=root)
    assert marks(root) == EXPECTED


def test_json_is_as_documented(released: Path) -> None:
    schema = json.loads((REPOSITORY / "docs" / "result.schema.json").read_text("utf-8"))
    assert set(schema["$defs"]["reason"]["enum"]) == {str(reason) for reason in Reason}
    assert set(schema["properties"]["status"]["enum"]) == set(SubmissionStatus)
    hand_in(released, "silent", b"", name="other.txt")
    lines = run("course", "grade", TINY_LAB, "--json", cwd=released).splitlines()
    shutil.rmtree(released / "submitted" / "silent")
    results = {result["student"]: result for result in map(json.loads, lines)}
    assert set(results) == {*EXPECTED, "silent"}
    for result in results.values():
        jsonschema.validate(result, schema)
    assert results["silent"]["status"] == "no_notebook"
    wrong = results["wrong"]["exercises"][0]
    assert wrong["diagnosis"]["name"] == "no_max_shift"
    assert (wrong["public"], wrong["hidden"]) == (
        {"passed": 2, "total": 2}, {"passed": 0, "total": 1},
    )  # fmt: skip
    assert all(test["message"] == "" for test in wrong["tests"] if test["hidden"])


def test_one_notebook_needs_no_database(released: Path, tmp_path: Path) -> None:
    path = tmp_path / "some.ipynb"
    path.write_bytes(as_bytes(tiny_notebook()))
    (tmp_path / "solutions").symlink_to(released / "solutions")
    result = json.loads(
        run("course", "grade", str(path), "--lab", TINY_LAB, "--json", cwd=tmp_path)
    )
    assert (result["score"], result["status"]) == (5.0, "graded")
    assert not (tmp_path / "gradebook.db").exists()


def test_what_the_class_folder_may_hold(released: Path, tmp_path: Path) -> None:
    """A renamed notebook, two of them, none, and one student twice: a row and a reason each."""
    root = write_tiny_course(tmp_path / "odd")
    run("course", "release", TINY_LAB, "--unverified", cwd=root)
    data = as_bytes(tiny_notebook())
    hand_in(root, "renamed", data, "my homework.ipynb")
    hand_in(root, "two", data)
    hand_in(root, "two", b"{}", "tiny (1).ipynb")
    hand_in(root, "many", data, "a.ipynb")
    hand_in(root, "many", data, "b.ipynb")
    hand_in(root, "Ada", data)
    hand_in(root, "ada ", data)
    late = root / "submitted" / "Ada" / TINY_LAB / "timestamp.txt"
    late.write_text("2026-11-20 12:00:00 UTC")
    with gradebook(root) as book:
        book.update_or_create_assignment(TINY_LAB, duedate="2026-11-19 12:00:00 UTC")
    results = {
        r["student"]: r
        for r in map(json.loads, run("course", "grade", TINY_LAB, "--json", cwd=root).splitlines())
    }
    found = {student: {n["code"] for n in r["notices"]} for student, r in results.items()}
    assert found == {
        "renamed": {"renamed_notebook"},
        "two": {"extra_notebook"},
        "many": {"no_notebook"},
        "Ada": {"duplicate_student", "late"},
        "ada ": {"duplicate_student"},
    }
    assert [r["score"] for r in results.values()].count(5.0) == 4


def test_errors_are_sentences(released: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [str(Path(sys.executable).parent / "course"), "grade", "lab99"],
        cwd=released, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert "there is no lab 'lab99'" in done.stderr
    assert "Traceback" not in done.stderr


def test_process_isolation_must_be_asked_for_and_is_said(released: Path, tmp_path: Path) -> None:
    path = tmp_path / "some.ipynb"
    path.write_bytes(as_bytes({**tiny_notebook(), "cells": [*tiny_notebook()["cells"], cell("1")]}))
    command = ("course", "grade", str(path), "--lab", TINY_LAB, "--isolation", "process", "--json")
    result = json.loads(run(*command, cwd=released))
    assert result["score"] == 5.0
    assert result["environment"]["isolation"] == "process (no sandbox)"


def test_doctor_names_the_isolation_the_user_and_the_limits(tmp_path: Path) -> None:
    said = run("course", "doctor", cwd=tmp_path)
    assert "bubblewrap" in said
    who = "your own user" if os.geteuid() else "user 18"
    assert f"student code runs as {who}" in " ".join(said.split())
    assert "the supervisor's watch" in said or "cgroup v2" in said
