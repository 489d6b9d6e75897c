"""A lab's class on one page: ``reports/LAB.html``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from course_utils.grading import spreadsheet, templating
from course_utils.grading.course import Course
from course_utils.grading.insight.code import written
from course_utils.grading.insight.items import Item, items
from course_utils.grading.insight.likeness import ALIKE, Alike, alike
from course_utils.grading.insight.measures import ENOUGH, histogram, reliability, spread
from course_utils.grading.insight.mistakes import Held, mistakes
from course_utils.grading.insight.noticed import noticed, times
from course_utils.grading.insight.roll import Roll, read_roll
from course_utils.grading.submissions import find_submissions
from course_utils.ground.lab import Lab

_RANKED = 20
_GROUPS = 30
_EASY = 0.95
_HARD = 0.5


@dataclass(frozen=True)
class Insight:
    """All that a page shows of a lab.

    Attributes:
        compared: how many notebooks were compared with one another.
    """

    roll: Roll
    items: list[Item]
    mistakes: list[Held]
    alike: list[Alike]
    compared: int

    @property
    def worth(self) -> float:
        return max((work.total.max_score for work in self.roll.works), default=0.0)


def look_at(course: Course, lab: Lab) -> Insight:
    """A lab as it stands now; nothing is written.

    Raises:
        LabError: nobody was graded, or what is kept of it cannot be read.
    """
    roll = read_roll(course, lab)
    codes = written(lab, find_submissions(course, lab))
    return Insight(roll, items(roll), mistakes(roll), alike(codes), len(codes))


def write(course: Course, insight: Insight) -> Path:
    """Write a lab's page; the folder is the one that ``course grade`` writes its tables to."""
    path = course.root / "reports" / f"{insight.roll.lab.name}.html"
    return templating.write_page(page(insight), path)


def page(insight: Insight) -> str:
    """The page as text."""
    roll = insight.roll
    counts = histogram([work.share for work in roll.works])
    waiting = sum(work.total.to_grade > 0 for work in roll.works)
    return templating.render(
        "report",
        lab=roll.lab.name,
        made=f"{datetime.now().astimezone():%Y-%m-%d %H:%M}",
        names={work.student: work.name for work in roll.works},
        graded=len(roll.works), judged=len(roll.judged), absent=roll.absent,
        counts=counts, alt=_heard(counts), worth=insight.worth,
        scores=spread([work.total.score for work in roll.works]),
        full=sum(work.share >= 1 - 1e-9 for work in roll.works),
        nothing=sum(work.total.score <= 0 for work in roll.works),
        reliability=_reliability(roll),
        waiting=waiting, reading=_reading(insight.items),
        mistakes=insight.mistakes, ranked=_RANKED,
        items=[(item, _in_words(item)) for item in insight.items],
        green=sorted((i for i in insight.items if i.green), key=lambda i: -len(i.green)),
        times=times(roll), noticed=noticed(roll),
        alike=insight.alike, compared=insight.compared, groups=_GROUPS, near=ALIKE, enough=ENOUGH,
    )  # fmt: skip


def write_table(course: Course, insight: Insight) -> Path:
    """The page's numbers of every exercise, for a spreadsheet: ``reports/LAB.items.csv``."""
    header = [
        "name", "points", "students", "mean_share", "standard_deviation", "all_points",
        "no_points", "not_written", "unread", "discrimination", "public_claims_failing",
        "hidden_claims_failing", "right_in_check_only", "commonest_mistake", "students_with_it",
    ]  # fmt: skip
    path = course.root / "reports" / f"{insight.roll.lab.name}.items.csv"
    spreadsheet.write(path, header, (_row(insight, item) for item in insight.items))
    return path


def _row(insight: Insight, item: Item) -> list[object]:
    shares = spread(item.shares)
    held = next((one for one in insight.mistakes if one.exercise == item.name), None)
    measured = (
        item.earned, shares.deviation if shares else None, item.discrimination,
        item.failing(hidden=False), item.failing(hidden=True),
    )  # fmt: skip
    earned, deviation, telling, public, hidden = (
        None if number is None else round(number, 4) for number in measured
    )
    return [
        item.name, item.max_score, len(item.shares), earned, deviation, item.full,
        sum(share <= 0 for share in item.shares), item.not_written, item.unread, telling,
        public, hidden, len(item.green),
        held.title if held else None, held.count if held else None,
    ]  # fmt: skip


def _reliability(roll: Roll) -> tuple[float, float] | None:
    """Cronbach's alpha of the exercises that a machine marks, and what it leaves uncertain of
    their points: the standard error of measurement."""
    names = [one.name for one in roll.lab.exercises]
    rows = [
        [roll.worth[name] * (work.shares.get(name) or 0.0) for name in names]
        for work in roll.judged
    ]
    alpha = reliability(rows)
    totals = spread([sum(row) for row in rows])
    if alpha is None or alpha <= 0 or totals is None:  # 0 or less: it says nothing
        return None
    return alpha, totals.deviation * max(0.0, 1 - alpha) ** 0.5


def _heard(counts: Sequence[int]) -> str:
    """A histogram for those who hear the page."""
    parts = [
        f"{count} from {10 * number} to {10 * number + 10} percent"
        for number, count in enumerate(counts) if count
    ]  # fmt: skip
    return f"Distribution of scores, in students: {', '.join(parts)}."


def _reading(some: Sequence[Item]) -> str:
    """How far the written answers are read."""
    parts = [
        f"{templating.title(item.name)} {len(item.shares)} of {len(item.shares) + item.unread}"
        for item in some if item.unread
    ]  # fmt: skip
    return f"Read or left empty so far: {', '.join(parts)}." if parts else ""


def _in_words(item: Item) -> str:
    """What the two numbers of an exercise say to whoever wrote it."""
    if item.unread or item.earned is None:
        return f"{item.unread} answers still to be read" if item.unread else ""
    easy, hard = item.earned >= _EASY, item.earned < _HARD
    said = "nearly all earn it" if easy else "hard" if hard else ""
    telling = item.discrimination
    if telling is None or (easy and telling >= 0):
        return said
    if telling < 0:
        told = "those who are good elsewhere do worse here: look at its text and tests"
    elif telling < 0.2:
        told = "says little about the rest of the lab"
    else:
        told = "tells apart well" if telling >= 0.4 else ""
    return "; ".join(part for part in (said, told) if part)
