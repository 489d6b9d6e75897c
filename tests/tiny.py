"""A lab of two exercises, for tests that are about the machinery and not about a lab."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from textwrap import dedent
from typing import Any

REPOSITORY = Path(__file__).resolve().parent.parent
TINY_LAB = "lab00_tiny"
Notebook = dict[str, Any]

TEST_PUBLIC = dedent(
    '''\
    import numpy as np
    import torch

    from course_utils.testing import assert_close, assert_unmodified, exercise

    HINTS = {"softmax": ["Subtract the largest entry first.", "Then divide by the sum."]}
    DERIVATION = {"softmax": "step 2: shifting all logits changes nothing"}


    class Reference:
        @staticmethod
        def softmax(x, axis=-1):
            return torch.softmax(torch.as_tensor(x), axis).numpy()


    @exercise("softmax")
    def test_values(student, reference, rng):
        """Every row is exp(x) divided by its sum."""
        x = rng.normal(size=(4, 3))
        assert_close(student.softmax(x), reference.softmax(x))


    @exercise("softmax")
    def test_input_is_left_alone(student, rng):
        """The logits are not changed."""
        student.softmax(rng.normal(size=(4, 3)))
        assert_unmodified(student)


    @exercise("scale")
    def test_scale(student, rng):
        """Every entry is multiplied by the factor."""
        x = rng.normal(size=5)
        assert_close(student.scale(x, 3.0), 3.0 * x)
    '''
)

TEST_HIDDEN = dedent(
    '''\
    import numpy as np

    from course_utils.testing import assert_close, exercise


    @exercise("softmax", weight=2)
    def test_large_logits(student, reference, rng):
        """Logits of a thousand give finite values."""
        x = rng.normal(size=(4, 3)) + 1000.0
        assert_close(student.softmax(x), reference.softmax(x))
    '''
)

MISCONCEPTIONS = dedent(
    '''\
    import numpy as np

    from course_utils.testing import misconception


    @misconception("softmax", hint="The largest logit must be subtracted first.")
    def no_max_shift(x, axis=-1):
        e = np.exp(x)
        return e / e.sum(axis=axis, keepdims=True)


    @misconception("softmax", hint="The sum runs over the whole array, not along the axis.")
    def summed_over_everything(x, axis=-1):
        e = np.exp(x - x.max(axis=axis, keepdims=True))
        return e / e.sum()
    '''
)

VARIANTS = dedent(
    '''\
    import torch

    from course_utils.testing import variant


    @variant("softmax")
    def torch_softmax(x, axis=-1):
        return torch.softmax(torch.as_tensor(x), axis).numpy()
    '''
)

SOFTMAX = """def softmax(x, axis=-1):
    ### BEGIN SOLUTION
    e = np.exp(x - x.max(axis=axis, keepdims=True))
    return e / e.sum(axis=axis, keepdims=True)
    ### END SOLUTION"""
SCALE = """def scale(x, factor):
    ### BEGIN SOLUTION
    return factor * x
    ### END SOLUTION"""


def cell(source: str, name: str = "", kind: str = "code", **nbgrader: Any) -> dict[str, Any]:
    """A notebook cell, with nbgrader metadata if any is given."""
    metadata: dict[str, Any] = {}
    if nbgrader:
        defaults = {"grade": False, "solution": False, "locked": False, "task": False}
        metadata["nbgrader"] = defaults | {"schema_version": 3, "grade_id": name} | nbgrader
    made = {"cell_type": kind, "id": name or "c", "metadata": metadata, "source": source}
    return made | ({"outputs": [], "execution_count": None} if kind == "code" else {})


def tiny_notebook() -> Notebook:
    """The instructor's notebook."""
    check: dict[str, Any] = {"grade": True, "locked": True}
    return {
        "nbformat": 4,
        "nbformat_minor": 5,
        "metadata": {
            "course": {"lab": TINY_LAB},
            "kernelspec": {
                "name": "python3", "language": "python", "display_name": "Python 3 (ipykernel)",
            },
        },
        "cells": [
            cell("# A tiny lab", "title", "markdown"),
            cell(
                "import numpy as np\n\nfrom course_utils import check, hint", "setup", locked=True
            ),
            cell(SOFTMAX, "softmax", solution=True),
            cell('check("softmax")', "check_softmax", points=4, **check),
            cell(SCALE, "scale", solution=True),
            cell('check("scale")', "check_scale", points=1, **check),
            cell("The logits.", "written_why", "markdown", grade=True, solution=True, points=2),
        ],
    }  # fmt: skip


def write_tiny_lab(solutions: Path) -> Path:
    """Write the lab's folder under ``solutions``."""
    folder = solutions / TINY_LAB
    (folder / "hidden").mkdir(parents=True)
    (folder / "tiny.ipynb").write_text(json.dumps(tiny_notebook(), indent=1), "utf-8")
    (folder / "test_public.py").write_text(TEST_PUBLIC, "utf-8")
    (folder / "hidden" / "test_hidden.py").write_text(TEST_HIDDEN, "utf-8")
    (folder / "hidden" / "misconceptions.py").write_text(MISCONCEPTIONS, "utf-8")
    (folder / "hidden" / "variants.py").write_text(VARIANTS, "utf-8")
    return folder


def write_tiny_course(root: Path) -> Path:
    """Write a course folder with the lab and this repository's nbgrader settings."""
    write_tiny_lab(root / "solutions")
    shutil.copy(REPOSITORY / "nbgrader_config.py", root)
    return root


def as_bytes(notebook: Notebook) -> bytes:
    return json.dumps(notebook).encode()
