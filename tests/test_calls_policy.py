"""Whose function it is that makes a forbidden call."""

from __future__ import annotations

from pathlib import Path

from course_utils.testing.lab_tests import lab_tests

TESTS = '''
from course_utils.testing import exercise, probe


@probe
def steps(student, name):
    return student.helper(name)


@exercise("walk")
def test_walk(student):
    """It walks."""
    student.run(steps, "Walk")


@exercise("search")
def test_search(student):
    """It finds."""
    student["trace"](student.run(3))
    student.inner(2)


@exercise("inner")
def test_inner(student):
    """It is called by another exercise."""
    student.inner(2)
'''


def test_a_function_belongs_to_the_exercises_whose_tests_ask_for_it(tmp_path: Path) -> None:
    path = tmp_path / "test_public.py"
    path.write_text(TESTS, "utf-8")
    owners = lab_tests(path).policy.owners
    assert {name: set(exercises) for name, exercises in owners.items()} == {
        "walk": {"walk"}, "search": {"search"}, "inner": {"inner"},
        "Walk": {"walk"}, "helper": {"walk"}, "trace": {"search"}, "run": {"search"},
    }  # fmt: skip
