"""The lab under attack: three exercises, and secrets in every place that none may reach.

Of 8 points a notebook earns 2 for ``scale``, which the attackers write honestly; ``softmax`` and
``Counter`` they leave wrong or open. Hidden tests use numbers that nobody meets by chance.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from textwrap import dedent
from typing import Any

from tiny import REPOSITORY, SCALE, SOFTMAX, Notebook, cell

from course_utils.gate.release import release
from course_utils.grading.course import Course
from course_utils.ground.lab import Lab
from course_utils.ground.stub import stub_source

LAB = "lab91_target"
NAME = "target.ipynb"
MAX, HONEST = 8.0, 2.0
# In every hidden input; a student who can say it has learnt what hidden tests ask.
HIDDEN_NUMBER = 8191.25

COUNTER = '''class Counter:
    """Counts: add(n) adds n, total() is the sum so far."""

    def __init__(self):
        ### BEGIN SOLUTION
        self.sum = 0
        ### END SOLUTION

    def add(self, n):
        ### BEGIN SOLUTION
        self.sum += n
        ### END SOLUTION

    def total(self):
        ### BEGIN SOLUTION
        return self.sum
        ### END SOLUTION'''
WRONG_SOFTMAX = "def softmax(x, axis=-1):\n    return x"
NO_SHIFT = SOFTMAX.replace(" - x.max(axis=axis, keepdims=True)", "")

_PUBLIC = dedent(
    '''\
    from scipy.special import softmax

    from course_utils.testing import assert_close, assert_unmodified, exercise, probe


    class Reference:
        @staticmethod
        def softmax(x, axis=-1):
            return softmax(x, axis)


    @probe
    def count(student, numbers):
        counter = student.Counter()
        for number in numbers:
            counter.add(number)
        return counter.total()


    @exercise("softmax")
    def test_values(student, reference, rng):
        """Every row is exp(x) divided by its sum."""
        x = rng.normal(size=(4, 3))
        assert_close(student.softmax(x), reference.softmax(x))


    @exercise("softmax", about="arguments")
    def test_input_is_left_alone(student, rng):
        """The logits are not changed."""
        student.softmax(rng.normal(size=(4, 3)))
        assert_unmodified(student)


    @exercise("scale")
    def test_scale(student, rng):
        """Every entry is multiplied by the factor."""
        x = rng.normal(size=5)
        assert_close(student.scale(x, 3.0), 3.0 * x)


    @exercise("counter")
    def test_counts(student, rng):
        """total() is the sum of what was added."""
        numbers = [float(n) for n in rng.normal(size=4)]
        assert_close(student.run(count, numbers), sum(numbers))
    '''
)

_HIDDEN = dedent(
    '''\
    import numpy as np

    from course_utils.testing import assert_close, exercise, probe

    # SECRET
    NOTE = "SECRET"


    @probe
    def count_down(student, numbers):
        counter = student.Counter()
        for number in numbers:
            counter.add(-number)
        return counter.total()


    @exercise("softmax", weight=2)
    def test_large_logits(student, reference, rng):
        """Large logits give finite values."""
        x = rng.normal(size=(4, 3))
        x[:, 0] = NUMBER
        x[:, 1] = NUMBER - 2.0
        assert_close(student.softmax(x), reference.softmax(x))


    @exercise("scale")
    def test_scale_of_large(student, rng):
        """So are large entries."""
        x = np.append(rng.normal(size=5), NUMBER)
        assert_close(student.scale(x, NUMBER), NUMBER * x)


    @exercise("counter")
    def test_counts_down(student, rng):
        """What is added may be negative."""
        numbers = [NUMBER, *(float(n) for n in rng.normal(size=4))]
        assert_close(student.run(count_down, numbers), -sum(numbers))
    '''
)

_MISCONCEPTIONS = dedent(
    '''\
    import numpy as np

    from course_utils.testing import misconception

    # SECRET


    @misconception("softmax", hint="The largest logit must be subtracted first.")
    def no_max_shift(x, axis=-1):
        e = np.exp(x)
        return e / e.sum(axis=axis, keepdims=True)
    '''
)


def source_notebook() -> Notebook:
    """The instructor's notebook."""
    check: dict[str, Any] = {"grade": True, "locked": True}
    kernel = {"name": "python3", "language": "python", "display_name": "Python 3 (ipykernel)"}
    written: dict[str, Any] = {"grade": True, "solution": True, "points": 2}
    return {
        "nbformat": 4, "nbformat_minor": 5,
        "metadata": {"course": {"lab": LAB}, "kernelspec": kernel},
        "cells": [
            cell("# The lab under attack", "title", "markdown"),
            cell("import numpy as np\n\nfrom course_utils import check", "setup", locked=True),
            cell(SOFTMAX, "softmax", solution=True),
            cell('check("softmax")', "check_softmax", points=4, **check),
            cell(SCALE, "scale", solution=True),
            cell('check("scale")', "check_scale", points=2, **check),
            cell(COUNTER, "counter", solution=True),
            cell('check("counter")', "check_counter", points=2, **check),
            cell("The logits.", "written_why", "markdown", **written),
        ],
    }  # fmt: skip


def _with(**sources: str) -> Notebook:
    notebook = source_notebook()
    for one in notebook["cells"]:
        one["source"] = sources.get(one["id"], one["source"])
    return notebook


def right() -> Notebook:
    """Everything right."""
    return _with()


def without_shift() -> Notebook:
    """Everything right but large logits."""
    return _with(softmax=NO_SHIFT)


def half_written() -> Notebook:
    """``scale`` right, ``softmax`` wrong, ``Counter`` not written: what attackers start from."""
    return _with(softmax=WRONG_SOFTMAX, counter=stub_source(COUNTER, LAB, "counter"))


def stub() -> Notebook:
    """Nothing written."""
    solutions = {"softmax": SOFTMAX, "scale": SCALE, "counter": COUNTER}
    return _with(**{name: stub_source(text, LAB, name) for name, text in solutions.items()})


# Honest notebooks, each with its automatic marks. Without the shift, softmax's public claims hold,
# 1 of weight 4 of them about the arguments; the hidden one of weight 2 fails, and with it the idea.
HONEST_NOTEBOOKS = ((right, MAX), (without_shift, 5.0), (stub, 0.0))


def write_course(root: Path, secret: str) -> Lab:
    """Write and release the lab in a course folder of its own.

    Args:
        root: the folder; made where there is none.
        secret: what the hidden files hold, and nobody may ever read.
    """
    folder = root / "solutions" / LAB
    (folder / "hidden").mkdir(parents=True)
    shutil.copy(REPOSITORY / "nbgrader_config.py", root)
    (folder / NAME).write_text(json.dumps(source_notebook(), indent=1), "utf-8")
    (folder / "test_public.py").write_text(_PUBLIC, "utf-8")
    hidden = _HIDDEN.replace("SECRET", secret).replace("NUMBER", str(HIDDEN_NUMBER))
    (folder / "hidden" / "test_hidden.py").write_text(hidden, "utf-8")
    misconceptions = _MISCONCEPTIONS.replace("SECRET", secret)
    (folder / "hidden" / "misconceptions.py").write_text(misconceptions, "utf-8")
    lab = Lab.find(LAB, root)
    release(Course(root), lab)
    return lab
