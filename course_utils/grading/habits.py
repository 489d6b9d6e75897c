"""What notebooks of a class import though their lab does not, so that it is imported once for all.

Torch in a NumPy lab is the common case: it takes longer to import than the notebook to grade, and
in every submission's sandbox anew. A fork is a little dearer for it, so one notebook alone is no
reason.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

# What the course's environment holds, is slow to import, and runs nothing of a student's.
_SLOW = ("torch", "scipy.special", "scipy.stats", "sympy", "sklearn")
_OFTEN = 2
_IMPORT = re.compile(r"^[ \t]*(?:import|from)[ \t]+([\w.]+)", re.MULTILINE)


class Habits:
    """Counts what notebooks import."""

    def __init__(self) -> None:
        self._seen: Counter[str] = Counter()

    def of(self, program: Iterable[tuple[int, str]]) -> list[str]:
        """What is worth importing beforehand, after one notebook more.

        Args:
            program: its cells, (number, source).
        """
        imported = {name for _, source in program for name in _IMPORT.findall(source)}
        self._seen.update(
            slow for slow in _SLOW
            if any(name == slow or name.startswith(f"{slow}.") for name in imported)
        )  # fmt: skip
        return [slow for slow in _SLOW if self._seen[slow] >= _OFTEN]
