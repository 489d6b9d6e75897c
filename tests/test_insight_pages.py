"""The pages of ``course report``, of classes that were graded for real."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import time
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import pytest
from class_of import NO_SHIFT, course_with_class, grade, hand_in, set_by_hand
from looks import dangers
from tiny import TINY_LAB, as_bytes

from course_utils.gate.filled_in import append_cell, solved
from course_utils.grading import spreadsheet
from course_utils.grading.classrun.journal import Journal
from course_utils.grading.classrun.lookup import graded_labs
from course_utils.grading.course import Course
from course_utils.grading.gradebook import GradebookWriter
from course_utils.grading.insight import course_page, lab_page
from course_utils.grading.roster import Student
from course_utils.ground.errors import CourseError, LabError
from course_utils.ground.lab import Lab
from course_utils.sandbox import launch

pytestmark = pytest.mark.skipif(
    not launch.availability().works, reason=launch.availability().detail
)

SIZE = 6
BAD = "<script>alert(1)<"  # a folder's name has no slash
QUOTES = 'x" onmouseover="alert(1)'
BIDI = "\u202emoc.live"
# Two claims of the public tests hold, and the hidden one does not.
GREEN = NO_SHIFT.replace("np.exp(x)", "np.exp(np.minimum(x, 500.0))")
LEFT = "def softmax(x, axis=-1):\n    raise NotImplementedError"


def command(root: Path, *arguments: str, code: int = 0) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "course_utils.commands.cli", *arguments],
        cwd=root, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == code, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout + done.stderr


def report(root: Path) -> tuple[str, str]:
    """The pages of the lab and of the course."""
    course = Course(root)
    insight = lab_page.look_at(course, Lab.find(TINY_LAB, root))
    paths = lab_page.write(course, insight), course_page.write(course, [insight])
    return paths[0].read_text("utf-8"), paths[1].read_text("utf-8")


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six honest students, three with names that mean harm, two who hand in no notebook, and one
    whom only the roster knows."""
    root = course_with_class(tmp_path_factory.mktemp("course"), SIZE)
    lab = Lab.find(TINY_LAB, root)
    stub = root / "labs" / TINY_LAB / "tiny.ipynb"
    for student, name in (("s003", "step"), ("s004", "mine")):
        helper = "\n".join(f"{name}{n} = {n} * np.sqrt({n + 1}) - {n} // 3" for n in range(60))
        hand_in(root, student, as_bytes(append_cell(solved(lab, stub), helper)))
    for student in (BAD, QUOTES, BIDI):
        green = solved(lab, stub, {"softmax": GREEN})
        hand_in(root, student, as_bytes(append_cell(green, f"raise ValueError({BAD!r})")))
    hand_in(root, "empty", b"")
    hand_in(root, "prose", b"<b>Dear TA</b>", name="essay.html")
    (root / "roster.csv").write_text("id,last_name,first_name,email\nabsent,<i>Last,First,\n"
                                     "s005,Lovelace,<b>Ada,\n")  # fmt: skip
    grade(root, "--roster", "roster.csv")
    set_by_hand(root, "s001", "written_why", manual_score=1.0, needs_manual_grade=False)
    set_by_hand(root, "s002", "check_softmax", manual_score=4.0, needs_manual_grade=False)
    return root


@pytest.fixture(scope="module")
def page(course: Path) -> str:
    said = command(course, "report", TINY_LAB)
    assert said.splitlines()[0] == f"{TINY_LAB}: reports/{TINY_LAB}.html"
    return (course / "reports" / f"{TINY_LAB}.html").read_text("utf-8")


def text_of(page: str) -> str:
    """What a page says, without its marks."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", page))


class _Headings(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.levels: list[int] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.pictures: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        if re.fullmatch("h[1-6]", tag):
            self.levels.append(int(tag[1]))
        self.ids += [found["id"]] if "id" in found else []
        self.links += [found["href"]] if "href" in found else []
        self.pictures += [found.get("aria-label", "")] if found.get("role") == "img" else []


def structure(page: str) -> _Headings:
    parser = _Headings()
    parser.feed(page)
    return parser


def test_it_says_what_the_class_did(page: str) -> None:
    told = text_of(page)
    assert "11 graded, 9 of them with a notebook whose exercises could be judged" in told
    assert "2 students: no max shift in softmax" in told
    assert "The largest logit must be subtracted first." in told
    assert "s002, s005 (&lt;b&gt;Ada Lovelace)" in told
    # Points are the gradebook's, and one of those who have all of them has them from a person.
    assert "5 of 9" in told
    assert "8 of 11 have written answers that nobody has read yet" in told
    assert "The standard deviation is" in told


def test_it_says_whom_check_has_told_that_all_is_well(page: str) -> None:
    hidden = text_of(page.partition('id="hidden"')[2].partition("<h2")[0])
    assert "5: " in hidden and "hidden claims fail far more often" in hidden


def test_names_that_mean_harm_are_read_and_not_obeyed(page: str) -> None:
    body = page.partition("<body>")[2].partition("</body>")[0]
    assert set(dangers(body)) <= {"<details>"}
    assert "<script" not in page and "default-src 'none'" in page
    assert "&lt;script&gt;alert(1)&lt;" in page and "x&#34; onmouseover=&#34;alert(1)" in page
    assert all(character.isprintable() or character == "\n" for character in page)


def test_reasons_are_listed_with_their_students(page: str) -> None:
    reasons = text_of(page.partition('id="reasons"')[2].partition("<h2")[0])
    assert re.search(r"empty_file 1: empty the file is empty", reasons)
    assert "no_notebook 1: prose" in reasons and "cell_error 3: " in reasons
    assert "1 in the gradebook without a mark: absent" in text_of(page)


def test_the_same_code_is_listed_without_a_verdict(page: str) -> None:
    part = text_of(page.partition('id="alike"')[2].partition("<h2")[0])
    assert "For a person to look at." in part and "s003, s004 100 %" in part
    assert not re.search("plagiar|cheat|copied|suspect|guilt", page, re.IGNORECASE)


def test_it_can_be_heard_and_found_through(page: str) -> None:
    found = structure(page)
    assert found.levels[0] == 1 and found.levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(found.levels))
    assert {link[1:] for link in found.links} <= set(found.ids)
    assert found.pictures and all(len(text) > 20 for text in found.pictures)
    assert len(found.ids) == len(set(found.ids))


def test_without_a_lab_there_is_a_page_of_the_course(course: Path, page: str) -> None:
    said = command(course, "report")
    assert said.splitlines()[-1] == "course: reports/course.html"
    made = (course / "reports" / "course.html").read_text("utf-8")
    assert "1 lab graded, 11 students" in text_of(made)
    assert f'href="{TINY_LAB}.html"' in made and "<script" not in made
    assert set(dangers(made.partition("<body>")[2].partition("</body>")[0])) == set()
    assert structure(made).levels == [1, 2, 3, 2]


def test_the_numbers_go_into_a_spreadsheet(course: Path, page: str) -> None:
    said = command(course, "report", TINY_LAB)
    path = f"reports/{TINY_LAB}.items.csv"
    assert said.splitlines()[-1] == f"{TINY_LAB}, as a table: {path}"
    header, *rows = spreadsheet.read(course / path)
    found = {row[0]: dict(zip(header, row, strict=True)) for row in rows}
    assert list(found) == ["softmax", "scale", "written_why"]
    softmax, why = found["softmax"], found["written_why"]
    assert (softmax["points"], softmax["students"], softmax["all_points"]) == ("4.0", "9", "5")
    assert (softmax["commonest_mistake"], softmax["students_with_it"]) == ("no max shift", "2")
    assert 0 < float(softmax["mean_share"]) < 1 and float(softmax["standard_deviation"]) > 0
    assert int(why["unread"]) == 8 and why["public_claims_failing"] == ""


def test_nothing_else_is_written(course: Path, page: str) -> None:
    def left() -> dict[str, float]:
        return {str(path): path.stat().st_mtime for path in course.rglob("*")
                if path.is_file() and "reports" not in path.parts}  # fmt: skip

    before = left()
    report(course)
    # SQLite's own files beside a database come and go with who reads it.
    assert {name: at for name, at in left().items() if not name.endswith(("-shm", "-wal"))} == {
        name: at for name, at in before.items() if not name.endswith(("-shm", "-wal"))
    }


@pytest.fixture
def copy(course: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(course, tmp_path / "copy"))


def keep_only(root: Path, student: str) -> None:
    """Take everybody else out of the journal, the gradebook and submitted/."""
    with Journal(root / ".course") as journal:
        journal._db.execute("DELETE FROM verdict WHERE student <> ?", (student,))
        journal._db.commit()
    lab = Lab.find(TINY_LAB, root)
    with GradebookWriter(Course(root), lab) as writer:
        for name in [one.id for one in writer._gradebook.students if one.id != student]:
            writer._gradebook.remove_student(name)
    for folder in (root / "submitted").iterdir():
        if folder.name != student:
            shutil.rmtree(folder)


@pytest.mark.parametrize("student", ["s002", "empty"])
def test_one_submission_is_a_class(copy: Path, student: str) -> None:
    """Whether it could be read or not."""
    keep_only(copy, student)
    made, of_course = report(copy)
    assert "1 graded" in text_of(made) and "1 student." in text_of(of_course)
    assert set(dangers(made.partition("<body>")[2].partition("</body>")[0])) <= {"<details>"}


def test_where_nobody_was_graded_it_says_what_to_do(copy: Path) -> None:
    keep_only(copy, "nobody")
    said = command(copy, "report", TINY_LAB, code=2)
    assert said.startswith(f"error: no verdict on {TINY_LAB} is kept here: grade it with course")
    with pytest.raises(LabError, match="no lab was graded here yet: grade one"):
        graded_labs(Course(copy))
    (copy / ".course" / "journal.db").unlink()
    with pytest.raises(LabError, match="no lab was graded here yet"):
        graded_labs(Course(copy))


def test_a_journal_that_is_none_and_a_gradebook_that_is_gone(copy: Path) -> None:
    (copy / "gradebook.db").unlink()
    with pytest.raises(LabError, match="the gradebook cannot be read: "):
        report(copy)
    for path in (copy / ".course").glob("journal.db*"):
        path.unlink()
    (copy / ".course" / "journal.db").write_text("no database at all, but a text of some length")
    with pytest.raises(LabError, match="the journal cannot be read: "):
        report(copy)


def test_where_the_page_cannot_be_written_it_says_so(copy: Path) -> None:
    shutil.rmtree(copy / "reports")
    (copy / "reports").write_text("in the way")
    with pytest.raises(CourseError, match=r"tiny\.html cannot be written: "):
        report(copy)


def test_a_thousand_students(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Rows made up of one that was graded; a thousand others of them."""
    lab, course = Lab.find(TINY_LAB, copy), Course(copy)
    with Journal(copy / ".course") as journal:
        columns = "lab, run, digest, record, notebook, written"
        journal._db.executemany(
            f"INSERT INTO verdict (student, {columns}) SELECT ?, {columns} FROM verdict "
            "WHERE student = ?",
            [(f"t{number:04}", f"s{number % SIZE:03}") for number in range(1000)],
        )
        journal._db.commit()
    for number in range(1000):
        source = copy / "submitted" / f"s{number % SIZE:03}"
        shutil.copytree(source, copy / "submitted" / f"t{number:04}")
    with GradebookWriter(course, lab) as writer:
        writer.enter_students([Student("t0000", "Last", "First", "")])
    started = time.perf_counter()
    insight = lab_page.look_at(course, lab)
    looked = time.perf_counter()
    text = lab_page.page(insight)
    made = time.perf_counter()
    with capsys.disabled():
        print(f"\n1,011 students looked at in {looked - started:.1f} s, their page of "
              f"{len(text) / 2**10:.0f} KiB made in {made - looked:.1f} s")  # fmt: skip
    assert len(insight.roll.works) == 1011 and insight.compared == 1009
    assert "335 students: no max shift" in text_of(text)
    assert "1011 students" in text_of(course_page.page([insight]))
