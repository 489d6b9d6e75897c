"""A small lab with two exercises, written into a folder: what the tests of the gate work on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from course_utils.ground.lab import Lab

NAME = "lab90_small"

SOFTMAX = '''def softmax(x, axis=-1):
    """Softmax of x, of any shape, along one axis, stable; x is left alone, its dtype kept."""
    ### BEGIN SOLUTION
    shifted = x - np.max(x, axis=axis, keepdims=True)
    e = np.exp(shifted)
    return e / np.sum(e, axis=axis, keepdims=True)
    ### END SOLUTION
'''

GRAD = '''def softmax_nll_grad(logits, targets):
    """Gradient of the mean NLL with respect to the logits, shape (n, K); targets of shape (n,)."""
    ### BEGIN SOLUTION
    n = len(targets)
    h = softmax(logits, axis=1)
    h[np.arange(n), targets] -= 1
    return h / n
    ### END SOLUTION
'''

TEST_PUBLIC = '''"""Public tests."""
import numpy as np
import pytest
import torch

from course_utils.testing import assert_close, assert_unmodified, exercise

HINTS = {
    "softmax": ["Exponentials first.", "Subtract the maximum.", "softmax([0, 0]) is [0.5, 0.5]."],
    "softmax_nll_grad": ["Start from h − y.", "Divide.", "For [[0, 0]] and [0]: [[−0.5, 0.5]]."],
}
DERIVATION = {"softmax": "step 1", "softmax_nll_grad": "step 4"}


class Reference:
    @staticmethod
    def softmax(x, axis=-1):
        return torch.softmax(torch.as_tensor(x), axis).numpy()

    @staticmethod
    def softmax_nll_grad(logits, targets):
        z = torch.tensor(logits, requires_grad=True)
        torch.nn.functional.cross_entropy(z, torch.as_tensor(targets)).backward()
        return z.grad.numpy()


@pytest.fixture
def logits(rng):
    return 3 * rng.normal(size=(5, 4))


@exercise("softmax", stated="Softmax of x")
def test_rows_sum_to_one(student, reference, logits):
    """Every row of h is a distribution: exp f over its own row's sum."""
    assert_close(student.softmax(logits), reference.softmax(logits), name="h")


@exercise("softmax", stated="stable")
def test_large_logits(student, reference, rng):
    """Rows 1,000 apart give finite numbers."""
    x = rng.normal(size=(4, 3)) + np.array([[1000.0], [0.0], [-1000.0], [500.0]])
    x[:, 0] -= 900.0
    assert_close(student.softmax(x), reference.softmax(x), name="h")


@exercise("softmax", stated="along one axis")
def test_first_axis(student, reference, rng):
    """axis=0 normalises the columns."""
    x = rng.normal(size=(3, 5))
    assert_close(student.softmax(x, axis=0), reference.softmax(x, axis=0), name="h")


@exercise("softmax", about="arguments", stated="x is left alone")
def test_input_kept(student, logits):
    """The input is not changed."""
    student.softmax(logits)
    assert_unmodified(student)


@exercise("softmax", about="form", stated="its dtype kept")
def test_float32_kept(student, reference, logits):
    """A float32 input gives a float32 result."""
    x = logits.astype(np.float32)
    assert_close(student.softmax(x), reference.softmax(x), name="h")


@exercise("softmax_nll_grad", stated="Gradient of the mean NLL")
def test_gradient(student, reference, logits, rng):
    """The gradient of the mean loss is (h − y)/n."""
    targets = rng.integers(0, 4, size=5)
    assert_close(
        student.softmax_nll_grad(logits, targets), reference.softmax_nll_grad(logits, targets)
    )


@exercise("softmax_nll_grad", stated="Gradient of the mean NLL")
def test_gradient_of_other_batch(student, reference, rng):
    """The same for a batch of another size."""
    x, targets = rng.normal(size=(7, 3)), rng.integers(0, 3, size=7)
    assert_close(student.softmax_nll_grad(x, targets), reference.softmax_nll_grad(x, targets))
'''

TEST_HIDDEN = '''"""Hidden tests."""
import numpy as np

from course_utils.testing import assert_close, exercise


@exercise("softmax", stated="of any shape")
def test_three_dimensions(student, reference, rng):
    """The middle axis of three works as well."""
    x = 12.0 * rng.normal(size=(2, 6, 3))
    assert_close(student.softmax(x, axis=1), reference.softmax(x, axis=1), name="h")


@exercise("softmax_nll_grad", stated="Gradient of the mean NLL")
def test_hidden_gradient(student, reference, rng):
    """The gradient for many classes."""
    x, targets = rng.normal(size=(6, 11)), rng.integers(0, 11, size=6)
    assert_close(student.softmax_nll_grad(x, targets), reference.softmax_nll_grad(x, targets))
'''

MISCONCEPTIONS = '''import numpy as np

from course_utils.testing import edit, misconception

SHIFT = "np.max(x, axis=axis, keepdims=True)"

MISTAKES = {
    "softmax": {
        "no_max_shift": edit(
            f"shifted = x - {SHIFT}", "shifted = x",
            hint="exp overflows: subtract the row's maximum first.",
            also=[
                ("np.exp(x - m - np.log(np.sum(np.exp(x - m)", "np.exp(x - np.log(np.sum(np.exp(x)")
            ],
        ),
        "global_max": edit(
            SHIFT, "np.max(x)", hint="One maximum for all rows makes the far rows vanish.",
        ),
        "axis_ignored": edit(
            "### BEGIN SOLUTION", "axis = -1", hint="The axis argument is ignored.",
        ),
        "input_changed": edit(
            f"shifted = x - {SHIFT}", f"x -= {SHIFT}\\n    shifted = x", about="arguments",
            hint="x -= … changes the caller's array.",
        ),
    },
    "softmax_nll_grad": {
        "sign_flipped": edit(
            "return h", "return -h", hint="y − h points uphill: the gradient is h − y.",
        ),
        "no_mean": edit(" / n", "", hint="The mean loss has a 1/n, and so has its gradient."),
        "h_only": edit(
            "h[np.arange(n), targets] -= 1", "pass",
            hint="h alone is not the gradient: where is y?",
        ),
        "whole_columns": edit(
            "h[np.arange(n), targets]", "h[:, targets]",
            hint="h[:, y] takes whole columns, for every row.",
        ),
    },
}


def _softmax(x, axis=-1):
    e = np.exp(x - np.max(x, axis=axis, keepdims=True))
    return e / np.sum(e, axis=axis, keepdims=True)
'''

VARIANTS = """import numpy as np
import torch

from course_utils.testing import variant


@variant("softmax")
def torch_softmax(x, axis=-1):
    return torch.softmax(torch.as_tensor(x), axis).numpy()


@variant("softmax")
def by_logsumexp(x, axis=-1):
    m = np.max(x, axis=axis, keepdims=True)
    return np.exp(x - m - np.log(np.sum(np.exp(x - m), axis=axis, keepdims=True)))


@variant("softmax_nll_grad")
def torch_autograd(logits, targets):
    z = torch.tensor(logits, requires_grad=True)
    torch.nn.functional.cross_entropy(z, torch.as_tensor(targets)).backward()
    return z.grad.numpy()


@variant("softmax_nll_grad")
def row_by_row(logits, targets):
    grad = np.zeros_like(logits)
    for i, (row, k) in enumerate(zip(logits, targets)):
        e = np.exp(row - row.max())
        grad[i] = e / e.sum()
        grad[i, k] -= 1
    return grad / len(targets)
"""

CONVENTIONS = """# Lab 90 · small

> **Conventions.** A row is an example.
"""


def nbgrader(grade_id: str, **flags: Any) -> dict[str, Any]:
    """A cell's nbgrader metadata."""
    found = {
        "schema_version": 3, "grade_id": grade_id, "grade": False, "solution": False,
        "locked": False, "task": False, **flags,
    }  # fmt: skip
    return {"nbgrader": found}


# What the check cells of a finished run show.
SHOWN = {
    "softmax": """✓ softmax · public claims: 5/5, all hold
  ✓ Every row of h is a distribution: exp f over its own row's sum.
      relative error 2e-18, expected below 1e-8
  ✓ Rows 1,000 apart give finite numbers.
      relative error 7e-17, expected below 1e-8
  ✓ axis=0 normalises the columns.
      relative error 0, expected below 1e-8
  ✓ The input is not changed.
  ✓ A float32 input gives a float32 result.
      relative error 3e-8, expected below 2e-5
Grading asks the same of other inputs, up to the edge cases that the docstring names.""",
    "softmax_nll_grad": """✓ softmax_nll_grad · public claims: 2/2, all hold
  ✓ The gradient of the mean loss is (h − y)/n.
      relative error 1e-16, expected below 1e-8
  ✓ The same for a batch of another size.
      relative error 2e-16, expected below 1e-8
Grading asks the same of other inputs, up to the edge cases that the docstring names.""",
}


def ran(notebook: dict[str, Any]) -> dict[str, Any]:
    """The notebook as a run from top to bottom leaves it: numbered cells, and the checks' texts."""
    code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    for number, cell in enumerate(code, 1):
        cell["execution_count"] = number
        shown = SHOWN.get(cell["id"].removeprefix("check_"))
        if shown and cell["id"].startswith("check_"):
            data = {"text/plain": shown}
            cell["outputs"] = [{"output_type": "display_data", "metadata": {}, "data": data}]
    return notebook


def cell(kind: str, name: str, text: str, metadata: dict[str, Any]) -> dict[str, Any]:
    """A notebook cell."""
    made = {"cell_type": kind, "id": name, "metadata": metadata, "source": text}
    return made | ({"outputs": [], "execution_count": None} if kind == "code" else {})


def notebook() -> dict[str, Any]:
    """The small lab's source notebook."""
    imports = "import numpy as np\n\nfrom course_utils import check"
    cells = [
        cell("markdown", "title", CONVENTIONS, {}),
        cell("code", "setup", imports, nbgrader("setup", locked=True)),
    ]
    for name, text, points in (("softmax", SOFTMAX, 2), ("softmax_nll_grad", GRAD, 3)):
        heading = f"### Exercise · {name} ●●○ · 8 min · {points} points"
        check = nbgrader(f"check_{name}", grade=True, locked=True, points=points)
        cells += [
            cell("markdown", f"text_{name}", heading, {}),
            cell("code", name, text, nbgrader(name, solution=True)),
            cell("code", f"check_{name}", f'check("{name}")', check),
        ]
    return ran({
        "cells": cells,
        "metadata": {
            "course": {"lab": NAME},
            "kernelspec": {
                "display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3",
            },
        },
        "nbformat": 4,
        "nbformat_minor": 5,
    })  # fmt: skip


def write(root: Path, **changed: str) -> Lab:
    """Write the lab into ``root/solutions``.

    Args:
        changed: other text for ``test_public``, ``test_hidden``, ``misconceptions``, ``variants``
            or ``notebook`` (JSON).
    """
    folder = root / "solutions" / NAME
    (folder / "hidden").mkdir(parents=True, exist_ok=True)
    (folder / "small.ipynb").write_text(changed.get("notebook", json.dumps(notebook(), indent=1)))
    files = {
        "test_public.py": changed.get("test_public", TEST_PUBLIC),
        "hidden/test_hidden.py": changed.get("test_hidden", TEST_HIDDEN),
        "hidden/misconceptions.py": changed.get("misconceptions", MISCONCEPTIONS),
        "hidden/variants.py": changed.get("variants", VARIANTS),
    }
    for name, text in files.items():
        (folder / name).write_text(text)
    return Lab.load(folder)
