"""Moodle's "Download all submissions": a folder for each participant, or all files in one.

``Jane Smith_12345_assignsubmission_file_/softmax_nll.ipynb``, or, where no folders were asked for,
``Jane Smith_12345_assignsubmission_file_softmax_nll.ipynb``. The number is the participant's in
this assignment; blind marking writes Participant for the name. Only the last attempt is in it, and
neither a date nor a word of lateness. (``mod/assign/classes/downloader.php`` of moodle/moodle makes
it.)
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from course_utils.grading.collecting.download import Member
from course_utils.grading.collecting.handed_in import Found, HandedIn, Person
from course_utils.grading.reading.naming import shown

# Moodle writes no underscore in a name.
_FOLDER = re.compile(
    r"(?P<name>[^_]*)_(?P<id>[0-9]+)_assignsubmission_(?P<kind>[a-z]+)(_(?P<rest>.*))?", re.DOTALL
)


def read(members: Sequence[Member], notebook: str) -> Found:
    """What was handed in.

    Args:
        members: the download's files.
        notebook: the lab's; not needed here.
    """
    found = Found()
    for member in members:
        first, *inside = member.parts
        match = _FOLDER.fullmatch(first)
        if match is None and inside:  # the folder that it was unpacked to
            first, *inside = inside
            match = _FOLDER.fullmatch(first)
        parts = inside or ([match["rest"]] if match and match["rest"] else [])
        if match is None or not parts:
            found.remarks.append(f"{shown(member.name)} was left out: Moodle names no file so")
        elif match["kind"] != "file":
            found.remarks.append(
                f"{shown(member.name)} was left out: a text was handed in, and no file"
            )
        else:
            person = Person(f"moodle-{match['id']}", match["name"])
            found.files.append(HandedIn(person, tuple(parts), member))
    return found
