"""A folder into which notebooks are dropped."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from concurrent.futures import Future
from pathlib import Path

import pytest
from class_of import NO_SHIFT, course_with_class
from tiny import SOFTMAX, TINY_LAB, as_bytes, tiny_notebook

from course_utils.grading.inbox import Answered, Inbox
from course_utils.grading.judge import Grader
from course_utils.ground.lab import Lab
from course_utils.verdict.submission import SubmissionResult


def handed_in(softmax: str = SOFTMAX) -> bytes:
    notebook = tiny_notebook()
    for cell in notebook["cells"]:
        if cell["id"] == "softmax":
            cell["source"] = softmax
        if cell["id"] == "written_why":
            cell["source"] = "My own words."
    return as_bytes(notebook)


class _Desk:
    """Grades at once, in this process; counts how often."""

    def __init__(self, grader: Grader) -> None:
        self._grader = grader
        self.count = 0

    def submit(self, data: bytes, student: str) -> Future[SubmissionResult]:
        self.count += 1
        done: Future[SubmissionResult] = Future()
        try:
            done.set_result(self._grader.grade(data, student))
        except RuntimeError as error:
            done.set_exception(error)
        return done


@pytest.fixture
def desk(grader: Grader) -> _Desk:
    return _Desk(grader)


@pytest.fixture
def inbox(tmp_path: Path, tiny_lab: Lab, desk: _Desk) -> Inbox:
    return Inbox(tmp_path, tiny_lab, desk.submit)


def drain(inbox: Inbox) -> dict[str, Answered]:
    """Look until nothing is left to do."""
    found = {one.name: one for one in inbox.look()}
    while inbox.busy:
        found |= {one.name: one for one in inbox.look()}
    return found


def test_what_is_dropped_is_answered_beside(
    inbox: Inbox, tmp_path: Path, tiny_lab: Lab
) -> None:
    (tmp_path / "ada.ipynb").write_bytes(handed_in())
    (tmp_path / "bo.ipynb").write_bytes(handed_in(NO_SHIFT))
    (tmp_path / "eve.ipynb").write_bytes(b"")
    (tmp_path / "notes.txt").write_text("not for you")
    found = drain(inbox)
    assert {name: one.result.score for name, one in found.items()} == {
        "ada.ipynb": 5.0, "bo.ipynb": 2.0, "eve.ipynb": 0.0,
    }  # fmt: skip
    result = json.loads((tmp_path / "bo.result.json").read_text("utf-8"))
    assert (result["student"], result["score"]) == ("bo", 2.0)
    page = (tmp_path / "bo.feedback.html").read_text("utf-8")
    assert "The largest logit must be subtracted first." in page
    assert "2 <small>of 7 points" in page and "still to be graded by hand" in page
    assert "empty" in (tmp_path / "eve.feedback.html").read_text("utf-8")
    assert sorted(path.suffix for path in tmp_path.iterdir()).count(".html") == 3


def test_nothing_is_graded_twice_and_what_changes_is(
    inbox: Inbox, desk: _Desk, tmp_path: Path, tiny_lab: Lab
) -> None:
    path = tmp_path / "ada.ipynb"
    path.write_bytes(handed_in())
    drain(inbox)
    assert drain(inbox) == {} and desk.count == 1
    assert drain(Inbox(tmp_path, tiny_lab, desk.submit)) == {}  # begun again
    path.write_bytes(handed_in(NO_SHIFT))
    os.utime(path, (0, 0))  # however old it says it is
    assert drain(inbox)["ada.ipynb"].result.score == 2.0
    assert desk.count == 2


def test_a_file_that_still_grows_is_left_alone(
    inbox: Inbox, desk: _Desk, tmp_path: Path, tiny_lab: Lab
) -> None:
    data = handed_in()
    with (tmp_path / "ada.ipynb").open("wb") as file:
        for start in range(0, len(data), 1000):
            file.write(data[start : start + 1000])
            file.flush()
            assert inbox.look() == []
    assert desk.count == 0
    assert drain(inbox)["ada.ipynb"].result.score == 5.0


def test_what_changes_while_it_is_graded_is_graded_again(
    inbox: Inbox, desk: _Desk, tmp_path: Path
) -> None:
    path = tmp_path / "ada.ipynb"
    path.write_bytes(handed_in()[:1000])  # an upload that stalls
    (tmp_path / "bo.ipynb").write_bytes(handed_in())
    assert inbox.look() == inbox.look() == []
    assert desk.count == 2
    path.write_bytes(handed_in())
    (tmp_path / "bo.ipynb").unlink()
    assert {name: one.result.score for name, one in drain(inbox).items()} == {"ada.ipynb": 5.0}
    assert desk.count == 3 and not (tmp_path / "bo.result.json").exists()


def test_a_notebook_that_is_away_for_a_moment_ends_nothing(
    inbox: Inbox, desk: _Desk, tmp_path: Path
) -> None:
    """As where an editor saves by moving the old one away."""
    path = tmp_path / "ada.ipynb"
    path.write_bytes(handed_in())
    assert inbox.look() == inbox.look() == []
    path.rename(tmp_path / "away")
    assert inbox.look() == []
    (tmp_path / "away").rename(path)
    assert drain(inbox)["ada.ipynb"].result.score == 5.0
    assert desk.count == 2


def test_what_changes_at_the_last_moment_is_not_missed_by_a_later_watch(
    inbox: Inbox, desk: _Desk, tmp_path: Path, tiny_lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between a look and the laying of its page: the result says which content it is of."""
    path = tmp_path / "ada.ipynb"
    path.write_bytes(handed_in())
    lay = Inbox._lay

    def late(self: Inbox, name: str, ending: str, text: str) -> None:
        monkeypatch.undo()
        path.write_bytes(handed_in(NO_SHIFT))
        lay(self, name, ending, text)

    monkeypatch.setattr(Inbox, "_lay", late)
    assert next(iter(drain(inbox).values())).result.score == 5.0
    assert drain(Inbox(tmp_path, tiny_lab, desk.submit))["ada.ipynb"].result.score == 2.0


def test_links_pipes_and_folders_lead_nowhere(
    inbox: Inbox, desk: _Desk, tmp_path: Path, tiny_lab: Lab
) -> None:
    secret = tmp_path.parent / "secret.ipynb"
    secret.write_bytes(handed_in())
    (tmp_path / "link.ipynb").symlink_to(secret)
    os.mkfifo(tmp_path / "pipe.ipynb")
    (tmp_path / "folder.ipynb").mkdir()
    (tmp_path / ".hidden.ipynb").write_bytes(secret.read_bytes())
    assert drain(inbox) == {} and desk.count == 0
    # What is written goes through no link, and a folder in its place is told of.
    target = tmp_path.parent / "target"
    target.write_text("kept")
    (tmp_path / "ada.result.json").symlink_to(target)
    (tmp_path / "ada.ipynb").write_bytes(secret.read_bytes())
    os.utime(target, (0, 0))
    os.utime(tmp_path / "ada.result.json", (0, 0), follow_symlinks=False)
    assert drain(inbox)["ada.ipynb"].why == ""
    assert target.read_text() == "kept" and not (tmp_path / "ada.result.json").is_symlink()
    (tmp_path / "bo.feedback.html").mkdir()
    (tmp_path / "bo.ipynb").write_bytes(secret.read_bytes())
    assert "nothing could be laid beside it" in drain(inbox)["bo.ipynb"].why
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".tmp")]


def test_a_fault_of_the_graders_is_one_notebooks(tmp_path: Path, tiny_lab: Lab) -> None:
    def fails(data: bytes, student: str) -> Future[SubmissionResult]:
        lost: Future[SubmissionResult] = Future()
        lost.set_exception(RuntimeError("the worker is gone"))
        return lost

    (tmp_path / "ada.ipynb").write_bytes(b"{}")
    (answered,) = drain(Inbox(tmp_path, tiny_lab, fails)).values()
    assert answered.result.status == "internal_error"
    assert "the worker is gone" in answered.why
    assert [path.name for path in tmp_path.iterdir()] == ["ada.ipynb"]


def test_the_command_grades_what_lies_there(tmp_path: Path) -> None:
    root = course_with_class(tmp_path / "course", 1)
    inbox = root / "inbox"
    inbox.mkdir()
    (inbox / "ada.ipynb").write_bytes(handed_in(NO_SHIFT))
    done = subprocess.run(
        [sys.executable, "-m", "course_utils", "watch", TINY_LAB, "inbox", "--once"],
        cwd=root, capture_output=True, text=True, check=True, timeout=200,
    )  # fmt: skip
    assert done.stdout.startswith("ada.ipynb: 2/5 graded (ok), ")
    assert json.loads((inbox / "ada.result.json").read_text("utf-8"))["score"] == 2.0
    assert not (root / "gradebook.db").exists() or not (root / "autograded").exists()


def test_the_command_wants_a_folder(tmp_path: Path) -> None:
    root = course_with_class(tmp_path / "course", 1)
    done = subprocess.run(
        [sys.executable, "-m", "course_utils", "watch", TINY_LAB, "inbox", "--once"],
        cwd=root, capture_output=True, text=True, check=False, timeout=200,
    )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr.strip() == "error: inbox is no folder: make it, or name another"


def test_no_verdict_is_told_where_the_solution_fails(tmp_path: Path) -> None:
    root = course_with_class(tmp_path / "course", 1)
    inbox = root / "inbox"
    inbox.mkdir()
    (inbox / "ada.ipynb").write_bytes(handed_in())
    lab = Lab.find(TINY_LAB, root)
    solution = json.loads(lab.notebook_path.read_text("utf-8"))
    for cell in solution["cells"]:
        if cell["id"] == "softmax":  # the student's is graded long before it
            cell["source"] = f"import time; time.sleep(4)\n{''.join(cell['source'])}"
    lab.notebook_path.write_text(json.dumps(solution), "utf-8")
    hidden = lab.folder / "hidden" / "test_hidden.py"
    hidden.write_text(
        hidden.read_text("utf-8") + '\n\n@exercise("scale")\ndef test_wrong(student):\n'
        '    """Twice two is five."""\n    assert student.scale(np.full(1, 2.0), 2.0) == 5.0\n'
    )  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-m", "course_utils", "watch", TINY_LAB, "inbox"],
        cwd=root, capture_output=True, text=True, check=False, timeout=200,
    )  # fmt: skip
    assert done.returncode == 3 and done.stdout == ""
    assert "the lab's own solution gets 0.25 of 1 points for scale here" in done.stderr
    assert [path.name for path in inbox.iterdir()] == ["ada.ipynb"]
