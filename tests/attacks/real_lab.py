"""Attacks in a real lab's notebook, whose tests, data and points are those that students meet."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from tiny import REPOSITORY, Notebook, as_bytes

from attacks.baits import Baits
from attacks.cases import Attack, write
from attacks.graded import Class
from attacks.target import NAME as TARGET
from course_utils.diagnosis.rewriting import exercise_cells
from course_utils.gate.filled_in import solved
from course_utils.gate.release import release
from course_utils.grading.course import Course
from course_utils.ground.cells import grade_id, is_solution, source
from course_utils.ground.lab import Lab

LAB = "lab02_softmax_nll"


# Those that mean something in a notebook of another lab, a few of each kind.
TRIED = (
    "numpy-all", "torch-allclose", "compare-at-work", "builtins", "answer-ahead", "serve-patched",
    "encoder", "patcher-thread", "excepthook", "memory", "strings", "environments", "end-exit",
    "hang-swallow", "memory-numpy", "flood-print", "threads", "busy-processes",
)  # fmt: skip


def write_class(root: Path, attacks: Sequence[Attack], baits: Baits) -> Class:
    """Release the lab in a course folder of its own, and hand it in half solved, with attacks in
    every second notebook."""
    original = REPOSITORY / "solutions" / LAB
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(original, root / "solutions" / LAB, ignore=ignored)
    shutil.copy(REPOSITORY / "nbgrader_config.py", root)
    hidden = root / "solutions" / LAB / "hidden" / "test_hidden.py"
    hidden.write_text(f"{hidden.read_text('utf-8')}\n# {baits.word('hidden-tests')}\n", "utf-8")
    lab = Lab.find(LAB, root)
    released = release(Course(root), lab) / lab.notebook_path.name
    notebook, marks = half_solved(lab, released)
    handed = Class(LAB)
    for number, attack in enumerate(attacks):
        name = f"{number:02}-{attack.name}"
        hostile = with_attack(notebook, attack, root.parent / "made" / attack.name)
        write(root / "submitted" / name / LAB, released.name, hostile)
        handed.hostile[name] = replace(attack, worth=marks)
        name = f"{number:02}-0-honest"
        write(root / "submitted" / name / LAB, released.name, as_bytes(notebook))
        handed.honest[name] = marks
    return handed


def half_solved(lab: Lab, released: Path) -> tuple[Notebook, float]:
    """The notebook with the first half of its exercises solved, and what these are worth."""
    names = [exercise.name for exercise in lab.exercises]
    solved_names = set(names[: len(names) // 2])
    cells = exercise_cells(lab)
    open_cells = {
        grade_id(cell) for name in names if name not in solved_names for cell in cells[name]
    }
    stubs: Notebook = json.loads(released.read_text("utf-8"))
    left = {
        grade_id(cell): source(cell) for cell in stubs["cells"] if grade_id(cell) in open_cells
    }
    marks = sum(exercise.points for exercise in lab.exercises if exercise.name in solved_names)
    return solved(lab, released, left), float(marks)


def with_attack(notebook: Notebook, attack: Attack, folder: Path) -> bytes:
    """A notebook with the cells of an attack below its set-up."""
    folder.mkdir(parents=True)
    attack.make(folder)
    made: Notebook = json.loads((folder / TARGET).read_text("utf-8"))
    own = [cell for cell in made["cells"] if cell["id"].startswith("own-")]
    hostile: Notebook = json.loads(json.dumps(notebook))
    place = next(n for n, cell in enumerate(hostile["cells"]) if is_solution(cell))
    hostile["cells"][place:place] = own
    return as_bytes(hostile)
