"""From what a system gives to download to where a class is graded: names, dates, who is who."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import pytest
from downloads import CANVAS, GRADESCOPE, MOODLE, NOTEBOOK, folder_of, zip_of
from nbgrader.api import Gradebook
from tiny import TINY_LAB

from course_utils.grading.collecting.collect import Collection, System, collect
from course_utils.grading.collecting.collected import read_records
from course_utils.grading.collecting.placing import Placed
from course_utils.grading.course import Course
from course_utils.grading.roster import Student
from course_utils.grading.submissions import find_submissions, submitted_at
from course_utils.ground.errors import BusyError, DownloadError
from course_utils.ground.lab import Lab

CLASS = [
    Student("ada", "Lovelace", "Ada", "ada@example.org"),
    Student("emmy", "Noether", "Emmy", "emmy@example.org"),
    Student("pal", "Erdős", "Pál"),
    Student("anna1", "Smith", "Anna"),
    Student("alan", "Turing", "Alan"),
]
MANY = {"canvas": CANVAS, "moodle": MOODLE, "gradescope": GRADESCOPE}


@pytest.fixture
def course(released_course: Path, tmp_path: Path) -> Course:
    made = Course(shutil.copytree(released_course, tmp_path / "course"))
    with Gradebook(made.db_url, made.course_id) as book:
        book.update_or_create_assignment(TINY_LAB, duedate="2026-11-20 12:00:00 UTC")
    return made


def lab_of(course: Course) -> Lab:
    return Lab.find(TINY_LAB, course.root)


def collected(
    course: Course, system: str, tmp_path: Path, files: dict[str, bytes] | None = None,
    roster: list[Student] = CLASS, **how: bool | dict[str, str],
) -> Collection:  # fmt: skip
    path = zip_of(tmp_path / "submissions.zip", files or MANY[system])
    return collect(course, lab_of(course), path, System(system), roster=roster, **how)  # type: ignore[arg-type]


def submitted(course: Course) -> dict[str, list[str]]:
    """Student → the files in their folder."""
    root = course.root / "submitted"
    return {
        folder.name: sorted(
            path.relative_to(folder / TINY_LAB).as_posix()
            for path in folder.rglob("*") if path.is_file()
        )
        for folder in root.iterdir()
    }  # fmt: skip


def test_canvas(course: Course, tmp_path: Path) -> None:
    made = collected(course, "canvas", tmp_path)
    assert submitted(course) == {
        "ada": ["plot.png", "tiny.ipynb"],
        "emmy": ["my work.ipynb", "timestamp.txt"],
        "pal": ["tiny.ipynb"],
        "canvas-104": ["tiny.ipynb"],
        "canvas-105": ["tiny.ipynb"],
    }
    # The second file of a name counts, under the name that it was handed in by.
    assert (course.root / "submitted" / "ada" / TINY_LAB / "tiny.ipynb").read_bytes() == NOTEBOOK
    assert made.late == ["emmy"]
    moment, _ = submitted_at(course.root / "submitted" / "emmy" / TINY_LAB)
    assert str(moment) == "2026-11-20 12:00:01"
    assert made.unmatched == [
        "canvas-104 (smithanna): anna1 could be this one or canvas-105",
        "canvas-105 (smithanna): anna1 could be this one or canvas-104",
    ]
    assert sorted(made.remarks) == [
        "lovelaceada_101_9001_tiny.ipynb was left out: a later file has that name",
        "notes.txt was left out: Canvas names no file so",
        "turingalan_106_text.html was left out: a text or a link was handed in, and no file",
    ]
    found = {one.student: one.path for one in find_submissions(course, lab_of(course))}
    assert set(found) == set(submitted(course))
    assert None not in found.values()


def test_moodle(course: Course, tmp_path: Path) -> None:
    made = collected(course, "moodle", tmp_path)
    assert submitted(course) == {
        "ada": ["figures/plot.png", "tiny.ipynb"],
        "emmy": ["tiny.ipynb"],
        "pal": ["tiny.ipynb"],
        "moodle-505": ["tiny.ipynb"],
    }
    assert made.unmatched == [
        "moodle-505 (Participant): nobody else in the class has that name, number or address"
    ]
    assert len(made.remarks) == 1
    assert "onlinetext.html was left out: a text was handed in" in made.remarks[0]


def test_gradescope(course: Course, tmp_path: Path) -> None:
    """A group's submission counts for each; the later of two counts; a number and an address that
    belong to two students make nobody either of them."""
    made = collected(course, "gradescope", tmp_path)
    assert submitted(course) == {
        "ada": ["submission_metadata.yml", "timestamp.txt", "tiny.ipynb"],
        "emmy": ["submission_metadata.yml", "timestamp.txt", "tiny.ipynb"],
        "gradescope-13": ["timestamp.txt", "tiny.ipynb"],
    }
    assert (course.root / "submitted" / "ada" / TINY_LAB / "tiny.ipynb").read_bytes() == NOTEBOOK
    moment, notices = submitted_at(course.root / "submitted" / "ada" / TINY_LAB)
    assert (str(moment), notices) == ("2026-11-21 10:00:00", ())
    assert made.unmatched == ["gradescope-13 (Mallory): could be any of ada and emmy"]
    assert [r for r in made.remarks if "does not say whose it is" in r] == made.remarks
    assert len(made.remarks) == 1


@pytest.mark.parametrize("system", MANY)
def test_an_unpacked_folder_gives_the_same(course: Course, tmp_path: Path, system: str) -> None:
    """In a folder of its own, too."""
    collected(course, system, tmp_path)
    packed = submitted(course)
    folder_of(tmp_path / "unpacked" / "downloads", MANY[system])
    for path in (tmp_path / "unpacked" / "downloads", tmp_path / "unpacked"):
        shutil.rmtree(course.root / "submitted")
        collect(course, lab_of(course), path, System(system), roster=CLASS)
        assert submitted(course) == packed


def test_names_in_utf8_without_a_word_of_it(course: Course, tmp_path: Path) -> None:
    name = "Pál Erdős_503_assignsubmission_file_/tiny.ipynb"
    path = zip_of(tmp_path / "x.zip", {name: NOTEBOOK})
    data = bytearray(path.read_bytes())
    for signature, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.find(signature) + flags + 1] &= ~0x08
    path.write_bytes(data)
    made = collect(course, lab_of(course), path, System.MOODLE, roster=CLASS)
    assert made.placed == {"pal": Placed.NEW}


def test_what_is_collected_again_is_unchanged_or_replaced(course: Course, tmp_path: Path) -> None:
    collected(course, "canvas", tmp_path)
    assert set(collected(course, "canvas", tmp_path).placed.values()) == {Placed.UNCHANGED}
    later = {**CANVAS, "erdospal_103_9990_tiny-1.ipynb": b"better"}
    made = collected(course, "canvas", tmp_path, later)
    assert made.of(Placed.REPLACED) == ["pal"]
    notebook = course.root / "submitted" / "pal" / TINY_LAB / "tiny.ipynb"
    assert notebook.read_bytes() == b"better"
    # The first download again: what has come since stands.
    made = collected(course, "canvas", tmp_path)
    assert made.of(Placed.OLDER) == ["pal"]
    assert notebook.read_bytes() == b"better"
    # What another system has is neither older nor newer.
    assert collected(course, "moodle", tmp_path).placed["pal"] is Placed.REPLACED


def test_what_somebody_has_put_there_stands_unless_forced(course: Course, tmp_path: Path) -> None:
    folder = course.root / "submitted" / "ada" / TINY_LAB
    folder.mkdir(parents=True)
    (folder / "tiny.ipynb").write_text("by mail")
    assert collected(course, "canvas", tmp_path).of(Placed.KEPT) == ["ada"]
    assert (folder / "tiny.ipynb").read_text() == "by mail"
    assert collected(course, "canvas", tmp_path, force=True).of(Placed.REPLACED) == ["ada"]
    assert (folder / "tiny.ipynb").read_bytes() == NOTEBOOK


def test_who_somebody_is_can_be_said_and_is_remembered(course: Course, tmp_path: Path) -> None:
    made = collected(course, "canvas", tmp_path, settled={"canvas-104": "anna1"})
    # Now there is one left of that name, and no student of it.
    assert [line.split(":")[0] for line in made.unmatched] == ["canvas-105 (smithanna)"]
    made = collected(course, "canvas", tmp_path)
    assert made.placed["anna1"] is Placed.UNCHANGED
    records = read_records(course.root, TINY_LAB)
    assert (records["anna1"].id, records["anna1"].name) == ("canvas-104", "smithanna")


def test_whom_the_roster_names_later_is_told(course: Course, tmp_path: Path) -> None:
    collected(course, "moodle", tmp_path, roster=[])
    assert "moodle-501" in submitted(course)
    assert "moodle-501 is ada now" in collected(course, "moodle", tmp_path).moved


def test_a_lab_that_is_being_graded_is_left_alone(course: Course, tmp_path: Path) -> None:
    from filelock import FileLock

    (course.root / ".course").mkdir(exist_ok=True)
    with FileLock(course.root / ".course" / f"{TINY_LAB}.lock"), pytest.raises(BusyError):
        collected(course, "canvas", tmp_path)


@pytest.mark.parametrize(
    ("system", "files", "told"),
    [
        ("canvas", {"a.ipynb": b""}, "holds no submission as Canvas names them"),
        ("moodle", CANVAS, "holds no submission as Moodle names them"),
        ("gradescope", CANVAS, "submission_metadata.yml"),
        ("gradescope", {"submission_metadata.yml": b"a: [", "s/b": b""}, "cannot be read"),
        ("gradescope", {"submission_metadata.yml": b"[]", "s/b": b""}, "lists no submissions"),
        (
            "gradescope",
            {"submission_metadata.yml": b"!!python/object/apply:os.getcwd []", "s/b": b""},
            "cannot be read",
        ),
    ],
)
def test_what_is_no_download_of_that_system_is_told(
    course: Course, tmp_path: Path, system: str, files: dict[str, bytes], told: str
) -> None:
    with pytest.raises(DownloadError, match=told):
        collected(course, system, tmp_path, files)


def test_an_id_that_is_no_folder_is_told(course: Course, tmp_path: Path) -> None:
    bad = [Student("../ada", "Lovelace", "Ada")]
    with pytest.raises(DownloadError, match="cannot be a folder's name"):
        collected(course, "moodle", tmp_path, roster=bad)


def test_the_command_says_what_became_of_whom(
    course: Course, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    from typer.testing import CliRunner

    from course_utils.commands.cli import app

    roster = tmp_path / "class.csv"
    with roster.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["id", "last_name", "first_name", "email"])
        rows.writerows([s.id, s.last_name, s.first_name, s.email] for s in CLASS)
    path = zip_of(tmp_path / "submissions.zip", CANVAS)
    monkeypatch.chdir(course.root)
    command = ["collect", TINY_LAB, str(path), "--from", "canvas", "--roster", str(roster)]
    done = CliRunner().invoke(app, command)
    assert done.exit_code == 0, done.output
    text = done.output + capsys.readouterr().err
    assert f"{TINY_LAB}: 5 submissions from Canvas (5 new)" in text
    assert "late, says Canvas, but not how late; counted as a second late:\n  emmy" in text
    assert "canvas-104 (smithanna): anna1 could be this one or canvas-105" in text
    wrong = CliRunner().invoke(app, [*command[:4], "blackboard"])
    assert wrong.exit_code != 0
    records = json.loads((course.root / ".course/collected" / f"{TINY_LAB}.json").read_text())
    assert records["ada"]["id"] == "canvas-101"
