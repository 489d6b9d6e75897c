"""Answers that know nothing, and which claims hold for them all the same.

A constant, an argument as it came, zeros in the right shape: some claims of an exercise hold for
such an answer, though not all of them do (that nothing was drawn twice, that an argument was left
alone, that a sum over nothing is 0). Where no more than that holds, nothing was understood, and
nothing is earned. What an answer fulfils is tried out, once a lab and exercise, in its tests.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from course_utils.calls.backend import Backend
from course_utils.calls.endings import Value
from course_utils.calls.fault import StudentFault
from course_utils.calls.limited import LimitedBackend
from course_utils.calls.protocol import Request, Response
from course_utils.diagnosis import kept
from course_utils.diagnosis.rewriting import Namespace
from course_utils.diagnosis.traces import key_of
from course_utils.ground import wire
from course_utils.ground.cache import cached
from course_utils.ground.lab import Lab
from course_utils.testing.marker import ExerciseMark
from course_utils.testing.run import run_tests
from course_utils.verdict.outcome import TestOutcome

# Makes an answer from the request; of the right answer, which it may ask for, it uses the form.
Answer = Callable[[Request, Callable[[], Any]], Any]

_DEVICE = "cpu"
_fulfilled: dict[str, list[frozenset[str]]] = {}


def _constant(value: Any) -> Answer:
    return lambda request, right: value


def _echo(place: int) -> Answer:
    def answer(request: Request, right: Callable[[], Any]) -> Any:
        given = request.values
        return given[place] if -len(given) <= place < len(given) else None

    return answer


def _zeros_like_first(request: Request, right: Callable[[], Any]) -> Any:
    return _filled(request.values[0], lambda: 0.0) if request.values else 0.0


def _like(number: Callable[[], float]) -> Answer:
    """An answer of the right one's types, shapes and dtypes, with other numbers."""
    return lambda request, right: _filled(right(), number)


def _filled(right: Any, number: Callable[[], float]) -> Any:
    if isinstance(right, (list, tuple)):
        return type(right)(_filled(item, number) for item in right)
    if isinstance(right, dict):
        return {key: _filled(item, number) for key, item in right.items()}
    if hasattr(right, "requires_grad"):
        numbers = _numbers(tuple(right.shape), number, right.is_floating_point())
        made = right.detach().new_tensor(numbers.tolist()).reshape(right.shape)
        return made.requires_grad_(right.requires_grad)
    if isinstance(right, (np.ndarray, np.generic)):
        numbers = _numbers(right.shape, number, right.dtype.kind in "fc")
        return numbers.astype(right.dtype)[()]
    if isinstance(right, (bool, int, float)):
        return type(right)(_numbers((), number, isinstance(right, float)))
    return right


def _numbers(shape: tuple[int, ...], number: Callable[[], float], real: bool) -> Any:
    numbers = np.array([number() for _ in range(int(np.prod(shape)))]).reshape(shape)
    return numbers if real else np.nan_to_num(numbers, posinf=0.0, neginf=0.0)


_noise = np.random.default_rng(0)
_NOISE = "noise of the right shape"
_NOISE_DRAWS = 4  # it is another one every time

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
    "the last argument": _echo(-1),
    "zeros like the first argument": _zeros_like_first,
    "zeros of the right shape": _like(lambda: 0.0),
    "ones of the right shape": _like(lambda: 1.0),
    "halves of the right shape": _like(lambda: 0.5),
    "NaN of the right shape": _like(lambda: float("nan")),
    "infinities of the right shape": _like(lambda: float("inf")),
    _NOISE: _like(lambda: float(_noise.normal())),
}


class Ignorant:
    """Answers every request in one way, probes' too, and says that no argument was changed.

    Args:
        answer: how.
        knowing: gives the right answers, for their form.
    """

    def __init__(self, answer: Answer, knowing: Backend) -> None:
        self._answer = answer
        self._knowing = knowing

    def serving(self, mark: ExerciseMark) -> Ignorant:
        """This backend, for a test."""
        return self

    def request(self, request: Request) -> Response:
        """Answer a request."""
        return Response(Value(self._answer(request, lambda: self._right(request))))

    def _right(self, request: Request) -> Any:
        try:
            ending = self._knowing.request(request).ending
        except StudentFault:  # even right code may take too long on a busy machine
            return None
        return ending.value if isinstance(ending, Value) else None


def outcomes_of(
    answer: Answer, lab: Lab, namespace: Namespace, exercises: Sequence[str]
) -> list[TestOutcome]:
    """The outcomes of some exercises' tests for an answer.

    Args:
        answer: what is given in place of every call.
        lab: an instructor's folder.
        namespace: what its solution defines.
        exercises: their names.
    """
    ignorant = Ignorant(answer, LimitedBackend(namespace))
    return run_tests(lab.test_files, ignorant.serving, exercises=exercises, device=_DEVICE)


def marked_hollow(lab: Lab, outcomes: Sequence[TestOutcome]) -> list[TestOutcome]:
    """The outcomes with those marked that hold in parts of an exercise where no more does than
    would for an answer that knows nothing.

    Args:
        lab: an instructor's folder.
        outcomes: of all tests of one exercise.
    """
    parts: dict[str, list[TestOutcome]] = {}
    for outcome in outcomes:
        parts.setdefault(outcome.part, []).append(outcome)
    hollow: set[str] = set()
    for some in parts.values():
        holding = [outcome for outcome in some if outcome.passed_by_values]
        if not holding or len(holding) == len(some):
            continue  # where an answer fulfils all claims, it is the claims that are too few
        keys = {key_of(outcome) for outcome in holding}
        if any(keys <= fulfilled for fulfilled in all_fulfilled(lab, some[0].exercise)):
            hollow |= keys
    return [replace(one, hollow=True) if key_of(one) in hollow else one for one in outcomes]


def all_fulfilled(lab: Lab, exercise: str) -> list[frozenset[str]]:
    """For every answer that knows nothing, the keys of the exercise's tests that hold for it."""

    def take() -> bytes:
        namespace = kept.originals(lab).base
        found = []
        for name, answer in ANSWERS.items():
            outcomes = [
                outcome
                for _ in range(_NOISE_DRAWS if name == _NOISE else 1)
                for outcome in outcomes_of(answer, lab, namespace, [exercise])
            ]
            found.append(sorted({key_of(outcome) for outcome in outcomes if outcome.passed}))
        return wire.dumps([keys for keys in found if keys])

    name = kept.name_of(lab, exercise, "fulfilled")
    if name not in _fulfilled:
        try:
            found = wire.loads(cached(name, take))
        except wire.WireError:  # damaged
            found = wire.loads(take())
        _fulfilled[name] = [frozenset(keys) for keys in found]
    return _fulfilled[name]
