"""What a careless, confused or unlucky student may hand in, and what must come of it.

``SUBMISSIONS`` is graded by the tests through our engine and by ``make agree`` through both
``course grade`` and ``nbgrader autograde``; it is the table in ``docs/odd-submissions.md``, which
``python tests/odd_submissions.py`` prints.
"""

from __future__ import annotations

import odd_answers  # it describes its part of the collection
import odd_code  # it describes its part of the collection
import odd_files  # it describes its part of the collection
import odd_metadata  # it describes its part of the collection
from odd_cases import SUBMISSIONS

__all__ = ["ORDER", "PARTS", "SUBMISSIONS", "table"]

PARTS = (odd_files, odd_metadata, odd_code, odd_answers)  # importing them fills the collection
ORDER = (
    "Files and folders", "Archives", "What is in the file", "Metadata and form",
    "Which lab it is", "Code cells", "Written answers",
)  # fmt: skip


def table() -> str:
    """The collection as the tables of ``docs/odd-submissions.md``, the parts in their order."""
    lines: list[str] = []
    for odd in sorted(SUBMISSIONS, key=lambda odd: ORDER.index(odd.group)):
        if f"## {odd.group}" not in lines:
            lines += ["", f"## {odd.group}", "", "| handed in | marks of 5 | reason | answers |"]
            lines += ["|---|---:|---|---|"]
        states = " · ".join(odd.written) if len(set(odd.written)) > 1 else "".join(odd.written[:1])
        lines.append(f"| {odd.what} | {odd.score:g} | `{odd.reason}` | {states or '–'} |")
    return "\n".join(lines).strip() + "\n"


if __name__ == "__main__":
    print(table(), end="")
