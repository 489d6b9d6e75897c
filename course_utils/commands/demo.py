"""A class of real notebooks: right ones, wrong ones, broken ones and hostile ones.

The demo shows the whole journey with it, and the tests and the benchmark grade it too.
"""

from __future__ import annotations

import ast
import json
import os
import shlex
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from course_utils.diagnosis.rewriting import Original, exercise_cells
from course_utils.gate.release import release
from course_utils.grading.course import Course
from course_utils.ground.cells import exercise_of, grade_id, is_solution, source
from course_utils.ground.lab import Lab
from course_utils.testing import catalogue
from course_utils.testing.catalogue import Entry

DEMO_LAB = "lab02_softmax_nll"
Notebook = dict[str, Any]


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


def solved(lab: Lab, released: Path, replaced: dict[str, str] | None = None) -> Notebook:
    """The released notebook with its stubs filled in.

    Args:
        lab: the instructor's folder, for the right answers.
        released: the notebook that students receive.
        replaced: other sources for some solution cells, by grade id.
    """
    answers = {
        grade_id(cell): source(cell) for cell in lab.notebook["cells"] if is_solution(cell)
    } | (replaced or {})
    notebook: Notebook = json.loads(released.read_text("utf-8"))
    for cell in notebook["cells"]:
        if is_solution(cell):
            cell["source"] = answers[grade_id(cell)]
    return notebook


def with_entry(lab: Lab, released: Path, path: Path, *entries: Entry) -> Notebook:
    """The solved notebook with entries of a catalogue file in their exercises' cells."""
    replaced: dict[str, str] = {}
    for entry in entries:
        replaced |= _edited_cells(lab, entry) if entry.rewrites else _own_cell(lab, path, entry)
    return solved(lab, released, replaced)


def _own_cell(lab: Lab, path: Path, entry: Entry) -> dict[str, str]:
    """The solution cell that defines what an entry stands for, with the entry's code after it."""
    cell = next(
        cell for cell in lab.notebook["cells"]
        if is_solution(cell) and cell["cell_type"] == "code"
        and f" {entry.replaces}(" in f"{source(cell)}".replace("class ", " ").replace(":", "(")
    )  # fmt: skip
    return {grade_id(cell): f"{source(cell)}\n\n\n{entry_source(path, entry)}"}


def _edited_cells(lab: Lab, entry: Entry) -> dict[str, str]:
    """The solution cells of an edit's exercise with the edit made, by grade id."""
    edited: dict[str, str] = {}
    for cell in exercise_cells(lab)[entry.exercise]:
        text = source(cell)
        here = tuple((old, new) for old, new in entry.rewrites[0] if old in text)
        edited[grade_id(cell)] = Original("", text).edited([here]) or text
    return edited


def entry_source(path: Path, entry: Entry) -> str:
    """An entry's own code under the name that it stands for, with what it needs of its file."""
    tree = ast.parse(path.read_text("utf-8"))
    kept: list[ast.stmt] = []
    for node in tree.body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            if node.name == entry.name:
                node.decorator_list = []
                kept.append(node)
            elif not _is_entry(node):
                kept.append(node)
        elif isinstance(node, (ast.Import, ast.Assign, ast.AnnAssign)) or (
            isinstance(node, ast.ImportFrom) and not (node.module or "").startswith("course_utils")
        ):
            kept.append(node)
    code = ast.unparse(ast.Module(kept, []))
    return f"{code}\n{entry.replaces} = {entry.name}\n"


def _is_entry(node: ast.FunctionDef | ast.ClassDef) -> bool:
    """Whether a function or class of a catalogue file is an entry, not a helper of entries."""
    marks = [ast.unparse(decorator) for decorator in node.decorator_list]
    return any(mark.startswith(("misconception(", "variant(")) for mark in marks)


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


def append_cell(notebook: Notebook, code: str) -> Notebook:
    """The notebook with a further code cell at its end."""
    notebook["cells"].append(
        {
            "cell_type": "code", "id": f"extra-{len(notebook['cells'])}", "metadata": {},
            "source": code, "outputs": [], "execution_count": None,
        }
    )  # fmt: skip
    return notebook


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
