"""Point 8, for forbidden calls: students are told before what may not be called, and what it costs.

What is forbidden must also be there to be called: of a misspelt name nothing would ever be seen.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator, Sequence

from course_utils.calls.policy import TABLE
from course_utils.calls.watching import AUTOGRAD, watchable
from course_utils.diagnosis.rewriting import exercise_cells
from course_utils.gate.finding import Finding
from course_utils.gate.points.claims import conventions, plain
from course_utils.ground.cells import check_of, is_check, source
from course_utils.ground.lab import Lab
from course_utils.testing.lab_tests import lab_tests

# How a text calls a package, where that is not its name.
_CALLED = {"sklearn": "scikit-learn"}


def judge_forbids(lab: Lab, exercises: Sequence[str]) -> Iterator[Finding]:
    """Whether each exercise that forbids calls has said which, and what they cost."""
    public_tests = lab_tests(lab.test_public)
    policy, public = public_tests.policy, public_tests.forbidden
    hidden = lab_tests(lab.test_hidden).forbidden if lab.test_hidden.exists() else {}
    texts = _texts(lab)
    for exercise in exercises:
        names = public.get(exercise, [])
        for name in hidden.get(exercise, []):
            if name not in names:
                yield Finding(
                    8,
                    f"hidden tests of {exercise} forbid {name}, and public ones do not: `check` "
                    "would not tell before grading; forbid it in test_public.py",
                )
        text = texts.get(exercise, "")
        unsaid = [name for name in names if not any(word in text for word in _words(name))]
        if unsaid:
            yield Finding(
                8,
                f"{exercise} forbids {', '.join(unsaid)}, of which neither its text, nor its "
                "stub, nor the Conventions box speaks: say there what may not be called",
            )
        stated = policy.cost(exercise).stated
        if names and plain(stated) not in text:
            yield Finding(
                8,
                f"{exercise} forbids calls and does not say what one costs: write “{stated}” into "
                f"the Conventions box or the exercise's text, or say otherwise in {TABLE} of "
                "test_public.py",
            )
        for name in names:
            if not _can_be_seen(name):
                yield Finding(
                    8,
                    f"{exercise} forbids {name}, and there is no such function or class that can "
                    "be watched: mend the name, or take it out",
                )


def _words(name: str) -> set[str]:
    """By which of these words a text may speak of what is forbidden."""
    package, _, rest = name.partition(".")
    last = rest.rpartition(".")[2]
    return {plain(word) for word in (_CALLED.get(package, package), last) if word}


def _can_be_seen(name: str) -> bool:
    """Whether a name stands for something; of a package that is not installed it may."""
    package = name.partition(".")[0]
    if name == AUTOGRAD or importlib.util.find_spec(package) is None:
        return True
    return watchable(name)


def _texts(lab: Lab) -> dict[str, str]:
    """What a student reads before each exercise: its text, its stub, the Conventions box."""
    common = plain(conventions(lab))
    stubs = exercise_cells(lab)
    found: dict[str, str] = {}
    prose: list[str] = []
    for cell in lab.notebook["cells"]:
        if cell["cell_type"] == "markdown":
            prose.append(source(cell))
        elif is_check(cell):
            name = check_of(cell)
            own = [*prose, *(source(stub) for stub in stubs.get(name, []))]
            found[name] = f"{common} {plain(' '.join(own))}"
            prose = []
    return found
