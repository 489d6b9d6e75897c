"""What a lab's tests, misconceptions and variants are written with, in one place."""

from course_utils.calls.proxy import probe
from course_utils.diagnosis.catalogue import edit, misconception, variant
from course_utils.ground.compare import (
    Mismatch,
    assert_close,
    assert_mean,
    assert_rate,
    assert_unmodified,
    central_difference,
    relative_error,
    tolerance,
)
from course_utils.testing.plugin import exercise

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
    "relative_error",
    "tolerance",
    "variant",
]
