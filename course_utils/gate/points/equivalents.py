"""Mutants that compute the same as the solution, which no test can notice.

They are marked in the lab's ``hidden/equivalent_mutants.txt``, one a line, as the report prints
them, with the reason::

    softmax: e = np.exp(shifted) -> e = np.exp(1 * shifted)  # 1 · x is x

An exercise that asks for an answer rather than a computation is left out as a whole::

    break_it: *  # any logits on which the naive form gives NaN are right
"""

from __future__ import annotations

from collections.abc import Iterator

from course_utils.gate.finding import Finding
from course_utils.gate.lab_files import EQUIVALENT
from course_utils.ground.lab import Lab


def marked_equivalent(lab: Lab, exercise: str) -> tuple[dict[str, int], list[Finding]]:
    """The marked mutants of an exercise, with their lines' numbers."""
    path = lab.folder / EQUIVALENT
    marked: dict[str, int] = {}
    findings = []
    lines = path.read_text("utf-8").splitlines() if path.exists() else []
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.startswith("#") or line.partition(":")[0] != exercise:
            continue
        change, mark, reason = line.partition("  # ")
        if not mark or not reason.strip():
            findings.append(
                Finding(
                    7,
                    f"{EQUIVALENT}, line {number}: “{line}” needs a reason: end it with two "
                    "spaces, #, and why",
                )
            )
        marked[change.strip()] = number
    return marked, findings


def is_exempt(lab: Lab, exercise: str) -> bool:
    """Whether an exercise asks for answers, and is left out as a whole."""
    return f"{exercise}: *" in marked_equivalent(lab, exercise)[0]


def judge_marks(lab: Lab) -> Iterator[Finding]:
    """Lines of the file of equivalent mutants that are about no exercise of the lab."""
    path, known = lab.folder / EQUIVALENT, {exercise.name for exercise in lab.exercises}
    lines = path.read_text("utf-8").splitlines() if path.exists() else []
    for number, line in enumerate(lines, 1):
        if line.strip() and not line.startswith("#") and line.partition(":")[0] not in known:
            yield Finding(
                7,
                f"{EQUIVALENT}, line {number}, names no exercise of this lab: begin it with the "
                "exercise and a colon, as the report prints a survivor",
            )
