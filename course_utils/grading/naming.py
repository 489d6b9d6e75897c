"""Names that students chose, as they may be shown: escaped, shortened, and not too many."""

from __future__ import annotations

import re
from collections.abc import Sequence
from unicodedata import category

_AT_MOST = 5
_LENGTH = 60
_UNPRINTABLE = {"Cc", "Cf", "Cs", "Zl", "Zp"}  # controls, direction, half characters, lines
_COPY = re.compile(r"[ _-]*(\(\d+\)|copy[ _-]*\d*|kopie[ _-]*\d*)$")
# What is left of "lab.ipynb" once a browser, a mail program or an editor has helped.
_NOTEBOOK = re.compile(
    r"^(?P<stem>.*?)(\.ipynb)+([ _-]*(\(\d+\)|copy[ _-]*\d*)|[._-]*(txt|json|bak|orig|old))*$",
    re.IGNORECASE | re.DOTALL,
)


def shown(name: str) -> str:
    """A file's name on one line: control characters and bytes that are no UTF-8 are escaped."""
    escaped = printable(name)
    return escaped if len(escaped) <= _LENGTH else f"{escaped[: _LENGTH - 1]}…"


def printable(name: str) -> str:
    """A name without what no terminal, database or JSON file should be sent; the rest as it is."""
    return "".join(
        char.encode("unicode_escape").decode() if category(char) in _UNPRINTABLE else char
        for char in name
    )


def listed(names: Sequence[str]) -> str:
    """A few names, and how many more there are."""
    some = [shown(name) for name in names[:_AT_MOST]]
    if len(names) > _AT_MOST:
        return f"{', '.join(some)} and {len(names) - _AT_MOST} more"
    return " and ".join([", ".join(some[:-1]), some[-1]]) if len(some) > 1 else "".join(some)


def is_notebook_name(name: str) -> bool:
    """Whether a name is a notebook's, be it "lab.IPYNB", "lab.ipynb (1)" or "lab.ipynb.txt"."""
    return _NOTEBOOK.match(name) is not None


def plain_stem(name: str) -> str:
    """What a notebook's name is without endings, copy numbers, case and blanks, to compare it."""
    found = _NOTEBOOK.match(name)
    stem = (found["stem"] if found else name.partition(".")[0]).casefold()
    while (shorter := _COPY.sub("", stem)) != stem:
        stem = shorter
    return re.sub(r"[\s_-]+", "", stem)
