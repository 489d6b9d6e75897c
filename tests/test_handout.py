"""What students are sent: the release and a page, never a solution, the same bytes every time."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import urllib.request
import zipfile
from io import BytesIO
from pathlib import Path
from types import ModuleType
from typing import Any

import nbformat
import pytest
from IPython.core.interactiveshell import InteractiveShell
from tiny import REPOSITORY, SCALE, SOFTMAX, TINY_LAB, write_tiny_course
from tiny import cell as tiny_cell

import course_utils
from course_utils.gate.colab import Place
from course_utils.gate.handout import PAGE, handout
from course_utils.grading import packing
from course_utils.grading.course import Course
from course_utils.grading.judge import Grader
from course_utils.ground.cells import is_solution, source
from course_utils.ground.errors import LabError
from course_utils.ground.lab import Lab
from course_utils.ground.stub import solution_regions

LABS = sorted(path.name for path in (REPOSITORY / "solutions").glob("lab*"))


@pytest.fixture(scope="module")
def course(released_course: Path) -> Course:
    return Course(released_course)


def copied(course: Course, to: Path) -> Course:
    return Course(shutil.copytree(course.root, to / "course"))


def of(course: Course, name: str = TINY_LAB) -> bytes:
    return handout(course, Lab.find(name, course.root), install="pip install it", hand_in="here")


def files(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(BytesIO(data)) as archive:
        return {info.filename: archive.read(info) for info in archive.infolist()}


def test_it_holds_the_release_and_a_page_of_five_lines(course: Course) -> None:
    found = files(of(course))
    assert sorted(found) == [
        f"{TINY_LAB}/{name}" for name in (PAGE, "test_public.py", "tiny.ipynb", "traces.msgpack")
    ]
    for name in ("test_public.py", "tiny.ipynb", "traces.msgpack"):
        folder = course.folder("release", ".", TINY_LAB)
        assert found[f"{TINY_LAB}/{name}"] == (folder / name).read_bytes()
    page = found[f"{TINY_LAB}/{PAGE}"].decode().splitlines()
    assert page[0] == f"A tiny lab ({TINY_LAB})"
    assert [line.split(":")[0] for line in page[1:]] == [
        "1. Install, once", "2. Open", "3. Check", "4. Hand in",
    ]  # fmt: skip
    assert "pip install it" in page[1]
    assert "jupyter lab tiny.ipynb" in page[2]
    assert 'check("softmax")' in page[3]
    assert "tiny.ipynb alone" in page[4]


def test_its_bytes_are_the_same_whenever_it_is_made(course: Course) -> None:
    first = of(course)
    for path in course.folder("release", ".", TINY_LAB).iterdir():
        path.touch()
    assert of(course) == first


INSTALL = 'python -m pip install "course-utils @ git+https://example.org/course.git"'


def for_colab(course: Course, place: str) -> dict[str, Any]:
    lab = Lab.find(TINY_LAB, course.root)
    made = handout(course, lab, install=INSTALL, hand_in="here", colab=Place.parsed(place))
    notebook: dict[str, Any] = json.loads(files(made)[f"{TINY_LAB}/tiny.ipynb"])
    return notebook


def test_colab_gets_a_badge_and_a_cell(course: Course) -> None:
    notebook = for_colab(course, "ada/course@spring:labs/")
    nbformat.validate(nbformat.from_dict(notebook))
    badge, setup, *rest = notebook["cells"]
    assert rest == Lab.load(course.folder("release", ".", TINY_LAB)).notebook["cells"]
    where = f"ada/course/blob/spring/labs/{TINY_LAB}/tiny.ipynb"
    assert f"(https://colab.research.google.com/github/{where})" in badge["source"]
    assert "%pip install --quiet" + INSTALL.removeprefix("python -m pip install") in source(setup)
    assert "('test_public.py', 'traces.msgpack')" in source(setup)
    raw = f"https://raw.githubusercontent.com/ada/course/spring/labs/{TINY_LAB}/{{name}}"
    assert raw in source(setup)
    plain = for_colab(course, "ada/course")["cells"][0]["source"]
    assert f"/ada/course/blob/main/{TINY_LAB}/tiny.ipynb" in plain


def test_on_colab_the_cell_installs_and_fetches_and_elsewhere_nothing(course: Course) -> None:
    """Run in IPython, whose %pip and whose network only say that they were asked."""
    code = source(for_colab(course, "ada/course")["cells"][1])
    shell = InteractiveShell.instance()
    asked: list[str] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(urllib.request, "urlretrieve", lambda address, name: asked.append(name))
        shell.register_magic_function(asked.append, magic_name="pip")
        shell.run_cell(code).raise_error()
        assert asked == []
        patch.setitem(sys.modules, "google.colab", ModuleType("google.colab"))
        shell.run_cell(code).raise_error()
    InteractiveShell.clear_instance()
    assert asked == [
        'install --quiet "course-utils @ git+https://example.org/course.git"',
        "test_public.py", "traces.msgpack",
    ]  # fmt: skip


OF_COLABS_OWN = (
    '<a href="https://colab.research.google.com/github/eve/mine/blob/main/tiny.ipynb" '
    'target="_parent"><img src="https://colab.research.google.com/assets/colab-badge.svg" '
    'alt="Open In Colab"/></a>'
)


def test_what_was_done_on_colab_is_graded_as_any_other(course: Course, grader: Grader) -> None:
    """A badge is no text in which a written answer is to be looked for."""
    notebook = for_colab(course, "ada/course")
    notebook["cells"].insert(0, tiny_cell(OF_COLABS_OWN, kind="markdown"))
    for cell in notebook["cells"]:
        cell.pop("id")  # Colab keeps nbgrader's metadata, not always these
        for name, body in (("softmax", SOFTMAX), ("scale", SCALE)):
            if cell["metadata"].get("nbgrader", {}).get("grade_id") == name:
                cell["source"] = body
    notebook["nbformat_minor"] = 0
    result = grader.grade(json.dumps(notebook).encode())
    assert result.score == result.max_score and result.notices == ()


@pytest.mark.parametrize("command", ["conda install it", "uv pip install it", "pip install it\nx"])
def test_colab_is_given_no_command_but_pips(course: Course, command: str) -> None:
    lab, place = Lab.find(TINY_LAB, course.root), Place("ada/course")
    with pytest.raises(LabError, match="no command that Colab could be given"):
        handout(course, lab, hand_in="", install=command, colab=place)
    made = files(handout(course, lab, hand_in="", install="pip install it==1", colab=place))
    cells = json.loads(made[f"{TINY_LAB}/tiny.ipynb"])["cells"]
    assert "%pip install --quiet it==1\n" in source(cells[1])


def test_what_git_does_not_know_is_not_sent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "course_utils"
    package.mkdir()
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    for name in ("pyproject.toml", "constraints.txt", "README.md", "LICENSE"):
        (tmp_path / name).write_text("", "utf-8")
    (package / "__init__.py").write_text("", "utf-8")
    subprocess.run(["git", "-C", str(tmp_path), "add", "."], check=True)
    monkeypatch.setattr(course_utils, "__file__", str(package / "__init__.py"))
    assert "course_utils/__init__.py" in packing.sources()
    (package / "my_solutions.py").write_text("", "utf-8")
    with pytest.raises(LabError, match=r"course_utils/my_solutions\.py: not in the repository"):
        packing.sources()


@pytest.mark.parametrize(
    "place",
    ["ada/..", "ada/x@../y", "ada", "https://github.com/ada/course", "ada/course@", "a b/c"],
)
def test_a_place_that_is_none_on_github(place: str) -> None:
    with pytest.raises(LabError, match="names no place on GitHub"):
        Place.parsed(place)


@pytest.mark.parametrize("name", LABS)
def test_no_lab_gives_its_solutions_away(name: str) -> None:
    """The zip, opened again, is held against every line of the solution that the notebook has
    nowhere else. (What public tests may share with a solution, the gate's search decides, which
    the zip has passed.)"""
    lab = Lab.find(name, REPOSITORY)
    found = files(of(Course(REPOSITORY), name))
    assert {path.rpartition("/")[2] for path in found} == {
        PAGE, "test_public.py", "traces.msgpack", lab.notebook_path.name,
    }  # fmt: skip
    secret, in_the_open = set(), ""
    for cell in lab.notebook["cells"]:
        code, solution = source(cell).splitlines(), is_solution(cell)
        regions = solution_regions(source(cell)) if solution else []
        inside = {number for region in regions for number in region}
        secret |= {" ".join(line.split()) for n, line in enumerate(code) if n in inside}
        in_the_open += flat("\n".join(line for n, line in enumerate(code) if n not in inside))
    secret = {line for line in secret if len(line) > 24 and line not in in_the_open}
    assert len(secret) > 20
    sent = flat(found[f"{name}/{PAGE}"].decode())
    notebook = json.loads(found[f"{name}/{lab.notebook_path.name}"])
    sent += flat("\n".join(source(cell) for cell in notebook["cells"]))
    assert {line for line in secret if line in sent} == set()


def flat(text: str) -> str:
    return f" {' '.join(text.split())} "


@pytest.mark.parametrize("typed", [SOFTMAX, SCALE])
def test_a_release_that_somebody_has_solved_is_refused(
    tmp_path: Path, course: Course, typed: str
) -> None:
    made = copied(course, tmp_path)
    folder = made.folder("release", ".", TINY_LAB)
    notebook = json.loads((folder / "tiny.ipynb").read_text("utf-8"))
    next(c for c in notebook["cells"] if c["id"] == "softmax")["source"] = typed
    (folder / "tiny.ipynb").write_text(json.dumps(notebook), "utf-8")
    with pytest.raises(LabError, match="students would see"):
        of(made)


def test_other_files_in_the_release_are_refused_and_caches_left_out(
    tmp_path: Path, course: Course
) -> None:
    made = copied(course, tmp_path)
    folder = made.folder("release", ".", TINY_LAB)
    (folder / ".ipynb_checkpoints").mkdir()
    (folder / ".ipynb_checkpoints" / "tiny-checkpoint.ipynb").write_text("{}")
    assert len(files(of(made))) == 4
    (folder / "notes.txt").write_text("for TAs")
    with pytest.raises(LabError, match=r"notes\.txt would be released"):
        of(made)


def test_a_lab_that_is_not_released_is_told(tmp_path: Path) -> None:
    made = Course(write_tiny_course(tmp_path))
    with pytest.raises(LabError, match=f"course release {TINY_LAB}"):
        of(made)


def test_with_the_wheel_students_install_what_lies_in_the_folder(
    course: Course, tmp_path: Path
) -> None:
    """What pip takes, holds no solution and no test of a lab, and is the same every time."""
    made = handout(course, Lab.find(TINY_LAB, course.root), hand_in="here")
    found = files(made)
    (wheel,) = (name for name in found if name.endswith(".whl"))
    line = found[f"{TINY_LAB}/{PAGE}"].decode().splitlines()[1]
    own = wheel.removeprefix(f"{TINY_LAB}/")
    assert line == (
        "1. Install, once: python3 -m venv course && source course/bin/activate && "
        f"python -m pip install {own}"
    )
    (tmp_path / own).write_bytes(found[wheel])
    target = tmp_path / "installed"
    subprocess.run(
        [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index",
         "--target", str(target), str(tmp_path / own)],
        check=True,
    )  # fmt: skip
    said = subprocess.run(
        [sys.executable, "-c", "import course_utils as c; print(c.__file__, c.check)"],
        env={**os.environ, "PYTHONPATH": str(target)}, cwd=tmp_path,
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    assert said.startswith(str(target))
    names = {path.relative_to(target).parts[0] for path in target.rglob("*.py")}
    assert names == {"course_utils"}
    packing.wheel.cache_clear()
    assert handout(course, Lab.find(TINY_LAB, course.root), hand_in="here") == made


def test_colab_fetches_the_wheel_from_where_the_notebook_lies(course: Course) -> None:
    """So that the repository with the solutions need not be open to all."""
    lab = Lab.find(TINY_LAB, course.root)
    made = files(handout(course, lab, hand_in="here", colab=Place("ada/labs")))
    setup = json.loads(made[f"{TINY_LAB}/tiny.ipynb"])["cells"][1]
    (wheel,) = (name.partition("/")[2] for name in made if name.endswith(".whl"))
    raw = f"https://raw.githubusercontent.com/ada/labs/main/{TINY_LAB}"
    assert f"%pip install --quiet {raw}/{wheel}" in source(setup)
