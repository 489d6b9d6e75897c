"""The nouns of collecting: whom a learning management system names, and what they handed in."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from datetime import datetime

from course_utils.grading.collecting.download import Member


@dataclass(frozen=True)
class Person:
    """Somebody as the download names them.

    Attributes:
        id: the system's own, never chosen by the person: ``canvas-123``.
        name: what the download has of a name; who matches it is compared by :func:`plain`.
        keys: what else says who it is: a student number, an e-mail address.
    """

    id: str
    name: str
    keys: tuple[str, ...] = ()


@dataclass(frozen=True)
class HandedIn:
    """One file that somebody handed in.

    Attributes:
        parts: its name, with the folders that the person put it in.
        order: of two files of one name, the one with the larger order counts.
        moment: when it was handed in, where the download says so.
        late: whether the system calls it late.
    """

    person: Person
    parts: tuple[str, ...]
    member: Member
    order: float = 0.0
    moment: datetime | None = None
    late: bool = False


@dataclass
class Found:
    """What a download holds.

    Attributes:
        files: what was handed in.
        remarks: what a teacher should know of the rest, a sentence each.
    """

    files: list[HandedIn] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)


def plain(name: str) -> str:
    """A name without what systems write differently: case, accents, blanks, signs."""
    letters = unicodedata.normalize("NFKD", name.casefold())
    return re.sub(r"[\W_]+", "", letters)
