"""What a lab's tests, misconceptions and variants are written with, in one place."""

from course_utils.calls.probe import probe
from course_utils.ground.closeness import assert_close, relative_error, tolerance
from course_utils.ground.mismatch import Mismatch
from course_utils.ground.statistics import assert_mean, assert_rate
from course_utils.testing.agreement import agree
from course_utils.testing.arguments import assert_unmodified
from course_utils.testing.catalogue import edit, misconception, variant
from course_utils.testing.differences import central_difference
from course_utils.testing.expressions import assert_expression, evaluate, values_at
from course_utils.testing.lab_tests import public_tests
from course_utils.testing.marker import exercise
from course_utils.testing.optimizers import (
    Walk,
    assert_parameters_close,
    both_paths,
    follow,
    optimizer_path,
)

__all__ = [
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
