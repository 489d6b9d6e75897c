"""What answers are worth that know nothing: constants, echoes of the question, zeros in the right
shape. They are given in place of every call of an exercise's tests, as a forged answer on the wire
would be, with the claim that no argument was changed.

``make free``, that is ``python tests/free_points.py``, asks every exercise of every lab, and prints
what an answer earns; nothing is what it should be.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import torch

from course_utils.diagnosis.rewriting import Originals
from course_utils.lab import Lab
from course_utils.limited import LimitedBackend
from course_utils.outcome import TestOutcome, share
from course_utils.plugin import ExerciseMark, run_tests
from course_utils.student import Backend

Request = dict[str, Any]
Answer = Callable[[Request, Any], Any]

ROOT = Path(__file__).resolve().parent.parent


def _constant(value: Any) -> Answer:
    return lambda request, right: value


def _like(number: float) -> Answer:
    """An answer of the right one's type, shape and dtype, all of whose numbers are one number."""
    return lambda request, right: _filled(right, number)


def _filled(right: Any, number: float) -> Any:
    if isinstance(right, (list, tuple)):
        return type(right)(_filled(item, number) for item in right)
    if isinstance(right, dict):
        return {key: _filled(item, number) for key, item in right.items()}
    if isinstance(right, torch.Tensor):
        whole = not (right.is_floating_point() or right.is_complex())
        made = torch.full_like(right, 0 if whole and not np.isfinite(number) else number)
        return made.requires_grad_(right.requires_grad)
    if isinstance(right, (np.ndarray, np.generic)):
        whole = right.dtype.kind not in "fc"
        return np.full_like(right, 0 if whole and not np.isfinite(number) else number)[()]
    if isinstance(right, bool):
        return bool(number)
    if isinstance(right, int):
        return int(number) if np.isfinite(number) else 0
    return number if isinstance(right, float) else right


def _echo(place: int) -> Answer:
    def answer(request: Request, right: Any) -> Any:
        given = [*request["args"], *request["kwargs"].values()]
        return given[place] if len(given) > place else None

    return answer


def _zeros_like_first(request: Request, right: Any) -> Any:
    given = [*request["args"], *request["kwargs"].values()]
    return _filled(given[0], 0.0) if given else 0.0


ANSWERS: dict[str, Answer] = {
    "nothing": _constant(None),
    "zero": _constant(0.0),
    "one": _constant(1.0),
    "a whole number": _constant(0),
    "true": _constant(True),
    "false": _constant(False),
    "text": _constant(""),
    "an empty list": _constant([]),
    "an empty dict": _constant({}),
    "an empty array": _constant(np.zeros(0)),
    "not a number": _constant(float("nan")),
    "infinity": _constant(float("inf")),
    "minus infinity": _constant(float("-inf")),
    "the first argument": _echo(0),
    "the second argument": _echo(1),
    "the third argument": _echo(2),
    "zeros like the first": _zeros_like_first,
    "zeros of the right shape": _like(0.0),
    "ones of the right shape": _like(1.0),
    "halves of the right shape": _like(0.5),
    "NaN of the right shape": _like(float("nan")),
    "infinities of the right shape": _like(float("inf")),
}


class Ignorant:
    """Answers every request in one way, whatever is asked.

    Args:
        answer: makes the answer from the request and the right answer, of which it may use the
            form only.
        knowing: carries the request out as it should be.
    """

    def __init__(self, answer: Answer, knowing: Backend) -> None:
        self._answer = answer
        self._knowing = knowing

    def serving(self, mark: ExerciseMark) -> Ignorant:
        """This backend, for a test."""
        return self

    def request(self, request: Request) -> dict[str, Any]:
        right = self._knowing.request(request).get("value")
        return {"value": self._answer(request, right), "modified": [], "seconds": 0.0}


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


def originals(lab: Lab) -> Originals:
    """The lab's solution, run."""
    with redirect_stdout(StringIO()):
        return Originals(lab)


def earned(made: Originals, names: Sequence[str], answers: Sequence[str]) -> Iterator[Earned]:
    """What these answers earn in these exercises, where it is something."""
    knowing = LimitedBackend(made.base)
    points = {exercise.name: exercise.points for exercise in made.lab.exercises}
    for answer in answers:
        ignorant = Ignorant(ANSWERS[answer], knowing)
        outcomes = run_tests(made.lab.test_files, ignorant.serving, exercises=names)
        for name in names:
            own = [outcome for outcome in outcomes if outcome.exercise == name]
            if share(own):
                yield Earned(made.lab.name, name, answer, share(own) * points[name], _held(own))


def _held(outcomes: Sequence[TestOutcome]) -> tuple[str, ...]:
    return tuple(f"{outcome.test} ({outcome.about})" for outcome in outcomes if outcome.passed)


def main() -> int:
    """Ask every exercise; the number of answers that earn something, at most 125, is the code."""
    count = 0
    for lab in Lab.all_in(ROOT):
        made = originals(lab)
        exercises = [exercise.name for exercise in lab.exercises]
        for found in earned(made, exercises, list(ANSWERS)):
            print(found, flush=True)
            count += 1
        print(f"{lab.name}: {len(exercises)} exercises, {len(ANSWERS)} answers", flush=True)
    print(f"\n{count} answers earn something")
    return min(count, 125)


if __name__ == "__main__":
    sys.exit(main())
