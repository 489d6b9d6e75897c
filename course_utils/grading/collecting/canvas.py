"""Canvas's "Download Submissions": one flat folder, everything in the files' names.

``smithjane_LATE_123_4567_softmax_nll-1.ipynb``: the name that the class list is sorted by, in small
letters without signs; LATE, if it is; the user's number, or ``anon_`` and a word; the file's, which
grows; and the name that the file has in Canvas, which adds -1 to a second one of a name.
(``lib/content_zipper.rb`` of instructure/canvas-lms makes it.)
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from course_utils.grading.collecting.download import Member
from course_utils.grading.collecting.handed_in import Found, HandedIn, Person
from course_utils.grading.reading.naming import plain_stem, shown

_FLAGS = re.ASCII | re.DOTALL
_FILE = r"_(?P<file>\d+)_(?P<rest>.+)"
_NAMED = re.compile(rf"(?P<name>.*?)_(?P<late>LATE_)?(?P<user>\d+){_FILE}", _FLAGS)
_NAMELESS = re.compile(rf"(?P<name>)(?P<late>LATE_)?(?P<user>anon_[^\W_]+){_FILE}", _FLAGS)
_NO_FILE = re.compile(r".*_(text|link)\.html", re.DOTALL)
_AGAIN = re.compile(r"-\d+(?=\.[^.]*$)")


def read(members: Sequence[Member], notebook: str) -> Found:
    """What was handed in.

    Args:
        members: the download's files.
        notebook: the lab's, to know what Canvas has numbered.
    """
    found = Found()
    for member in members:
        name = member.parts[-1]
        match = _NAMELESS.fullmatch(name) or _NAMED.fullmatch(name)
        if match is None:
            why = (
                "a text or a link was handed in, and no file" if _NO_FILE.fullmatch(name)
                else "Canvas names no file so"
            )  # fmt: skip
            found.remarks.append(f"{shown(name)} was left out: {why}")
            continue
        if re.match(r"\d+_", match["rest"]):
            # A name that ends with a number could pass for another user's.
            found.remarks.append(
                f"{shown(name)} can be read in two ways; it was taken as user {match['user']}'s: "
                "look whether that is right"
            )
        person = Person(f"canvas-{match['user']}", match["name"])
        found.files.append(
            HandedIn(
                person, (_as_handed_in(match["rest"], notebook),), member,
                order=float(match["file"]), late=match["late"] is not None,
            )
        )  # fmt: skip
    return found


def _as_handed_in(name: str, notebook: str) -> str:
    """The file's name without the number that Canvas has added, where it is the lab's then."""
    without = _AGAIN.sub("", name)
    return notebook if plain_stem(without) == plain_stem(notebook) else name
