"""What notebooks and lab authors import, name by name: a name more or less is a decision."""

from __future__ import annotations

import course_utils
from course_utils import testing

FOR_NOTEBOOKS = ["check", "device", "hint", "progress", "training_bar"]
FOR_LABS = [
    "Mismatch",
    "Walk",
    "agree",
    "assert_close",
    "assert_expression",
    "assert_mean",
    "assert_parameters_close",
    "assert_rate",
    "assert_unmodified",
    "both_paths",
    "central_difference",
    "edit",
    "evaluate",
    "exercise",
    "follow",
    "misconception",
    "optimizer_path",
    "probe",
    "public_tests",
    "relative_error",
    "tolerance",
    "values_at",
    "variant",
]


def test_what_a_notebook_uses() -> None:
    assert course_utils.__all__ == FOR_NOTEBOOKS
    assert all(getattr(course_utils, name) is not None for name in FOR_NOTEBOOKS)


def test_what_a_lab_is_written_with() -> None:
    assert sorted(testing.__all__) == FOR_LABS
    assert all(getattr(testing, name) is not None for name in FOR_LABS)


def test_every_public_name_says_what_it_is() -> None:
    for module, names in ((course_utils, FOR_NOTEBOOKS), (testing, FOR_LABS)):
        for name in names:
            if name != "device":
                assert getattr(module, name).__doc__, name
