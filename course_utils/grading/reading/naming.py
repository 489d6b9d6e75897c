"""Names that students chose, as they may be shown: escaped, shortened, and not too many."""

from __future__ import annotations

import re
from collections.abc import Sequence

from course_utils.ground.escaping import escaped

_AT_MOST = 5
_LENGTH = 60
_LONGEST = 255  # of a file's name; in an archive it may be much longer
_ENDING = ".ipynb"
# What a browser, a mail program, an editor or a file manager adds to a name, one at a time.
_ADDED = re.compile(r"(\(\d+\)|[._-](txt|json|bak|orig|old)|(copy|kopie)[ _-]*\d*)$")


def shown(name: str) -> str:
    """A file's name on one line: control characters and bytes that are no UTF-8 are escaped."""
    text = escaped(name)
    return text if len(text) <= _LENGTH else f"{text[: _LENGTH - 1]}…"


def listed(names: Sequence[str]) -> str:
    """A few names, and how many more there are."""
    some = [shown(name) for name in names[:_AT_MOST]]
    if len(names) > _AT_MOST:
        return f"{', '.join(some)} and {len(names) - _AT_MOST} more"
    return " and ".join([", ".join(some[:-1]), some[-1]]) if len(some) > 1 else "".join(some)


def is_notebook_name(name: str) -> bool:
    """Whether a name is a notebook's, be it "lab.IPYNB", "lab.ipynb (1)" or "lab.ipynb.txt"."""
    return _without_additions(name.casefold()[-_LONGEST:], until=_ENDING).endswith(_ENDING)


def plain_stem(name: str) -> str:
    """What a notebook's name is without endings, copy numbers, case and blanks, to compare it."""
    stem = name.casefold()[-_LONGEST:]
    if is_notebook_name(stem):
        stem = _without_additions(stem, until=_ENDING)
        while stem.endswith(_ENDING):
            stem = _without_additions(stem.removesuffix(_ENDING), until=_ENDING)
    else:
        stem = stem.partition(".")[0]
    return re.sub(r"[\s_-]+", "", _without_additions(stem))


def _without_additions(name: str, until: str = "") -> str:
    """A name without what was added at its end, until it ends as it should."""
    while not (until and name.endswith(until)):
        shorter = _ADDED.sub("", name.rstrip(" ._-"))
        if shorter == name:
            break
        name = shorter
    return name
