"""The chart of where values differ: what it shows, when, and of which tests."""

from __future__ import annotations

import numpy as np
import pytest
from tiny import as_bytes, tiny_notebook

from course_utils.grading.judge import Grader
from course_utils.ground.chart import chart, key, spoken

INF, NAN = np.inf, np.nan


@pytest.mark.parametrize(
    ("actual", "expected", "tolerance", "rows"),
    [
        ([1.0, 2.5, 2.5], [1.0, 2.0, 3.0], 1e-8, ("·+−",)),
        ([[1, 0], [9, 9]], [[1, 0], [3, 9.9]], 1e-8, ("··", "+−")),
        ([[1, 0, 2], [2, 1, 0]], [[1, 0, 2], [0, 2, 0]], None, ("···", "≠≠·")),  # labels
        ([[1, 5], [9, 9]], [[1, 0], [3, 9.9]], 0.1, ("·+", "+·")),  # 0.9 is within 0.1 of 9.9
        ([[[1.0], [2]], [[0], [0]]], [[[1.0], [1]], [[1], [0]]], 0.0, ("·+", "−·")),
        ([NAN, -INF, INF, 1.0, NAN, 2.0], [NAN, -INF, -INF, 1.0, 0.0, INF], 1e-8, ("··?·??",)),
        ([1.0, 2.0, 4.0], [1.0, 2.0, 3.0], 1e-8, ()),  # the sentence says where
        ([2.0, 4.0], [1.0, 2.0], 1e-8, ()),  # all of them differ
        ([1.0, 2.0], [1.0, 2.0], 1e-8, ()),
    ],
)
def test_a_sign_for_every_entry(
    actual: list[float], expected: list[float], tolerance: float | None, rows: tuple[str, ...]
) -> None:
    assert chart(np.array(actual), np.array(expected), tolerance) == rows


def test_no_chart_of_what_cannot_be_drawn() -> None:
    some, other = np.zeros((20, 3)), np.eye(20, 3)
    assert chart(some, other, 0.0) == ()  # too many rows
    assert chart(some[:4], other[:4], 0.0) == ("−··", "·−·", "··−", "···")
    assert chart(some[:4], other[:4, :2], 0.0) == ()
    assert chart(np.zeros((2, 3, 4)), np.ones((2, 3, 4)), 0.0) == ()
    assert chart(3.0, some, 0.0) == chart(None, some, 0.0) == ()
    assert chart(np.array(["a", "b"]), np.array(["a", "c"]), None) == ()


def test_what_is_said_of_it() -> None:
    rows = ("·+", "−?")
    assert spoken(rows) == (
        "3 of 4 entries differ: 1 too large, 1 too small, 1 nan or infinite, or should be"
    )
    assert key(("·+", "·+")) == "· as it should be, + too large"


# Wrong for the largest entry of a row, and for no other.
PARTLY = """def softmax(x, axis=-1):
    e = np.exp(x - x.max(axis=axis, keepdims=True))
    return e / e.sum(axis=axis, keepdims=True) + (e == 1)"""


def test_open_claims_have_one_and_hidden_ones_none(grader: Grader) -> None:
    notebook = tiny_notebook()
    notebook["cells"][2]["source"] = PARTLY
    result = grader.grade(as_bytes(notebook))
    tests = [test for one in result.exercises for test in one.tests if not test.passed]
    assert any(test.chart for test in tests if not test.hidden)
    assert any(test.hidden for test in tests)
    assert not any(test.chart for test in tests if test.hidden)
    panel = result.panels["softmax"]
    assert panel.html.count("entries differ: ") == 1 and "too large" in panel.html
    assert "· as it should be, + too large" in panel.text
