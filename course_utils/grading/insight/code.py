"""The code that students have written, of all that they handed in, as fingerprints."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from course_utils.diagnosis.rewriting import exercise_cells
from course_utils.grading.insight.fingerprints import Checksums, checksums, winnowed
from course_utils.grading.insight.likeness import Code
from course_utils.grading.insight.tokens import names, tokens
from course_utils.grading.reading.parsing import parsed
from course_utils.grading.reading.unreadable import UnreadableError
from course_utils.grading.submissions import Submission
from course_utils.ground.cells import grade_id, source
from course_utils.ground.lab import Lab
from course_utils.ground.stub import stub_source

# Letters of code that are looked at in one notebook: nobody writes as much by hand.
MOST = 200_000


@dataclass
class Given:
    """What everybody has received with a lab, and is nobody's own.

    Attributes:
        lab: an instructor's folder.
        names: that stand in the lab's code, solutions aside.
        sums: the checksums of all of that code.
        exercises: solution cell → exercise.
        untouched: the texts of its cells, as students receive them.
    """

    lab: Lab
    names: set[str] = field(default_factory=set)
    sums: Checksums = field(default_factory=lambda: np.zeros(0, np.uint64))
    exercises: dict[str, str] = field(default_factory=dict)
    untouched: set[str] = field(default_factory=set, repr=False)

    @classmethod
    def by(cls, lab: Lab) -> Given:
        """What a lab gives."""
        exercises = {
            grade_id(cell): exercise
            for exercise, cells in exercise_cells(lab).items() for cell in cells
        }  # fmt: skip
        released = {
            stub_source(source(cell), lab.name, exercises.get(grade_id(cell), ""))
            for cell in lab.notebook["cells"] if cell["cell_type"] == "code"
        }  # fmt: skip
        made = cls(
            lab, set().union(*map(names, released)), exercises=exercises, untouched=released
        )
        made.sums = np.unique(np.concatenate([made._sums(text) for text in released]))
        return made

    def own(self, notebook: bytes) -> Code:
        """A notebook's code without what was given: exercise → fingerprints.

        Raises:
            UnreadableError: it is no notebook.
        """
        found: dict[str, list[Checksums]] = {}
        left = MOST
        for cell in parsed(notebook, self.lab.notebook_path.name, [])["cells"]:
            text = source(cell)[:left]
            if cell["cell_type"] == "code" and text not in self.untouched:
                left -= len(text)
                where = self.exercises.get(grade_id(cell), "")
                found.setdefault(where, []).append(self._prints(text))
        return {where: np.unique(np.concatenate(parts)) for where, parts in found.items()}

    def _prints(self, text: str) -> Checksums:
        sums = self._sums(text)
        return winnowed(sums[~np.isin(sums, self.sums)])

    def _sums(self, text: str) -> Checksums:
        return checksums(tokens(text, self.names))


def written(lab: Lab, submissions: Iterable[Submission]) -> dict[str, Code]:
    """Student → code; who has handed in nothing that can be read is not among them."""
    given = Given.by(lab)
    found: dict[str, Code] = {}
    for submission in submissions:
        try:
            found[submission.student] = given.own(submission.read())
        except (UnreadableError, OSError):
            continue
    return found
