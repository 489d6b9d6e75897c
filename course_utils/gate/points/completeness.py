"""Point 6: every exercise is complete, the points add up, the notebook has the course's form."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import nbformat

from course_utils.gate.figures import NotebookForm
from course_utils.gate.finding import Finding
from course_utils.gate.points.copies import regions
from course_utils.gate.workbench import Workbench
from course_utils.ground.cells import check_id, check_of, exercise_of, is_check, is_solution, source
from course_utils.ground.lab import Lab
from course_utils.testing.lab_tests import lab_tests
from course_utils.verdict.outcome import TestOutcome

MISCONCEPTIONS = 4
VARIANTS = 2

_ID = re.compile(r"[a-zA-Z0-9_\-]{1,64}")
_POINTS = re.compile(r"^#+ .*?([\d.]+) points?\b", re.MULTILINE)
_FLAGS = ("grade", "solution", "locked", "task")


def judge_exercises(bench: Workbench, outcomes: Sequence[TestOutcome]) -> Iterator[Finding]:
    """Whether every exercise has a stub, tests, misconceptions, variants and hints."""
    lab = bench.lab
    hints, derivation = lab_tests(lab.test_public).hints, lab_tests(lab.test_public).derivation
    wrong = Counter(entry.exercise for entry in bench.misconceptions)
    right = Counter(entry.exercise for entry in bench.variants)
    tested = {(outcome.exercise, outcome.hidden) for outcome in outcomes}
    stubs = _stubs(lab)
    for exercise in lab.exercises:
        name = exercise.name
        lacks = []
        if name not in stubs:
            lacks.append("a solution cell with a ### BEGIN SOLUTION region before its check cell")
        if (name, False) not in tested:
            lacks.append("a test in test_public.py")
        if (name, True) not in tested:
            lacks.append("a test in hidden/test_hidden.py")
        if wrong[name] < MISCONCEPTIONS:
            lacks.append(f"{MISCONCEPTIONS - wrong[name]} more in hidden/misconceptions.py")
        if right[name] < VARIANTS:
            lacks.append(f"{VARIANTS - right[name]} more in hidden/variants.py")
        if not hints.get(name):
            lacks.append("an entry in HINTS of test_public.py")
        if not derivation.get(name):
            lacks.append("an entry in DERIVATION of test_public.py")
        if lacks:
            yield Finding(6, f"the exercise {name} needs {', '.join(lacks)}")
    known = {exercise.name for exercise in lab.exercises}
    for where, names in {"HINTS": set(hints), "DERIVATION": set(derivation)}.items():
        for name in sorted(names - known):
            yield Finding(
                6,
                f"{where} of test_public.py names the exercise {name}, for which the notebook has "
                f"no check cell: add one with the grade_id {check_id(name)}, or mend the name",
            )


def _stubs(lab: Lab) -> set[str]:
    """The exercises before whose check cell there is a solution region since the last one."""
    found, fresh = set(), False
    for cell in lab.notebook["cells"]:
        if cell["cell_type"] == "code" and is_solution(cell):
            fresh = fresh or bool(regions(source(cell)))
        elif is_check(cell):
            if fresh:
                found.add(check_of(cell))
            fresh = False
    return found


def judge_notebook(lab: Lab) -> Iterator[Finding]:
    """Whether the notebook is valid, its nbgrader metadata right, and its points add up."""
    try:
        nbformat.validate(lab.notebook)
    except nbformat.ValidationError as error:
        yield Finding(6, f"the notebook is not valid: {str(error).splitlines()[0]}")
    if lab.notebook.get("metadata", {}).get("course", {}).get("lab") != lab.name:
        yield Finding(6, f'the notebook\'s metadata needs "course": {{"lab": "{lab.name}"}}')
    seen: Counter[str] = Counter()
    for number, cell in enumerate(lab.notebook["cells"]):
        data = cell["metadata"].get("nbgrader")
        if data is not None:
            seen[str(data.get("grade_id"))] += 1
            for problem in _problems(cell, data):
                yield Finding(6, f"cell {number} ({data.get('grade_id')}): {problem}")
    for name, count in seen.items():
        if count > 1:
            yield Finding(6, f"{count} cells have the grade_id {name}: make each its own")
    yield from _points(lab)


def _problems(cell: dict[str, Any], data: dict[str, Any]) -> Iterator[str]:
    name = str(data.get("grade_id", ""))
    if data.get("schema_version") != 3:
        yield "its nbgrader metadata must have schema_version 3"
    if not _ID.fullmatch(name):
        yield "its grade_id must be 1 to 64 letters, digits, _ or -"
    if not all(isinstance(data.get(flag), bool) for flag in _FLAGS):
        yield f"its nbgrader metadata must have {', '.join(_FLAGS)} as true or false"
        return
    points = data.get("points")
    worth = isinstance(points, (int, float)) and points > 0
    if data["grade"] != worth or (not data["grade"] and points is not None):
        yield "it must have points (more than 0) if it is graded, and only then"
    exercise = exercise_of(name)
    if exercise:
        if not (data["grade"] and data["locked"]) or data["solution"]:
            yield "a check cell is graded, locked and no solution"
        if source(cell).strip() != f'check("{exercise}")':
            yield f'a check cell holds check("{exercise}") and nothing else'
    elif cell["cell_type"] == "code" and data["grade"]:
        yield f"a graded code cell is a check cell: call it {check_id('<exercise>')}"
    elif data["solution"] and data["locked"]:
        yield "students write in a solution cell, so it must not be locked"
    if cell["cell_type"] == "code" and data["solution"]:
        text = source(cell)
        if text.count("### BEGIN SOLUTION") != text.count("### END SOLUTION"):
            yield "every ### BEGIN SOLUTION needs its ### END SOLUTION"


def _points(lab: Lab) -> Iterator[Finding]:
    """Compare the points that the exercises' headings promise with those of the check cells."""
    promised: float | None = None
    for cell in lab.notebook["cells"]:
        if cell["cell_type"] == "markdown" and (found := _POINTS.findall(source(cell))):
            promised = float(found[-1])
        if is_check(cell):
            name = check_of(cell)
            points = float(cell["metadata"]["nbgrader"].get("points", 0))
            if promised is None:
                yield Finding(
                    6, f"the heading of {name} must say its points: “· {points:g} points”"
                )
            elif promised != points:
                yield Finding(
                    6,
                    f"the heading of {name} says {promised:g} points, its check cell "
                    f"{points:g}: make them equal",
                )
            promised = None


def measure(lab: Lab) -> NotebookForm:
    """Count the notebook's cells, words and points."""
    cells = lab.notebook["cells"]
    prose = [source(cell) for cell in cells if cell["cell_type"] == "markdown"]
    return NotebookForm(
        cells=len(cells),
        words=sum(len(re.findall(r"[A-Za-zÀ-ÿ]{2,}", text)) for text in prose),
        conventions=any("conventions" in text.lower() for text in prose[:3]),
        exercises=len(lab.exercises),
        points=lab.max_score,
        written_points=sum(
            float(cell["metadata"].get("nbgrader", {}).get("points", 0))
            for cell in cells
            if cell["cell_type"] == "markdown"
        ),
    )


def judge_form(form: NotebookForm) -> Iterator[Finding]:
    """The one thing of the form without which a lab is not released."""
    if not form.conventions:
        yield Finding(6, "the notebook must open with a box *Conventions* (what is a row, …)")
