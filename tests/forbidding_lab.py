"""A lab whose exercises forbid calls under every policy: what tests of that are about."""

from __future__ import annotations

import json
from pathlib import Path
from textwrap import dedent
from typing import Any

from tiny import Notebook, cell

NAME = "lab91_forbidding"

TEST_PUBLIC = dedent(
    '''\
    import numpy as np
    import torch

    from course_utils.testing import assert_close, exercise, probe

    SOFTMAX = ["torch.softmax", "torch.nn.functional.softmax", "scipy.special.softmax"]
    FORBIDDEN_COST = {"scaled": "test", "shifted": "warning"}


    class Reference:
        @staticmethod
        def softmax(x):
            return torch.softmax(torch.as_tensor(x), 1).numpy()

        @staticmethod
        def cross_entropy(x, y):
            return -np.log(Reference.softmax(x)[np.arange(len(y)), y])


    @exercise("softmax")
    def test_softmax(student, reference, rng):
        """Every row is exp(x) over its sum."""
        x = rng.normal(size=(4, 3))
        assert_close(student.softmax(x), reference.softmax(x))


    @exercise("softmax", about="by hand", weight=0.5, forbid=SOFTMAX)
    def test_softmax_by_hand(student, reference, rng):
        """softmax is written by hand."""
        x = rng.normal(size=(4, 3))
        assert_close(student.softmax(x), reference.softmax(x))


    @exercise("cross_entropy", forbid=SOFTMAX)
    def test_cross_entropy(student, reference, rng):
        """Every row costs −log of its target's probability."""
        x, y = rng.normal(size=(4, 3)), rng.integers(0, 3, size=4)
        assert_close(student.cross_entropy(x, y), reference.cross_entropy(x, y))


    @exercise("scaled")
    def test_scaled(student, reference, rng):
        """Every row is softmax(3 x)."""
        x = rng.normal(size=(4, 3))
        assert_close(student.scaled(x), reference.softmax(3 * x))


    @exercise("scaled", about="by hand", forbid=SOFTMAX)
    def test_scaled_by_hand(student, reference, rng):
        """scaled is written by hand."""
        x = rng.normal(size=(4, 3))
        assert_close(student.scaled(x), reference.softmax(3 * x))


    @exercise("shifted", forbid=SOFTMAX)
    def test_shifted(student, reference, rng):
        """A shift changes nothing."""
        x = rng.normal(size=(4, 3))
        assert_close(student.shifted(x), reference.softmax(x))


    @exercise("pair", part="twice", forbid=["torch.mul", "numpy.multiply"])
    def test_twice(student, rng):
        """twice doubles."""
        x = rng.normal(size=3)
        assert_close(student.twice(x), 2 * x)


    @exercise("pair", part="thrice", forbid=["torch.mul", "numpy.multiply"])
    def test_thrice(student, rng):
        """thrice trebles."""
        x = rng.normal(size=3)
        assert_close(student.thrice(x), 3 * x)


    @probe
    def walk(student, cls, steps):
        p = torch.zeros(2, requires_grad=True)
        walker = getattr(student, cls)([p])
        for _ in range(steps):
            p.grad = None
            p.sum().backward()
            walker.step()
        return p.detach()


    @exercise("Descent", forbid=["torch.optim.SGD", "autograd"])
    def test_descent(student):
        """Every step goes a tenth down the gradient."""
        assert_close(student.run(walk, "Descent", 3), torch.full((2,), -0.3))
    '''
)

TEST_HIDDEN = dedent(
    '''\
    from course_utils.testing import assert_close, exercise


    @exercise("softmax", about="edge", forbid=["torch.softmax"])
    def test_one_row(student, reference, rng):
        """A single row is no other case."""
        x = rng.normal(size=(1, 3))
        assert_close(student.softmax(x), reference.softmax(x))
    '''
)

SOURCES = {
    "softmax": """def softmax(x):
    e = np.exp(x - x.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)""",
    "cross_entropy": """def cross_entropy(x, y):
    return -np.log(softmax(x)[np.arange(len(y)), y])""",
    "scaled": """def scaled(x):
    return softmax(3 * x)""",
    "shifted": """def shifted(x):
    return softmax(x + 1)""",
    "pair": """def twice(x):
    return x + x

def thrice(x):
    return x + x + x""",
    "Descent": """class Descent:
    def __init__(self, parameters):
        self.parameters = list(parameters)

    def step(self):
        with torch.no_grad():
            for p in self.parameters:
                p -= 0.1 * p.grad""",
}
BUILT_IN = "def softmax(x):\n    return torch.softmax(torch.as_tensor(x), 1).numpy()"
CONVENTIONS = """# Lab 91

> **Conventions.** All is by hand: no torch.softmax, no numpy.multiply, no autograd, no SciPy.
"""


def notebook(**changed: str) -> Notebook:
    """The lab's notebook, solved; exercises by name may be solved otherwise."""
    imports = "import numpy as np\nimport torch\n\nfrom course_utils import check"
    cells: list[dict[str, Any]] = [
        cell(CONVENTIONS, "title", "markdown"), cell(imports, "setup", locked=True)
    ]  # fmt: skip
    for name, source in {**SOURCES, **changed}.items():
        check = cell(f'check("{name}")', f"check_{name}", grade=True, locked=True, points=2)
        cells += [cell(source, name, solution=True), check]
    kernel = {"name": "python3", "language": "python", "display_name": "Python 3 (ipykernel)"}
    metadata = {"course": {"lab": NAME}, "kernelspec": kernel}
    return {"nbformat": 4, "nbformat_minor": 5, "metadata": metadata, "cells": cells}


def write(solutions: Path, public: str = TEST_PUBLIC) -> Path:
    """Write the lab's folder under ``solutions``."""
    folder = solutions / NAME
    (folder / "hidden").mkdir(parents=True)
    (folder / "forbidding.ipynb").write_text(json.dumps(notebook(), indent=1), "utf-8")
    (folder / "test_public.py").write_text(public, "utf-8")
    (folder / "hidden" / "test_hidden.py").write_text(TEST_HIDDEN, "utf-8")
    for name in ("misconceptions.py", "variants.py"):
        (folder / "hidden" / name).write_text("import numpy as np\n", "utf-8")
    return folder
