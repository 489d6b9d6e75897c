"""Whether ``course grade`` and ``nbgrader autograde`` give the same marks: every odd submission is
handed in twice, graded by both real commands, and the two gradebooks are compared.

``make agree``, that is ``python tests/two_ways.py``, prints a table and the number of differences.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from nbgrader.api import Gradebook
from odd_cases import LEFT, Odd
from odd_lab import write_odd_course
from odd_submissions import SUBMISSIONS
from tiny import TINY_LAB

Marks = dict[str, tuple[float | None, bool]]
_SECONDS = 4  # of a cell: one of the submissions never ends


@dataclass(frozen=True)
class Compared:
    """A submission's marks by both ways: cell → (automatic score, whether a person must grade)."""

    odd: Odd
    course: Marks
    nbgrader: Marks

    @property
    def agree(self) -> bool:
        """Whether both ways give the same marks cell by cell, and those that they should."""
        by_hand = sum(state is not LEFT for state in self.odd.written)
        wanted = f"{self.odd.score:g} + {by_hand} by hand"
        return self.course == self.nbgrader and _told(self.course) == wanted

    def __str__(self) -> str:
        sign = "=" if self.agree else "≠"
        return f"{self.odd.name:<24} {_told(self.course):>18}  {sign}  {_told(self.nbgrader)}"


def _told(marks: Marks) -> str:
    if not marks:
        return "no row"
    score = sum(score or 0 for score, _ in marks.values())
    return f"{score:g} + {sum(person for _, person in marks.values())} by hand"


def compare(submissions: Sequence[Odd], folder: Path) -> list[Compared]:
    """Hand the submissions in, in two courses, and grade each by one of the commands."""
    ways = {
        "course": ("course", "grade", TINY_LAB, f"--cell-seconds={_SECONDS}"),
        "nbgrader": ("nbgrader", "autograde", TINY_LAB, f"--Execute.cell_seconds={_SECONDS}"),
    }
    first = write_odd_course(folder / "course")
    _run(first, "course", "release", TINY_LAB, "--unverified")
    for odd in submissions:
        target = first / "submitted" / odd.name / TINY_LAB
        target.mkdir(parents=True)
        odd.make(target)
    _copy(first, folder / "nbgrader")
    for way, command in ways.items():
        _run(folder / way, *command)
    found = {way: _marks(folder / way) for way in ways}
    return [
        Compared(odd, *(found[way].get(odd.name, {}) for way in ways)) for odd in submissions
    ]


def _copy(source: Path, target: Path) -> None:
    # With cp, which copies links and pipes as what they are.
    subprocess.run(["cp", "-a", str(source), str(target)], check=True)


def _run(folder: Path, *command: str) -> None:
    own = str(Path(sys.executable).parent)
    environment = {**os.environ, "PATH": f"{own}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, errors="replace",
        check=False,
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with {done.returncode}:\n{done.stderr}")


def _marks(folder: Path) -> dict[str, Marks]:
    with Gradebook(f"sqlite:///{folder / 'gradebook.db'}", "training-neural-networks") as book:
        return {
            submission.student.id: {
                grade.name: (grade.auto_score, bool(grade.needs_manual_grade))
                for grade in submission.notebooks[0].grades
            }
            for submission in book.assignment_submissions(TINY_LAB)
        }


def main() -> int:
    """Compare the whole collection; the number of differences, at most 125, is the exit code."""
    folder = Path(tempfile.mkdtemp())
    try:
        compared = compare(SUBMISSIONS, folder)
    finally:
        shutil.rmtree(folder)
    print(f"{'submission':<24} {'course grade':>18}     nbgrader autograde")
    print(*compared, sep="\n")
    differing = sum(not one.agree for one in compared)
    print(f"\n{len(compared)} submissions, {differing} differences")
    return min(differing, 125)


if __name__ == "__main__":
    sys.exit(main())
