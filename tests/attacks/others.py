"""The same lab for stock nbgrader and for otter: the same tests, in the forms that those know."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from class_of import descendants
from nbgrader.api import Gradebook
from tiny import Notebook, as_bytes

from attacks import evidence
from attacks.baits import Baits
from attacks.cases import Attack, write
from attacks.graded import COURSE_ID, enter_secret
from attacks.machine import left_processes
from attacks.target import HIDDEN_NUMBER, LAB, NAME, source_notebook

CELL_SECONDS = 8
LEFT = "a process: "
_LOG = "COURSE_ATTACK_LOG"
_CHECK = 'check("{}")'
# Exercise → (lines before, what must be true), public and hidden.
_TESTS: dict[str, tuple[tuple[list[str], str], tuple[list[str], str]]] = {
    "softmax": (
        (
            ["x = np.random.default_rng(0).normal(size=(4, 3))", "e = np.exp(x)"],
            "np.allclose(softmax(x), e / e.sum(axis=-1, keepdims=True))",
        ),
        (
            ["x = np.zeros((4, 3))", f"x[:, 0] = {HIDDEN_NUMBER}"],
            "np.allclose(softmax(x), np.array([1.0, 0.0, 0.0]))",
        ),
    ),
    "scale": (
        (["x = np.arange(5.0)"], "np.allclose(scale(x, 3.0), np.arange(5.0) * 3.0)"),
        (
            [f"x = np.full(3, {HIDDEN_NUMBER})"],
            f"np.allclose(scale(x, 2.0), np.full(3, {2 * HIDDEN_NUMBER}))",
        ),
    ),
    "counter": (
        (["c = Counter()", "c.add(1.5)", "c.add(2.0)"], "np.allclose(c.total(), 3.5)"),
        (
            ["c = Counter()", f"c.add(-{HIDDEN_NUMBER})", "c.add(1.0)"],
            f"np.allclose(c.total(), {1.0 - HIDDEN_NUMBER})",
        ),
    ),
}
_POINTS = {"softmax": 4, "scale": 2, "counter": 2}


@dataclass
class Elsewhere:
    """What came of one submission at another grader."""

    score: float | None = None
    secrets: list[str] = field(default_factory=list)
    damage: list[str] = field(default_factory=list)


def _adapted(notebook: Notebook, checks: Mapping[str, str]) -> Notebook:
    """A notebook without our package: its check cells hold what that grader puts there."""
    for cell in notebook["cells"]:
        if cell["id"] == "setup":
            cell["source"] = "import numpy as np"
        name = cell["id"].removeprefix("check_")
        if cell["id"].startswith("check_") and cell["source"] == _CHECK.format(name):
            cell["source"] = checks[name]
    return notebook


def _made(attack: Attack, folder: Path) -> Notebook:
    """The notebook that an attack hands in."""
    folder.mkdir(parents=True)
    attack.make(folder)
    notebook: Notebook = json.loads((folder / NAME).read_text("utf-8"))
    return notebook


def _secrets(folder: Path, student: str, baits: Baits) -> list[str]:
    """What student code has held, where nothing keeps it from sending that anywhere."""
    log = folder / f"log-{student}"
    return evidence.secrets_in(log.read_text("utf-8", "replace"), baits) if log.exists() else []


# -- nbgrader as it comes


def _asserts(exercise: str, secret: str) -> tuple[str, str]:
    """A check cell's source: as students get it, and the instructor's with hidden tests."""
    (lines, holds), (hidden_lines, hidden_holds) = _TESTS[exercise]
    public = "\n".join([*lines, f"assert {holds}"])
    hidden = "\n".join([f"# {secret}", *hidden_lines, f"assert {hidden_holds}"])
    marked = f"### BEGIN HIDDEN TESTS\n{hidden}\n### END HIDDEN TESTS"
    return public, f"{public}\n{marked}"


def nbgrader(
    folder: Path, attacks: list[Attack], honest: Mapping[str, Notebook], baits: Baits
) -> dict[str, Elsewhere]:
    """Grade a class with nbgrader's own autograde, and make its pages."""
    root = folder / "course"
    sources = {name: _asserts(name, baits.word("hidden-tests")) for name in _TESTS}
    own = {name: hidden for name, (_, hidden) in sources.items()}
    theirs = {name: public for name, (public, _) in sources.items()}
    write(root / "source" / LAB, NAME, as_bytes(_adapted(source_notebook(), own)))
    config = f'c = get_config()\nc.CourseDirectory.course_id = "{COURSE_ID}"\n'
    (root / "nbgrader_config.py").write_text(config, "utf-8")
    environment = {**os.environ, _LOG: str(folder / "log-")}
    environment.pop("PYTHONPATH", None)
    _run(root, environment, "nbgrader", "generate_assignment", LAB, "--create")
    handed = {attack.name: _made(attack, folder / "made" / attack.name) for attack in attacks}
    for student, notebook in (handed | dict(honest)).items():
        data = as_bytes(_adapted(notebook, theirs))
        write(root / "submitted" / student / LAB, NAME, data)
    enter_secret(root, next(iter(honest)), baits)
    known = descendants(os.getpid())
    _run(root, environment, "nbgrader", "autograde", LAB, f"--Execute.timeout={CELL_SECONDS}")
    _run(root, environment, "nbgrader", "generate_feedback", LAB)
    left = [f"{LEFT}{name}" for name in left_processes(known)]
    came = {
        student: Elsewhere(score, _secrets(folder, student, baits), _active(root, student))
        for student, score in _scores(root).items()
    }
    came["left behind"] = Elsewhere(damage=left)
    return {name: Elsewhere() for name in (*handed, *honest)} | came


def _active(root: Path, student: str) -> list[str]:
    pages = (root / "feedback" / student / LAB).glob("*.html")
    return [what for page in pages for what in evidence.active_in_html(page.read_text("utf-8"))]


def _scores(root: Path) -> dict[str, float | None]:
    with Gradebook(f"sqlite:///{root / 'gradebook.db'}", COURSE_ID) as book:
        return {
            submission.student.id: sum(
                grade.auto_score or 0.0 for notebook in submission.notebooks
                for grade in notebook.grades
            )
            for submission in book.assignment_submissions(LAB)
        }  # fmt: skip


def _run(root: Path, environment: Mapping[str, str], *command: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", *command], cwd=root, env=dict(environment), capture_output=True,
        text=True, errors="replace", stdin=subprocess.DEVNULL, check=False,
    )  # fmt: skip
    return done.stdout + done.stderr


# -- otter


def _doctests(exercise: str, secret: str) -> str:
    """A test file in otter's form."""
    cases = []
    for place, (lines, holds) in enumerate(_TESTS[exercise]):
        code = [*([f"# {secret}"] if place else []), *lines, f"bool({holds})"]
        text = "\n".join(f">>> {line}" for line in code) + "\nTrue"
        cases.append({"code": text, "hidden": bool(place), "locked": False})
    suite = {"cases": cases, "scored": True, "setup": "", "teardown": "", "type": "doctest"}
    test = {"name": exercise, "points": _POINTS[exercise], "suites": [suite]}
    return f"OK_FORMAT = True\n\ntest = {test!r}\n"


def otter(
    folder: Path, attacks: list[Attack], honest: Mapping[str, Notebook], baits: Baits,
    programs: Path,
) -> dict[str, Elsewhere]:  # fmt: skip
    """Grade a class with ``otter run``, one notebook after the other.

    Args:
        programs: the ``bin`` of the environment that otter is in.
    """
    root = folder / "course"
    for name in _TESTS:
        write(root / "tests", f"{name}.py", _doctests(name, baits.word("hidden-tests")).encode())
    (root / "otter_config.json").write_text("{}")
    (root / "grades.csv").write_text(f"name,grade\n{baits.word('gradebook')},8\n")
    environment = {
        **os.environ, _LOG: str(folder / "log-"), "PATH": f"{programs}:{os.environ['PATH']}",
    }  # fmt: skip
    environment.pop("PYTHONPATH", None)
    _otter(programs, root, environment, "generate", "-t", "tests", "-o", "autograder.zip",
           "--no-requirements", "--no-environment")  # fmt: skip
    empty = dict.fromkeys(_TESTS, "")
    handed = {attack.name: _made(attack, folder / "made" / attack.name) for attack in attacks}
    came: dict[str, Elsewhere] = {}
    for student, notebook in (*honest.items(), *handed.items()):
        known = descendants(os.getpid())
        at = root / "submissions" / student
        write(at, NAME, as_bytes(_adapted(notebook, empty)))
        _otter(programs, at, environment, "run", NAME, "-a", "../../autograder.zip", "-o", ".",
               "--no-logo")  # fmt: skip
        came[student] = Elsewhere(
            _otter_score(at / "results.json"), _secrets(folder, student, baits),
            [f"{LEFT}{name}" for name in left_processes(known)],
        )
    return came


def _otter(programs: Path, at: Path, environment: Mapping[str, str], *command: str) -> None:
    try:
        subprocess.run(
            [programs / "otter", *command], cwd=at, env=dict(environment), capture_output=True,
            stdin=subprocess.DEVNULL, timeout=60, check=False, start_new_session=True,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return


def _otter_score(path: Path) -> float | None:
    """The score in a results file; None where there is none that can be read."""
    try:
        results: dict[str, Any] = json.loads(path.read_text("utf-8"))
        return float(sum(test.get("score") or 0.0 for test in results["tests"]))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
