"""An error that ended the run of a lab's solution under its tests, by file and line."""

from __future__ import annotations

import re
import traceback

from course_utils.gate.finding import Finding
from course_utils.gate.sources.entries import with_line
from course_utils.gate.sources.fatal import raised
from course_utils.ground.cells import grade_id
from course_utils.ground.errors import LabTestsError
from course_utils.ground.lab import Lab

_SHOWN = 5


def explained(lab: Lab, error: Exception) -> list[Finding]:
    """An error that ended the run of a lab's solution under its tests, by file and line."""
    if isinstance(error.__cause__, Exception):  # of a cell
        return [_cell_raised(lab, error.__cause__) or Finding(1, str(error), fatal=True)]
    if not isinstance(error, LabTestsError):
        return [Finding(6, with_line(lab, str(error)), fatal=True)]
    ways: dict[tuple[str, str], str] = {}  # a broken fixture is one fault, whoever asks for it
    for line in str(error).splitlines()[1:]:
        match = re.match(r"(.*, line \d+), in \w+(?:\[.*?\])?: (.*)", line)
        if line.strip():
            ways.setdefault((match[1], match[2]) if match else (line, ""), line)
    said = list(ways.values())
    more = [f"and {len(said) - _SHOWN} more"] if len(said) > _SHOWN else []
    sentences = "; ".join([*said[:_SHOWN], *more]) or str(error)
    return [Finding(1, f"{sentences}: mend the test, this is no fault of a solution", fatal=True)]


def _cell_raised(lab: Lab, error: Exception) -> Finding | None:
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        match = re.fullmatch(r"<cell (\d+) of .*>", frame.filename)
        if match:
            number = int(match.group(1))
            name = grade_id(lab.notebook["cells"][number])
            place = f"{lab.notebook_path.name}, cell {number}" + (f" ({name})" if name else "")
            return Finding(
                1,
                f"{place}, line {frame.lineno}: the solution raises {raised(error)} when the cell "
                "is run: mend the cell",
                fatal=True,
            )
    return None
