"""A lab's file of tests as a noun: its exercises, hints, oracle, and what it forbids."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cached_property, lru_cache
from pathlib import Path
from types import ModuleType
from typing import Any

from course_utils.calls.policy import Policy, policy_of
from course_utils.ground.fresh import FileMemo
from course_utils.ground.stub import unwritten_in
from course_utils.testing.loading import load_module
from course_utils.testing.marker import ExerciseMark, mark_of

PUBLIC = "test_public.py"

_files = FileMemo["LabTests"]()


class LabTests:
    """What ``test_public.py``, or a lab's hidden tests, define; made by :func:`lab_tests`.

    Attributes:
        path: the file.
        module: what importing it gave.
    """

    def __init__(self, path: Path, module: ModuleType) -> None:
        self.path = path
        self.module = module

    @cached_property
    def marks(self) -> dict[str, ExerciseMark]:
        """Every test's marker, by the test's name, in the file's order."""
        found = {
            name: mark_of(value) for name, value in vars(self.module).items()
            if name.startswith("test")
        }  # fmt: skip
        return {name: mark for name, mark in found.items() if mark is not None}

    @cached_property
    def exercises(self) -> list[str]:
        """The exercises that have tests, in the file's order."""
        return list(dict.fromkeys(mark.name for mark in self.marks.values()))

    @property
    def hints(self) -> Mapping[str, Sequence[str]]:
        """What ``hint`` gives for each exercise, one step after another."""
        return getattr(self.module, "HINTS", {})

    @property
    def derivation(self) -> Mapping[str, str]:
        """Where in the lab's text to look, for each exercise."""
        return getattr(self.module, "DERIVATION", {})

    @property
    def reference(self) -> Any:
        """The oracle: the file's ``Reference``, which calls torch."""
        return self.module.Reference

    @cached_property
    def forbidden(self) -> dict[str, list[str]]:
        """What the tests forbid, by exercise."""
        found: dict[str, list[str]] = {}
        for mark in self.marks.values():
            if mark.forbid:
                known = found.setdefault(mark.name, [])
                known += [name for name in mark.forbid if name not in known]
        return found

    @cached_property
    def policy(self) -> Policy:
        """What the exercises withhold for a forbidden call.

        Raises:
            PolicyError: the file says it wrongly.
        """
        return policy_of(self.path, self.module, list(self.forbidden))

    def unwritten(self, lab: str = "") -> re.Pattern[str]:
        """What the sentences of the lab's stubs match; see :func:`unwritten_in`."""
        return _unwritten(tuple(self.exercises), lab)


@lru_cache(maxsize=16)  # asked for in every test
def _unwritten(exercises: tuple[str, ...], lab: str) -> re.Pattern[str]:
    return unwritten_in(exercises, lab)


def lab_tests(path: Path) -> LabTests:
    """The tests of a lab's file, read once a process as long as it does not change.

    Raises:
        Exception: whatever importing the file raises.
    """
    return _files.get([path], lambda: LabTests(path, load_module(path)))


def public_tests(hidden: str) -> ModuleType:
    """What ``test_public.py`` defines, for the hidden tests of the same lab.

    Args:
        hidden: the hidden tests' own ``__file__``.
    """
    return load_module(Path(hidden).resolve().parents[1] / PUBLIC)
