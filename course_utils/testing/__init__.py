"""What a lab's tests, misconceptions and variants are written with, in one place."""

from course_utils.calls.probe import probe
from course_utils.ground.closeness import Mismatch, assert_close, relative_error, tolerance
from course_utils.ground.statistics import assert_mean, assert_rate
from course_utils.testing.agreement import assert_unmodified, central_difference
from course_utils.testing.catalogue import edit, misconception, variant
from course_utils.testing.lab_tests import public_tests
from course_utils.testing.marker import exercise

__all__ = [
    "Mismatch",
    "assert_close",
    "assert_mean",
    "assert_rate",
    "assert_unmodified",
    "central_difference",
    "edit",
    "exercise",
    "misconception",
    "probe",
    "public_tests",
    "relative_error",
    "tolerance",
    "variant",
]
