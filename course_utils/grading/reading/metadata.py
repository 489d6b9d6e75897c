"""Metadata of the types that nbformat promises: what is of another is left out.

Writers, and formgrader, validate what they are given, and a field that a service or a student has
filled with something else would make the whole notebook invalid.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

_TAG = re.compile(r"[^,]+")


def _is(*kinds: type) -> Callable[[Any], bool]:
    return lambda value: type(value) in kinds


def _tags(value: Any) -> bool:
    texts = isinstance(value, list) and all(isinstance(tag, str) for tag in value)
    return texts and len(set(value)) == len(value) and all(map(_TAG.fullmatch, value))


def _flags(value: Any) -> bool:
    return isinstance(value, dict) and all(isinstance(flag, bool) for flag in value.values())


def _texts(*needed: str) -> Callable[[Any], bool]:
    """An object whose named fields, which it must have, are texts."""
    return lambda value: isinstance(value, dict) and all(
        isinstance(value.get(name), str) for name in needed
    )


def _language(value: Any) -> bool:
    if not _texts("name")(value):
        return False
    mode = value.get("codemirror_mode", "")
    others = (value.get(name, "") for name in ("file_extension", "mimetype", "pygments_lexer"))
    return isinstance(mode, (str, dict)) and all(isinstance(other, str) for other in others)


_OF_CELLS: dict[str, Callable[[Any], bool]] = {
    "collapsed": _is(bool),
    "deletable": _is(bool),
    "execution": lambda value: isinstance(value, dict) and all(map(_is(str), value.values())),
    "format": _is(str),
    "jupyter": _flags,
    "name": lambda value: isinstance(value, str) and value != "",
    "nbgrader": _is(dict),
    "scrolled": lambda value: isinstance(value, bool) or value == "auto",
    "tags": _tags,
}
_OF_NOTEBOOKS: dict[str, Callable[[Any], bool]] = {
    "authors": _is(list),
    "kernelspec": _texts("name", "display_name"),
    "language_info": _language,
    "orig_nbformat": lambda value: type(value) is int and value >= 1,
    "title": _is(str),
}


def leave_out_of_cell(metadata: dict[str, Any]) -> int:
    """Take out of a cell's metadata what is not of its type; how many fields that are."""
    return _leave_out(metadata, _OF_CELLS)


def leave_out_of_notebook(metadata: dict[str, Any]) -> int:
    """Take out of a notebook's metadata what is not of its type; how many fields that are."""
    return _leave_out(metadata, _OF_NOTEBOOKS)


def _leave_out(metadata: dict[str, Any], known: dict[str, Callable[[Any], bool]]) -> int:
    wrong = [name for name, fits in known.items() if name in metadata and not fits(metadata[name])]
    for name in wrong:
        del metadata[name]
    return len(wrong)
