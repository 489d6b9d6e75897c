"""Whether two devices give the same marks and the same values for an implementation."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from tiny import REPOSITORY

from course_utils.calls.backend import NamespaceBackend
from course_utils.calls.endings import Value
from course_utils.calls.protocol import Request, Response
from course_utils.diagnosis.rewriting import Originals
from course_utils.ground.lab import Lab
from course_utils.testing.marker import ExerciseMark
from course_utils.testing.run import run_tests
from course_utils.verdict.outcome import TestOutcome

# How far apart values may be that have been computed in another order, relative to the largest.
_APART = {"float64": 1e-7, "float32": 1e-3, "float16": 3e-2}


class _Noting(NamespaceBackend):
    """Keeps the values that calls have returned, one backend a test."""

    def __init__(self, namespace: dict[str, Any]) -> None:
        super().__init__(namespace)
        self.values: list[Any] = []

    def request(self, request: Request) -> Response:
        response = super().request(request)
        ending = response.ending
        self.values.append(ending.value if isinstance(ending, Value) else None)
        return response


@dataclass(frozen=True)
class Seen:
    """What a test has found, and the values that it was given."""

    outcome: TestOutcome
    values: list[Any]


def outcomes(
    lab: Lab, namespace: dict[str, Any], device: str, exercise: str = "", *, forbid: bool = True
) -> list[Seen]:
    """What the tests say of definitions, on a device; of one exercise's, or of all."""
    backends: list[_Noting] = []

    def backend_for(mark: ExerciseMark) -> _Noting:
        backends.append(_Noting(namespace))
        return backends[-1]

    found = run_tests(
        lab.test_files, backend_for, exercises=[exercise] if exercise else None,
        device=device, enforce_forbid=forbid,
    )  # fmt: skip
    # Two networks that are equally good differ in what they say of single images.
    return [
        Seen(outcome, [] if outcome.trains else backend.values)
        for outcome, backend in zip(found, backends, strict=True)
    ]


def drawn(lab: Lab) -> set[str]:
    """The tests whose answers follow from random numbers that are drawn where the tensors live:
    another device, be it the far one, draws others."""
    command = [sys.executable, __file__, lab.name]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stdout))


def _drawn(lab: Lab) -> set[str]:
    from far_device import far_device  # in a process of its own, see there

    base = Originals(lab).base
    with far_device() as far:
        other = {seen.outcome.test: seen.values for seen in outcomes(lab, base, far)}
    usual = {seen.outcome.test: seen.values for seen in outcomes(lab, base, "cpu")}
    return {test for test in usual if _apart(usual[test], other[test]) > 0.0}


@dataclass
class Agreement:
    """How many tests were compared, how far apart the values were, and what does not agree."""

    tests: int = 0
    compared: int = 0
    furthest: float = 0.0
    differing: list[str] = field(default_factory=list)

    def add(
        self, name: str, here: list[Seen], there: list[Seen], random: set[str]
    ) -> None:
        """Compare what an implementation's tests found on two devices."""
        for seen, elsewhere in zip(here, there, strict=True):
            self.tests += 1
            one, other = seen.outcome, elsewhere.outcome
            if one.passed != other.passed:
                self.differing.append(f"{name}, {one.test}: {one.status}, but {other.status} "
                                      f"({other.message or one.message})")  # fmt: skip
            elif one.test not in random:
                self.compared += 1
                apart = _apart(seen.values, elsewhere.values)
                self.furthest = max(self.furthest, apart)
                if apart > 1.0:
                    self.differing.append(f"{name}, {one.test}: values {apart:.2g}× too far apart")


def _apart(here: Any, there: Any) -> float:
    """The largest distance of two traces' values, as a multiple of what may be."""
    ours, theirs = list(_arrays(here)), list(_arrays(there))
    if [a.shape for a in ours] != [a.shape for a in theirs]:
        return float("inf")
    return max((_distance(a, b) for a, b in zip(ours, theirs, strict=True)), default=0.0)


def _distance(a: np.ndarray, b: np.ndarray) -> float:
    if a.dtype.kind not in "biufc" or b.dtype.kind not in "biufc":
        return 0.0 if np.array_equal(a, b) else float("inf")
    same = (a == b) | (np.isnan(a) & np.isnan(b))
    if same.all():
        return 0.0
    if not np.isfinite(a[~same]).all() or not np.isfinite(b[~same]).all():
        return float("inf")
    largest = max(1e-30, float(np.abs(np.where(same, 0, a)).max()))
    distance = float(np.abs(np.where(same, 0, a) - np.where(same, 0, b)).max())
    return distance / largest / _APART.get(str(a.dtype), 1e-7)


def _arrays(value: Any) -> Iterator[np.ndarray]:
    if isinstance(value, dict):
        for item in value.values():
            yield from _arrays(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _arrays(item)
    elif isinstance(value, torch.Tensor):
        plain = value.detach().cpu()
        yield (plain.float() if plain.dtype is torch.bfloat16 else plain).numpy()
    elif value is not None:
        yield np.asarray(value)


if __name__ == "__main__":
    print(json.dumps(sorted(_drawn(Lab.find(sys.argv[1], REPOSITORY)))))
