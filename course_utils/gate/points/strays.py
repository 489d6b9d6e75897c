"""Points 1 and 2 beyond an exercise: entries of one that fail the tests of another.

A test may call the function of another exercise. What is right there must be right here, and what
is wrong there must not cost twice.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from course_utils.gate.finding import Finding
from course_utils.gate.points.trials import Stray


def judge(found: Sequence[Stray]) -> Iterator[Finding]:
    """A finding for each entry whose own exercise is not the one that it fails."""
    for stray in found:
        tests = ", ".join(stray.tests)
        if stray.kind == "variant":
            yield Finding(
                1,
                f"the variant {stray.name} of {stray.exercise} is right but fails {tests} of "
                f"{stray.of}: make the test accept it, or take the variant out if it is wrong",
            )
        else:
            yield Finding(
                2,
                f"the misconception {stray.name} of {stray.exercise} also fails {tests} of "
                f"{stray.of}: make the solution or test of {stray.of} independent of it, so that "
                "one mistake does not cost twice",
            )
