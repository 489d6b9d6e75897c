"""The claim that most tests make: a student's function returns what the reference returns."""

from __future__ import annotations

from typing import Any

from course_utils.ground.closeness import assert_close


def agree(
    student: Any,
    reference: Any,
    function: str,
    /,
    *arguments: Any,
    called: str = "the result",
    rtol: float | None = None,
    atol: float | None = None,
    **options: Any,
) -> None:
    """Assert that the student's function and the reference's return the same for these arguments.

    ``agree(student, reference, "softmax", x, axis=0)`` is
    ``assert_close(student.softmax(x, axis=0), reference.softmax(x, axis=0))``. The student's
    function is called first, and gets copies, so that the reference sees the arguments as they
    were.

    Args:
        function: what both are called.
        arguments: handed to both, and so is every keyword that is none of the following.
        called: how messages call what comes back ("the gradient").
        rtol, atol: as in :func:`~course_utils.ground.closeness.assert_close`.

    Raises:
        Mismatch: with a sentence that says how the two differ.
    """
    seen = student[function](*arguments, **options)
    expected = getattr(reference, function)(*arguments, **options)
    assert_close(seen, expected, name=called, rtol=rtol, atol=atol)
