"""What is said of a student's folder, and that it is read safely and once."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from odd_lab import NAME, lesson
from tiny import as_bytes

from course_utils.grading.reading.companions import copy_companions
from course_utils.grading.reading.naming import is_notebook_name, listed, plain_stem, shown
from course_utils.grading.reading.unreadable import UnreadableError
from course_utils.grading.submissions import (
    Submission,
    look,
    submission_folders,
    submitted_at,
)
from course_utils.ground.escaping import escaped
from course_utils.ground.lab import Lab
from course_utils.ground.statuses import Reason

RIGHT = as_bytes(lesson())


@pytest.fixture
def folder(tmp_path: Path, tiny_lab: Lab) -> Path:
    made = tmp_path / "submitted" / "ada" / tiny_lab.name
    made.mkdir(parents=True)
    return made


def said(folder: Path, lab: Lab) -> str:
    return "; ".join(notice.message for notice in look("ada", folder, lab).notices)


def test_the_message_names_what_is_there(folder: Path, tiny_lab: Lab) -> None:
    for name in ("essay.docx", "tiny.pdf", *(f"data/{n}.csv" for n in range(9))):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text("1")
    assert said(folder, tiny_lab) == (
        "the submission holds no notebook tiny.ipynb; it holds essay.docx, tiny.pdf, data/0.csv, "
        "data/1.csv, data/2.csv and 6 more"
    )


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda f: os.mkfifo(f / NAME), "tiny.ipynb (cannot be read: it is no regular file)"),
        (lambda f: (f / NAME).symlink_to("/etc/passwd"), "a link that leads out of the submission"),
        (lambda f: (f / NAME).symlink_to("lost"), "No such file or directory"),
        (lambda f: (f / ".tiny.ipynb").write_bytes(RIGHT), ".tiny.ipynb (hidden)"),
        (lambda f: (f / "a/b/c/d/e/f").mkdir(parents=True), "a folder too deep to be looked into"),
        (lambda f: (f / "a").symlink_to("/etc"), "a (a link that leads out of the submission)"),
        (lambda f: (f / "x\n\x1b[2J").write_text(""), r"x\n\x1b[2J"),
        (lambda f: None, "it holds nothing"),
    ],
)  # fmt: skip
def test_what_cannot_be_opened_is_told(
    folder: Path, tiny_lab: Lab, make: object, told: str
) -> None:
    assert callable(make)
    make(folder)
    found = look("ada", folder, tiny_lab)
    assert found.path is None
    assert told in found.notices[0].message
    with pytest.raises(UnreadableError, match="holds"):
        found.read()


def test_a_file_in_the_folders_place(tmp_path: Path, tiny_lab: Lab) -> None:
    path = tmp_path / tiny_lab.name
    path.write_bytes(RIGHT)
    assert "should be a folder" in said(path, tiny_lab)


def test_a_notebook_that_vanishes_or_changes_after_it_was_found(
    folder: Path, tiny_lab: Lab
) -> None:
    (folder / NAME).write_bytes(RIGHT)
    found = look("ada", folder, tiny_lab)
    (folder / NAME).write_bytes(b"{}")
    assert found.read() == b"{}"
    (folder / NAME).unlink()
    with pytest.raises(FileNotFoundError):  # whose fault that is, nobody knows: no mark is given
        found.read()
    os.mkfifo(folder / NAME)
    with pytest.raises(OSError, match="no regular file"):
        found.read()


def test_many_files_do_not_hide_the_notebook(folder: Path, tiny_lab: Lab) -> None:
    for number in range(2500):
        (folder / f"a{number}").touch()
    (folder / NAME).write_bytes(RIGHT)
    assert look("ada", folder, tiny_lab) == Submission("ada", str(folder / NAME))


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        ("tiny.ipynb", "tiny"), ("TINY.IPYNB", "tiny"), ("tiny.ipynb.txt", "tiny"),
        ("tiny.ipynb (1)", "tiny"), ("tiny (1).ipynb", "tiny"), ("tiny-Copy1.ipynb", "tiny"),
        ("tiny.ipynb.ipynb", "tiny"), ("tiny.ipynb(2).txt", "tiny"), ("my tiny.ipynb", "mytiny"),
        ("tiny.ipynb.bak", "tiny"), ("tiny copy 2.ipynb", "tiny"),
    ],
)  # fmt: skip
def test_names_of_notebooks(name: str, stem: str) -> None:
    assert is_notebook_name(name)
    assert plain_stem(name) == stem


@pytest.mark.parametrize("name", ["tiny.py", "tiny.html", "tiny.ipynb - Shortcut.lnk", "ipynb"])
def test_names_of_no_notebook(name: str) -> None:
    assert not is_notebook_name(name)


def test_no_name_takes_long_to_look_at() -> None:
    for name in ("tiny.ipynb" + "copy____" * 5000 + "!", "_" * 60_000, ".txt" * 20_000):
        assert not is_notebook_name(name)
        plain_stem(name)


def test_names_are_shown_on_one_line() -> None:
    assert shown("a\nb\u202e") == r"a\nb\u202e"
    assert escaped(os.fsdecode(b"M\xfcller")) == r"M\udcfcller"
    assert escaped("Zoë Müller 李") == "Zoë Müller 李"
    assert len(shown("x" * 300)) == 60
    assert (listed([]), listed(["a"]), listed(["a", "b", "c"])) == ("", "a", "a, b and c")


def test_students_of_any_name_are_found(tmp_path: Path) -> None:
    base = os.fsencode(tmp_path / "submitted")
    for name in (b"ada", b"M\xfcller", b".git", b"grace\nhopper"):
        os.makedirs(os.path.join(base, name, b"lab"))
    os.makedirs(os.path.join(base, b"absent"))
    found = submission_folders(tmp_path / "submitted" / "*" / "lab")
    names = {escaped(student) for student, _ in found}
    assert names == {"ada", r"grace\nhopper", r"M\udcfcller"}
    assert submission_folders(tmp_path / "nowhere" / "*" / "lab") == []


@pytest.mark.parametrize("stamp", [b"", b"2026-11-20 12:00:00 UTC"])
def test_dates(folder: Path, stamp: bytes) -> None:
    (folder / "timestamp.txt").write_bytes(stamp)
    moment, notices = submitted_at(folder)
    assert (moment is None, notices) == (not stamp, ())


@pytest.mark.parametrize("stamp", [b"\xff", b"soon", b"9" * 300, b"2026-13-45 99:00",
    b"2026-01-01 12:00 /dev/zero", b"2026-01-01 12:00 ../../../dev/zero", b"2026-01-01 12:00CC"])
def test_dates_that_cannot_be_read(folder: Path, stamp: bytes) -> None:
    (folder / "timestamp.txt").write_bytes(stamp)
    moment, notices = submitted_at(folder)
    assert moment is None
    assert [notice.code for notice in notices] == [Reason.TIMESTAMP_UNREADABLE]


def test_companions_are_copied_and_nothing_else(folder: Path, tmp_path: Path) -> None:
    (folder / NAME).write_bytes(RIGHT)
    (folder / "img").mkdir()
    (folder / "img" / "sheet.png").write_bytes(b"png")
    (folder / "secret").symlink_to("/etc/passwd")
    os.mkfifo(folder / "pipe")
    target = tmp_path / "autograded"
    copy_companions(folder, target)
    assert [p.relative_to(target) for p in target.rglob("*") if p.is_file()] == [
        Path("img/sheet.png")
    ]
