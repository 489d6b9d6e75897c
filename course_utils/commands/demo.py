"""A class of real notebooks: right ones, wrong ones, broken ones and hostile ones.

The demo shows the whole journey with it, and the tests and the benchmark grade it too.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

from course_utils.gate.filled_in import Notebook, append_cell, solved, with_entry
from course_utils.gate.release import release
from course_utils.grading.course import Course
from course_utils.ground.cells import exercise_of, grade_id
from course_utils.ground.lab import Lab
from course_utils.testing import catalogue
from course_utils.testing.catalogue import Entry

DEMO_LAB = "lab02_softmax_nll"


def build_course(repository: Path, folder: Path) -> Path:
    """Make a course folder with one released lab and a class of submissions in it.

    Args:
        repository: the course repository, whose solution is used.
        folder: where to build; what an earlier demo left there is replaced.

    Returns:
        The folder, resolved.
    """
    root = folder.resolve()
    if root.exists():
        if not (root / "nbgrader_config.py").exists() and any(root.iterdir()):
            raise FileExistsError(f"{root} exists and is no demo course; choose another folder")
        shutil.rmtree(root)
    root.mkdir(parents=True)
    shutil.copytree(
        repository / "solutions" / DEMO_LAB, root / "solutions" / DEMO_LAB,
        ignore=shutil.ignore_patterns("__pycache__"),
    )  # fmt: skip
    shutil.copy(repository / "nbgrader_config.py", root)
    lab = Lab.find(DEMO_LAB, root)
    released = release(Course(root), lab)
    for student, files in demo_class(lab, released / lab.notebook_path.name).items():
        target = root / "submitted" / student / lab.name
        target.mkdir(parents=True)
        for name, data in files.items():
            (target / name).write_bytes(data)
    return root


def shell_commands(root: Path) -> list[str]:
    """What to type, line by line, to look at a graded course in nbgrader's formgrader.

    It begins with the environment, where that is one that the person's shell has not activated
    (``make`` runs programs of ``.venv`` without it).
    """
    lines = [f"cd {_shown(root)}", "jupyter lab --LabApp.default_url=/formgrader"]
    activated = os.environ.get("VIRTUAL_ENV")
    activate = Path(sys.prefix, "bin", "activate")
    if activate.exists() and Path(activated or "/").resolve() != Path(sys.prefix).resolve():
        lines.insert(0, f"source {_shown(activate)}")
    return lines


def _shown(path: Path) -> str:
    """A path for the shell, short where it lies below the current folder."""
    here = Path.cwd()
    return shlex.quote(str(path.relative_to(here) if path.is_relative_to(here) else path))


def demo_class(lab: Lab, released: Path) -> dict[str, dict[str, bytes]]:
    """Student → file name → bytes: a class as a TA might find it on a Monday morning."""
    name = released.name

    def one(notebook: Notebook) -> dict[str, bytes]:
        return {name: json.dumps(notebook).encode()}

    solution = solved(lab, released)
    students: dict[str, dict[str, bytes]] = {
        "ada": one(solution),
        "stub": {name: released.read_bytes()},
    }
    for prefix, path, count in (
        ("right", lab.variants_path, 3), ("wrong", lab.misconceptions_path, 14),
    ):  # fmt: skip
        for number, entry in enumerate(_one_an_exercise(catalogue.load(path))[:count], 1):
            students[f"{prefix}-{number:02}"] = one(with_entry(lab, released, path, entry))
    for student, edit in _ACCIDENTS.items():
        students[student] = one(edit(json.loads(json.dumps(solution))))
    students |= {
        "empty-file": {name: b""},
        "not-json": {name: b"Dear TA, my notebook is attached."},
        "no-notebook": {"essay.txt": b"I wrote an essay instead."},
        "renamed": {"my lab.ipynb": json.dumps(solution).encode()},
    }
    return students


def _one_an_exercise(entries: list[Entry]) -> list[Entry]:
    found: dict[str, Entry] = {}
    for entry in entries:
        if not entry.built_in:  # students may not call those
            found.setdefault(entry.exercise, entry)
    return list(found.values())


def _without_checks(notebook: Notebook) -> Notebook:
    notebook["cells"] = [c for c in notebook["cells"] if not exercise_of(grade_id(c))]
    return notebook


_ACCIDENTS: dict[str, Callable[[Notebook], Notebook]] = {
    "deleted-checks": _without_checks,
    "endless-cell": lambda nb: append_cell(nb, "while True:\n    pass"),
    "endless-function": lambda nb: append_cell(
        nb, "def softmax(x, axis=-1):\n    while True:\n        pass"
    ),
    "os-exit": lambda nb: append_cell(nb, "import os\nos._exit(0)"),
    "memory-bomb": lambda nb: append_cell(nb, "hoard = [bytearray(2**24) for _ in range(2**20)]"),
    "printer": lambda nb: append_cell(nb, "for _ in range(2**14):\n    print('x' * 2**16)"),
    "typo": lambda nb: append_cell(nb, "def softmax(x, axis=-1)\n    return x"),
    "forger": lambda nb: append_cell(
        nb,
        "import builtins, sys, numpy.testing, torch, pytest, course_utils\n"
        "numpy.testing.assert_allclose = lambda *a, **k: None\n"
        "torch.allclose = lambda *a, **k: True\n"
        "pytest.fail = print\n"
        "builtins.AssertionError = type('AssertionError', (), {})\n"
        "course_utils.check = lambda *a: print('all claims hold')\n"
        "def softmax(x, axis=-1):\n    return 'full marks, please'",
    ),
}
