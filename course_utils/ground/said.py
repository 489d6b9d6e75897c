"""What may be said of a test: the one place that decides it.

A public test lies open, and all that was seen in it may be quoted: arguments, values, and the words
in which a student's code has failed. A hidden test's inputs are nobody's to know, and whatever
student code could choose the words of might be one of them. So of a hidden test nothing is quoted:
either a general sentence is given, which the course has written, or one out of a closed list, by
how the test has ended.
"""

from __future__ import annotations

from collections.abc import Mapping

# By status. Nothing is said of a hidden test that simply fails: its claim says it.
_ENDINGS: Mapping[str, str] = {
    "missing": "the notebook does not define what is asked for",
    "not_written": "not written yet",
    "forbidden": "a built-in was called that does what you are asked to write by hand",
    "timeout": "the call did not return in time",
    "crashed": "the call ended the whole process",
    "memory": "the call needed more memory than is allowed",
    "error": "the call raised an exception or returned something unusable",
    "unjudged": "cannot be judged yet",
}


def ending(status: str) -> str:
    """The sentence for a hidden test that has ended so; empty where there is nothing to say."""
    return _ENDINGS.get(status, "")


def of_test(status: str, seen: str, *, hidden: bool) -> str:
    """What is said of a test that does not hold.

    Args:
        status: how it has ended.
        seen: what was seen in it, in words that may quote anything.
        hidden: whether it is a hidden test.
    """
    return told(ending(status), seen, hidden=hidden)


def told(general: str, seen: str, *, hidden: bool) -> str:
    """A sentence about a test.

    Args:
        general: the course's own words, in which nothing of the test is quoted; empty where
            nothing can be said without that.
        seen: the same with what was seen in the test; empty where the general words are all.
        hidden: whether it is a hidden test.
    """
    return general if hidden or not seen else seen
