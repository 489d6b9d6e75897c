"""nbgrader's own commands on odd submissions; ``make agree`` takes the whole collection."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from nbgrader.api import Gradebook
from odd_lab import lesson, write_odd_course
from odd_submissions import SUBMISSIONS
from test_course import hand_in, marks, run
from tiny import TINY_LAB, as_bytes, cell
from two_ways import compare

from course_utils.ground.cells import grade_id, source
from course_utils.sandbox import launch

pytestmark = pytest.mark.skipif(
    not launch.availability().works, reason=launch.availability().detail
)

# One for each thing that nbgrader by itself would have stopped at, or marked otherwise.
SAMPLE = {
    "right", "subfolder", "zip", "renamed", "upper-case", "nothing", "pipe", "cut", "format-3",
    "stripped-ids", "nbgrader-word", "word-for-cell", "half-character", "metadata-deep",
    "solution-text", "solution-text-bare", "answer-deleted", "answer-in-question", "answer-code",
    "answers-left", "other-lab-stripped",
}  # fmt: skip


def test_a_sample_has_the_same_marks_by_both_commands(tmp_path: Path) -> None:
    chosen = [odd for odd in SUBMISSIONS if odd.name in SAMPLE]
    assert len(chosen) == len(SAMPLE)
    compared = compare(chosen, tmp_path)
    assert [str(one) for one in compared if not one.agree] == []
    for odd in chosen:
        ours, theirs = (_graded(tmp_path / way, odd.name) for way in ("course", "nbgrader"))
        assert ours == theirs


def _graded(root: Path, student: str) -> list[tuple[str, str, str]]:
    """What formgrader shows of a submission: (type, grade id, text) of its cells."""
    path = root / "autograded" / student / TINY_LAB / "tiny.ipynb"
    cells = json.loads(path.read_text("utf-8"))["cells"] if path.exists() else []
    return [(cell["cell_type"], grade_id(cell), source(cell)) for cell in cells]


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = write_odd_course(tmp_path_factory.mktemp("course"))
    run("nbgrader", "generate_assignment", TINY_LAB, cwd=root)
    return root


def nbgrader(root: Path, *options: str, code: int = 0, **variables: str) -> str:
    """``nbgrader autograde``; what it logged."""
    own = str(Path(sys.executable).parent)
    path = {"PATH": f"{own}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(
        ["nbgrader", "autograde", TINY_LAB, "--force", *options], cwd=root, capture_output=True,
        text=True, check=False, env=os.environ | path | variables,
    )  # fmt: skip
    assert done.returncode == code, done.stderr
    return done.stderr


def test_nbgrader_takes_limits_and_the_device(released: Path) -> None:
    notebook = lesson()
    notebook["cells"] += [
        cell("import os\nassert os.environ['COURSE_DEVICE'] == 'cpu'") | {"id": "device"},
        cell("import time\ntime.sleep(1000)") | {"id": "slow"},
    ]
    hand_in(released, "slow", as_bytes(notebook))
    log = nbgrader(
        released, "--student=slow", "--Execute.cell_seconds=2", "--Execute.memory_mib=512",
        COURSE_DEVICE="cpu",
    )  # fmt: skip
    assert "cell_timeout" in log
    assert "cell_error" not in log
    assert marks(released)["slow"]["check_softmax"] == 4.0


def test_what_nbgrader_cannot_do_is_a_sentence_and_changes_no_mark(released: Path) -> None:
    hand_in(released, "ada", as_bytes(lesson()))
    nbgrader(released, "--student=ada")
    before = marks(released)["ada"]
    for options, variables, told in (
        (["--student=nobody"], {}, "there are no submissions"),
        (["--student=ada", "--no-execute"], {}, "grade without --no-execute"),
        (["--student=ada"], {"COURSE_DEVICE": "abacus"}, "COURSE_DEVICE is 'abacus'"),
    ):
        log = nbgrader(released, *options, code=1, **variables)
        assert told in log
    assert marks(released)["ada"] == before
    assert before == {"check_softmax": 4.0, "check_scale": 1.0, "written_why": None,
                      "written_when": None}  # fmt: skip


def test_a_date_that_cannot_be_read_stops_nobody(released: Path) -> None:
    for student, stamp in (("early", b"\xff\xfe"), ("late", b"tomorrow, I promise")):
        hand_in(released, student, as_bytes(lesson()))
        hand_in(released, student, stamp, "timestamp.txt")
    assert nbgrader(released, "--student=early").count("timestamp_unreadable") == 1
    nbgrader(released, "--student=[el]*")
    printed = run("course", "grade", TINY_LAB, "--json", cwd=released).splitlines()
    results = {result["student"]: result for result in map(json.loads, printed)}
    for student in ("early", "late"):
        assert results[student]["score"] == 5.0
        assert "timestamp_unreadable" in {n["code"] for n in results[student]["notices"]}


def test_pictures_beside_the_notebook_reach_who_reads_it(released: Path) -> None:
    hand_in(released, "painter", as_bytes(lesson()))
    (released / "submitted" / "painter" / TINY_LAB / "img").mkdir()
    hand_in(released, "painter", b"\x89PNG", "img/sheet.png")
    graded = released / "autograded" / "painter" / TINY_LAB
    for command in (("nbgrader", "autograde", TINY_LAB, "--force", "--student=painter"),
                    ("course", "grade", TINY_LAB)):  # fmt: skip
        run(*command, cwd=released)
        assert (graded / "img" / "sheet.png").read_bytes() == b"\x89PNG"


def test_formgraders_way_in_is_the_same(released: Path) -> None:
    """Formgrader's button calls nbgrader's Python interface in its own process."""
    hand_in(released, "clicked", as_bytes(lesson()), "my lab.ipynb")
    script = (
        "from pathlib import Path\n"
        "from course_utils.grading.course import Course\n"
        "from nbgrader.apps.api import NbGraderAPI\n"
        "course = Course(Path.cwd())\n"
        "api = NbGraderAPI(course.directory, config=course.config)\n"
        f"done = api.autograde({TINY_LAB!r}, 'clicked')\n"
        "assert done['success'], done\n"
    )
    run(sys.executable, "-c", script, cwd=released)
    with Gradebook(f"sqlite:///{released / 'gradebook.db'}") as book:
        assert book.find_grade("check_softmax", "tiny", TINY_LAB, "clicked").auto_score == 4.0
