"""The marker on a test: which exercise it belongs to, what its claim is about, how it is run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from course_utils.ground.statuses import Aspect


def exercise(
    name: str,
    *,
    about: str = "idea",
    stated: str = "",
    part: str = "",
    weight: float = 1.0,
    forbid: Sequence[str] = (),
    seconds: float | None = None,
    trains: bool = False,
) -> pytest.MarkDecorator:
    """Mark a test as one of an exercise's.

    Args:
        name: the exercise, as in ``check("name")``.
        about: what the claim is about: "idea", "detail", "edge", "form", "arguments" or
            "by hand" (see :class:`~course_utils.ground.statuses.Aspect`).
        stated: words, quoted from the stub's docstring or the Conventions box, that ask for what
            is tested; the release gate looks them up.
        part: where an exercise asks for several answers, which of them is judged; each part
            earns its points by itself.
        weight: the test's share of the exercise's points, relative to its other tests.
        forbid: dotted names of built-ins that must not be called, or ``"autograd"``; what one
            test of an exercise forbids holds for that test. A call costs the exercise's points;
            ``FORBIDDEN_COST = {name: "test"}``, or ``"warning"``, says otherwise for one exercise.
        seconds: time limit for each call of student code in this test, instead of the grader's
            own; it holds in grading and in the release gate. In a student's kernel there is no
            limit: the student can stop a call.
        trains: whether student code trains a network in this test; the release gate then tries the
            exercise under a tenth of its seeds.
    """
    return pytest.mark.exercise(
        name, about=Aspect(about), stated=stated, part=part, weight=weight,
        forbid=tuple(forbid), seconds=seconds, trains=trains,
    )  # fmt: skip


@dataclass(frozen=True)
class ExerciseMark:
    """What the marker on a test says, and how the test is run.

    Attributes:
        hidden: whether it is a hidden test's.
        alone: whether its exercise's public tests are run once more, by themselves; see
            :func:`run_tests`.
    """

    name: str
    about: Aspect
    stated: str
    part: str
    weight: float
    forbid: tuple[str, ...]
    seconds: float | None
    trains: bool
    hidden: bool = False
    alone: bool = False


def mark_of(item: Any) -> ExerciseMark | None:
    """The exercise marker of a pytest item, or of a test function."""
    if not isinstance(item, pytest.Item):
        return _read(item)
    if _MARK not in item.stash:  # asked for many times in each run
        item.stash[_MARK] = _read(item)
    return item.stash[_MARK]


_MARK = pytest.StashKey[ExerciseMark | None]()


def _read(item: Any) -> ExerciseMark | None:
    marker = (
        item.get_closest_marker("exercise")
        if hasattr(item, "get_closest_marker")
        else next((m for m in getattr(item, "pytestmark", ()) if m.name == "exercise"), None)
    )
    if marker is None:
        return None
    return ExerciseMark(marker.args[0], **marker.kwargs, hidden=is_hidden(item))


def is_hidden(item: Any) -> bool:
    """Whether a pytest item is a test of a file in a folder named ``hidden``."""
    path = getattr(item, "path", None)
    return isinstance(path, Path) and path.parent.name == "hidden"


def exercise_of(item: pytest.Item) -> str:
    mark = mark_of(item)
    return mark.name if mark else ""
