"""Whose fault an exception in a test is: the student's, the test's, or the judge's own."""

from __future__ import annotations

import traceback
from dataclasses import replace
from pathlib import Path
from types import ModuleType

from course_utils.calls.fault import StudentFault
from course_utils.ground.chart import chart
from course_utils.ground.devices import context_lost, out_of_memory
from course_utils.ground.mismatch import Mismatch
from course_utils.ground.statuses import Status
from course_utils.verdict.outcome import TestOutcome


def is_of_our_gpu(error: BaseException) -> bool:
    """Whether the judge's own GPU failed a test, of which torch tells by RuntimeErrors; what fails
    in the student's is a StudentFault, and other errors may quote what a student has returned."""
    kind, message = type(error).__name__, str(error)
    told = isinstance(error, RuntimeError)
    return told and (out_of_memory(kind, message) or context_lost(message))


def is_out_of_memory(error: BaseException) -> bool:
    """Whether the judge itself had no room; what fails in the student's is a StudentFault."""
    of_torch = isinstance(error, RuntimeError) and "can't allocate memory" in str(error)
    return isinstance(error, MemoryError) or of_torch


def explained(outcome: TestOutcome, error: BaseException, folder: Path) -> TestOutcome:
    """What a test found in which an exception was raised.

    Args:
        outcome: what is known of the test besides.
        error: the exception.
        folder: the lab's.
    """
    if isinstance(error, StudentFault):
        return replace(outcome, status=error.status, message=error.message, reason=error.reason)
    if isinstance(error, Mismatch):
        seen = () if outcome.hidden else chart(error.actual, error.expected, error.tolerance)
        return replace(
            outcome, status=Status.FAILED, message=str(error), mismatch=error.kept(),
            relative_error=error.relative_error, tolerance=error.tolerance, chart=seen,
        )  # fmt: skip
    if isinstance(error, AssertionError):
        return replace(outcome, status=Status.FAILED, message=str(error))
    # The test tripped over what the student's function gave it.
    last = f"{outcome.trace[-1].words} " if outcome.trace else ""
    cause = f"{type(error).__name__}: {str(error)[:200]}"
    return replace(
        outcome,
        status=Status.FAILED,
        message=f"what your code gave cannot be used here: {last}({cause})",
        tripped=place_of(error, folder) or outcome.test,
    )


def place_of(error: BaseException, folder: Path) -> str:
    """The last line of a lab's own files on the way to an exception ("test_public.py, line 12")."""
    found = ""
    for frame in traceback.extract_tb(error.__traceback__):
        path = Path(frame.filename)
        if folder in path.parents:
            found = f"{path.relative_to(folder)}, line {frame.lineno}"
    return found


def is_of_the_test(error: BaseException, folder: Path) -> bool:
    """Whether an exception is a test's own fault, whatever a student's code has returned: its
    file writes a name that there is not, or that a module does not have."""
    if not isinstance(error, (AttributeError, NameError, ImportError)):
        return False
    written: tuple[str, ...] = ()
    frame = error.__traceback__
    while frame is not None:  # the last that is the lab's: NumPy raises for a missing name itself
        code = frame.tb_frame.f_code
        written = code.co_names if folder in Path(code.co_filename).parents else written
        frame = frame.tb_next
    if isinstance(error, AttributeError):
        return isinstance(error.obj, ModuleType) and error.name in written
    if isinstance(error, UnboundLocalError):
        return False  # which way a test has gone may hang on what came back
    if isinstance(error, NameError):
        return error.name in written
    return isinstance(error, ImportError)
