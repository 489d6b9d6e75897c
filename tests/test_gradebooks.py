"""Gradebooks in SQLite and in PostgreSQL: the same marks, and nobody's work lost."""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from class_of import course_with_class, expected, left_by, scores, set_by_hand
from postgres_of import Server, programs, server
from sqlalchemy import create_engine, inspect, text
from sqlalchemy.exc import SQLAlchemyError
from tiny import TINY_LAB

from course_utils.grading.classrun.choice import Choice
from course_utils.grading.classrun.events import Event, Graded, Waiting
from course_utils.grading.classrun.pages import renew
from course_utils.grading.classrun.run import ClassRun
from course_utils.grading.course import Course
from course_utils.grading.database import is_busy, read_only, shown, waiting_briefly
from course_utils.grading.gradebook import GradebookWriter
from course_utils.grading.worker import Settings
from course_utils.ground.errors import NotReady
from course_utils.ground.lab import Lab
from course_utils.sandbox import launch

pytestmark = pytest.mark.timeout(600)
needs_sandbox = pytest.mark.skipif(
    not launch.availability().works, reason=launch.availability().detail
)
SIZE = 3


# -- addresses


def test_nobody_is_shown_a_password() -> None:
    url = "postgresql+psycopg://ta:secret@db.example/marks?sslmode=require"
    assert shown(waiting_briefly(url)) == (
        "postgresql+psycopg://ta:***@db.example/marks?sslmode=require"
    )
    assert "secret" in waiting_briefly(url)


def test_an_address_keeps_its_own_options() -> None:
    url = "postgresql+psycopg://db/marks?options=-c search_path%3Dcourse"
    assert "search_path%3Dcourse+-c+lock_timeout%3D5s" in waiting_briefly(url)


@pytest.mark.parametrize("url", ["sqlite:///gradebook.db", "postgresql+pg8000://db/marks"])
def test_other_databases_get_no_options(url: str) -> None:
    assert waiting_briefly(url) == url


# -- with a server


@pytest.fixture(scope="module")
def postgres() -> Iterator[Server]:
    if (found := programs()) is None:
        pytest.skip("PostgreSQL's initdb is not installed here")
    with server(found) as running:
        yield running


@pytest.fixture(scope="module")
def in_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A class, graded into the usual gradebook."""
    root = course_with_class(tmp_path_factory.mktemp("sqlite") / "course", SIZE)
    run(root)
    return root


@pytest.fixture(scope="module")
def in_postgres(
    in_sqlite: Path, postgres: Server, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """The same class, graded into a database that was empty."""
    root = tmp_path_factory.mktemp("postgres") / "course"
    shutil.copytree(in_sqlite, root)
    for name in ("autograded", "feedback", "reports", ".course"):
        shutil.rmtree(root / name)
    move_to(root, postgres.database("marks"))
    run(root)
    return root


def move_to(root: Path, url: str) -> None:
    """Have a course's gradebook elsewhere."""
    for path in root.glob("gradebook.db*"):
        path.unlink()
    with (root / "nbgrader_config.py").open("a", encoding="utf-8") as file:
        file.write(f"\nc.CourseDirectory.db_url = {url!r}\n")


def run(root: Path, patience: float = 60.0, tell: Any = lambda event: None, **more: Any) -> Any:
    lab = Lab.find(TINY_LAB, root)
    settings = Settings(workers=2, hidden_seed=7)
    return ClassRun(Course(root), lab, settings, patience=patience, **more).run(tell)


@needs_sandbox
def test_postgres_holds_what_sqlite_holds(in_sqlite: Path, in_postgres: Path) -> None:
    assert scores(in_postgres) == expected(SIZE)
    assert left_by(in_postgres) == left_by(in_sqlite)
    assert not list(in_postgres.glob("*.db"))


@needs_sandbox
def test_one_students_rows_are_found_without_reading_everybodys(
    in_sqlite: Path, in_postgres: Path
) -> None:
    asked = {"grade": "notebook_id", "comment": "notebook_id",
             "submitted_notebook": "assignment_id"}  # fmt: skip
    for root in (in_sqlite, in_postgres):
        engine = create_engine(Course(root).db_url)
        for table, column in asked.items():
            firsts = [index["column_names"][0] for index in inspect(engine).get_indexes(table)]
            assert firsts.count(column) == 1  # made once, however often it was opened
        engine.dispose()
    with closing(sqlite3.connect(in_sqlite / "gradebook.db")) as db:
        for table, column in asked.items():
            (row,) = db.execute(f"EXPLAIN QUERY PLAN SELECT * FROM {table} WHERE {column} = 'x'")
            assert row[-1].startswith(f"SEARCH {table} USING INDEX")


@needs_sandbox
def test_pages_and_a_dry_run_with_postgres(in_postgres: Path) -> None:
    """What was given by hand is shown; a dry run sees it, through an address that cannot write."""
    set_by_hand(in_postgres, "s000", "written_why", manual_score=2.0, needs_manual_grade=False)
    course, lab = Course(in_postgres), Lab.find(TINY_LAB, in_postgres)
    assert renew(course, lab).changed == 1
    outcome = run(in_postgres, dry_run=True, choice=Choice(("s000",)))
    assert [(line.student, line.total.score) for line in outcome.lines] == [("s000", 7.0)]
    set_by_hand(in_postgres, "s000", "written_why", manual_score=None, needs_manual_grade=True)
    assert renew(course, lab).changed == 1


def test_a_read_only_address_refuses_to_write(postgres: Server) -> None:
    engine = create_engine(read_only(postgres.database("untouched")))
    with engine.connect() as connection, pytest.raises(SQLAlchemyError, match="read-only"):
        connection.execute(text("CREATE TABLE marks (mark INTEGER)"))
    engine.dispose()


@needs_sandbox
def test_a_server_that_is_away_is_waited_for(in_postgres: Path, postgres: Server) -> None:
    """It is restarted in the middle of a run, and everybody has their row."""
    before = left_by(in_postgres)
    said: list[Event] = []

    def restart(event: Event) -> None:
        said.append(event)
        if isinstance(event, Graded) and sum(isinstance(one, Graded) for one in said) == 1:
            postgres.stop()
        elif isinstance(event, Waiting):
            postgres.start()

    run(in_postgres, tell=restart)
    assert Waiting() in said
    assert left_by(in_postgres) == before


def test_a_row_that_another_program_holds_is_said(
    in_postgres: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A transaction that nobody ends is not waited for in silence."""
    monkeypatch.setattr("course_utils.grading.database._LOCK_SECONDS", 1)
    holder = create_engine(Course(in_postgres).db_url)
    with holder.connect() as connection:
        connection.execute(text("UPDATE course SET id = id"))
        with pytest.raises(NotReady, match="lock timeout") as error:
            run(in_postgres, patience=0.0)
    holder.dispose()
    assert error.value.busy and is_busy(str(error.value))


def test_a_server_that_is_not_there_is_a_sentence(in_sqlite: Path, tmp_path: Path) -> None:
    root = tmp_path / "course"
    shutil.copytree(in_sqlite, root)
    move_to(root, f"postgresql+psycopg://ta:secret@/marks?host={tmp_path}")
    with pytest.raises(NotReady, match=r"ta:\*\*\*@.* cannot be used: .*No such file") as error:
        run(root)
    assert "secret" not in str(error.value)


def test_without_the_driver_the_extra_is_named(
    in_sqlite: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "course"
    shutil.copytree(in_sqlite, root)
    move_to(root, "postgresql+psycopg://db.example/marks")
    monkeypatch.setitem(sys.modules, "psycopg", None)  # what an import of nothing finds
    with pytest.raises(NotReady, match=r"wants the package psycopg.*\[grading,postgres\]"):
        run(root)


# -- people at work while a class is graded


@needs_sandbox
@pytest.mark.parametrize("where", ["in_sqlite", "in_postgres"])
def test_what_tas_give_meanwhile_is_not_lost(
    where: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    """Three of them, each a process of its own, two for the same students."""
    root: Path = request.getfixturevalue(where)
    stop = tmp_path / "stop"
    everybody = [f"s{number:03}" for number in range(SIZE)]
    work = {
        "ada": ("written_why", everybody[::2]),
        "bo": ("written_why", everybody[1::2]),
        "cy": ("check_scale", everybody),
    }
    url = Course(root).db_url
    at_work = {
        name: subprocess.Popen(
            [sys.executable, Path(__file__).parent / "teaching_assistant.py",
             name, url, TINY_LAB, cell, stop, *students],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )
        for name, (cell, students) in work.items()
    }  # fmt: skip
    try:
        for process in at_work.values():
            assert process.stdout is not None
            assert process.stdout.readline() == "at work\n"
        outcome = run(root)
    finally:
        stop.touch()
        ended = {name: process.communicate(timeout=60) for name, process in at_work.items()}
    assert not outcome.not_graded
    for name, (out, err) in ended.items():
        assert at_work[name].returncode == 0, err
        told = json.loads(out)
        assert told["rounds"] > 1
        cell, students = work[name]
        assert {*told["given"]} == {*students}
        with GradebookWriter(Course(root), Lab.find(TINY_LAB, root)) as writer:
            marks = writer.marks()
        for student, (score, extra, remark) in told["given"].items():
            mark = marks[student].cells[cell]
            assert (mark.manual, mark.extra, mark.to_grade) == (score, extra, False)
            assert marks[student].remarks.get(cell, "") == remark
    automatic = {student: one.exercises for student, one in marks.items()}
    assert {s: sum(m or 0.0 for m in one.values()) for s, one in automatic.items()} == (
        expected(SIZE)
    )
