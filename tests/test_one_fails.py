"""Each step from listing to writing fails for one student, by real means; the others have rows."""

from __future__ import annotations

import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from class_of import course_with_class, expected, grade, scores
from tiny import TINY_LAB

from course_utils.grading.classrun.events import Event, Graded, NotGraded
from course_utils.grading.classrun.pages import renew
from course_utils.grading.classrun.run import ClassRun
from course_utils.grading.course import Course
from course_utils.grading.worker import Settings
from course_utils.ground.lab import Lab
from course_utils.sandbox import launch

pytestmark = [
    pytest.mark.skipif(not launch.availability().works, reason=launch.availability().detail),
    pytest.mark.timeout(600),
]
SIZE = 7
REFUSE = """
    CREATE TRIGGER refuse BEFORE INSERT ON student WHEN NEW.id = 's005'
    BEGIN SELECT RAISE(ABORT, 'this student is refused'); END
"""


def block(root: Path) -> None:
    """Put something in every step's way, each at another student's."""
    submitted = root / "submitted"
    shutil.move(submitted / "s000", root / "elsewhere")  # listing: the folder is a link
    (submitted / "s000").symlink_to(root / "elsewhere")
    notebook = submitted / "s001" / TINY_LAB / "tiny.ipynb"  # reading: a pipe
    notebook.rename(root / "kept.ipynb")
    os.mkfifo(notebook)
    for step, student in (("autograded", "s003"), ("feedback", "s004")):  # writing: a file is there
        (root / step).mkdir(exist_ok=True)
        (root / step / student).write_text("in the way")
    with closing(sqlite3.connect(root / "gradebook.db")) as book:  # the gradebook's row
        book.execute(REFUSE)


def unblock(root: Path) -> None:
    submitted = root / "submitted"
    (submitted / "s000").unlink()
    shutil.move(root / "elsewhere", submitted / "s000")
    notebook = submitted / "s001" / TINY_LAB / "tiny.ipynb"
    notebook.unlink()
    (root / "kept.ipynb").rename(notebook)
    for step, student in (("autograded", "s003"), ("feedback", "s004")):
        (root / step / student).unlink()
    with closing(sqlite3.connect(root / "gradebook.db")) as book:
        book.execute("DROP TRIGGER refuse")


def test_every_step_costs_its_student_only(tmp_path: Path) -> None:
    root = course_with_class(tmp_path / "course", SIZE)
    block(root)
    told: list[Event] = []
    run = ClassRun(Course(root), Lab.find(TINY_LAB, root), Settings(workers=2), patience=1)
    outcome = run.run(told.append)
    lines = {line.student: line for line in outcome.lines}
    assert len(lines) == SIZE
    assert outcome.not_graded == ["s003", "s004", "s005"]
    assert {e.result.student for e in told if isinstance(e, NotGraded)} == {*outcome.not_graded}
    assert {e.result.student for e in told if isinstance(e, Graded)} == (
        lines.keys() - outcome.not_graded
    )
    assert str(lines["s000"].status) == str(lines["s001"].status) == "no_notebook"
    for student in outcome.not_graded:
        assert "the same command tries it again" in lines[student].message
    untouched = ("s002", "s006")
    assert {s: scores(root)[s] for s in untouched} == {s: expected(SIZE)[s] for s in untouched}
    report = (root / "reports" / f"{TINY_LAB}.csv").read_text("utf-8")
    assert all(f"\n{student}," in report for student in lines)
    # The exit code tells, and when nothing is in the way any more all have what they should have.
    unblock(root)
    (root / "feedback" / "s002").rename(root / "aside")
    (root / "feedback" / "s002").write_text("in the way")
    out, _ = grade(root, code=1)
    assert "NOT GRADED through a fault of the grader's; their marks stand: s002" in out
    assert scores(root) == expected(SIZE)


def test_a_page_that_cannot_be_renewed_stops_no_other(tmp_path: Path) -> None:
    root = course_with_class(tmp_path / "course", 3)
    grade(root)
    for student in ("s000", "s001", "s002"):
        shutil.rmtree(root / "feedback" / student)
    (root / "feedback" / "s001").write_text("in the way")
    done = renew(Course(root), Lab.find(TINY_LAB, root))
    assert (done.changed, done.known, [*done.failed]) == (2, 3, ["s001"])
