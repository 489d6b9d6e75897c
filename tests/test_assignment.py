"""A lab is in the gradebook when it is first needed, as nbgrader's own release would enter it."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from fresh import fresh_clone
from nbgrader.api import Gradebook
from sqlalchemy.exc import SAWarning
from tiny import REPOSITORY, TINY_LAB, as_bytes, cell, write_tiny_course

from course_utils.gate.filled_in import solved
from course_utils.gate.release import release
from course_utils.grading.assignment import enter
from course_utils.grading.course import Course
from course_utils.ground.errors import LabError
from course_utils.ground.lab import Lab
from course_utils.sandbox import launch


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A course whose lab is in ``labs/``, and no gradebook: what a TA clones."""
    root = write_tiny_course(tmp_path_factory.mktemp("released"))
    made = Course(root)
    release(made, lab_of(made))
    (root / "gradebook.db").unlink()
    return root


@pytest.fixture
def course(released: Path, tmp_path: Path) -> Course:
    return Course(shutil.copytree(released, tmp_path / "course"))


def lab_of(course: Course) -> Lab:
    return Lab.find(TINY_LAB, course.root)


@contextmanager
def gradebook(course: Course) -> Iterator[Any]:
    with Gradebook(course.db_url, course.course_id) as book:
        yield book


def contents(course: Course) -> dict[str, Any]:
    """What the gradebook says of the lab, without keys of its own."""
    with gradebook(course) as book:
        notebooks = book.find_assignment(TINY_LAB).notebooks
        return {
            notebook.name: {
                "kernelspec": json.loads(notebook.kernelspec),
                "points": {c.name: (c.max_score, c.cell_type) for c in notebook.grade_cells},
                "solutions": {c.name for c in notebook.solution_cells},
                "tasks": {c.name for c in notebook.task_cells},
                "sources": {
                    c.name: (c.source, c.checksum, c.locked, c.cell_type)
                    for c in notebook.source_cells
                },
            }
            for notebook in notebooks
        }


def release_again(course: Course, change: Callable[[dict[str, Any]], None]) -> None:
    """Change the released notebook, as a later release brings it."""
    lab = lab_of(course)
    path = course.folder("release", ".", lab.name) / lab.notebook_path.name
    notebook = json.loads(path.read_text("utf-8"))
    change(notebook)
    path.write_text(json.dumps(notebook), "utf-8")


def worth_more(notebook: dict[str, Any]) -> None:
    for found in notebook["cells"]:
        if found["metadata"].get("nbgrader", {}).get("grade_id") == "check_scale":
            found["metadata"]["nbgrader"] |= {"points": 3, "checksum": "another"}


def one_more_cell(notebook: dict[str, Any]) -> None:
    extra = cell('check("more")', "check_more", grade=True, locked=True, points=1)
    notebook["cells"].append(extra)


def test_as_nbgraders_own_release(course: Course, tmp_path: Path) -> None:
    assert enter(course, lab_of(course))
    plain = write_tiny_course(tmp_path / "plain")
    nbgrader = str(Path(sys.executable).parent / "nbgrader")
    subprocess.run(
        [nbgrader, "generate_assignment", TINY_LAB], cwd=plain, capture_output=True, check=True
    )
    assert contents(course) == contents(Course(plain))


def test_nothing_is_written_twice(course: Course) -> None:
    assert enter(course, lab_of(course))
    before = (course.root / "gradebook.db").read_bytes()
    assert not enter(course, lab_of(course))
    assert (course.root / "gradebook.db").read_bytes() == before


def hand_in(course: Course) -> None:
    with gradebook(course) as book, warnings.catch_warnings():
        # SQLAlchemy remarks on the order in which nbgrader links its new rows.
        warnings.simplefilter("ignore", SAWarning)
        book.update_or_create_student("ada")
        book.update_or_create_submission(TINY_LAB, "ada")
        book.find_grade("check_scale", "tiny", TINY_LAB, "ada").manual_score = 0.5
        book.db.commit()


def test_a_later_release_leaves_marks_alone(course: Course) -> None:
    enter(course, lab_of(course))
    hand_in(course)
    release_again(course, worth_more)
    assert enter(course, lab_of(course))
    with gradebook(course) as book:
        grade = book.find_grade("check_scale", "tiny", TINY_LAB, "ada")
        assert (grade.manual_score, grade.max_score) == (0.5, 3.0)


def test_cells_come_and_go_while_nobody_has_handed_in(course: Course) -> None:
    enter(course, lab_of(course))
    release_again(course, one_more_cell)
    enter(course, lab_of(course))
    assert "check_more" in contents(course)["tiny"]["points"]
    lab = lab_of(course)
    folder = course.folder("release", ".", lab.name)
    (folder / "tiny.ipynb").rename(folder / "smaller.ipynb")
    enter(course, lab)
    assert set(contents(course)) == {"smaller"}


def test_a_new_cell_after_submissions_is_refused_in_a_sentence(course: Course) -> None:
    enter(course, lab_of(course))
    hand_in(course)
    before = contents(course)
    release_again(course, one_more_cell)
    with pytest.raises(LabError, match=r"gained or lost cells \(tiny/check_more\)"):
        enter(course, lab_of(course))
    assert contents(course) == before


def test_a_lab_that_was_not_released(course: Course) -> None:
    shutil.rmtree(course.folder("release", ".", TINY_LAB))
    with pytest.raises(LabError, match=f"course release {TINY_LAB}"):
        enter(course, lab_of(course))
    assert not (course.root / "gradebook.db").exists()


def test_a_notebook_with_a_merge_in_it(course: Course) -> None:
    path = course.folder("release", ".", TINY_LAB) / "tiny.ipynb"
    path.write_text("<<<<<<< HEAD\n" + path.read_text("utf-8"), "utf-8")
    with pytest.raises(LabError, match=r"tiny\.ipynb is no notebook"):
        enter(course, lab_of(course))
    assert not (course.root / "gradebook.db").exists()


def test_what_students_must_not_see_does_not_reach_the_gradebook(tmp_path: Path) -> None:
    course = Course(write_tiny_course(tmp_path))
    lab = lab_of(course)
    shutil.copy(lab.test_hidden, lab.folder / "notes.py")
    with pytest.raises(LabError, match="students would see"):
        release(course, lab)
    assert not (course.root / "gradebook.db").exists()


def digests(folder: Path) -> dict[str, str]:
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.mark.skipif(not launch.availability().works, reason=launch.availability().detail)
def test_a_class_is_graded_in_a_fresh_clone(tmp_path: Path) -> None:
    """From the committed ``labs/``, with no release and no gradebook before."""
    root = fresh_clone(tmp_path / "clone")
    lab = Lab.find("lab02_softmax_nll", root)
    stub = root / "labs" / lab.name / lab.notebook_path.name
    for student, data in {"ada": as_bytes(solved(lab, stub)), "stub": stub.read_bytes()}.items():
        folder = root / "submitted" / student / lab.name
        folder.mkdir(parents=True)
        (folder / stub.name).write_bytes(data)
    before = digests(root / "labs") | digests(root / "solutions")
    done = subprocess.run(
        [sys.executable, "-m", "course_utils", "grade", lab.name],
        cwd=root, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert digests(root / "labs") | digests(root / "solutions") == before
    with Gradebook(f"sqlite:///{root / 'gradebook.db'}", "training-neural-networks") as book:
        scores = {s.student.id: s.score for s in book.assignment_submissions(lab.name)}
        assert book.find_assignment(lab.name).max_code_score == lab.max_score
    assert scores == {"ada": lab.max_score, "stub": 0.0}


def test_every_committed_lab_can_be_entered(tmp_path: Path) -> None:
    shutil.copytree(REPOSITORY / "labs", tmp_path / "labs")
    shutil.copy(REPOSITORY / "nbgrader_config.py", tmp_path)
    course = Course(tmp_path)
    for lab in Lab.all_in(REPOSITORY):
        assert enter(course, lab)
        with gradebook(course) as book:
            assert book.find_assignment(lab.name).max_code_score == lab.max_score
