"""``check``: an exercise's public tests, run on the notebook's own definitions."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from course_utils.ground.errors import CheckFailed
from course_utils.ground.statuses import Status
from course_utils.ground.surroundings import in_grading, run_by_nbgrader
from course_utils.notebook.answer import answer, label_of, nudge
from course_utils.notebook.cells import defining_cell
from course_utils.notebook.locate import lab_folder, student_namespace
from course_utils.verdict import panel, remarks, render
from course_utils.verdict.outcome import TestOutcome
from course_utils.verdict.remarks import Remark


def check(exercise: str | Callable[..., Any]) -> None:
    """Test an exercise on what this notebook defines, and show which public claims hold.

    The tests run on the functions as they are in the kernel now: after a change, run the changed
    cell first. In grading further, hidden tests are run.

    Args:
        exercise: its name, e.g. ``"softmax"``, or the function or class itself.

    Raises:
        CheckFailed: a claim does not hold; when nbgrader runs the notebook, also where the
            exercise is not written yet.
        NotebookError: there is no such exercise, or its tests cannot run; the message says why.
    """
    if in_grading():
        return
    namespace = student_namespace(sys._getframe(1))
    folder = lab_folder(namespace)
    # Not before now: pytest comes with them, and whoever only imports `check` need not wait for it.
    from course_utils.diagnosis.diagnose import diagnose_public
    from course_utils.notebook.public_tests import PublicTests

    tests = PublicTests(folder)
    name = tests.require(exercise, namespace)
    outcomes = tests.run(namespace, [name])
    hints = tests.hints(name)
    if panel.is_open(outcomes):
        to_do = _to_do(name, folder, outcomes, nudge(name, hints))
        render.show(panel.one_line(name, to_do, label=label_of(name)))
        if run_by_nbgrader():
            raise CheckFailed(f"{name}: nothing to check yet")
        return  # so that "Run all" passes over what is still to be done
    right = all(outcome.passed for outcome in outcomes)
    diagnosis = None if right else diagnose_public(folder, outcomes)
    first = _cell_to_run(folder, outcomes)
    shown = answer(
        name, outcomes, diagnosis, derivation=tests.derivation(name), hints=hints, first=first
    )
    render.show(shown)
    if right:
        return
    boxes = [*first, *remarks.explanation(diagnosis, tests.derivation(name), outcomes)]
    raise CheckFailed(f"{name}: {_in_short(outcomes)}{_pointer(boxes)}")


def _in_short(outcomes: Sequence[TestOutcome]) -> str:
    total = render.counted(len(outcomes), "public claim")
    unjudged = sum(outcome.status is Status.UNJUDGED for outcome in outcomes)
    failed = sum(outcome.refuted for outcome in outcomes)
    parts = []
    if failed:
        parts.append(f"{failed} of {total} {'does' if failed == 1 else 'do'} not hold")
    if unjudged:
        parts.append(f"{unjudged} {'' if failed else f'of {total} '}cannot be judged yet")
    return ", ".join(parts)


def _pointer(boxes: Sequence[Remark]) -> str:
    """Where to read on. nbgrader's Validate shows an exception without what is above it."""
    if not run_by_nbgrader():
        return " (see above)"
    return f". {boxes[0].title}." if boxes else ""


# -- cells that were not run


_UNDEFINED = re.compile(r"NameError: name '(\w+)' is not defined|does not define (\w+)")
_RENAMED = re.compile(r"; it defines (\w+): was the function renamed\?$")


def _to_do(exercise: str, folder: Path, outcomes: Sequence[TestOutcome], more: str) -> str:
    """What to do with an exercise that is not there yet.

    Where the saved notebook defines the name, its cell was not run. Not so if the kernel knows a
    name that is like it and that the saved notebook lacks: that is a function renamed just now.
    """
    missing = next((o.message for o in outcomes if o.status is Status.MISSING), "")
    if not missing:
        return f"not written yet: fill in the cell above, run it, then run this one again. {more}"
    name = _undefined(missing)
    cell = defining_cell(folder, name)
    other = _RENAMED.search(missing)
    if cell and not (other and defining_cell(folder, other[1]) is None):
        what = "not defined yet" if name == exercise else f"{name} is not defined yet"
        return f"{what}: run {cell.words}, then this one again."
    stop = "" if missing.endswith("?") else "."
    return f"{missing}{stop} Run the cell that defines it, then this one again."


def _cell_to_run(folder: Path, outcomes: Sequence[TestOutcome]) -> list[Remark]:
    """For a name that the notebook defines and the kernel does not know: which cell to run."""
    undefined = (_undefined(outcome.message) for outcome in outcomes if not outcome.passed)
    for name in dict.fromkeys(filter(None, undefined)):
        cell = defining_cell(folder, name)
        if cell:
            return [Remark(f"{name} is not defined yet", f"Run {cell.words}, then this one again.")]
    return []


def _undefined(message: str) -> str:
    """The name that a message says is not defined; empty if it says no such thing."""
    found = _UNDEFINED.search(message)
    return (found[1] or found[2]) if found else ""
