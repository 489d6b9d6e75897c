"""Point 8, the tests themselves: each must fail for something, or its claim is not judged.

In place of what the solution returns a test is sent something wrong of the kind that it speaks
of: other values of the same shape, another dtype or shape, an argument that was changed, a
forbidden built-in. A test that passes all the same compares nothing. And a claim about values
must fail for a mistake of the catalogue or a mutant, or it asks for what nobody gets wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from course_utils.calls.backend import Backend
from course_utils.calls.endings import Value
from course_utils.calls.protocol import ForbiddenNote, Request, Response
from course_utils.diagnosis.traces import key_of
from course_utils.gate.finding import Finding
from course_utils.gate.workbench import workbench_of
from course_utils.ground.statuses import Aspect, Status
from course_utils.testing.run import run_tests
from course_utils.verdict.outcome import TestOutcome

Leaf = Callable[[Any, np.random.Generator], Any]


@dataclass(frozen=True)
class BlindnessJob:
    """One exercise of a lab."""

    folder: Path
    exercise: str


@dataclass(frozen=True)
class Wrong:
    """A wrongness: what becomes of a call's response.

    Attributes:
        said: what was sent in place of the right answer, as a finding says it.
    """

    said: str
    change: Callable[[Response, Request, np.random.Generator], Response]


@dataclass
class WrongBackend:
    """A backend whose answers are made wrong on their way to the test."""

    inner: Backend
    wrong: Wrong
    random: np.random.Generator = field(default_factory=lambda: np.random.default_rng(0))

    def request(self, request: Request) -> Response:
        """Carry out one request, and change its response."""
        response = self.inner.request(request)
        if not isinstance(response.ending, Value):
            return response
        return self.wrong.change(response, request, self.random)


def blind_tests(job: BlindnessJob) -> list[Finding]:
    """The tests of an exercise that no wrongness of their kind makes fail; what a worker does."""
    bench = workbench_of(job.folder)

    def under(wrong: Wrong, waiting: Collection[str] | None = None) -> list[TestOutcome]:
        wronged = WrongBackend(bench.backend(), wrong)
        return run_tests(
            bench.lab.test_files, lambda mark: wronged, exercises=[job.exercise], tests=waiting
        )

    right = under(Wrong("the right answer", lambda response, request, rng: response))
    found = []
    for aspects, wrongs in _KINDS:
        # A claim about form is looked at without those about values, which would withhold it.
        waiting = {o.test: o for o in right if o.passed and o.about in aspects}
        for wrong in wrongs:
            if waiting:
                for outcome in under(wrong, list(waiting)):
                    # What a later call of the solution raises is no comparison of the test's.
                    if outcome.status not in (Status.PASSED, Status.UNJUDGED, Status.ERROR):
                        waiting.pop(outcome.test, None)
        found += [_finding(outcome, wrongs[0].said) for outcome in waiting.values()]
    return found


def _finding(outcome: TestOutcome, said: str) -> Finding:
    return Finding(
        8,
        f"{outcome.test} of {outcome.exercise} passes whatever comes back ({said}): let it compare "
        "what the student's code returns, or take it out",
    )


def judge_unmoved(
    exercise: str, outcomes: Sequence[TestOutcome], noticed: Collection[str]
) -> Iterator[Finding]:
    """The tests of an exercise's values that fail for no misconception and no mutant.

    Args:
        noticed: the keys of the tests that fail for one.
    """
    for outcome in outcomes:
        if outcome.about.of_values and outcome.passed and key_of(outcome) not in noticed:
            yield Finding(
                8,
                f"{outcome.test} of {exercise} fails for no misconception and no mutant of the "
                "solution: add the mistake that it is there for to hidden/misconceptions.py, or "
                "take the test out",
            )


def _values(said: str, leaf: Leaf) -> Wrong:
    def change(response: Response, request: Request, rng: np.random.Generator) -> Response:
        return _returning(response, lambda value: _walk(value, leaf, rng))

    return Wrong(said, change)


def _ending(response: Response) -> Value:
    """How the call ended, of which :class:`WrongBackend` knows that it was by a value."""
    assert isinstance(response.ending, Value)
    return response.ending


def _returning(response: Response, change: Callable[[Any], Any]) -> Response:
    """The response with another value in it."""
    ending = _ending(response)
    return replace(response, ending=replace(ending, value=change(ending.value)))


def _walk(value: Any, leaf: Leaf, rng: np.random.Generator) -> Any:
    """A value with every array, number and text in it changed."""
    if isinstance(value, dict):
        return {key: _walk(item, leaf, rng) for key, item in value.items()}
    if type(value) in (list, tuple):
        return type(value)(_walk(item, leaf, rng) for item in value)
    return leaf(value, rng)


def _filled(response: Response, request: Request, rng: np.random.Generator) -> Response:
    """Something where there was nothing: in a list of what is amiss, say."""

    def fill(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: fill(item) for key, item in value.items()} or {"something": 1}
        if type(value) in (list, tuple):
            return type(value)(fill(item) for item in value) or type(value)(["something"])
        if value is None or (isinstance(value, str) and not value):
            return "something"
        is_array = isinstance(value, np.ndarray) or hasattr(value, "detach")
        return _entry_in(value) if is_array else value

    return _returning(response, fill)


def _entry_in(value: Any) -> Any:
    """An array or tensor without entries with one in it; any other as it is."""
    shape = tuple(value.shape)
    if 0 not in shape:
        return value
    ones = np.ones([max(1, n) for n in shape])
    return ones.astype(value.dtype) if isinstance(value, np.ndarray) else _like(ones, value)


def _on_arrays(change: Callable[[np.ndarray[Any, Any], np.random.Generator], Any]) -> Leaf:
    """A change of arrays as one of tensors and numbers too, each of which keeps its kind."""

    def leaf(value: Any, rng: np.random.Generator) -> Any:
        if value is None or isinstance(value, (str, bytes)):
            return value
        if isinstance(value, (bool, int, float, complex)):
            return type(value)(change(np.asarray(value), rng).item())
        if isinstance(value, (np.ndarray, np.generic)):
            changed = np.asarray(change(np.asarray(value), rng)).astype(value.dtype)
            return changed if isinstance(value, np.ndarray) else changed[()]
        if hasattr(value, "detach"):
            return _like(change(_numbers(value), rng), value)
        return value

    return leaf


def _numbers(tensor: Any) -> np.ndarray[Any, Any]:
    plain = tensor.detach().cpu()
    plain = plain.float() if str(plain.dtype) == "torch.bfloat16" else plain
    array: np.ndarray[Any, Any] = plain.numpy()
    return array


def _like(array: Any, tensor: Any) -> Any:
    import torch

    return torch.as_tensor(np.array(array)).to(dtype=tensor.dtype, device=tensor.device)


def _noise(array: np.ndarray[Any, Any], rng: np.random.Generator) -> Any:
    if array.dtype.kind == "b":
        return ~array
    if array.dtype.kind in "iu":
        return array + rng.integers(1, 4, size=array.shape).astype(array.dtype)
    finite = np.where(np.isfinite(array), array, 0)
    size = 1 + np.max(np.abs(finite), initial=0.0)
    return finite + size * rng.uniform(0.5, 1.5, size=array.shape)


def _nothing_but_nan(array: np.ndarray[Any, Any], rng: np.random.Generator) -> Any:
    return np.full_like(array, np.nan) if array.dtype.kind in "fc" else np.zeros_like(array)


def _text(value: Any, rng: np.random.Generator) -> Any:
    return f"({value}) + 1" if isinstance(value, str) else _on_arrays(_noise)(value, rng)


def _dtype(value: Any, rng: np.random.Generator) -> Any:
    if isinstance(value, (np.ndarray, np.generic)):
        other = np.float32 if value.dtype == np.float64 else np.float64
        return value.astype(other) if value.dtype.kind != "c" else value.real
    if hasattr(value, "detach"):
        return value.float() if str(value.dtype) == "torch.float64" else value.double()
    if isinstance(value, bool):
        return int(value)
    return float(value) if isinstance(value, int) else np.float32(value) if isinstance(
        value, float) else value  # fmt: skip


def _shape(value: Any, rng: np.random.Generator) -> Any:
    if isinstance(value, (np.ndarray, np.generic)) or hasattr(value, "detach"):
        return value[None]
    return [value] if isinstance(value, (int, float)) else value


def _kind(value: Any, rng: np.random.Generator) -> Any:
    if isinstance(value, (np.ndarray, np.generic)):
        return value.tolist()
    return _numbers(value) if hasattr(value, "detach") else str(value)


def _modified(response: Response, request: Request, rng: np.random.Generator) -> Response:
    return replace(response, ending=replace(_ending(response), modified=tuple(request.labels)))


def _forbidden(response: Response, request: Request, rng: np.random.Generator) -> Response:
    if not request.forbid:
        return response
    return replace(response, forbidden=(ForbiddenNote(request.forbid[0], ()),))


_OF_VALUES = (
    _values("other values of the same shape", _on_arrays(_noise)),
    _values("another text", _text),
    Wrong("something where there was nothing", _filled),
    _values("zeros", _on_arrays(lambda array, rng: np.zeros_like(array))),
    _values("NaN", _on_arrays(_nothing_but_nan)),
    _values("the negated values", _on_arrays(
        lambda array, rng: ~array if array.dtype.kind == "b" else -array)),
    _values("ones", _on_arrays(lambda array, rng: np.ones_like(array))),
)  # fmt: skip
_OF_FORM = (
    _values("another dtype, shape or type", _dtype),
    _values("another shape", _shape),
    _values("another type", _kind),
)
_KINDS: tuple[tuple[tuple[Aspect, ...], tuple[Wrong, ...]], ...] = (
    ((Aspect.IDEA, Aspect.DETAIL, Aspect.EDGE), _OF_VALUES),
    ((Aspect.FORM,), (*_OF_FORM, *_OF_VALUES)),
    ((Aspect.ARGUMENTS,), (Wrong("an argument that was changed", _modified), *_OF_VALUES)),
    ((Aspect.BY_HAND,), (Wrong("a forbidden built-in was called", _forbidden),)),
)
