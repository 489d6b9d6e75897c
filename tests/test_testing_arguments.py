"""Arguments left as they were: who changed one, in words that a student knows."""

from __future__ import annotations

import pytest

from course_utils.ground.mismatch import Mismatch
from course_utils.testing import assert_unmodified


class Seen:
    """What a test's handle remembers."""

    def __init__(self, *modified: tuple[str, str]) -> None:
        self.modified = modified


def message(seen: Seen, by: str = "") -> str:
    with pytest.raises(Mismatch) as caught:
        assert_unmodified(seen, by)
    assert caught.value.kind == "modified"
    return str(caught.value)


def test_nothing_is_said_where_nothing_was_changed() -> None:
    assert_unmodified(Seen())
    assert_unmodified(Seen(), by="dropout")


def test_a_changed_argument_is_named_where_the_student_knows_it() -> None:
    assert message(Seen(("softmax", "number 1"))) == (
        "softmax changes its argument number 1 in place; work on a copy instead"
    )
    assert message(Seen(("", "number 2"))) == (
        "your code changes an array that it was handed in place; work on a copy instead"
    )


def test_the_function_behind_a_probe_is_named_and_each_argument_once() -> None:
    seen = Seen(("", "x"), ("", "mask"), ("", "x"))
    assert message(seen, by="dropout") == (
        "dropout changes mask and x in place; work on a new tensor"
    )
