"""The tables of the gate's report: columns in line, every row on one, and plain text anywhere."""

from __future__ import annotations

import pytest

from course_utils.gate import tables
from course_utils.gate.figures import MatrixRow, MutationRow, NamingRow


def test_misconceptions() -> None:
    rows = [
        MatrixRow("softmax", "no_max_shift", (1, 3), (0, 2), True, True, 0.5),
        MatrixRow("softmax", "axis_ignored", (0, 3), (2, 2), False, False, 0.25),
        MatrixRow("nll", "only_nan", (3, 3), (2, 2), False, False, 0.0, only_nan=True),
    ]
    assert list(tables.of_misconceptions(rows)) == [
        "  exercise  misconception  public  hidden  named  by check  keeps",
        "  softmax   no_max_shift   1/3     0/2     yes    yes       50 %",
        "  softmax   axis_ignored   0/3     2/2     NO     –         25 %",
        "  nll       only_nan       3/3     2/2     NaN    –         0 %",
    ]


def test_mutants() -> None:
    assert list(tables.of_mutants([MutationRow("softmax", 18, 1, 20, ("a -> b",))])) == [
        "  exercise  killed  equivalent  all  rate",
        "  softmax   18      1           20   95 %",
    ]


def test_naming() -> None:
    rows = [NamingRow("mutants", 6, 2, 1, 1), NamingRow("entries left out", 0, 0, 0, 0)]
    assert list(tables.of_naming(rows)) == [
        "  mistakes          named     apt       silent    misleading  all",
        "  mutants           6 (60 %)  2 (20 %)  1 (10 %)  1 (10 %)    10",
        "  entries left out  0         0         0         0           0",
    ]


@pytest.mark.parametrize("variable", ["FORCE_COLOR", "COLUMNS", "TTY_COMPATIBLE"])
def test_it_is_the_same_text_whatever_the_terminal(
    monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    name = "[bold]" + "a_very_long_name_" * 12 + ":smile:"
    rows = [MatrixRow("softmax", name, (1, 3), (0, 2), True, True, 0.5)]
    before = list(tables.of_misconceptions(rows))
    assert len(before) == 2 and name in before[1]
    monkeypatch.setenv(variable, "1")
    assert list(tables.of_misconceptions(rows)) == before
