"""Arguments that a student's code leaves as they were."""

from __future__ import annotations

from typing import Any

from course_utils.ground.mismatch import Mismatch


def assert_unmodified(student: Any, by: str = "") -> None:
    """Assert that no call in this test so far changed its arguments in place.

    Args:
        by: the function that is to blame where probes call it; they then take by keyword what
            messages are to name ("dropout changes x in place").

    Raises:
        Mismatch: of the kind "modified".
    """
    if not student.modified:
        return
    if by:
        changed = " and ".join(sorted({argument for _, argument in student.modified}))
        raise Mismatch(
            f"{by} changes {changed} in place; work on a new tensor", kind="modified"
        )
    function, argument = student.modified[0]
    what = f"its argument {argument}" if function else "an array that it was handed"
    raise Mismatch(
        f"{function or 'your code'} changes {what} in place; work on a copy instead",
        kind="modified",
    )
