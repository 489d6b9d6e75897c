"""Misconceptions and variants: named implementations, wrong and right, of an exercise.

They live in a lab's ``hidden/`` folder as plain functions and classes::

    @misconception("softmax_nll_grad", hint="y − h points uphill: the gradient is h − y.")
    def sign_flipped(logits, targets, reduction="mean"):
        ...

    @variant("softmax_nll_grad")
    def torch_autograd(logits, targets, reduction="mean"):
        ...
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from course_utils.plugin import load_module

Implementation = TypeVar("Implementation", bound=Callable[..., Any])
_TAG = "__course_entry__"


@dataclass(frozen=True)
class Entry:
    """One implementation of an exercise.

    Attributes:
        name: the function's or class's own name in the catalogue file.
        exercise: the exercise that it implements.
        replaces: the name in the student's notebook that it stands for.
        hint: what a student with this mistake is told; empty for a variant.
        implementation: the function or class itself.
        built_in: whether it adapts a built-in that the exercise forbids to students.
    """

    name: str
    exercise: str
    replaces: str
    hint: str
    implementation: Any
    built_in: bool = False

    @property
    def overlay(self) -> dict[str, Any]:
        """The definitions to lay over the solution's."""
        return {self.replaces: self.implementation}


def misconception(
    exercise: str, *, hint: str, replaces: str | None = None
) -> Callable[[Implementation], Implementation]:
    """Mark a function or class as a named wrong implementation of an exercise.

    Args:
        exercise: the exercise it belongs to.
        hint: what a student who wrote this should be told, in one or two sentences.
        replaces: the notebook's name that it stands for, where that is not the exercise's.
    """
    if not hint.strip():
        raise ValueError(f"a misconception of {exercise} needs a hint: what should a student read?")
    return _tag(exercise, hint, replaces)


def variant(
    exercise: str, *, replaces: str | None = None, built_in: bool = False
) -> Callable[[Implementation], Implementation]:
    """Mark a function or class as another right implementation, which must get full marks.

    Args:
        exercise: the exercise it belongs to.
        replaces: the notebook's name that it stands for, where that is not the exercise's.
        built_in: it adapts a built-in that students may not call here; what the exercise forbids
            is not held against it.
    """
    return _tag(exercise, "", replaces, built_in)


def _tag(
    exercise: str, hint: str, replaces: str | None, built_in: bool = False
) -> Callable[[Implementation], Implementation]:
    def mark(implementation: Implementation) -> Implementation:
        name: str = implementation.__name__
        entry = Entry(name, exercise, replaces or exercise, hint, implementation, built_in)
        setattr(implementation, _TAG, entry)
        return implementation

    return mark


def load(path: Path) -> list[Entry]:
    """The entries of a catalogue file, in the order in which they are written."""
    if not path.exists():
        return []
    found = (getattr(value, _TAG, None) for value in vars(load_module(path)).values())
    return [entry for entry in found if isinstance(entry, Entry)]
