"""All labs of a course on one page: ``reports/course.html``, with a link to each lab's own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from course_utils.grading import templating
from course_utils.grading.course import Course
from course_utils.grading.insight.items import Item
from course_utils.grading.insight.lab_page import Insight
from course_utils.grading.insight.measures import Spread, histogram, spread

NAME = "course.html"
_HARDEST = 3
_MISTAKES = 3


@dataclass(frozen=True)
class Line:
    """A lab in the course's table.

    Attributes:
        shares: of the lab's points, from 0 to 1.
        hardest: exercises of which least was earned.
    """

    insight: Insight
    shares: Spread
    hardest: list[Item]

    @property
    def lab(self) -> str:
        return self.insight.roll.lab.name

    @property
    def counts(self) -> list[int]:
        return histogram([work.share for work in self.insight.roll.works])


def write(course: Course, insights: Sequence[Insight]) -> Path:
    """Write the course's page."""
    return templating.write_page(page(insights), course.root / "reports" / NAME)


def page(insights: Sequence[Insight]) -> str:
    """The page as text.

    Args:
        insights: of every lab that was graded, each of somebody.
    """
    return templating.render(
        "course",
        made=f"{datetime.now().astimezone():%Y-%m-%d %H:%M}",
        lines=[_line(one) for one in insights],
        mistakes=_MISTAKES,
        students=_students(insights),
    )


def _line(insight: Insight) -> Line:
    shares = spread([work.share for work in insight.roll.works])
    assert shares is not None, "a roll without anybody is refused where it is read"
    known = [item for item in insight.items if item.claims and item.earned is not None]
    hardest = sorted(known, key=lambda item: item.earned or 0.0)[:_HARDEST]
    return Line(insight, shares, hardest)


def _students(insights: Sequence[Insight]) -> list[tuple[str, str, list[float | None], float]]:
    """(student, name, share of each lab or None, mean share) of everybody; who is absent from a
    lab has no mark there, and it counts as nothing."""
    works = [{work.student: work for work in one.roll.works} for one in insights]
    names = {work.student: work.name for lab in works for work in lab.values()}
    found = []
    for student, name in sorted(names.items(), key=lambda one: one[0].casefold()):
        shares = [lab[student].share if student in lab else None for lab in works]
        found.append((student, name, shares, sum(s or 0.0 for s in shares) / len(shares)))
    return found
