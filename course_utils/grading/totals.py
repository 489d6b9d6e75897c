"""The nouns of what a student is worth: the mark of a cell, and the one total of them all.

Table, report, JSON and feedback pages show these, and formgrader shows the same gradebook.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from course_utils.ground.cells import exercise_of

NO_RESPONSE = "No response."  # nbgrader's word for a cell that was left as it came


@dataclass(frozen=True, slots=True)
class CellMark:
    """The mark of one cell.

    Attributes:
        automatic: the grader's; None for a written answer that nobody has graded.
        manual: a person's, which counts in place of the automatic one.
        extra: extra credit.
        max_score: what the cell is worth.
        to_grade: whether a person is to look at it (again).
    """

    automatic: float | None
    manual: float | None
    extra: float
    max_score: float
    to_grade: bool

    @property
    def earned(self) -> float:
        """What the answer itself is worth, extra credit aside."""
        return (self.automatic if self.manual is None else self.manual) or 0.0

    @property
    def score(self) -> float:
        return self.earned + self.extra

    @property
    def unread(self) -> bool:
        """Whether there is no mark yet: a person has still to read the answer."""
        return self.automatic is None and self.manual is None


@dataclass(frozen=True, slots=True)
class Total:
    """What a submission is worth: what the grader gave, what people gave, what lateness took.

    ``automatic`` leaves out what a person has overridden, so that the parts add up to the score.
    """

    automatic: float = 0.0
    manual: float = 0.0
    extra: float = 0.0
    penalty: float = 0.0
    max_score: float = 0.0
    to_grade: int = 0

    @property
    def score(self) -> float:
        """Never below 0, as nbgrader exports it."""
        return round(max(0.0, self.automatic + self.manual + self.extra - self.penalty), 2)

    def to_dict(self) -> dict[str, float]:
        return {
            "score": self.score,
            "max_score": self.max_score,
            "automatic": round(self.automatic, 2),
            "manual": round(self.manual, 2),
            "extra": round(self.extra, 2),
            "penalty": round(self.penalty, 2),
            "to_grade": self.to_grade,
        }


@dataclass(slots=True)
class StudentMarks:
    """All that the gradebook holds of one student's submission of a lab.

    ``remarks`` are a person's, by cell, or else the grader's own; ``handed_in`` is in UTC, None
    where no date is known.
    """

    cells: dict[str, CellMark] = field(default_factory=dict)
    remarks: dict[str, str] = field(default_factory=dict)
    penalty: float = 0.0
    seconds_late: float = 0.0
    handed_in: datetime | None = None

    @property
    def total(self) -> Total:
        cells = self.cells.values()
        return Total(
            automatic=sum(cell.automatic or 0.0 for cell in cells if cell.manual is None),
            manual=sum(cell.manual for cell in cells if cell.manual is not None),
            extra=sum(cell.extra for cell in cells),
            penalty=self.penalty,
            max_score=sum(cell.max_score for cell in cells),
            to_grade=sum(cell.to_grade for cell in cells),
        )

    @property
    def exercises(self) -> dict[str, float | None]:
        """Exercise → its automatic mark."""
        return {
            exercise_of(name): cell.automatic
            for name, cell in self.cells.items()
            if exercise_of(name)
        }
