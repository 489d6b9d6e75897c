"""What answers are worth that know nothing: constants, echoes of the question, zeros in the right
shape. They are given in place of every call of an exercise's tests, as a forged answer on the wire
would be, with the claim that no argument was changed.

``make free``, that is ``python tests/free_points.py``, asks every exercise of every lab, and prints
what an answer earns; nothing is what it should be.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

import numpy as np
import torch

from course_utils.diagnosis import ignorance
from course_utils.diagnosis.kept import originals
from course_utils.ground.lab import Lab
from course_utils.verdict.exercise import share

# Where students are asked for an input of their own, on which something is to be seen: an answer of
# the right shape and of any numbers may be right then.
OWN_INPUTS = {
    ("lab04_optimizers", "bug_hunt"), ("lab05_regularization", "bug_hunt"),
    ("lab06_signals", "break_it"),
}  # fmt: skip
ROOT = Path(__file__).resolve().parent.parent


# Answers that the judge has not thought of.
OTHERS: dict[str, ignorance.Answer] = {
    "minus one": lambda request, right: -1.0,
    "seven": lambda request, right: 7,
    "a zero of NumPy's": lambda request, right: np.float64(0),
    "a zero of torch's": lambda request, right: torch.zeros(()),
    "the last argument but one": lambda request, right: next(iter(request.values[-2:]), None),
    "all arguments": lambda request, right: request.values,
    "the first argument as a number": lambda request, right: float(
        np.mean([*map(np.size, request.values[:1]), 0])
    ),
}
ANSWERS = ignorance.ANSWERS | OTHERS


@dataclass(frozen=True)
class Earned:
    """What an answer earns in an exercise: points, and the claims that hold for it."""

    lab: str
    exercise: str
    answer: str
    points: float
    claims: tuple[str, ...]

    def __str__(self) -> str:
        return (
            f"{self.lab} {self.exercise}: {self.answer} earns {self.points:.2f} points: "
            f"{', '.join(self.claims)}"
        )


def earned(lab: Lab, exercises: Sequence[str], answers: Sequence[str]) -> Iterator[Earned]:
    """What these answers earn in these exercises, where it is something."""
    points = {exercise.name: exercise.points for exercise in lab.exercises}
    with redirect_stdout(StringIO()):
        namespace = originals(lab).base
    for answer in answers:
        outcomes = ignorance.outcomes_of(ANSWERS[answer], lab, namespace, exercises)
        for name in exercises:
            own = [outcome for outcome in outcomes if outcome.exercise == name]
            own = ignorance.marked_hollow(lab, own)
            if share(own) and not ((lab.name, name) in OWN_INPUTS and "right shape" in answer):
                held = tuple(f"{o.test} ({o.about})" for o in own if o.passed and not o.hollow)
                yield Earned(lab.name, name, answer, share(own) * points[name], held)


def main() -> int:
    """Ask every exercise; the number of answers that earn something, at most 125, is the code."""
    count = 0
    for lab in Lab.all_in(ROOT):
        exercises = [exercise.name for exercise in lab.exercises]
        for found in earned(lab, exercises, list(ANSWERS)):
            print(found, flush=True)
            count += 1
        print(f"{lab.name}: {len(exercises)} exercises, {len(ANSWERS)} answers", flush=True)
    print(f"\n{count} answers earn something")
    return min(count, 125)


if __name__ == "__main__":
    sys.exit(main())
