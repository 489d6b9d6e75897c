"""What may be said of a test: the one place that decides it.

A public test lies open, and all that was seen in it may be quoted: arguments, values, and the words
in which a student's code has failed. A hidden test's inputs are nobody's to know, and whatever
student code could choose the words of might be one of them. So of a hidden test nothing is quoted:
either a general sentence is given, which the course has written, or one out of a closed list, by
how the test has ended.
"""

from __future__ import annotations

from course_utils.ground.statuses import Status


def of_test(status: Status, seen: str, *, hidden: bool) -> str:
    """What is said of a test that does not hold.

    Args:
        status: how it has ended.
        seen: what was seen in it, in words that may quote anything.
        hidden: whether it is a hidden test.
    """
    return told(status.ending, seen, hidden=hidden)


def told(general: str, seen: str, *, hidden: bool) -> str:
    """A sentence about a test.

    Args:
        general: the course's own words, in which nothing of the test is quoted; empty where
            nothing can be said without that.
        seen: the same with what was seen in the test; empty where the general words are all.
        hidden: whether it is a hidden test.
    """
    return general if hidden or not seen else seen
