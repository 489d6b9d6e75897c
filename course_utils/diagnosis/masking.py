"""Leaving the right values out of a trace, so that a released book holds wrong ones only."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from course_utils.diagnosis.digest import Digest, TraceDigest, same

RIGHT: dict[str, Any] = {"kind": "right"}


def mask(trace: TraceDigest, right: TraceDigest) -> TraceDigest:
    """The trace with a place-holder for every value that is the solution's."""
    return [
        {**call, "value": _mask(call["value"], right[i]["value"])} if i < len(right) else call
        for i, call in enumerate(trace)
    ]


def fill(trace: TraceDigest, student: TraceDigest) -> TraceDigest:
    """The trace with what a student's calls returned in the place of each place-holder."""
    return [
        {**call, "value": _fill(call["value"], student[i]["value"])} if i < len(student) else call
        for i, call in enumerate(trace)
    ]


def all_right(trace: TraceDigest) -> bool:
    """Whether there are place-holders only: what sets this trace apart are its side effects."""
    return all(call["value"] == RIGHT for call in trace)


def holds_right_values(trace: TraceDigest, right: TraceDigest) -> bool:
    """Whether a value of the solution's is left in a trace."""
    masked = mask(trace, right)
    before, after = (sum(_count(call["value"]) for call in some) for some in (trace, masked))
    return after > before


def _mask(value: Digest, right: Digest) -> Digest:
    if value is None or value == RIGHT:
        return value
    if same(value, right):
        return RIGHT
    return _together(value, right, _mask)


def _fill(value: Digest, student: Digest) -> Digest:
    return student if value == RIGHT else _together(value, student, _fill)


def _together(value: Digest, other: Digest, change: Callable[[Digest, Digest], Digest]) -> Digest:
    """Apply a change to the items of two lists or dicts of one form; else leave the value."""
    if not isinstance(value, dict) or not isinstance(other, dict):
        return value
    if value["kind"] != other["kind"] or value["kind"] not in ("list", "dict"):
        return value
    mine, theirs = value["items"], other["items"]
    if len(mine) != len(theirs):
        return value
    if value["kind"] == "list":
        items: list[Any] = [change(a, b) for a, b in zip(mine, theirs, strict=True)]
    else:
        items = [[key, change(a, b)] for (key, a), (_, b) in zip(mine, theirs, strict=True)]
    return {**value, "items": items}


def _count(value: Digest) -> int:
    """How many place-holders there are in a value."""
    if not isinstance(value, dict):
        return 0
    if value["kind"] == "list":
        return sum(_count(item) for item in value["items"])
    if value["kind"] == "dict":
        return sum(_count(item) for _, item in value["items"])
    return int(value == RIGHT)
