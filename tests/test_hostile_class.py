"""A class with weapons in it: everybody's exact marks by both ways, and nothing that goes off."""

from __future__ import annotations

import csv
import json
import os
import shutil
from pathlib import Path

import pytest
from attacks import weapons
from class_of import grade, scores
from hostile_class import FOLDERS, FULL, NOTEBOOKS, fill
from looks import dangers
from odd_lab import write_odd_course
from test_course import run
from tiny import TINY_LAB

from course_utils.gate.release import release
from course_utils.grading import spreadsheet
from course_utils.grading.course import Course
from course_utils.grading.submissions import find_submissions, student_id
from course_utils.ground.lab import Lab
from course_utils.sandbox import launch

pytestmark = [
    pytest.mark.skipif(not launch.availability().works, reason=launch.availability().detail),
    pytest.mark.timeout(600),
]

# What our own panels are made of.
FOLDED = {"<details>"}


class Graded:
    """The class after ``course grade``, with what that printed."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.marks = {student_id(name): score for name, score in fill(root).items()}
        self.out, self.err = grade(root)


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory) -> Graded:
    root = write_odd_course(tmp_path_factory.mktemp("hostile") / "course")
    release(Course(root), Lab.find(TINY_LAB, root))
    return Graded(root)


def test_everybody_has_exact_marks(graded: Graded) -> None:
    assert scores(graded.root) == graded.marks


def test_nothing_commands_the_terminal(graded: Graded) -> None:
    for text in (graded.out, graded.err):
        assert all(char.isprintable() or char == "\n" for char in text)
    assert "[bold red]ada" in graded.out and r"\x1b[2J" in graded.out


def test_the_json_is_ascii_and_strict(graded: Graded) -> None:
    out, _ = grade(graded.root, "--json", "--only=failed")
    assert out.isascii() and not set(out) & {"\x1b", "\x7f"}
    for line in out.splitlines():
        json.loads(line, parse_constant=pytest.fail)


def test_the_report_gives_ids_back_and_holds_no_formula(graded: Graded) -> None:
    path = graded.root / "reports" / f"{TINY_LAB}.csv"
    header, *rows = spreadsheet.read(path)
    assert {row[0] for row in rows} == graded.marks.keys()
    for separator in ",;\t|":
        with path.open(newline="", encoding="utf-8") as file:
            cells = [c for row in csv.reader(file, delimiter=separator) for c in row]
        assert [c for c in cells if c.startswith(("=", "+", "@", "＝", "\t", "\r"))] == []
    numbers = [row[header.index("score")] for row in rows]
    assert {float(number) for number in numbers} == set(graded.marks.values())


def test_graded_notebooks_are_json_and_inert(graded: Graded) -> None:
    for student in NOTEBOOKS:
        path = graded.root / "autograded" / student / TINY_LAB / "tiny.ipynb"
        notebook = json.loads(path.read_text("utf-8"), parse_constant=pytest.fail)
        for cell in notebook["cells"]:
            for output in cell.get("outputs", []):
                html = output.get("data", {}).get("text/html", "")
                assert set(dangers(html)) <= FOLDED
    copied = {p.name for p in (graded.root / "autograded" / "companions").rglob("*") if p.is_file()}
    assert copied == {"tiny.ipynb", "a.csv", f"{'x' * 251}.png"}


def test_our_pages_run_and_load_nothing(graded: Graded) -> None:
    pages = list((graded.root / "feedback").rglob("*.html"))
    assert len(pages) == len(graded.marks)
    for page in pages:
        text = page.read_text("utf-8")
        assert "default-src 'none'" in text
        body = text.partition("<body>")[2].partition("</body>")[0]
        assert set(dangers(body)) <= FOLDED


def test_nbgraders_feedback_is_inert(graded: Graded, tmp_path: Path) -> None:
    root = tmp_path / "course"
    shutil.copytree(graded.root, root, symlinks=True, ignore=shutil.ignore_patterns("submitted"))
    (root / "submitted").mkdir()
    shutil.rmtree(root / "feedback")
    for student in ("honest-0", *NOTEBOOKS):
        run("nbgrader", "generate_feedback", TINY_LAB, f"--student={student}", "--force", cwd=root)
    pages = {
        student: (root / "feedback" / student / TINY_LAB / "tiny.html").read_text("utf-8")
        for student in ("honest-0", *NOTEBOOKS)
    }
    # A formula becomes MathML, of a closed list of elements (test_grading_formulas.py).
    usual = {*dangers(pages["honest-0"]), "<math>"}
    for student, page in pages.items():
        assert set(dangers(page)) <= usual, student
        for word in (f"title='{weapons.WORD}'", weapons.HOST):
            # Where a payload is left, it is text that is read.
            assert f"<script>document.{word}" not in page


def test_nbgrader_gives_the_same_marks(graded: Graded, tmp_path: Path) -> None:
    root = write_odd_course(tmp_path / "course")
    run("nbgrader", "generate_assignment", TINY_LAB, cwd=root)
    for student in ("honest-0", *NOTEBOOKS, *FOLDERS):
        target = root / "submitted" / student
        target.parent.mkdir(exist_ok=True)
        os.system(f"cp -a '{graded.root}/submitted/{student}' '{target}'")  # pipes, too
    run("nbgrader", "autograde", TINY_LAB, cwd=root)
    ours = {student: graded.marks[student] for student in ("honest-0", *NOTEBOOKS, *FOLDERS)}
    assert scores(root) == ours
    for student in NOTEBOOKS:
        path = root / "autograded" / student / TINY_LAB / "tiny.ipynb"
        json.loads(path.read_text("utf-8"), parse_constant=pytest.fail)


def test_ids_of_any_names(graded: Graded) -> None:
    found = find_submissions(Course(graded.root), Lab.find(TINY_LAB, graded.root))
    assert {one.student for one in found} == graded.marks.keys()
    assert all(one.student.isprintable() and len(one.student) <= 128 for one in found)
    assert max(graded.marks.values()) == FULL
