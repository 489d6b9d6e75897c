"""What has not changed is not judged again, and what has is."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest
from class_of import NO_SHIFT, course_with_class, expected, hand_in, left_by, scores
from nbgrader.api import Gradebook
from tiny import TINY_LAB, as_bytes

from course_utils.gate.filled_in import append_cell, solved
from course_utils.grading.classrun.events import Event, Graded, Started
from course_utils.grading.classrun.journal import VERSION, Journal
from course_utils.grading.classrun.key import keys_of
from course_utils.grading.classrun.run import ClassRun
from course_utils.grading.classrun.signing import Signer
from course_utils.grading.course import Course
from course_utils.grading.worker import Settings
from course_utils.ground.lab import Lab
from course_utils.sandbox import launch

pytestmark = [
    pytest.mark.skipif(not launch.availability().works, reason=launch.availability().detail),
    pytest.mark.timeout(600),
]
SIZE = 3
SETTINGS = Settings(workers=1)
# Writes a letter into a file that no checksum knows of, so that its runs can be counted.
WATCHED = '''

from pathlib import Path


@exercise("scale")
def test_watched(student):
    """The factor multiplies."""
    with Path({told!r}).open("a", encoding="ascii") as file:
        file.write("x")
    assert student.scale(2.0, 3.0) == 6.0
'''


SOLUTION = 1  # it is graded before others are


@pytest.fixture(scope="module")
def once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A graded class, of whose lab one test of ``scale`` counts its runs."""
    root = course_with_class(tmp_path_factory.mktemp("plan") / "course", SIZE)
    hidden = hidden_of(root)
    told = str(root.parent / "told")
    hidden.write_text(hidden.read_text("utf-8") + WATCHED.format(told=told), "utf-8")
    assert run(root) == (0, expected(SIZE))
    return root


@pytest.fixture
def graded(once: Path, tmp_path: Path) -> Path:
    root = tmp_path / "course"
    shutil.copytree(once, root)
    return root


@pytest.fixture
def runs(once: Path, graded: Path) -> Callable[[], int]:
    """How often the test of ``scale`` was run since."""
    told = once.parent / "told"
    before = told.stat().st_size
    return lambda: told.stat().st_size - before


def run(root: Path, **arguments: object) -> tuple[int, dict[str, float]]:
    """How many verdicts stood in a run, and everybody's marks after it."""
    told: list[Event] = []
    course, lab = Course(root), Lab.find(TINY_LAB, root)
    ClassRun(course, lab, SETTINGS, **arguments).run(told.append)  # type: ignore[arg-type]
    started = next(event for event in told if isinstance(event, Started))
    seen = [event.result.student for event in told if isinstance(event, Graded)]
    assert len(seen) == len(set(seen)) == started.to_grade + started.done
    return started.done, scores(root)


def hidden_of(root: Path) -> Path:
    return root / "solutions" / TINY_LAB / "hidden" / "test_hidden.py"


def mend(path: Path, old: str, new: str) -> None:
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new), "utf-8")


def test_an_unchanged_class_is_not_run_again(graded: Path, runs: Callable[[], int]) -> None:
    before = left_by(graded)
    assert run(graded, dry_run=True) == (SIZE, expected(SIZE))
    assert run(graded) == (SIZE, expected(SIZE))
    assert left_by(graded) == before
    assert runs() == 0


def test_all_are_run_again_where_that_is_asked_for(graded: Path, runs: Callable[[], int]) -> None:
    assert run(graded, anew=True) == (0, expected(SIZE))
    assert runs() == SOLUTION + SIZE


def test_a_mended_test_runs_its_own_exercise_only(graded: Path, runs: Callable[[], int]) -> None:
    """Logits of a thousand become logits of one, which the wrong softmax can do as well."""
    mend(hidden_of(graded), "1000.0", "1.0")
    assert run(graded, dry_run=True) == (0, expected(SIZE))
    assert run(graded) == (0, dict.fromkeys(expected(SIZE), 5.0))
    assert runs() == 2 * SOLUTION
    assert run(graded)[0] == SIZE


def test_a_mended_helper_runs_all(graded: Path, runs: Callable[[], int]) -> None:
    with hidden_of(graded).open("a", encoding="utf-8") as file:
        file.write("\n\nHELPER = 1\n")
    assert run(graded) == (0, expected(SIZE))
    assert runs() == SOLUTION + SIZE


def test_what_is_handed_in_anew_is_run(graded: Path, runs: Callable[[], int]) -> None:
    lab, stub = Lab.find(TINY_LAB, graded), graded / "labs" / TINY_LAB / "tiny.ipynb"
    hand_in(graded, "s000", as_bytes(solved(lab, stub, {"softmax": NO_SHIFT})))
    assert run(graded) == (SIZE - 1, expected(SIZE) | {"s000": 2.0})
    assert runs() == SOLUTION + 1


def test_what_was_cut_short_is_tried_again(graded: Path) -> None:
    """A cell that ended its process may have met a busy machine."""
    lab, stub = Lab.find(TINY_LAB, graded), graded / "labs" / TINY_LAB / "tiny.ipynb"
    ending = append_cell(solved(lab, stub), "import os\nos._exit(3)")
    hand_in(graded, "s000", as_bytes(ending))
    assert run(graded) == (SIZE - 1, expected(SIZE))
    assert run(graded) == (SIZE - 1, expected(SIZE))


@pytest.mark.parametrize("folder", ["autograded", "feedback"])
def test_what_was_lost_is_made_again(graded: Path, folder: str) -> None:
    shutil.rmtree(graded / folder / "s001")
    assert run(graded) == (SIZE - 1, expected(SIZE))
    assert list((graded / folder / "s001" / TINY_LAB).iterdir())


def test_dates_count_where_the_verdict_stands(graded: Path) -> None:
    """A new date in the folder, a due date, an extension: nothing of it needs another grading."""
    folder = graded / "submitted" / "s001" / TINY_LAB
    (folder / "timestamp.txt").write_text("2026-03-02 12:00:00 UTC")
    course, lab = Course(graded), Lab.find(TINY_LAB, graded)

    def reasons() -> dict[str, str]:
        outcome = ClassRun(course, lab, SETTINGS).run()
        return {line.student: line.reasons[0] for line in outcome.lines}

    with Gradebook(course.db_url, course.course_id) as book:
        book.find_assignment(TINY_LAB).duedate = datetime(2026, 3, 1)
        book.db.commit()
    assert reasons() == {"s000": "ok", "s001": "late", "s002": "ok"}
    with Gradebook(course.db_url, course.course_id) as book:
        book.grant_extension(TINY_LAB, "s001", days=3)
    assert reasons() == dict.fromkeys(("s000", "s001", "s002"), "ok")
    assert run(graded) == (SIZE, expected(SIZE))


# -- only the course's own is believed


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE verdict SET record = replace(record, '\"failed\"', '\"passed\"')",
        "UPDATE verdict SET keys = replace(keys, '{', '{ ')",
        "UPDATE verdict SET signature = ''",
        "UPDATE verdict SET signature = (SELECT signature FROM verdict WHERE student = 's001')",
    ],
)
def test_a_verdict_that_somebody_else_has_written_is_formed_again(
    graded: Path, change: str
) -> None:
    with closing(sqlite3.connect(graded / ".course" / "journal.db")) as db, db:
        db.execute(f"{change} WHERE student = 's002'")
    assert run(graded) == (SIZE - 1, expected(SIZE))


@pytest.mark.parametrize("lost", ["signing_key", "journal.db"])
def test_key_and_journal_may_be_deleted(graded: Path, lost: str) -> None:
    (graded / ".course" / lost).unlink()
    assert run(graded)[0] == 0
    assert run(graded)[0] == SIZE


def test_a_journal_of_the_first_version_is_read_and_not_believed(graded: Path) -> None:
    path = graded / ".course" / "journal.db"
    with closing(sqlite3.connect(path)) as db:
        db.executescript(
            "ALTER TABLE verdict DROP COLUMN keys; ALTER TABLE verdict DROP COLUMN signature;"
            "PRAGMA user_version = 1;"
        )
    with Journal(path.parent, reading=True) as journal:
        entry = journal.entry(TINY_LAB, "s000")
        assert entry is not None and entry.keys is None
    assert run(graded)[0] == 0
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (VERSION,)
    assert run(graded)[0] == SIZE


@pytest.mark.parametrize("damage", ["no database", "empty", "newer"])
def test_a_journal_that_cannot_be_read_is_set_aside_and_costs_a_grading(
    graded: Path, damage: str
) -> None:
    path = graded / ".course" / "journal.db"
    if damage == "newer":
        with closing(sqlite3.connect(path)) as db:
            db.execute(f"PRAGMA user_version = {VERSION + 1}")
    else:
        path.write_bytes(b"Dear TA, here is my journal." if damage == "no database" else b"")
    assert run(graded, dry_run=True) == (0, expected(SIZE))
    assert run(graded) == (0, expected(SIZE))
    assert run(graded)[0] == SIZE
    assert (path.with_name("journal.db.old").exists()) is (damage != "empty")


def test_signatures(tmp_path: Path) -> None:
    signer = Signer(tmp_path)
    signature = signer.sign("ab", "c")
    assert signer.is_ours(signature, "ab", "c")
    assert Signer(tmp_path).is_ours(signature, "ab", "c")
    assert not signer.is_ours(signature, "a", "bc")
    assert not Signer(tmp_path / "elsewhere").is_ours(signature, "ab", "c")
    assert (tmp_path / "signing_key").stat().st_mode & 0o077 == 0
    assert not Signer(tmp_path / "nothing", reading=True).is_ours(signature, "ab", "c")


# -- what a verdict rests on


@pytest.mark.parametrize(
    ("file", "old", "new", "told", "changed"),
    [
        ("hidden/test_hidden.py", "1000.0", "999.0", False, {"softmax"}),
        ("test_public.py", "size=5", "size=6", False, {"scale"}),
        ("test_public.py", "class Reference", "ANSWER = 42\n\n\nclass Reference", False,
         {"softmax", "scale"}),
        ("hidden/misconceptions.py", "must be", "has to be", True, set()),
        ("tiny.ipynb", "factor * x", "x * factor", False, {"softmax", "scale"}),
    ],
)  # fmt: skip
def test_whose_checksums_change(
    graded: Path, file: str, old: str, new: str, told: bool, changed: set[str]
) -> None:
    before = keys_of(Lab.find(TINY_LAB, graded), SETTINGS)
    mend(graded / "solutions" / TINY_LAB / file, old, new)
    after = keys_of(Lab.find(TINY_LAB, graded), SETTINGS)
    assert (before.told != after.told) is told
    names = before.exercises.keys()
    assert names == {"softmax", "scale"}
    assert {name for name in names if before.exercises[name] != after.exercises[name]} == changed


def test_every_setting_that_decides_counts(graded: Path) -> None:
    lab = Lab.find(TINY_LAB, graded)
    before = keys_of(lab, SETTINGS).exercises
    limits = replace(SETTINGS.limits, call_seconds=11.0)
    for other in (replace(SETTINGS, hidden_seed=7), replace(SETTINGS, limits=limits)):
        assert not keys_of(lab, other).exercises.items() & before.items()
    assert keys_of(lab, replace(SETTINGS, workers=7)).exercises == before
