"""Importing the student's side costs next to nothing; ``device`` is what torch computes on."""

from __future__ import annotations

import subprocess
import sys

import pytest

import course_utils
from course_utils.ground.errors import NotebookError
from course_utils.notebook.device import best_device
from course_utils.verdict.render import Sign, figure, inline, wrap

HEAVY = {"IPython", "matplotlib", "msgpack", "numpy", "pandas", "pytest", "scipy", "torch", "tqdm"}


def modules_after(statement: str) -> set[str]:
    script = f"import sys\n{statement}\nprint(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    return {name.partition(".")[0] for name in done.stdout.split()}


def test_an_import_loads_nothing_heavy() -> None:
    assert not HEAVY & modules_after("import course_utils")
    # NumPy is loaded by every lab's first cell; pytest and torch wait for the first check.
    assert HEAVY & modules_after("from course_utils import check, hint, training_bar") <= {"numpy"}


def test_only_device_asks_for_torch() -> None:
    assert HEAVY & modules_after("from course_utils import device") <= {"numpy", "torch", "tqdm"}


def test_what_is_public_is_listed_and_nothing_else_is_there() -> None:
    assert set(course_utils.__all__) <= set(dir(course_utils))
    with pytest.raises(AttributeError, match="no attribute 'chekc'"):
        _ = course_utils.chekc


def test_the_best_device(monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    monkeypatch.setenv("COURSE_DEVICE", "cpu")
    assert course_utils.device == torch.device("cpu")
    monkeypatch.delenv("COURSE_DEVICE")
    assert best_device().type == ("cuda" if torch.cuda.is_available() else "cpu")
    monkeypatch.setenv("COURSE_DEVICE", "gpu")
    with pytest.raises(NotebookError, match="COURSE_DEVICE is 'gpu', which is none of"):
        best_device()


def test_a_gpu_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    if torch.cuda.is_available():
        pytest.skip("this machine has a GPU")
    monkeypatch.setenv("COURSE_DEVICE", "cuda")
    with pytest.raises(NotebookError, match="torch sees no GPU: "):
        best_device()


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0, "0"), (3.2e-16, "3e-16"), (1e-8, "1e-8"), (2e-5, "2e-5"), (0.5, "0.5"),
     (12.34, "12"), (250.0, "250"), (4e7, "4e7"), (float("inf"), "inf"), (float("nan"), "nan")],
)  # fmt: skip
def test_figures_are_short(value: float, text: str) -> None:
    assert figure(value) == text


def test_text_is_escaped_set_and_wrapped() -> None:
    assert inline("a < b: `x[:, None]`\n& so on") == (
        'a &lt; b: <code style="color:inherit">x[:, None]</code><br>&amp; so on'
    )
    lines = wrap("word " * 40, first="  ✓ ").splitlines()
    assert all(len(line) <= 92 for line in lines)
    assert lines[1].startswith("    word")


def test_no_two_states_look_alike_without_colour() -> None:
    assert len({sign.glyph for sign in Sign}) == len(Sign)
    assert all('role="img" aria-label="' in sign.html for sign in Sign)
