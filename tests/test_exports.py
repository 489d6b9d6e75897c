"""Marks on their way to Canvas, Moodle and elsewhere, as nbgrader's own command writes them."""

from __future__ import annotations

import csv
import os
import shutil
import subprocess
import sys
import warnings
from collections.abc import Iterator
from contextlib import chdir
from pathlib import Path
from typing import Any

import pytest
from nbgrader.api import Gradebook
from sqlalchemy.exc import SAWarning
from tiny import TINY_LAB
from traitlets.config import Config

from course_utils.grading.collecting.collected import Record, write_records
from course_utils.grading.course import Course
from course_utils.grading.exports import CanvasExport, MoodleExport, TableExport

# Student → (first and last name, address, automatic marks of softmax and scale, the written answer)
CLASS: dict[str, tuple[str, str, str, float, float, float | None]] = {
    "ada": ("Ada", "Lovelace", "ada@example.org", 4.0, 1.0, 2.0),
    "emmy": ("Emmy", "Noether", "", 2.5, 0.0, None),
    "=cmd|'/c calc'!A1": ("=HYPERLINK(1)", "@x", "", 0.0, 0.0, 0.0),
    "canvas-104": ("", "", "", 4.0, 0.0, 0.0),
}


def hand_in(book: Any, lab: str, student: str) -> None:
    with warnings.catch_warnings():
        # SQLAlchemy remarks on the order in which nbgrader links its new rows.
        warnings.simplefilter("ignore", SAWarning)
        book.add_submission(lab, student)


@pytest.fixture(scope="module")
def course(released_course: Path, tmp_path_factory: pytest.TempPathFactory) -> Course:
    """A released lab with marks, one of them late, and a student who has handed nothing in."""
    made = Course(shutil.copytree(released_course, tmp_path_factory.mktemp("exports") / "course"))
    with Gradebook(made.db_url, made.course_id) as book:
        for student, (first, last, email, softmax, scale, why) in CLASS.items():
            book.add_student(student, first_name=first, last_name=last, email=email)
            hand_in(book, TINY_LAB, student)
            for name, score in (("check_softmax", softmax), ("check_scale", scale)):
                grade = book.find_grade(name, "tiny", TINY_LAB, student)
                grade.auto_score, grade.needs_manual_grade = score, False
            written = book.find_grade("written_why", "tiny", TINY_LAB, student)
            written.manual_score, written.needs_manual_grade = why, why is None
        late = book.find_submission_notebook("tiny", TINY_LAB, "emmy")
        late.late_submission_penalty = 1.0
        book.add_student("absent")
        book.db.commit()
    records = {"ada": Record("canvas", "canvas-101", "lovelaceada", "")}
    write_records(made.root, TINY_LAB, records)
    return made


@pytest.fixture
def book(course: Course) -> Iterator[Any]:
    with Gradebook(course.db_url, course.course_id) as opened:
        yield opened


def nbgrader_export(course: Course, *arguments: str) -> str:
    own = str(Path(sys.executable).parent)
    done = subprocess.run(
        [sys.executable, "-m", "nbgrader", "export", *arguments],
        cwd=course.root, capture_output=True, text=True, check=False,
        env={**os.environ, "PATH": f"{own}{os.pathsep}{os.environ['PATH']}"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stderr


def read(path: Path) -> list[list[str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.reader(file))


def written(exporter: type, course: Course, book: Any, **settings: Any) -> list[list[str]]:
    """What an exporter writes with settings as in nbgrader_config.py."""
    path = course.root / "out.csv"
    config = Config({exporter.__name__: settings})
    with chdir(course.root):
        exporter(config=config, to=str(path)).export(book)
    return read(path)


def test_canvas(course: Course) -> None:
    said = nbgrader_export(
        course, "--exporter=course_utils.grading.exports.CanvasExport", "--to", "canvas.csv"
    )
    assert "1 of 4 submissions have answers that a person is still to grade" in said
    assert read(course.root / "canvas.csv") == [
        ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", TINY_LAB],
        ["    Points Possible", "", "", "", "", "7.0"],
        ["canvas-104", "104", "", "", "", "4.0"],
        ["'@x, =HYPERLINK(1)", "", "", "'=cmd|'/c calc'!A1", "", "0.0"],
        ["Lovelace, Ada", "101", "", "ada", "", "7.0"],
        ["Noether, Emmy", "", "", "emmy", "", "1.5"],
    ]


def test_canvas_with_its_own_title_and_by_exercise(course: Course, book: Any) -> None:
    titles = {TINY_LAB: "Lab 0 (4711)"}
    header, points, *rows = written(
        CanvasExport, course, book, titles=titles, student_ids="SIS User ID", student=["ada"]
    )
    assert header[5:] == ["Lab 0 (4711)"]
    assert rows == [["Lovelace, Ada", "101", "ada", "", "", "7.0"]]
    header, points, *rows = written(
        CanvasExport, course, book, titles=titles, per_exercise=True, student=["emmy"]
    )
    assert header[5:] == ["Lab 0: softmax", "Lab 0: scale", "Lab 0: written_why"]
    assert points[5:] == ["4.0", "1.0", "2.0"]
    assert rows[0][5:] == ["2.5", "0.0", ""]


def test_moodle(course: Course, book: Any, caplog: pytest.LogCaptureFixture) -> None:
    write_records(course.root, TINY_LAB, {"emmy": Record("moodle", "moodle-502", "Emmy N", "")})
    header, *rows = written(MoodleExport, course, book, student=["ada", "emmy"])
    assert header == [
        "Identifier", "Full name", "Email address", "Grade", "Maximum Grade",
        "Last modified (grade)", "Feedback comments",
    ]  # fmt: skip
    assert rows == [
        ["", "Ada Lovelace", "ada@example.org", "7.0", "7.0", "",
         "softmax 4/4 · scale 1/1 · written_why 2/2"],
        ["Participant 502", "Emmy Noether", "", "1.5", "7.0", "",
         "softmax 2.5/4 · scale 0/1 · written_why not graded yet · lateness −1"],
    ]  # fmt: skip
    assert "neither number" not in caplog.text
    written(MoodleExport, course, book, student=["canvas-104"])
    assert "of canvas-104 Moodle is told neither number nor address" in caplog.text
    write_records(course.root, TINY_LAB, {"ada": Record("canvas", "canvas-101", "x", "")})


def test_a_worksheet_of_moodles_is_one_labs(course: Course, book: Any) -> None:
    book.add_assignment("lab99_other")
    hand_in(book, "lab99_other", "ada")
    try:
        with pytest.raises(SystemExit, match="lab00_tiny, lab99_other; say which"):
            written(MoodleExport, course, book)
        assert len(written(MoodleExport, course, book, assignment=[TINY_LAB])) == 5
        # Canvas takes them all; a lab without a submission of the student's has no score.
        header, _, *rows = written(CanvasExport, course, book, student=["ada", "emmy"])
        assert header[5:] == [TINY_LAB, "lab99_other"]
        assert [row[5:] for row in rows] == [["7.0", "0.0"], ["1.5", ""]]
    finally:
        book.remove_assignment("lab99_other")


def test_the_table_has_everybody(course: Course, book: Any) -> None:
    header, *rows = written(TableExport, course, book)
    found = {row[1]: dict(zip(header, row, strict=False)) for row in rows}
    assert set(found) == {"ada", "emmy", "'=cmd|'/c calc'!A1", "canvas-104", "absent"}
    emmy = {key: found["emmy"][key] for key in ("score", "automatic", "penalty", "to_grade")}
    assert emmy == {"score": "1.5", "automatic": "2.5", "penalty": "1.0", "to_grade": "1"}
    assert {found["absent"][key] for key in ("score", "penalty", "to_grade")} == {""}
    header, *rows = written(TableExport, course, book, per_exercise=True, student=["emmy"])
    assert [row[5:] for row in rows] == [
        ["softmax", "2.5", "4.0", "0"], ["scale", "0.0", "1.0", "0"],
        ["written_why", "", "2.0", "1"],
    ]  # fmt: skip


def test_what_is_not_there_is_a_sentence(course: Course, book: Any) -> None:
    with pytest.raises(SystemExit, match=r"the gradebook has no lab98 \(it has lab00_tiny\)"):
        written(TableExport, course, book, assignment=["lab98"])
